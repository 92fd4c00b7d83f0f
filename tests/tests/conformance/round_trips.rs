//! Random values of every kind through the guest: they come back as they went, the database's own program prints them as
//! what they are, and what it prints reads as the same value.

use std::fmt::Write;
use std::process::Command;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use poolhouse_tests::Backend;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::conformance::{Stage, wave};

/// Lists of so many values, so many times.
const VALUES: usize = 100;
const CASES: u32 = 6;

/// A random value: what the guest is given and answers, and what the database prints of it.
#[derive(Debug, Clone)]
struct Sample {
    wave: String,
    printed: String,
}

const MICROSECONDS: &str = "(extract(epoch FROM v) * 1000000)::bigint::text";

fn equal(expected: &str, printed: &str) -> bool {
    expected == printed
}

fn equal_floats(expected: &str, printed: &str) -> bool {
    match (expected.parse::<f64>(), printed.parse::<f64>()) {
        (Ok(expected), Ok(printed)) => {
            expected.to_bits() == printed.to_bits() || expected.is_nan() && printed.is_nan()
        }
        _ => false,
    }
}

/// SQLite knows no minus zero in a column, and not every version of its program prints more than fifteen digits.
fn equal_to_fifteen_digits(expected: &str, printed: &str) -> bool {
    let number = |text: &str| text.replace("Inf", "inf").parse::<f64>();
    let (Ok(expected), Ok(printed)) = (number(expected), number(printed)) else {
        return false;
    };
    expected == printed || (expected / printed - 1.0).abs() < 1e-14
}

/// Whether two printed texts are the same value.
type Same = fn(&str, &str) -> bool;

fn on_sqlite(
    declared: &str,
    print: &str,
    literal: &str,
    same: Same,
    samples: impl Strategy<Value = Sample>,
) -> anyhow::Result<()> {
    round_trips(Backend::Sqlite, declared, print, literal, same, samples)
}

fn on_postgresql(
    declared: &str,
    print: &str,
    literal: &str,
    same: Same,
    samples: impl Strategy<Value = Sample>,
) -> anyhow::Result<()> {
    round_trips(Backend::Postgresql, declared, print, literal, same, samples)
}

/// Tries lists of samples in a column `v` declared so, which SQL prints on one line, and where it can be had from what
/// was printed, which then stands for `?`, as a literal.
fn round_trips(
    backend: Backend,
    declared: &str,
    print: &str,
    literal: &str,
    same: Same,
    samples: impl Strategy<Value = Sample>,
) -> anyhow::Result<()> {
    let stage = Stage::start(
        backend,
        &format!("CREATE TABLE t (id BIGINT, v {declared})"),
    )?;
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
            prop_assert!(
                same(&sample.printed, line),
                "{:?} was printed as {}",
                sample,
                line
            );
        }
        if !literal.is_empty() {
            literals(&stage, literal, &samples, &lines).map_err(wrong)?;
        }
        Ok(())
    });
    // The reason names the value; the list around it is long.
    tried.map_err(|error| match error {
        TestError::Fail(reason, _) => anyhow::anyhow!("{reason}"),
        TestError::Abort(reason) => anyhow::anyhow!("{reason}"),
    })
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
    let values: Vec<_> = samples
        .iter()
        .map(|sample| format!("[{}]", sample.wave))
        .collect();
    let all = rows(&format!("[{}]", values.join(", ")));
    script.push((query(0, "SELECT v FROM t ORDER BY id", &[]), &all));
    stage.play("round trip", &script)
}

/// What was printed is the same value as a literal of the guest's.
fn literals(
    stage: &Stage,
    literal: &str,
    samples: &[Sample],
    lines: &[String],
) -> anyhow::Result<()> {
    let mut script = vec![(open(0), "done".to_owned())];
    for (sample, line) in samples.iter().zip(lines) {
        let sql = format!(
            "SELECT {} AS v",
            literal.replace('?', &line.replace('\'', "''"))
        );
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
    // The sign at the beginning keeps an empty text from being an empty line.
    let sql = format!("SELECT '=' || {print} AS v FROM t ORDER BY id");
    let text = match stage.backend() {
        Backend::Postgresql => {
            let database = stage.house().url().rsplit('/').next().unwrap_or_default();
            stage.house().server().unwrap().psql(database, &sql)?
        }
        Backend::Sqlite => {
            let program = Command::new("sqlite3")
                .arg(stage.house().path("house.db"))
                .arg(&sql)
                .output();
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
    Ok(text
        .split_terminator('\n')
        .map(|line| line.strip_prefix('=').unwrap_or(line).to_owned())
        .collect())
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
        (-1000_i32..1000)
            .prop_filter("it is zero", |value| *value != 0)
            .prop_map(|value| f64::from(value) / 10.0),
    ]
}

fn decimals() -> impl Strategy<Value = Sample> {
    let digits = prop_oneof!["0|[1-9][0-9]{0,5}", "[1-9][0-9]{0,60}"];
    (any::<bool>(), digits, "|\\.[0-9]{1,40}").prop_map(|(negative, whole, fraction)| {
        let zero = format!("{whole}{fraction}")
            .bytes()
            .all(|byte| matches!(byte, b'0' | b'.'));
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
    let letters = prop_oneof![
        any::<char>(),
        "[ -~äß€🌍\\n\\t]".prop_map(|text| text.chars().next().unwrap())
    ];
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
        let parts = [
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..],
        ];
        Sample {
            wave: format!(
                "uuid({{high: {}, low: {}}})",
                (bits >> 64) as u64,
                bits as u64
            ),
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
                let items: Vec<_> = items
                    .iter()
                    .map(|(key, value)| format!("\"{key}\" :{value}"))
                    .collect();
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
fn booleans_come_back() -> anyhow::Result<()> {
    on_sqlite("BOOLEAN", "v", "", equal, booleans())?;
    on_postgresql("boolean", "v::int", "(?)::int::bool", equal, booleans())
}

#[test]
fn integers_come_back() -> anyhow::Result<()> {
    // SQLite reads the digits of the least integer as a float that is then made negative.
    on_sqlite("BIGINT", "v", "CAST('?' AS INTEGER)", equal, integers())?;
    on_postgresql("bigint", "v", "'?'::bigint", equal, integers())
}

#[test]
fn floats_come_back() -> anyhow::Result<()> {
    let infinite = prop_oneof![finite(), Just(f64::INFINITY), Just(f64::NEG_INFINITY)];
    on_sqlite(
        "DOUBLE PRECISION",
        "quote(v)",
        "",
        equal_to_fifteen_digits,
        floats(infinite),
    )?;
    let any = prop_oneof![
        finite(),
        any::<f64>(),
        Just(-0.0),
        Just(f64::NAN),
        Just(f64::INFINITY)
    ];
    on_postgresql(
        "float8",
        "v::text",
        "'?'::float8",
        equal_floats,
        floats(any),
    )
}

#[test]
fn decimals_come_back() -> anyhow::Result<()> {
    on_sqlite("DECIMAL_TEXT", "v", "", equal, decimals())?;
    on_postgresql("numeric", "v::text", "'?'::numeric", equal, decimals())
}

#[test]
fn texts_come_back() -> anyhow::Result<()> {
    on_sqlite(
        "TEXT",
        "lower(hex(v))",
        "CAST(x'?' AS TEXT)",
        equal,
        texts(),
    )?;
    let (print, literal) = (
        "encode(convert_to(v, 'UTF8'), 'hex')",
        "convert_from(decode('?', 'hex'), 'UTF8')",
    );
    on_postgresql("text", print, literal, equal, texts())
}

#[test]
fn bytes_come_back() -> anyhow::Result<()> {
    on_sqlite("BLOB", "lower(hex(v))", "x'?'", equal, byte_strings())?;
    on_postgresql(
        "bytea",
        "encode(v, 'hex')",
        "decode('?', 'hex')",
        equal,
        byte_strings(),
    )
}

#[test]
fn uuids_come_back() -> anyhow::Result<()> {
    on_sqlite("UUID_TEXT", "v", "", equal, uuids())?;
    on_postgresql("uuid", "v::text", "'?'::uuid", equal, uuids())
}

#[test]
fn dates_come_back() -> anyhow::Result<()> {
    let days = "CAST(julianday(v) - 2440587.5 AS INTEGER)";
    on_sqlite("DATE", days, "", equal, dates(-719_528..=2_932_896))?;
    let (print, literal) = ("(v - date '1970-01-01')", "(date '1970-01-01' + (?))");
    on_postgresql(
        "date",
        print,
        literal,
        equal,
        dates(-2_440_588..=2_145_031_948),
    )
}

/// SQL for the microseconds of a text `HH:MM:SS.ffffff`.
fn microseconds(text: &str) -> String {
    format!(
        "(CAST(substr({text}, 1, 2) AS INTEGER) * 3600000000 + CAST(substr({text}, 4, 2) AS INTEGER) * 60000000 \
         + CAST(substr({text}, 7, 2) || substr({text}, 10, 6) AS INTEGER))"
    )
}

#[test]
fn times_come_back() -> anyhow::Result<()> {
    on_sqlite("TIME", &microseconds("v"), "", equal, times())?;
    on_postgresql("time", MICROSECONDS, "", equal, times())
}

#[test]
fn timestamps_come_back() -> anyhow::Result<()> {
    let print = format!(
        "(CAST(julianday(substr(v, 1, 10)) - 2440587.5 AS INTEGER) * 86400000000 + {})",
        microseconds("substr(v, 12, 15)")
    );
    let four_digits = -62_167_219_200_000_000..=253_402_300_799_999_999;
    on_sqlite("TIMESTAMP", &print, "", equal, timestamps(four_digits))?;
    let all = -210_866_803_200_000_000..=i64::MAX - 1;
    on_postgresql("timestamptz", MICROSECONDS, "", equal, timestamps(all))
}

#[test]
fn json_comes_back() -> anyhow::Result<()> {
    on_sqlite("JSON_TEXT", "v", "", equal, jsons())?;
    on_postgresql("json", "v::text", "'?'::json", equal, jsons())
}
