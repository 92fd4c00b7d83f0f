//! Names of interfaces with their versions, and which version satisfies which.

use std::fmt;

use semver::{Comparator, Op, Version};

/// `namespace:package/interface`, with the version behind an `@` or without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InterfaceName {
    /// As it is written.
    full: String,
    version: Option<Version>,
}

impl InterfaceName {
    pub(crate) fn parse(full: &str) -> Self {
        let version = full
            .split_once('@')
            .and_then(|(_, version)| Version::parse(version).ok());
        Self {
            full: full.to_owned(),
            version,
        }
    }

    /// As it is written.
    pub(crate) fn full(&self) -> &str {
        &self.full
    }

    /// Without the version.
    pub(crate) fn bare(&self) -> &str {
        self.full.split('@').next().unwrap_or(&self.full)
    }

    /// The interface alone, for messages.
    pub(crate) fn short(&self) -> &str {
        self.bare().rsplit('/').next().unwrap_or(self.bare())
    }

    pub(crate) fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// Whether an import of this name can be given `offered`: the same interface in the same version or a later one that
    /// is compatible by semver. An import without a version takes any.
    pub(crate) fn is_satisfied_by(&self, offered: &Self) -> bool {
        if self.bare() != offered.bare() {
            return false;
        }
        match (&self.version, &offered.version) {
            (None, _) => true,
            (Some(wanted), Some(offered)) => Comparator {
                op: Op::Caret,
                major: wanted.major,
                minor: Some(wanted.minor),
                patch: Some(wanted.patch),
                pre: wanted.pre.clone(),
            }
            .matches(offered),
            (Some(_), None) => false,
        }
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

#[cfg(test)]
mod tests {
    use super::InterfaceName;

    #[test]
    fn versions_are_satisfied_as_semver_says() {
        for (wanted, offered, satisfied) in [
            ("a:b/c@1.2.3", "a:b/c@1.2.3", true),
            ("a:b/c@1.2.3", "a:b/c@1.9.0", true),
            ("a:b/c@1.2.3", "a:b/c@1.2.2", false),
            ("a:b/c@1.2.3", "a:b/c@2.0.0", false),
            ("a:b/c@0.1.0", "a:b/c@0.1.7", true),
            ("a:b/c@0.1.0", "a:b/c@0.2.0", false),
            ("a:b/c@0.0.1", "a:b/c@0.0.2", false),
            ("a:b/c@1.0.0", "a:b/c@1.1.0-rc.1", false),
            ("a:b/c@1.0.0-rc.1", "a:b/c@1.0.0", true),
            ("a:b/c@1.0.0", "a:b/d@1.0.0", false),
            ("a:b/c", "a:b/c@3.0.0", true),
            ("a:b/c", "a:b/c", true),
            ("a:b/c@1.0.0", "a:b/c", false),
        ] {
            let answer =
                InterfaceName::parse(wanted).is_satisfied_by(&InterfaceName::parse(offered));
            assert_eq!(answer, satisfied, "{wanted} by {offered}");
        }
    }

    #[test]
    fn parts_of_a_name() {
        let name = InterfaceName::parse("acme:pricing/quotes@1.0.0");
        assert_eq!(
            (name.bare(), name.short(), name.full()),
            ("acme:pricing/quotes", "quotes", "acme:pricing/quotes@1.0.0")
        );
        assert_eq!(InterfaceName::parse("log").short(), "log");
    }
}
