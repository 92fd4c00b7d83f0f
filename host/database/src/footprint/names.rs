//! Owns names as the databases compare them: folded, and without the schema that everything is in.

use sqlparser::ast::{ObjectName, ObjectNamePart};

use crate::error::Error;
use crate::url::Backend;

use super::walk::Walk;

impl Walk {
    pub(super) fn name(&self, name: &ObjectName) -> Result<String, Error> {
        let mut parts = Vec::with_capacity(name.0.len());
        for part in &name.0 {
            match part {
                ObjectNamePart::Identifier(part) => {
                    parts.push(fold(&part.value, part.quote_style.is_some(), self.backend))
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
