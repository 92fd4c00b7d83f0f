//! Reads one row's parameters by name and type; ranges and defaults are the host's business.

use std::str::FromStr;

use super::contract::Parameter;
use crate::database::Decimal;

/// One row's parameters. Every error is a sentence for a person and names the parameter.
#[derive(Debug, Clone)]
pub struct Parameters(Vec<Parameter>);

impl Parameters {
    /// A whole number of the integer type asked for.
    ///
    /// # Errors
    /// The parameter is missing, is no whole number, or does not fit the type.
    pub fn integer<T: TryFrom<i64>>(&self, name: &str) -> Result<T, String> {
        let number: i64 = self.parse(name, "a whole number")?;
        T::try_from(number)
            .map_err(|_| format!("parameter `{name}` is {number}, which is out of range"))
    }

    /// A finite floating-point number.
    ///
    /// # Errors
    /// The parameter is missing or is no finite number.
    pub fn number(&self, name: &str) -> Result<f64, String> {
        let number: f64 = self.parse(name, "a number")?;
        if number.is_finite() {
            Ok(number)
        } else {
            Err(format!(
                "parameter `{name}` is `{number}`; it must be a finite number"
            ))
        }
    }

    /// An exact decimal number.
    ///
    /// # Errors
    /// The parameter is missing or is no plain decimal number.
    pub fn decimal(&self, name: &str) -> Result<Decimal, String> {
        self.parse(name, "a decimal number")
    }

    /// The text as written.
    ///
    /// # Errors
    /// The parameter is missing.
    pub fn text(&self, name: &str) -> Result<&str, String> {
        self.0
            .iter()
            .find(|parameter| parameter.name == name)
            .map(|parameter| parameter.value.as_str())
            .ok_or_else(|| format!("parameter `{name}` is missing; give it in the strategy row"))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// The parameter is missing or is neither.
    pub fn boolean(&self, name: &str) -> Result<bool, String> {
        self.parse(name, "`true` or `false`")
    }

    fn parse<T: FromStr>(&self, name: &str, expected: &str) -> Result<T, String> {
        let text = self.text(name)?;
        text.parse()
            .map_err(|_| format!("parameter `{name}` is `{text}`; it must be {expected}"))
    }
}

impl From<Vec<Parameter>> for Parameters {
    fn from(parameters: Vec<Parameter>) -> Self {
        Self(parameters)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let parameter = |(name, value): (N, V)| Parameter {
            name: name.into(),
            value: value.into(),
        };
        Self(pairs.into_iter().map(parameter).collect())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    fn parameters() -> Parameters {
        Parameters::from_iter([
            ("fast", "10"),
            ("below", "-1"),
            ("factor", "2.5"),
            ("never", "nan"),
            ("venue", "paper"),
            ("short", "true"),
        ])
    }

    #[test]
    fn getters_parse() {
        let p = parameters();
        assert_eq!(p.integer::<usize>("fast"), Ok(10));
        assert_eq!(p.integer::<i64>("below"), Ok(-1));
        assert_eq!(p.number("factor"), Ok(2.5));
        assert_eq!(p.decimal("factor").map(|d| d.to_string()), Ok("2.5".into()));
        assert_eq!(p.text("venue"), Ok("paper"));
        assert_eq!(p.boolean("short"), Ok(true));
    }

    #[test]
    fn errors_are_sentences_that_name_the_parameter() {
        let p = parameters();
        assert_eq!(
            p.integer::<usize>("slow").unwrap_err(),
            "parameter `slow` is missing; give it in the strategy row"
        );
        assert_eq!(
            p.integer::<i64>("factor").unwrap_err(),
            "parameter `factor` is `2.5`; it must be a whole number"
        );
        assert_eq!(
            p.integer::<usize>("below").unwrap_err(),
            "parameter `below` is -1, which is out of range"
        );
        assert!(p.number("never").unwrap_err().contains("finite"));
        assert!(
            p.boolean("venue")
                .unwrap_err()
                .contains("`true` or `false`")
        );
    }
}
