//! A row's symbols and parameters as the JSON that is stored; whether they make sense is checked elsewhere.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::bindings::exports::poolhouse::trading::config_loader::Parameter;

/// An array of texts.
pub(crate) fn from_symbols(symbols: Vec<String>) -> String {
    Value::Array(symbols.into_iter().map(Value::String).collect()).to_string()
}

/// An object of texts, in order of name.
pub(crate) fn from_parameters(parameters: Vec<Parameter>) -> String {
    let object: BTreeMap<_, _> = parameters
        .into_iter()
        .map(|parameter| (parameter.name, Value::String(parameter.value)))
        .collect();
    // Written member by member: whether the crate's own map is sorted depends on who else uses it.
    let members: Vec<_> = object
        .into_iter()
        .map(|(name, value)| format!("{}:{value}", Value::String(name)))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// The symbols of a stored array; the error is the end of a sentence.
pub(crate) fn to_symbols(json: &str) -> Result<Vec<String>, String> {
    let expected = || format!("`{json}`; it must be a JSON array of texts, such as [\"AAPL\"]");
    match serde_json::from_str(json) {
        Ok(Value::Array(items)) => items
            .into_iter()
            .map(|item| match item {
                Value::String(symbol) => Ok(symbol),
                _ => Err(expected()),
            })
            .collect(),
        _ => Err(expected()),
    }
}

/// The parameters of a stored object, in order of name; the error is the end of a sentence. Numbers and booleans, which
/// a person may have written by hand, are taken as their text.
pub(crate) fn to_parameters(json: &str) -> Result<Vec<Parameter>, String> {
    let expected =
        || format!("`{json}`; it must be a JSON object of texts, such as {{\"fast\": \"10\"}}");
    let Ok(object) = serde_json::from_str::<BTreeMap<String, Value>>(json) else {
        return Err(expected());
    };
    object
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(value) => Ok(Parameter { name, value }),
            Value::Number(_) | Value::Bool(_) => Ok(Parameter {
                name,
                value: value.to_string(),
            }),
            Value::Null | Value::Array(_) | Value::Object(_) => Err(expected()),
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Vec<Parameter> {
        let parameter = |(name, value): &(&str, &str)| Parameter {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        };
        pairs.iter().map(parameter).collect()
    }

    #[test]
    fn rows_come_back_sorted_by_name() {
        let written = from_parameters(parameters(&[
            ("slow", "30"),
            ("fast", "10"),
            ("a \"b\"", "ü\n"),
        ]));
        assert_eq!(written, r#"{"a \"b\"":"ü\n","fast":"10","slow":"30"}"#);
        assert_eq!(
            to_parameters(&written),
            Ok(parameters(&[
                ("a \"b\"", "ü\n"),
                ("fast", "10"),
                ("slow", "30")
            ]))
        );
        assert_eq!(
            to_parameters(r#"{"b": "1", "a": "2"}"#),
            Ok(parameters(&[("a", "2"), ("b", "1")]))
        );
        let symbols = vec!["MSFT".to_owned(), "AAPL".to_owned()];
        assert_eq!(to_symbols(&from_symbols(symbols.clone())), Ok(symbols));
    }

    #[test]
    fn what_people_write_by_hand_is_read() {
        assert_eq!(
            to_parameters(r#"{"fast": 10, "factor": 2.5, "short": true}"#),
            Ok(parameters(&[
                ("factor", "2.5"),
                ("fast", "10"),
                ("short", "true")
            ]))
        );
    }

    #[test]
    fn anything_else_is_a_sentence() {
        for json in ["", "[]", "1", "{\"a\": null}", "{\"a\": [1]}"] {
            assert!(
                to_parameters(json)
                    .unwrap_err()
                    .contains("JSON object of texts"),
                "{json}"
            );
        }
        for json in ["", "{}", "\"AAPL\"", "[1]", "[\"AAPL\", null]"] {
            assert!(
                to_symbols(json)
                    .unwrap_err()
                    .contains("JSON array of texts"),
                "{json}"
            );
        }
    }
}
