//! Random values of every kind through the guest: they come back as they went, the database's own program prints them as
//! what they are, and what it prints reads as the same value.

use std::fmt::Write;
use std::process::Command;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use poolhouse_tests::conformance::script::*;
use poolhouse_tests::conformance::{Stage, wave};
use poolhouse_tests::{BACKENDS, Backend};

/// Lists of so many values, so many times.
const VALUES: usize = 100;
const CASES: u32 = 4;

/// A random value: what the guest is given and answers, and what the database prints of it.
#[derive(Debug, Clone)]
struct Sample {
    wave: String,
    printed: String,
}

/// A kind on one database.
struct Kind {
    declared: &'static str,
    /// Of the column `v`, on one line.
    print: &'static str,
    /// A value from the text that was printed; empty where it is not to be had from it.
    literal: &'static str,
    /// Whether two printed texts are the same value.
    same: fn(&str, &str) -> bool,
}

const MICROSECONDS: &str = "(extract(epoch FROM v) * 1000000)::bigint::text";

fn equal(expected: &str, printed: &str) -> bool {
    expected == printed
}

fn equal_floats(expected: &str, printed: &str) -> bool {
    match (expected.parse::<f64>(), printed.parse::<f64>()) {
        (Ok(expected), Ok(printed)) => expected.to_bits() == printed.to_bits() || expected.is_nan() && printed.is_nan(),
        _ => false,
    }
}

/// SQLite knows no minus zero in a column.
fn equal_numbers(expected: &str, printed: &str) -> bool {
    let number = |text: &str| text.replace("Inf", "inf").parse::<f64>();
    matches!((number(expected), number(printed)), (Ok(expected), Ok(printed)) if expected == printed)
}

/// Tries lists of samples on a table of their own.
fn round_trips(
    backend: Backend,
    kind: &Kind,
    samples: impl Strategy<Value = Sample>,
) -> anyhow::Result<()> {
    let Kind { declared, print, literal, same } = kind;
    let stage = Stage::start(backend, &format!("CREATE TABLE t (id BIGINT, v {declared})"))?;
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    });
    let tried = runner.run(&vec(samples, 1..=VALUES), |samples| {
        let wrong = |error: anyhow::Error| TestCaseError::fail(format!("{declared}: {error:#}"));
        stage.sql("DELETE FROM t").map_err(wrong)?;
        there_and_back(&stage, &samples).map_err(wrong)?;
        let lines = printed(&stage, print).map_err(wrong)?;
        prop_assert_eq!(lines.len(), samples.len(), "{:?}", lines);
        for (sample, line) in samples.iter().zip(&lines) {
            prop_assert!(same(&sample.printed, line), "{:?} was printed as {}", sample, line);
        }
        if !literal.is_empty() {
            literals(&stage, literal, &samples, &lines).map_err(wrong)?;
        }
        Ok(())
    });
    tried.map_err(|error| anyhow::anyhow!("{error}"))
}

/// All values in, one by one, and out again at once.
fn there_and_back(stage: &Stage, samples: &[Sample]) -> anyhow::Result<()> {
    let insert = "INSERT INTO t (id, v) VALUES ($1, $2)";
    let mut script = vec![(open(0), "done"), (begin(0, 1, DEFAULT), "done")];
    for (id, sample) in samples.iter().enumerate() {
        let params = [&*format!("int64({id})"), &sample.wave];
        script.push((execute(1, insert, &params), "changed(1)"));
    }
    script.push((commit(1), "done"));
    let values: Vec<_> = samples.iter().map(|sample| format!("[{}]", sample.wave)).collect();
    let all = rows(&format!("[{}]", values.join(", ")));
    script.push((query(0, "SELECT v FROM t ORDER BY id", &[]), &all));
    stage.play("round trip", &script)
}

/// What was printed is the same value as a literal of the guest's.
fn literals(stage: &Stage, literal: &str, samples: &[Sample], lines: &[String]) -> anyhow::Result<()> {
    let mut script = vec![(open(0), "done".to_owned())];
    for (sample, line) in samples.iter().zip(lines) {
        let sql = format!("SELECT {} AS v", literal.replace('?', line));
        script.push((query(0, &sql, &[]), one(&sample.wave)));
    }
    let script: Vec<_> = script
        .iter()
        .map(|(step, expected)| (step.clone(), expected.as_str()))
        .collect();
    stage.play("literals", &script)
}

/// The lines that `psql` or `sqlite3` print for the rows, in their order.
fn printed(stage: &Stage, print: &str) -> anyhow::Result<Vec<String>> {
    let sql = format!("SELECT {print} FROM t ORDER BY id");
    let text = match stage.backend() {
        Backend::Postgresql => {
            let database = stage.house().url().rsplit('/').next().unwrap_or_default();
            stage.house().server().unwrap().psql(database, &sql)?
        }
        Backend::Sqlite => {
            let program = Command::new("sqlite3").arg(stage.house().path("house.db")).arg(&sql).output();
            match program {
                Ok(output) => {
                    anyhow::ensure!(output.status.success(), "sqlite3: {output:?}");
                    String::from_utf8(output.stdout)?
                }
                // Where the program is not installed, the driver's own SQLite prints.
                Err(_) => stage.text(&format!("SELECT group_concat(v, char(10)) FROM ({sql})"))?,
            }
        }
    };
    Ok(text.lines().map(str::to_owned).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing into a string never fails.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn booleans() -> impl Strategy<Value = Sample> {
    any::<bool>().prop_map(|value| Sample {
        wave: format!("boolean({value})"),
        printed: i32::from(value).to_string(),
    })
}

fn integers() -> impl Strategy<Value = Sample> {
    let values = prop_oneof![
        any::<i64>(),
        -10_i64..10,
        Just(i64::MAX),
        Just(i64::MIN),
        // Around what a float still tells apart.
        (-5_i64..5).prop_map(|near| (1 << 53) + near),
    ];
    values.prop_map(|value| Sample {
        wave: format!("int64({value})"),
        printed: value.to_string(),
    })
}

fn floats(values: impl Strategy<Value = f64>) -> impl Strategy<Value = Sample> {
    values.prop_map(|value| Sample {
        wave: match value.is_nan() {
            true => "float64(nan)".to_owned(),
            false => format!("float64({value})"),
        },
        printed: value.to_string(),
    })
}

fn finite() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL};
    prop_oneof![
        POSITIVE | NEGATIVE | NORMAL | SUBNORMAL,
        (-1000_i32..1000).prop_filter("it is zero", |value| *value != 0).prop_map(|value| f64::from(value) / 10.0),
    ]
}

fn decimals() -> impl Strategy<Value = Sample> {
    let digits = prop_oneof!["0|[1-9][0-9]{0,5}", "[1-9][0-9]{0,60}"];
    (any::<bool>(), digits, "|\\.[0-9]{1,40}").prop_map(|(negative, whole, fraction)| {
        let zero = format!("{whole}{fraction}").bytes().all(|byte| matches!(byte, b'0' | b'.'));
        // A decimal zero has no sign.
        let sign = if negative && !zero { "-" } else { "" };
        let text = format!("{sign}{whole}{fraction}");
        Sample {
            wave: format!("decimal(\"{text}\")"),
            printed: text,
        }
    })
}

fn texts() -> impl Strategy<Value = Sample> {
    let letters = prop_oneof![any::<char>(), "[ -~äß€🌍\\n\\t]".prop_map(|text| text.chars().next().unwrap())];
    let letters = letters.prop_filter("PostgreSQL has no NUL", |letter| *letter != '\0');
    vec(letters, 0..40).prop_map(|letters| {
        let text: String = letters.into_iter().collect();
        Sample {
            wave: format!("text({})", wave::text(&text)),
            printed: hex(text.as_bytes()),
        }
    })
}

fn byte_strings() -> impl Strategy<Value = Sample> {
    vec(any::<u8>(), 0..100).prop_map(|bytes| Sample {
        wave: format!("bytes({bytes:?})"),
        printed: hex(&bytes),
    })
}

fn uuids() -> impl Strategy<Value = Sample> {
    any::<u128>().prop_map(|bits| {
        let digits = format!("{bits:032x}");
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        Sample {
            wave: format!("uuid({{high: {}, low: {}}})", (bits >> 64) as u64, bits as u64),
            printed: parts.join("-"),
        }
    })
}

fn dates(days: std::ops::RangeInclusive<i32>) -> impl Strategy<Value = Sample> {
    prop_oneof![days, -400_i32..40_000].prop_map(|days| Sample {
        wave: format!("date({days})"),
        printed: days.to_string(),
    })
}

fn times() -> impl Strategy<Value = Sample> {
    prop_oneof![0_i64..=86_400_000_000, Just(86_400_000_000)].prop_map(|time| Sample {
        wave: format!("time({time})"),
        printed: time.to_string(),
    })
}

fn timestamps(microseconds: std::ops::RangeInclusive<i64>) -> impl Strategy<Value = Sample> {
    prop_oneof![microseconds, -1_000_000_i64..1_000_000].prop_map(|time| Sample {
        wave: format!("timestamp({time})"),
        printed: time.to_string(),
    })
}

/// JSON of which no more is asked than that it stays as it is written.
fn jsons() -> impl Strategy<Value = Sample> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        "-?(0|[1-9][0-9]{0,30})\\.[0-9]{1,20}",
        "[a-zé🌍 ']{0,10}".prop_map(|text| format!("\"{text}\"")),
    ];
    let tree = leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(",  "))),
            vec(("[a-z]{1,5}", inner), 0..4).prop_map(|items| {
                let items: Vec<_> = items.iter().map(|(key, value)| format!("\"{key}\" :{value}")).collect();
                format!("{{{}}}", items.join(", "))
            }),
        ]
    });
    tree.prop_map(|text| Sample {
        wave: format!("json({})", wave::text(&text)),
        printed: text,
    })
}

#[test]
fn booleans_and_integers() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let (boolean, literal) = match backend {
            Backend::Sqlite => ("v", ""),
            Backend::Postgresql => ("v::int", "?::bool"),
        };
        let literal = literal.replace('?', "?::int");
        let kind = Kind { declared: "BOOLEAN", print: boolean, literal: &literal_of(&literal), same: equal };
        round_trips(backend, &kind, booleans())?;
        let kind = Kind {
            declared: "BIGINT",
            print: "v",
            literal: match backend {
                // SQLite reads the digits of the least as a float that is then made negative.
                Backend::Sqlite => "CAST('?' AS INTEGER)",
                Backend::Postgresql => "'?'::bigint",
            },
            same: equal,
        };
        round_trips(backend, &kind, integers())?;
    }
    Ok(())
}

/// The two literals of booleans, kept for as long as the program runs.
fn literal_of(literal: &str) -> &'static str {
    match literal {
        "" => "",
        _ => "(?)::int::bool",
    }
}
