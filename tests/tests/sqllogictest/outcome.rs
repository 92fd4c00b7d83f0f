//! What became of a record's SQL, as the guest tells it in WAVE and as the driver alone tells it.

use anyhow::{Context, anyhow, bail};
use wasm_wave::ast::Node;
use wasm_wave::untyped::UntypedValue;

use crate::records::Expected;
use crate::values::{Rows, Value};

/// What became of a statement or query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Rows(Rows),
    Changed(u64),
    Failed(Failure),
}

/// Why it failed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    /// The case of the contract's `error`; `statement` for whatever the driver alone tells.
    pub(crate) case: String,
    /// The database's own code; empty where the case has none.
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Outcome {
    /// Whether it is what was expected; an error says how it differs.
    pub(crate) fn meets(&self, expected: &Expected) -> Result<(), String> {
        match (expected, self) {
            (Expected::Success, Self::Rows(_) | Self::Changed(_))
            | (Expected::Failure, Self::Failed(_)) => Ok(()),
            (Expected::Failure, _) => Err("it succeeded".to_owned()),
            (Expected::Answer(answer), Self::Rows(rows)) => rows.meet(answer),
            (Expected::Answer(_), Self::Changed(_)) => Err("no rows".to_owned()),
            (_, Self::Failed(failure)) => Err(format!(
                "{} {}: {}",
                failure.case, failure.code, failure.message
            )),
        }
    }

    /// Reads an outcome of the guest's.
    pub(crate) fn of_guest(text: &str) -> anyhow::Result<Self> {
        let parsed = UntypedValue::parse(text).map_err(|error| anyhow!("{error}: {text}"))?;
        outcome(parsed.node(), text).with_context(|| text.to_owned())
    }
}

fn outcome(node: &Node, text: &str) -> anyhow::Result<Outcome> {
    Ok(match variant(node, text)? {
        ("table", Some(table)) => {
            let columns = field(table, "columns", text)?.context("columns")?;
            let rows = field(table, "rows", text)?.context("rows")?;
            let mut values = Vec::new();
            for row in rows.as_list()? {
                for cell in row.as_list()? {
                    values.push(value(cell, text)?);
                }
            }
            Outcome::Rows(Rows {
                columns: Some(columns.as_list()?.count()),
                values,
            })
        }
        ("changed", Some(count)) => Outcome::Changed(count.as_number(text)?),
        ("error", Some(error)) => {
            let (case, detail) = variant(error, text)?;
            let detail = detail.context("an error has more than its case")?;
            Outcome::Failed(failure(case, detail, text)?)
        }
        (other, _) => bail!("{other} is no outcome of a statement's"),
    })
}

fn failure(case: &str, detail: &Node, text: &str) -> anyhow::Result<Failure> {
    let (code, message) = match detail.as_str(text) {
        Ok(message) => (String::new(), message.into_owned()),
        Err(_) => {
            let words = |name| -> anyhow::Result<String> {
                let node = field(detail, name, text)?;
                let words = node.map(|node| node.as_str(text)).transpose()?;
                Ok(words.unwrap_or_default().into_owned())
            };
            (words("code")?, words("message")?)
        }
    };
    Ok(Failure {
        case: case.to_owned(),
        code,
        message,
    })
}

fn value(node: &Node, text: &str) -> anyhow::Result<Value> {
    Ok(match variant(node, text)? {
        ("null", None) => Value::Null,
        ("boolean", Some(value)) => Value::Boolean(value.as_bool()?),
        ("int64", Some(value)) => Value::Integer(value.as_number(text)?),
        ("float64", Some(value)) => Value::Real(value.as_number(text)?),
        ("decimal", Some(value)) => Value::Decimal(value.as_str(text)?.into_owned()),
        ("text", Some(value)) => Value::Text(value.as_str(text)?.into_owned()),
        (other, _) => bail!("{other} is no type of the files'"),
    })
}

fn variant<'t>(node: &'t Node, text: &'t str) -> anyhow::Result<(&'t str, Option<&'t Node>)> {
    node.as_variant(text).map_err(|error| anyhow!("{error}"))
}

fn field<'t>(record: &'t Node, name: &str, text: &'t str) -> anyhow::Result<Option<&'t Node>> {
    let mut fields = record.as_record(text).map_err(|error| anyhow!("{error}"))?;
    Ok(fields
        .find(|(field, _)| *field == name)
        .map(|(_, node)| node))
}

#[test]
fn outcomes_of_the_guest_are_read() -> anyhow::Result<()> {
    let rows = r#"table({columns: [{name: "a", kind: int64, database-type: ""}, {name: "b", kind: text, database-type: ""}],
        rows: [[int64(-3), null], [float64(1.5), text("a\"é")], [decimal("1.50"), boolean(true)]]})"#;
    let text = |text: &str| Value::Text(text.to_owned());
    let expected = Rows {
        columns: Some(2),
        values: vec![
            Value::Integer(-3),
            Value::Null,
            Value::Real(1.5),
            text("a\"é"),
            Value::Decimal("1.50".to_owned()),
            Value::Boolean(true),
        ],
    };
    assert_eq!(Outcome::of_guest(rows)?, Outcome::Rows(expected));
    assert_eq!(Outcome::of_guest("changed(7)")?, Outcome::Changed(7));
    for (outcome, case, code, message) in [
        (
            r#"error(statement({code: "42601", message: "m", detail: none, hint: some("h"), position: some(8)}))"#,
            "statement",
            "42601",
            "m",
        ),
        (r#"error(invalid({message: "m"}))"#, "invalid", "", "m"),
        (r#"error(closed("m"))"#, "closed", "", "m"),
    ] {
        let failed = Outcome::Failed(Failure {
            case: case.to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
        });
        assert_eq!(Outcome::of_guest(outcome)?, failed, "{outcome}");
    }
    assert!(Outcome::of_guest("done").is_err());
    Ok(())
}
