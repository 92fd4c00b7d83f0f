//! Checks a strategy row's parameters against what the strategy says of them, and fills in the defaults.

use poolhouse_runtime::trading::{
    Description, Parameter, ParameterInfo, ParameterKind, RowParameter,
};

/// The parameters to make an instance with, in the description's order.
///
/// # Errors
/// One sentence: which parameter, what it is, what is allowed.
pub(crate) fn check(
    description: &Description,
    given: &[RowParameter],
) -> Result<Vec<Parameter>, String> {
    for parameter in given {
        if !description
            .parameters
            .iter()
            .any(|info| info.name == parameter.name)
        {
            let known: Vec<_> = description
                .parameters
                .iter()
                .map(|info| info.name.as_str())
                .collect();
            return Err(format!(
                "parameter \"{}\" is unknown: {}",
                parameter.name,
                if known.is_empty() {
                    "the strategy takes none".to_owned()
                } else {
                    format!("the strategy takes {}", known.join(", "))
                }
            ));
        }
    }
    description
        .parameters
        .iter()
        .map(|info| {
            let given = given.iter().find(|parameter| parameter.name == info.name);
            let value = given
                .map(|parameter| &parameter.value)
                .or(info.default.as_ref());
            let Some(value) = value else {
                return Err(format!(
                    "parameter \"{}\" is missing: {}",
                    info.name,
                    allowed(info)
                ));
            };
            if !fits(info, value) {
                return Err(format!(
                    "parameter \"{}\" is \"{value}\": {}",
                    info.name,
                    allowed(info)
                ));
            }
            Ok(Parameter {
                name: info.name.clone(),
                value: value.clone(),
            })
        })
        .collect()
}

fn fits(info: &ParameterInfo, value: &str) -> bool {
    match info.kind {
        ParameterKind::Integer => value.parse::<i64>().is_ok_and(|value| {
            let bound =
                |bound: &Option<String>| bound.as_ref().and_then(|bound| bound.parse::<i64>().ok());
            bound(&info.minimum).is_none_or(|minimum| minimum <= value)
                && bound(&info.maximum).is_none_or(|maximum| value <= maximum)
        }),
        ParameterKind::Number => value.parse::<f64>().is_ok_and(|value| {
            let bound =
                |bound: &Option<String>| bound.as_ref().and_then(|bound| bound.parse::<f64>().ok());
            value.is_finite()
                && bound(&info.minimum).is_none_or(|minimum| minimum <= value)
                && bound(&info.maximum).is_none_or(|maximum| value <= maximum)
        }),
        ParameterKind::Text => true,
        ParameterKind::Boolean => matches!(value, "true" | "false"),
    }
}

fn allowed(info: &ParameterInfo) -> String {
    let kind = match info.kind {
        ParameterKind::Integer => "a whole number",
        ParameterKind::Number => "a number",
        ParameterKind::Text => "a text",
        ParameterKind::Boolean => "true or false",
    };
    let range = match (&info.minimum, &info.maximum) {
        (Some(minimum), Some(maximum)) => format!(" from {minimum} to {maximum}"),
        (Some(minimum), None) => format!(", {minimum} or more"),
        (None, Some(maximum)) => format!(", {maximum} or less"),
        (None, None) => String::new(),
    };
    format!("it must be {kind}{range} ({})", info.summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> Description {
        let info = |name: &str,
                    kind,
                    minimum: Option<&str>,
                    maximum: Option<&str>,
                    default: Option<&str>| ParameterInfo {
            name: name.into(),
            kind,
            summary: format!("the {name}"),
            minimum: minimum.map(Into::into),
            maximum: maximum.map(Into::into),
            default: default.map(Into::into),
        };
        Description {
            summary: String::new(),
            parameters: vec![
                info("fast", ParameterKind::Integer, Some("1"), Some("100"), None),
                info("ratio", ParameterKind::Number, Some("0"), None, Some("0.5")),
                info("dry", ParameterKind::Boolean, None, None, Some("false")),
            ],
        }
    }

    fn given(pairs: &[(&str, &str)]) -> Vec<RowParameter> {
        pairs
            .iter()
            .map(|(name, value)| RowParameter {
                name: (*name).to_owned(),
                value: (*value).to_owned(),
            })
            .collect()
    }

    #[test]
    fn defaults_are_filled_in() {
        let checked = check(&description(), &given(&[("dry", "true"), ("fast", "10")])).unwrap();
        let checked: Vec<_> = checked
            .iter()
            .map(|p| (p.name.as_str(), p.value.as_str()))
            .collect();
        assert_eq!(checked, [("fast", "10"), ("ratio", "0.5"), ("dry", "true")]);
    }

    #[test]
    fn mistakes_say_what_is_allowed() {
        for (pairs, words) in [
            (
                &[][..],
                "\"fast\" is missing: it must be a whole number from 1 to 100 (the fast)",
            ),
            (&[("fast", "ten")], "\"fast\" is \"ten\""),
            (&[("fast", "0")], "\"fast\" is \"0\""),
            (&[("fast", "101")], "from 1 to 100"),
            (&[("fast", "1.5")], "a whole number"),
            (&[("fast", "1"), ("ratio", "-1")], "a number, 0 or more"),
            (&[("fast", "1"), ("ratio", "inf")], "a number"),
            (&[("fast", "1"), ("dry", "yes")], "true or false"),
            (
                &[("fast", "1"), ("slow", "3")],
                "\"slow\" is unknown: the strategy takes fast, ratio, dry",
            ),
        ] {
            let error = check(&description(), &given(pairs)).unwrap_err();
            assert!(error.contains(words), "{pairs:?}: {error}");
        }
    }
}
