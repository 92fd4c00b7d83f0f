//! Owns an answer of SQLite's while its rows arrive: reading them into columns, and counting them against the limits.

use sqlx::{Column as _, Row};

use crate::builder::{Budget, Builder};
use crate::column::{Answer, ColumnInfo};
use crate::error::Error;
use crate::statement::Request;

use super::decode::Reader;
use super::prepared::Prepared;

/// The answer while its rows arrive. After the first trouble rows are read and thrown away, so that the connection stays usable.
pub(super) struct Collected {
    readers: Vec<Reader>,
    budget: Budget,
    trouble: Option<Error>,
    wanted: bool,
}

impl Collected {
    pub(super) fn new(prepared: &Prepared, request: &Request<'_>) -> Self {
        let readers = if request.rows {
            prepared
                .columns
                .iter()
                .map(|column| Reader::new(column.kind))
                .collect()
        } else {
            Vec::new()
        };
        Self {
            readers,
            budget: Budget::new(request.limits),
            trouble: None,
            wanted: request.rows,
        }
    }

    pub(super) fn row(&mut self, row: &sqlx::sqlite::SqliteRow) {
        if !self.wanted || self.trouble.is_some() {
            return;
        }
        let mut bytes = 0_u64;
        for (at, reader) in self.readers.iter_mut().enumerate() {
            let read = row
                .try_get_raw(at)
                .map_err(|error| error.to_string())
                .and_then(|value| reader.push(value, self.budget.rows()));
            match read {
                Ok(taken) => bytes = bytes.saturating_add(taken),
                Err(reason) => {
                    let name = row.columns().get(at).map_or("", |column| column.name());
                    self.trouble = Some(Error::invalid(format!(
                        "column {name:?} can't be read: {reason}"
                    )));
                    break;
                }
            }
        }
        if self.trouble.is_none() {
            self.trouble = self.budget.row(bytes).err();
        }
        if self.trouble.is_some() {
            self.readers.clear();
        }
    }

    pub(super) fn finish(self, prepared: &Prepared) -> Result<Answer, Error> {
        if let Some(error) = self.trouble {
            return Err(error);
        }
        let rows = self.budget.rows();
        let builders: Vec<Builder> = self
            .readers
            .into_iter()
            .map(|reader| reader.finish(rows))
            .collect();
        let infos = builders
            .iter()
            .zip(&prepared.columns)
            .map(|(builder, column)| ColumnInfo {
                name: column.name.clone(),
                kind: builder.kind(),
                database_type: column.database_type.clone(),
            })
            .collect();
        Ok(self.budget.answer(infos, builders))
    }
}
