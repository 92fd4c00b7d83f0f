//! Owns an answer of SQLite's while its rows arrive: reading them into columns, and counting them against the limits.

use sqlx::{Column as _, Row};

use crate::batches::Collect;
use crate::builder::{Budget, Builder, Limits};
use crate::column::{Answer, Batch, ColumnInfo};
use crate::error::Error;
use crate::statement::Request;

use super::decode::Reader;
use super::prepared::Prepared;

/// The answer while its rows arrive. After the first trouble rows are read and thrown away, so that the connection stays usable.
#[derive(Debug)]
pub(super) struct Collected {
    readers: Vec<Reader>,
    budget: Budget,
    trouble: Option<Error>,
    wanted: bool,
    /// Columns whose kind the batch that was taken out first has decided.
    settled: Vec<bool>,
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
            settled: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, row: &sqlx::sqlite::SqliteRow) {
        if !self.wanted || self.trouble.is_some() {
            return;
        }
        self.trouble = self.add(row).err();
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

impl Collect for Collected {
    type Row = sqlx::sqlite::SqliteRow;

    fn add(&mut self, row: &sqlx::sqlite::SqliteRow) -> Result<(), Error> {
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
                    let advice = match self.settled.get(at) {
                        Some(true) => {
                            " (no type is declared, so the cursor's first batch decided: cast it, for example CAST(… AS TEXT))"
                        }
                        _ => "",
                    };
                    return Err(Error::invalid(format!(
                        "column {name:?} can't be read: {reason}{advice}"
                    )));
                }
            }
        }
        self.budget.row(bytes)
    }

    fn rows(&self) -> u32 {
        self.budget.rows()
    }

    /// The kinds stay what they are now, or were when the first batch was taken out.
    fn take(&mut self, next: Limits) -> Batch {
        let budget = std::mem::replace(&mut self.budget, Budget::new(next));
        let rows = budget.rows();
        if self.settled.is_empty() {
            let settled = |reader: &Reader| !matches!(reader, Reader::Declared(_));
            self.settled = self.readers.iter().map(settled).collect();
        }
        let full: Vec<Builder> = std::mem::take(&mut self.readers)
            .into_iter()
            .map(|reader| reader.finish(rows))
            .collect();
        let kinds = full.iter().map(|builder| Some(builder.kind()));
        self.readers = kinds.map(Reader::new).collect();
        budget.answer(Vec::new(), full).batch
    }
}
