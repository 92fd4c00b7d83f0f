//! Owns arbitrary SQL texts through the footprint: no panic, no hang, and the same footprint each time. What once failed is kept
//! in `fuzz/`, one text a file, and tried first.

use std::time::{Duration, Instant};

use poolhouse_database::{Backend, Error, Footprint};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgresql];

/// How many texts of each kind are tried; `PROPTEST_CASES` tries as many others, at random.
const CASES: u32 = 3_000;

/// On any machine; a text of this size takes well under a millisecond on a quiet one.
const LONGEST: Duration = Duration::from_secs(5);

const CORPUS: [&str; 12] = [
    include_str!("bypass/postgresql/subqueries.sql"),
    include_str!("bypass/postgresql/ctes.sql"),
    include_str!("bypass/postgresql/writes.sql"),
    include_str!("bypass/postgresql/names.sql"),
    include_str!("bypass/postgresql/lexing.sql"),
    include_str!("bypass/postgresql/functions.sql"),
    include_str!("bypass/postgresql/statements.sql"),
    include_str!("bypass/postgresql/honest.txt"),
    include_str!("bypass/sqlite/subqueries.sql"),
    include_str!("bypass/sqlite/writes.sql"),
    include_str!("bypass/sqlite/names.sql"),
    include_str!("bypass/sqlite/honest.txt"),
];

/// What the databases' lexers and ours could cut otherwise, and what opens something.
const SHARDS: [&str; 56] = [
    "'",
    "''",
    "\"",
    "`",
    "[",
    "]",
    "$$",
    "$a$",
    "$1",
    "$0",
    "--",
    "\n",
    "/*",
    "*/",
    "E'",
    "U&\"",
    "U&'",
    "X'",
    "\\",
    ";",
    "(",
    ")",
    ",",
    ".",
    "..",
    "::",
    ":",
    ":=",
    "@",
    "?",
    "#",
    "->",
    "->>",
    "<-",
    "<<",
    "||",
    "=",
    "1e",
    "0x",
    "1_0",
    "é",
    "\u{a0}",
    "\0",
    "\r",
    "SELECT ",
    " FROM ",
    " IN ",
    " NOT ",
    " AS ",
    " WITH ",
    " INTO ",
    " ONLY ",
    " CASE ",
    " BETWEEN ",
    " LATERAL ",
    " RETURNING ",
];

fn texts() -> Vec<String> {
    CORPUS
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| !line.starts_with("# "))
        .map(|line| line.replace('⏎', "\n"))
        .collect()
}

fn tried(sql: &str) -> Result<(), TestCaseError> {
    for backend in BACKENDS {
        let started = Instant::now();
        let first = Footprint::read(sql, backend);
        let elapsed = started.elapsed();
        prop_assert!(elapsed < LONGEST, "{backend}: {elapsed:?}");
        if let Err(Error::Invalid(message)) = &first {
            prop_assert!(!message.contains("parser failed"), "{backend}: a panic");
        }
        let again = Footprint::read(sql, backend);
        prop_assert_eq!(&first, &again, "{}", backend);
    }
    Ok(())
}

fn fuzz(strategy: impl Strategy<Value = String>) {
    let random = std::env::var_os("PROPTEST_CASES").is_some();
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let rng = if random {
        TestRng::from_seed(RngAlgorithm::ChaCha, &seed())
    } else {
        config.cases = CASES;
        TestRng::deterministic_rng(RngAlgorithm::ChaCha)
    };
    let result = TestRunner::new_with_rng(config, rng).run(&strategy, |sql| tried(&sql));
    result.unwrap();
}

fn seed() -> [u8; 32] {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let mut seed = [7; 32];
    seed[..16].copy_from_slice(&now.to_le_bytes());
    seed
}

/// A cut at a letter's edge.
fn cut(text: &str, at: prop::sample::Index) -> usize {
    let mut at = at.index(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[test]
fn what_once_failed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/database/fuzz");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let sql = std::fs::read(entry.unwrap().path()).unwrap();
        tried(&String::from_utf8_lossy(&sql)).unwrap();
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn arbitrary_bytes() {
    let bytes = prop::collection::vec(any::<u8>(), 0..300);
    fuzz(bytes.prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    fuzz("\\PC{0,120}".boxed());
}

#[test]
fn shards_of_sql() {
    let words = prop_oneof![
        3 => prop::sample::select(SHARDS.to_vec()).prop_map(str::to_owned),
        1 => "[a-z]{1,3} ?",
        1 => "[0-9]{1,3} ?",
    ];
    fuzz(prop::collection::vec(words, 1..40).prop_map(|words| words.concat()));
}

#[test]
fn mutations_of_what_is_known() {
    let text = prop::sample::select(texts());
    let index = any::<prop::sample::Index>;
    let mutated = (
        text.clone(),
        text,
        index(),
        index(),
        index(),
        0..6,
        prop::sample::select(SHARDS.to_vec()),
    );
    fuzz(mutated.prop_map(|(one, other, a, b, c, how, shard)| {
        let (a, b) = (cut(&one, a), cut(&one, b));
        let (from, to) = (a.min(b), a.max(b));
        let c = cut(&other, c);
        match how {
            0 => format!("{}{}", &one[..a], &other[c..]),
            1 => format!("{}{}", &one[..from], &one[to..]),
            2 => format!("{}{shard}{}", &one[..a], &one[a..]),
            3 => format!("{}{}{}", &one[..to], &one[from..to], &one[to..]),
            4 => format!(
                "{}{shard}{}{shard}{}",
                &one[..from],
                &one[from..to],
                &one[to..]
            ),
            _ => format!("{}({other}){}", &one[..a], &one[a..]),
        }
    }));
}

/// Long chains and deep nests, up to the longest text that is taken.
#[test]
fn deep_and_long() {
    let nests = [
        ("SELECT ", "(", "1", ")"),
        ("SELECT ", "(SELECT ", "1", ")"),
        ("SELECT * FROM ", "(SELECT * FROM ", "a", ") AS x"),
        ("SELECT ", "NOT ", "1", ""),
        ("SELECT ", "- ", "1", ""),
        ("SELECT 1", " + 1", "", ""),
        ("SELECT 1", " IN t", "", ""),
        ("SELECT 1", " GLOB 1", "", ""),
        ("SELECT 1", " UNION SELECT 1", "", ""),
        ("SELECT ", "CASE WHEN ", "1", " THEN 1 END"),
        ("SELECT ", "f(", "1", ")"),
        ("SELECT ", "ARRAY[", "1", "]"),
        ("SELECT a", ".b", "", ""),
        ("SELECT a", "[1]", "", ""),
        ("SELECT a", "::int", "", ""),
        ("", "WITH a AS (", "SELECT 1", ") SELECT 1"),
        ("SELECT * FROM a", " JOIN a ON true", "", ""),
        ("SELECT * FROM ", "(a JOIN ", "a", " ON true)"),
        ("SELECT 1", ", 1", "", ""),
        ("SELECT ", "/*", "", "*/"),
        ("", "EXPLAIN ", "SELECT 1", ""),
        ("SELECT 1", ";", "", ""),
        ("SELECT * FROM t", " NOT INDEXED", "", ""),
        ("SELECT ", "$1 + ", "1", ""),
        ("SELECT ", "+", "1", ""),
        ("SELECT ", "~", "1", ""),
        ("SELECT 1 ", "*/", "", ""),
        ("SELECT ", "$", "1", ""),
        ("SELECT ", "$a", "1", ""),
        ("SELECT ", "'a' ", "", ""),
    ];
    let mut failed = Vec::new();
    for (before, open, inside, close) in nests {
        for depth in [10, 49, 51, 250, 8_000, 100_000] {
            let sql = format!(
                "{before}{}{inside}{}",
                open.repeat(depth),
                close.repeat(depth)
            );
            if let Err(error) = tried(&sql) {
                failed.push(format!("{open:?} {depth} times: {error}"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
