//! Owns random values of every kind: they come back as they went, by parameters and by literals, and are what the
//! database itself prints.

use poolhouse_database::{Uuid, Value, Within};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::both::{Opened, everything, postgresql, rows, sqlite};
use crate::kinds::shown;

/// How many rows of one value of each kind are tried.
const CASES: u32 = 150;

/// PostgreSQL's own limits; SQLite's texts have years of four digits.
struct Range {
    days: std::ops::Range<i32>,
    has_specials: bool,
}

const POSTGRESQL: Range = Range {
    days: -2_440_588..2_145_042_906,
    has_specials: true,
};

const SQLITE: Range = Range {
    days: -719_528..2_932_897,
    has_specials: false,
};

fn decimal(has_specials: bool) -> BoxedStrategy<Value> {
    let plain = "-?(0|[1-9][0-9]{0,45})(\\.[0-9]{1,30})?";
    let plain = plain.prop_filter("minus nothing is nothing", |text: &String| {
        !text.starts_with('-') || text.contains(|letter: char| ('1'..='9').contains(&letter))
    });
    if has_specials {
        let special = prop::sample::select(vec!["NaN", "Infinity", "-Infinity"]);
        prop_oneof![20 => plain.prop_map(Value::Decimal), 1 => special.prop_map(|text| Value::Decimal(text.to_owned()))].boxed()
    } else {
        plain.prop_map(Value::Decimal).boxed()
    }
}

fn timestamp(range: &Range) -> BoxedStrategy<Value> {
    const DAY: i64 = 86_400_000_000;
    let end = i64::from(range.days.end).min(106_741_034);
    let days = i64::from(range.days.start)..end;
    let plain = (days, 0..DAY).prop_map(|(day, within)| Value::Timestamp(day * DAY + within));
    if range.has_specials {
        let special = prop::sample::select(vec![i64::MAX, i64::MIN]);
        prop_oneof![20 => plain, 1 => special.prop_map(Value::Timestamp)].boxed()
    } else {
        plain.boxed()
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,9})?",
        "[a-zé𝄞 ]{0,9}".prop_map(|text| format!("\"{text}\"")),
    ];
    let tree = leaf.prop_recursive(3, 12, 4, |inner| {
        prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(", ")))
    });
    tree.prop_map(Value::Json)
}

/// One value of each kind, some null.
fn row(range: &Range) -> impl Strategy<Value = Vec<Value>> {
    let special = prop::sample::select(vec![
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        5e-324,
        f64::MAX,
        0.1,
        1e22,
        2.0,
    ]);
    let float = prop_oneof![3 => any::<f64>(), 1 => special];
    let has_specials = range.has_specials;
    let float = float.prop_filter(
        "SQLite has no NaN, and -0.0 is 0.0 in a REAL column",
        move |value| has_specials || !(value.is_nan() || value.to_bits() == (-0.0_f64).to_bits()),
    );
    let columns: Vec<BoxedStrategy<Value>> = vec![
        any::<bool>().prop_map(Value::Boolean).boxed(),
        prop_oneof![any::<i64>(), -9_i64..9, Just(i64::MAX), Just(i64::MIN)]
            .prop_map(Value::Int64)
            .boxed(),
        float.prop_map(Value::Float64).boxed(),
        decimal(range.has_specials),
        prop_oneof![1 => "[^\\x00]{0,40}", 3 => "[ -~é𝄞ßあ]{0,40}"]
            .prop_map(Value::Text)
            .boxed(),
        prop::collection::vec(any::<u8>(), 0..60)
            .prop_map(Value::Bytes)
            .boxed(),
        any::<(u64, u64)>()
            .prop_map(|(high, low)| Value::Uuid(Uuid { high, low }))
            .boxed(),
        range.days.clone().prop_map(Value::Date).boxed(),
        (0..=86_400_000_000_i64).prop_map(Value::Time).boxed(),
        timestamp(range),
        json().boxed(),
    ];
    columns
        .into_iter()
        .map(|column| prop_oneof![9 => column, 1 => Just(Value::Null)].boxed())
        .collect::<Vec<_>>()
}

/// An SQL text with control characters and the like is refused; they go by parameters.
fn has_literals(row: &[Value]) -> bool {
    let is_odd = |letter: char| !letter.is_alphanumeric() && !(' '..='~').contains(&letter);
    let mut texts = row.iter().filter_map(|value| match value {
        Value::Text(text) => Some(text),
        _ => None,
    });
    !texts.any(|text| text.contains(is_odd))
}

fn same(got: &[Value], given: &[Value]) -> bool {
    got.len() == given.len()
        && got
            .iter()
            .zip(given)
            .all(|(got, given)| match (got, given) {
                (Value::Float64(got), Value::Float64(given)) => {
                    got.to_bits() == given.to_bits() || (got.is_nan() && given.is_nan())
                }
                _ => got == given,
            })
}

async fn query(
    opened: &Opened,
    sql: &str,
    parameters: &[Value],
) -> Result<Vec<Value>, TestCaseError> {
    let mut chain = opened.chain();
    let answer = chain
        .query(&everything(), Within::Session, sql, parameters)
        .await;
    let answer = answer.map_err(|error| TestCaseError::fail(format!("{sql}: {error}")))?;
    Ok(rows(&answer).swap_remove(0))
}

/// Tries rows on a database that lives as long as its runtime.
fn tried(
    opened: impl Future<Output = Opened>,
    range: &Range,
    case: impl AsyncFn(&Opened, &[Value]) -> Result<(), TestCaseError>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let opened = runtime.block_on(opened);
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let tried =
        TestRunner::new(config).run(&row(range), |given| runtime.block_on(case(&opened, &given)));
    tried.unwrap();
}

/// What the server computes of a value by itself, as text.
const PRINTED: &str = "SELECT CASE WHEN $1::boolean THEN 'true' WHEN NOT $1 THEN 'false' END, $2::int8::text, $3::float8::text, $4::numeric::text,
    encode(convert_to($5::text, 'UTF8'), 'hex'), encode($6::bytea, 'hex'), $7::uuid::text, ($8::date - date '1970-01-01')::text,
    (extract(epoch FROM $9::time) * 1000000)::int8::text,
    CASE WHEN isfinite($10::timestamptz) THEN (extract(epoch FROM $10) * 1000000)::int8::text ELSE $10::text END, $11::json::text";

fn printed(value: &Value) -> String {
    match value {
        Value::Float64(value) if value.is_nan() => "NaN".to_owned(),
        Value::Float64(value) if value.is_infinite() => if *value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned(),
        Value::Text(text) => shown(&Value::Bytes(text.as_bytes().to_vec())),
        Value::Timestamp(i64::MAX) => "infinity".to_owned(),
        Value::Timestamp(i64::MIN) => "-infinity".to_owned(),
        other => shown(other),
    }
}

#[test]
fn postgresql_gives_back_what_it_is_given() {
    let casts = [
        "boolean",
        "int8",
        "float8",
        "numeric",
        "text",
        "bytea",
        "uuid",
        "date",
        "time",
        "timestamptz",
        "json",
    ];
    let by_parameter: Vec<String> = (1..)
        .zip(casts)
        .map(|(at, cast)| format!("${at}::{cast}"))
        .collect();
    let by_parameter = format!("SELECT {}", by_parameter.join(", "));
    tried(postgresql(), &POSTGRESQL, async |opened, given| {
        let got = query(opened, &by_parameter, given).await?;
        prop_assert!(same(&got, given), "{got:?}");
        // Three answers of the server's own: what it prints of the parameters, and what it reads of that print.
        let text = query(opened, PRINTED, given).await?;
        for (text, given) in text.iter().zip(given) {
            let expected = printed(given);
            let is_same = match (text, given) {
                (Value::Null, Value::Null) => true,
                (Value::Text(text), Value::Float64(given)) if given.is_finite() => text
                    .parse::<f64>()
                    .is_ok_and(|text| text.to_bits() == given.to_bits()),
                (Value::Text(text), _) => *text == expected,
                _ => false,
            };
            prop_assert!(is_same, "the server prints {text:?}, not {expected:?}");
        }
        if !has_literals(given) {
            return Ok(());
        }
        let prints: Vec<String> = (1..)
            .zip(casts)
            .map(|(at, cast)| format!("${at}::{cast}::text"))
            .collect();
        let prints = query(opened, &format!("SELECT {}", prints.join(", ")), given).await?;
        let literals: Vec<String> = prints
            .iter()
            .zip(casts)
            .map(|(print, cast)| match print {
                Value::Text(text) => format!("'{}'::{cast}", text.replace('\'', "''")),
                _ => format!("NULL::{cast}"),
            })
            .collect();
        let got = query(opened, &format!("SELECT {}", literals.join(", ")), &[]).await?;
        prop_assert!(same(&got, given), "of {literals:?} came {got:?}");
        Ok(())
    });
}

/// SQLite itself writes and reads floats as text to some fifteen digits only; a parameter is not text.
fn is_near(float: f64, given: f64) -> bool {
    let is_close = (float - given).abs() <= given.abs() * 1e-14 + 1e-322;
    float == given || (given.is_finite() && is_close)
}

#[test]
fn sqlite_gives_back_what_it_is_given() {
    let opened = async {
        let opened = sqlite().await;
        opened.ddl("CREATE TABLE k (id INTEGER PRIMARY KEY, a BOOLEAN, b BIGINT, c REAL, d DECIMAL_TEXT, e TEXT, f BLOB, g UUID_TEXT, h DATE, i TIME, j TIMESTAMP, k JSON_TEXT)").await;
        opened
    };
    tried(opened, &SQLITE, async |opened, given| {
        let insert =
            "INSERT INTO k VALUES (NULL, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING ";
        let columns = "a, b, c, d, e, f, g, h, i, j, k";
        let got = query(opened, &format!("{insert}{columns}"), given).await?;
        prop_assert!(same(&got, given), "{got:?}");
        let last = "FROM k WHERE id = (SELECT max(id) FROM k)";
        let got = query(opened, &format!("SELECT {columns} {last}"), &[]).await?;
        prop_assert!(same(&got, given), "{got:?}");
        if !has_literals(given) {
            return Ok(());
        }
        // What SQLite prints as literals, it reads as the same values.
        let quotes: Vec<String> = columns
            .split(", ")
            .map(|column| format!("quote({column})"))
            .collect();
        let quotes = query(opened, &format!("SELECT {} {last}", quotes.join(", ")), &[]).await?;
        let literals: Vec<String> = quotes.iter().map(shown).collect();
        for (literal, given) in literals.iter().zip(given) {
            let is_same = match given {
                Value::Null => literal == "NULL",
                Value::Boolean(given) => *literal == i64::from(*given).to_string(),
                Value::Int64(given) => *literal == given.to_string(),
                Value::Float64(given) => literal.parse().is_ok_and(|float| is_near(float, *given)),
                Value::Bytes(_) => literal.to_lowercase() == format!("x'{}'", shown(given)),
                Value::Decimal(text) | Value::Text(text) | Value::Json(text) => {
                    *literal == format!("'{}'", text.replace('\'', "''"))
                }
                Value::Uuid(uuid) => *literal == format!("'{uuid}'"),
                // Texts of their own, whose order is time's.
                _ => literal.starts_with('\''),
            };
            prop_assert!(is_same, "SQLite prints {literal} of {given:?}");
        }
        let by_literal = format!(
            "INSERT INTO k VALUES (NULL, {}) RETURNING {columns}",
            literals.join(", ")
        );
        let mut got = query(opened, &by_literal, &[]).await?;
        for (got, given) in got.iter_mut().zip(given) {
            if let (Value::Float64(float), Value::Float64(given)) = (&*got, given)
                && is_near(*float, *given)
            {
                *got = Value::Float64(*given);
            }
        }
        prop_assert!(same(&got, given), "of {literals:?} came {got:?}");
        Ok(())
    });
}
