//! WAVE texts: quoting, taking lists apart, and comparing with an expectation that may leave parts open.

use anyhow::{Context, anyhow};
use wasm_wave::untyped::UntypedValue;

/// The elements of a WAVE list, as they are written.
///
/// # Errors
/// Where the text is no list.
pub fn split(list: &str) -> anyhow::Result<Vec<String>> {
    let value = UntypedValue::parse(list).map_err(|error| anyhow!("{error}: {list}"))?;
    let elements = value.node().as_list();
    let elements = elements.map_err(|error| anyhow!("{error}: {list}"))?;
    elements
        .map(|element| {
            let text = list.get(element.span());
            text.map(str::to_owned).context("a span is in its text")
        })
        .collect()
}

/// A text as WAVE writes it.
pub fn text(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for letter in value.chars() {
        match letter {
            letter if letter.is_control() && !"\t\r\n".contains(letter) => {
                text.extend(letter.escape_unicode());
            }
            '\'' => text.push_str("\\'"),
            letter => text.extend(letter.escape_debug()),
        }
    }
    text.push('"');
    text
}

/// Whether an outcome is what was expected; `…` stands for anything.
pub fn matches(expected: &str, outcome: &str) -> bool {
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = outcome.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<_> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_comes_apart_where_its_elements_end() -> anyhow::Result<()> {
        let list = r#"[done, text("a], \"b"), rows([[null]]), {a: [1, 2]}]"#;
        assert_eq!(
            split(list)?,
            [
                "done",
                r#"text("a], \"b")"#,
                "rows([[null]])",
                "{a: [1, 2]}"
            ]
        );
        assert_eq!(split("[]")?, [""; 0]);
        assert!(split("done").is_err());
        Ok(())
    }

    #[test]
    fn an_expectation_may_leave_parts_open() {
        for (expected, outcome, same) in [
            ("done", "done", true),
            ("done", "done ", false),
            ("a…c", "abc", true),
            ("a…c", "ac", true),
            ("a…c", "acb", false),
            ("a…b…c", "a1b2c", true),
            ("a…b…c", "a1c", false),
            ("…b…", "abc", true),
            ("ab…b", "ab", false),
        ] {
            assert_eq!(matches(expected, outcome), same, "{expected} {outcome}");
        }
    }
}
