//! Owns names as the databases compare them: folded, and without the schema that everything is in.

use sqlparser::ast::{ObjectName, ObjectNamePart};

use crate::error::Error;
use crate::url::Backend;

use super::walk::Walk;

impl Walk {
    pub(super) fn name(&self, name: &ObjectName) -> Result<String, Error> {
        let mut parts = Vec::with_capacity(name.0.len());
        for name in &name.0 {
            match name {
                ObjectNamePart::Identifier(name) => {
                    let quoted = name.quote_style.is_some();
                    if !quoted && self.is_reserved(&name.value) {
                        return Err(Error::invalid(
                            "ONLY is not to be had: what is granted is a table with its partitions and children",
                        ));
                    }
                    parts.push(part(&name.value, quoted, self.backend));
                }
                ObjectNamePart::Function(_) => {
                    return Err(Error::invalid(format!("the name {name} can't be read")));
                }
            }
        }
        if parts.len() == 2
            && parts
                .first()
                .is_some_and(|schema| schema == home_schema(self.backend))
        {
            parts.remove(0);
        }
        Ok(parts.join("."))
    }

    /// The parser takes `ONLY t` for a table of that name with an alias.
    fn is_reserved(&self, name: &str) -> bool {
        self.backend == Backend::Postgresql && name.eq_ignore_ascii_case("only")
    }
}

/// One part of a name, as footprints and grants have it: folded, and in quotes where it holds what separates parts.
pub(super) fn part(name: &str, quoted: bool, backend: Backend) -> String {
    let folded = fold(name, quoted, backend);
    if folded.contains(['.', '"']) {
        format!("\"{}\"", folded.replace('"', "\"\""))
    } else {
        folded
    }
}

pub(super) fn home_schema(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "main",
        Backend::Postgresql => "public",
    }
}

/// As the database compares names: SQLite never minds case, PostgreSQL minds it in quotes.
pub(crate) fn fold(name: &str, quoted: bool, backend: Backend) -> String {
    if quoted && backend == Backend::Postgresql {
        name.to_owned()
    } else {
        name.to_ascii_lowercase()
    }
}
