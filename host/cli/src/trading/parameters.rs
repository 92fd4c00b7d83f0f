//! Checks a strategy row's parameters against what the strategy says of them, and fills in the defaults.

use std::str::FromStr;

use poolhouse_runtime::trading::{
    Description, Parameter, ParameterInfo, ParameterKind, RowParameter,
};

/// Looks for what a strategy says wrongly of its parameters, for nothing could be checked against that.
///
/// # Errors
/// One sentence: which parameter, and what is wrong with it.
pub(crate) fn check_description(description: &Description) -> Result<(), String> {
    for (at, info) in description.parameters.iter().enumerate() {
        let wrong = |reason: String| {
            Err(format!(
                "its plugin describes the parameter \"{}\" wrongly: {reason}; correct its description and build it again",
                info.name
            ))
        };
        let mut before = description.parameters.iter().take(at);
        if before.any(|before| before.name == info.name) {
            return wrong("another has the same name".to_owned());
        }
        for (which, bound) in [("smallest", &info.minimum), ("largest", &info.maximum)] {
            let Some(bound) = bound else {
                continue;
            };
            if matches!(info.kind, ParameterKind::Text | ParameterKind::Boolean) {
                return wrong(format!(
                    "its {which} is {bound:?}, and it is {}",
                    kind(info)
                ));
            }
            if !is_of_kind(info.kind, bound) {
                return wrong(format!(
                    "its {which} is {bound:?}, which is not {}",
                    kind(info)
                ));
            }
        }
        if let (Some(minimum), Some(maximum)) = (&info.minimum, &info.maximum)
            && !fits(info, minimum)
        {
            return wrong(format!(
                "its smallest, {minimum}, is larger than its largest, {maximum}"
            ));
        }
        if let Some(default) = &info.default
            && !fits(info, default)
        {
            return wrong(format!("its default is {default:?}: {}", allowed(info)));
        }
    }
    Ok(())
}

/// The parameters to make an instance with, in the description's order.
///
/// # Errors
/// One sentence: which parameter, what it is, what is allowed.
pub(crate) fn check(
    description: &Description,
    given: &[RowParameter],
) -> Result<Vec<Parameter>, String> {
    check_description(description)?;
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

/// Whether it is of the kind and within the bounds, which are of the kind themselves.
fn fits(info: &ParameterInfo, value: &str) -> bool {
    fn within<T: FromStr + PartialOrd>(info: &ParameterInfo, value: &str) -> bool {
        let bound =
            |bound: &Option<String>| bound.as_ref().and_then(|bound| bound.parse::<T>().ok());
        value.parse::<T>().is_ok_and(|value| {
            bound(&info.minimum).is_none_or(|minimum| minimum <= value)
                && bound(&info.maximum).is_none_or(|maximum| value <= maximum)
        })
    }
    is_of_kind(info.kind, value)
        && match info.kind {
            ParameterKind::Integer => within::<i64>(info, value),
            ParameterKind::Number => within::<f64>(info, value),
            ParameterKind::Text | ParameterKind::Boolean => true,
        }
}

fn is_of_kind(kind: ParameterKind, value: &str) -> bool {
    match kind {
        ParameterKind::Integer => value.parse::<i64>().is_ok(),
        ParameterKind::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
        ParameterKind::Text => true,
        ParameterKind::Boolean => matches!(value, "true" | "false"),
    }
}

fn kind(info: &ParameterInfo) -> &'static str {
    match info.kind {
        ParameterKind::Integer => "a whole number",
        ParameterKind::Number => "a number",
        ParameterKind::Text => "a text",
        ParameterKind::Boolean => "true or false",
    }
}

fn allowed(info: &ParameterInfo) -> String {
    let kind = kind(info);
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
    fn a_description_that_nothing_can_be_checked_against_is_refused() {
        let changed = |change: fn(&mut ParameterInfo)| {
            let mut description = description();
            change(&mut description.parameters[0]);
            check(&description, &given(&[("fast", "10")])).unwrap_err()
        };
        for (change, words) in [
            (
                (|fast| fast.minimum = Some("1.0".into())) as fn(&mut ParameterInfo),
                "\"fast\" wrongly: its smallest is \"1.0\", which is not a whole number",
            ),
            (
                |fast| fast.maximum = Some("ten".into()),
                "its largest is \"ten\"",
            ),
            (
                |fast| fast.minimum = Some("101".into()),
                "its smallest, 101, is larger",
            ),
            (
                |fast| fast.default = Some("0".into()),
                "its default is \"0\": it must be a whole number from 1 to 100",
            ),
            (|fast| fast.kind = ParameterKind::Text, "and it is a text"),
            (
                |fast| fast.name = "ratio".into(),
                "another has the same name",
            ),
        ] {
            let error = changed(change);
            assert!(error.contains(words), "{error}");
        }
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
