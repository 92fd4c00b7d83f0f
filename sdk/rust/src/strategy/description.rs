//! Builds what a strategy says of itself; the host checks rows against it.

use std::fmt::Display;

use super::{Description, ParameterInfo, ParameterKind};

/// `range`, `minimum`, `maximum` and `default` speak of the parameter named last before them.
impl Description {
    /// A strategy without parameters; the summary is one line for a person.
    pub fn new(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            parameters: Vec::new(),
        }
    }

    /// Adds a whole number that fits an `i64`.
    pub fn integer(self, name: impl Into<String>, summary: impl Into<String>) -> Self {
        self.parameter(name.into(), ParameterKind::Integer, summary.into())
    }

    /// Adds a decimal number.
    pub fn number(self, name: impl Into<String>, summary: impl Into<String>) -> Self {
        self.parameter(name.into(), ParameterKind::Number, summary.into())
    }

    /// Adds a text.
    pub fn text(self, name: impl Into<String>, summary: impl Into<String>) -> Self {
        self.parameter(name.into(), ParameterKind::Text, summary.into())
    }

    /// Adds a `true` or `false`.
    pub fn boolean(self, name: impl Into<String>, summary: impl Into<String>) -> Self {
        self.parameter(name.into(), ParameterKind::Boolean, summary.into())
    }

    /// The smallest and the largest value of an integer or number, both allowed.
    ///
    /// # Panics
    /// Without a parameter before it.
    pub fn range(self, minimum: impl Display, maximum: impl Display) -> Self {
        self.minimum(minimum).maximum(maximum)
    }

    /// The smallest value of an integer or number, itself allowed.
    ///
    /// # Panics
    /// Without a parameter before it.
    pub fn minimum(mut self, value: impl Display) -> Self {
        self.last().minimum = Some(value.to_string());
        self
    }

    /// The largest value of an integer or number, itself allowed.
    ///
    /// # Panics
    /// Without a parameter before it.
    pub fn maximum(mut self, value: impl Display) -> Self {
        self.last().maximum = Some(value.to_string());
        self
    }

    /// The value of a row that gives none; without it a row must give one.
    ///
    /// # Panics
    /// Without a parameter before it.
    pub fn default(mut self, value: impl Display) -> Self {
        self.last().default = Some(value.to_string());
        self
    }

    fn parameter(mut self, name: String, kind: ParameterKind, summary: String) -> Self {
        self.parameters.push(ParameterInfo {
            name,
            kind,
            summary,
            minimum: None,
            maximum: None,
            default: None,
        });
        self
    }

    fn last(&mut self) -> &mut ParameterInfo {
        let Some(last) = self.parameters.last_mut() else {
            panic!("ranges and defaults belong to a parameter: name one before them");
        };
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_defaults_go_to_the_parameter_before_them() {
        let description = Description::new("x")
            .integer("fast", "Bars")
            .range(1, 500)
            .default("10")
            .number("factor", "Times")
            .minimum(0.5)
            .text("venue", "Where")
            .default("paper")
            .boolean("short", "Whether to sell first");
        let shown: Vec<_> = description
            .parameters
            .iter()
            .map(|p| {
                (
                    p.name.as_str(),
                    p.kind,
                    p.minimum.as_deref(),
                    p.maximum.as_deref(),
                    p.default.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (
                    "fast",
                    ParameterKind::Integer,
                    Some("1"),
                    Some("500"),
                    Some("10")
                ),
                ("factor", ParameterKind::Number, Some("0.5"), None, None),
                ("venue", ParameterKind::Text, None, None, Some("paper")),
                ("short", ParameterKind::Boolean, None, None, None),
            ]
        );
    }

    #[test]
    #[should_panic(expected = "name one before them")]
    fn a_default_without_a_parameter_is_a_mistake() {
        let _ = Description::new("x").default(1);
    }
}
