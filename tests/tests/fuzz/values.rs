//! Random and nonsensical values through the database capability, as a guest sends them: every call is answered, with a typed
//! error or with what it did, and the tables hold just that.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::conformance::{Stage, wave};
use poolhouse_tests::{BACKENDS, Backend};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// Calls of some statements each.
const CASES: u32 = 300;
/// One call's time; far less is measured.
const LONGEST: Duration = Duration::from_secs(10);

const POSTGRESQL: [&str; 13] = [
    "boolean",
    "int2",
    "int4",
    "bigint",
    "float4",
    "float8",
    "numeric",
    "text",
    "bytea",
    "uuid",
    "date",
    "timestamptz",
    "jsonb",
];
const SQLITE: [&str; 11] = [
    "BOOLEAN",
    "INTEGER",
    "BIGINT",
    "REAL",
    "DOUBLE",
    "DECIMAL_TEXT",
    "TEXT",
    "BLOB",
    "UUID_TEXT",
    "DATE",
    "JSON_TEXT",
];

/// A table for each type, of one column `v`.
fn tables(types: &[&str]) -> String {
    types
        .iter()
        .enumerate()
        .map(|(at, ty)| format!("CREATE TABLE t{at} (v {ty});"))
        .collect()
}

/// Texts that are near to being decimals, dates, JSON or nothing at all.
fn text() -> BoxedStrategy<String> {
    let near = [
        "",
        "NaN",
        "-Infinity",
        "1e400",
        "-",
        ".",
        "1.",
        "-0.00",
        "00",
        "0x1F",
        "+1",
        "1_000",
        "null",
        "{",
        "[1,]",
        "{\"a\":1e999}",
        "\"\\ud800\"",
        "\u{0}",
        "a\u{0}b",
        "\u{feff}1",
        "١٢٣",
        "12:61",
        "9999-99-99",
        "{1,2}",
        "NULL",
        "'; DROP TABLE t0; --",
    ];
    prop_oneof![
        2 => prop::sample::select(near.map(str::to_owned).to_vec()),
        2 => "-?[0-9]{1,60}(\\.[0-9]{0,60})?",
        1 => "\\PC{0,40}",
        1 => vec(any::<char>(), 0..30).prop_map(String::from_iter),
        1 => (0..20_000_usize).prop_map(|length| "9".repeat(length)),
    ]
    .boxed()
}

fn integer() -> BoxedStrategy<i64> {
    let edges = [
        0,
        1,
        -1,
        32_767,
        -32_769,
        i64::from(i32::MAX) + 1,
        i64::MIN,
        i64::MAX,
    ];
    prop_oneof![prop::sample::select(edges.to_vec()), any::<i64>()].boxed()
}

fn float() -> BoxedStrategy<String> {
    any::<f64>()
        .prop_map(|value| match value {
            value if value.is_nan() => "nan".to_owned(),
            value if value == f64::INFINITY => "inf".to_owned(),
            value if value == f64::NEG_INFINITY => "-inf".to_owned(),
            value => format!("{value:e}"),
        })
        .boxed()
}

fn list(items: impl Strategy<Value = String>, most: usize) -> impl Strategy<Value = String> {
    vec(items, 0..most).prop_map(|items| format!("[{}]", items.join(", ")))
}

fn bytes() -> impl Strategy<Value = String> {
    list(any::<u8>().prop_map(|byte| byte.to_string()), 40)
}

fn uuid() -> impl Strategy<Value = String> {
    (any::<u64>(), any::<u64>()).prop_map(|(high, low)| format!("{{high: {high}, low: {low}}}"))
}

/// Offsets in order and within the data now and then, and any others.
fn packed() -> impl Strategy<Value = String> {
    let sound = vec("[a-z0-9.{}\\[\\]\"-]{0,6}", 0..6).prop_map(|texts| {
        let mut offsets = vec![0];
        let mut data = Vec::new();
        for text in texts {
            data.extend(text.into_bytes());
            offsets.push(data.len());
        }
        format!("{{offsets: {offsets:?}, data: {data:?}}}")
    });
    let offset = prop_oneof![3 => 0..12_u32, 1 => any::<u32>(), 1 => Just(u32::MAX)];
    let unsound = (vec(offset, 0..8), vec(any::<u8>(), 0..12))
        .prop_map(|(offsets, data)| format!("{{offsets: {offsets:?}, data: {data:?}}}"));
    prop_oneof![sound, unsound]
}

/// A column whose bitmap and values need not fit each other, nor any other column.
fn column() -> BoxedStrategy<String> {
    let values = prop_oneof![
        list(any::<bool>().prop_map(|value| value.to_string()), 6)
            .prop_map(|list| format!("boolean({list})")),
        list(integer().prop_map(|value| value.to_string()), 6)
            .prop_map(|list| format!("int64({list})")),
        list(float(), 6).prop_map(|list| format!("float64({list})")),
        (
            prop::sample::select(vec!["decimal", "text", "bytes", "json"]),
            packed()
        )
            .prop_map(|(kind, packed)| format!("{kind}({packed})")),
        list(uuid(), 6).prop_map(|list| format!("uuid({list})")),
        list(any::<i32>().prop_map(|value| value.to_string()), 6)
            .prop_map(|list| format!("date({list})")),
        (
            prop::sample::select(vec!["time", "timestamp"]),
            list(integer().prop_map(|value| value.to_string()), 6)
        )
            .prop_map(|(kind, list)| format!("{kind}({list})")),
    ];
    let validity = prop_oneof![2 => Just(Vec::new()), 2 => vec(any::<u8>(), 1..3), 1 => vec(any::<u8>(), 0..40)];
    (validity, values)
        .prop_map(|(validity, values)| format!("{{validity: {validity:?}, values: {values}}}"))
        .boxed()
}

fn value() -> BoxedStrategy<String> {
    prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| format!("boolean({value})")),
        integer().prop_map(|value| format!("int64({value})")),
        float().prop_map(|value| format!("float64({value})")),
        (
            prop::sample::select(vec!["decimal", "text", "json"]),
            text()
        )
            .prop_map(|(kind, value)| format!("{kind}({})", wave::text(&value))),
        bytes().prop_map(|list| format!("bytes({list})")),
        uuid().prop_map(|value| format!("uuid({value})")),
        any::<i32>().prop_map(|value| format!("date({value})")),
        (prop::sample::select(vec!["time", "timestamp"]), integer())
            .prop_map(|(kind, value)| format!("{kind}({value})")),
        column().prop_map(|column| format!("array({column})")),
    ]
    .boxed()
}

/// One statement on the session in slot 0.
fn step(types: usize) -> impl Strategy<Value = Step> {
    let table = move || 0..types;
    let values = || vec(value(), 0..3);
    prop_oneof![
        6 => (table(), value()).prop_map(|(table, value)| {
            execute(0, &format!("INSERT INTO t{table} VALUES ($1)"), &[&value])
        }),
        6 => (table(), column()).prop_map(|(table, column)| {
            execute_many(0, &format!("INSERT INTO t{table} VALUES ($1)"), &[&column])
        }),
        2 => (table(), vec(column(), 0..4)).prop_map(|(table, columns)| {
            let columns: Vec<_> = columns.iter().map(String::as_str).collect();
            execute_many(0, &format!("INSERT INTO t{table} SELECT $1 WHERE $2"), &columns)
        }),
        3 => (table(), values()).prop_map(|(table, values)| {
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            query(0, &format!("SELECT v FROM t{table} WHERE v = $1 LIMIT 3"), &values)
        }),
        2 => values().prop_map(|values| {
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            query(0, "SELECT $1, $2", &values)
        }),
    ]
}

/// How many rows the outcomes say were inserted.
fn inserted(outcomes: &[String]) -> u64 {
    let changed = outcomes.iter().filter_map(|outcome| {
        let count = outcome.strip_prefix("changed(")?.strip_suffix(')')?;
        count.parse::<u64>().ok()
    });
    changed.sum()
}

fn count(stage: &Stage, types: usize) -> anyhow::Result<u64> {
    let counts = (0..types).map(|at| format!("(SELECT count(*) FROM t{at})"));
    let sum = counts.collect::<Vec<_>>().join(" + ");
    Ok(stage
        .text(&format!("SELECT CAST({sum} AS TEXT)"))?
        .parse()?)
}

/// Every step was answered: with a value, or an error of one of the contract's cases.
fn are_answers(outcomes: &[String]) -> anyhow::Result<()> {
    for outcome in outcomes {
        let Some(error) = outcome.strip_prefix("error(") else {
            continue;
        };
        let case = error.split('(').next().unwrap_or_default();
        let cases = [
            "denied",
            "invalid",
            "constraint",
            "conflict",
            "statement",
            "limit",
        ];
        ensure!(cases.contains(&case), "{outcome}");
    }
    Ok(())
}

#[test]
fn random_values_are_stored_or_refused() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let types: &[&str] = match backend {
            Backend::Sqlite => &SQLITE,
            Backend::Postgresql => &POSTGRESQL,
        };
        let stage = Stage::start(backend, &tables(types))?;
        let mut runner = TestRunner::new(Config {
            cases: CASES,
            failure_persistence: None,
            max_shrink_iters: 200,
            ..Config::default()
        });
        let (stored, refused) = (Cell::new(0), Cell::new(0));
        runner.run(&vec(step(types.len()), 1..8), |steps| {
            let played = play(&stage, &steps, types.len(), stored.get());
            let (changed, wrong) =
                played.map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
            stored.set(stored.get() + changed);
            refused.set(refused.get() + wrong);
            Ok(())
        })?;
        let (stored, refused) = (stored.get(), refused.get());
        // Else it would be only one way that was tried.
        ensure!(
            stored > 50 && refused > 50,
            "{backend:?}: {stored} rows stored, {refused} statements refused"
        );
        ensure!(stage.close() == 0);
    }
    Ok(())
}

/// Runs the steps in one call, and answers how many rows they inserted and how many were refused.
fn play(stage: &Stage, steps: &[Step], types: usize, before: u64) -> anyhow::Result<(u64, u64)> {
    let script = [&[open(0)], steps].concat();
    let begun = Instant::now();
    let outcomes = stage.call(&script).context("the call as a whole")?;
    ensure!(begun.elapsed() < LONGEST, "it took {:?}", begun.elapsed());
    ensure!(outcomes.len() == script.len(), "{outcomes:?}");
    are_answers(&outcomes)?;
    stage.is_clean()?;
    let changed = inserted(&outcomes);
    let now = count(stage, types)?;
    ensure!(
        now == before + changed,
        "{before} rows and {changed} are {now}: {outcomes:?}"
    );
    let refused = outcomes
        .iter()
        .filter(|outcome| outcome.starts_with("error("));
    Ok((changed, refused.count() as u64))
}

/// More of something than anybody needs.
#[test]
fn very_many_values_are_stored_or_refused() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t0 (v BIGINT)")?;
        let places = |count: usize| {
            (1..=count)
                .map(|at| format!("${at}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let numbers = vec!["int64(1)"; 70_000];
        let columns = vec!["{validity: [], values: int64([1])}"; 2_000];
        let steps = [
            query(0, "SELECT 1", &numbers),
            query(0, &format!("SELECT {}", places(70_000)), &numbers),
            execute(
                0,
                &format!(
                    "INSERT INTO t0 VALUES ({})",
                    places(20_000).replace(", ", "), (")
                ),
                &numbers[..20_000],
            ),
            execute_many(0, "INSERT INTO t0 VALUES ($1)", &columns),
            execute_many(
                0,
                "INSERT INTO t0 VALUES ($1)",
                &[&format!(
                    "{{validity: [], values: int64({:?})}}",
                    vec![1; 20_000]
                )],
            ),
        ];
        let changed = play(&stage, &steps, 1, 0)
            .with_context(|| format!("{backend:?}"))?
            .0;
        ensure!(changed >= 20_000, "{changed}");
    }
    Ok(())
}
