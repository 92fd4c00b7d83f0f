//! Owns an answer of PostgreSQL's while its rows arrive: decoding them into columns, and counting them against the limits.

use std::sync::Arc;

use sqlx::{Row, ValueRef};

use crate::batches::Collect;
use crate::builder::{Budget, Builder, Limits, width};
use crate::column::{Answer, Batch};
use crate::error::Error;
use crate::statement::{Failed, Request};

use super::decode::Wire;
use super::errors;
use super::prepared::Prepared;

/// The answer while its rows arrive. After the first trouble rows are read and thrown away, so that the connection stays usable.
#[derive(Debug)]
pub(super) struct Collected {
    prepared: Arc<Prepared>,
    builders: Vec<Builder>,
    budget: Budget,
    trouble: Option<Failed>,
    wanted: bool,
    /// The rows were seen to have the columns that were prepared.
    compared: bool,
}

impl Collected {
    pub(super) fn new(prepared: &Arc<Prepared>, request: &Request<'_>) -> Self {
        let builders = if request.rows {
            let kinds = prepared.columns.iter().map(|read| read.wire.kind());
            kinds.map(Builder::new).collect()
        } else {
            Vec::new()
        };
        Self {
            prepared: Arc::clone(prepared),
            builders,
            budget: Budget::new(request.limits),
            trouble: None,
            wanted: request.rows,
            compared: false,
        }
    }

    pub(super) fn row(&mut self, row: &sqlx::postgres::PgRow) {
        if self.wanted
            && self.trouble.is_none()
            && let Err(trouble) = self
                .compare(row)
                .and_then(|()| self.decode(row).map_err(Failed::ours))
        {
            self.trouble = Some(trouble);
            self.builders.clear();
        }
    }

    /// The second lock behind the two caches of statements, ours and the driver's: bytes are read as the type that they
    /// are of, whatever was remembered.
    fn compare(&mut self, row: &sqlx::postgres::PgRow) -> Result<(), Failed> {
        if !self.compared {
            let columns = row.columns().get(..self.prepared.columns.len());
            let columns = columns.ok_or_else(errors::stale)?;
            if !self
                .prepared
                .columns
                .iter()
                .zip(columns)
                .all(|(read, column)| read.is(column))
            {
                return Err(errors::stale());
            }
            self.compared = true;
        }
        Ok(())
    }

    fn decode(&mut self, row: &sqlx::postgres::PgRow) -> Result<(), Error> {
        let mut bytes = 0_u64;
        let columns = self.prepared.columns.iter().zip(&mut self.builders);
        for (at, (read, builder)) in columns.enumerate() {
            let refused = |reason: String| {
                let info = self.prepared.infos.get(at);
                let name = info.map_or("", |info| info.name.as_str());
                Error::invalid(format!("column {name:?} can't be read: {reason}"))
            };
            let value = row
                .try_get_raw(at)
                .map_err(|error| refused(error.to_string()))?;
            if value.is_null() || read.wire == Wire::Void {
                builder.null();
                bytes = bytes.saturating_add(width(builder.kind(), 0));
            } else {
                let wire_bytes = value
                    .as_bytes()
                    .map_err(|error| refused(error.to_string()))?;
                bytes = bytes.saturating_add(read.wire.push(wire_bytes, builder).map_err(refused)?);
            }
        }
        self.budget.row(bytes)
    }

    pub(super) fn finish(self) -> Result<Answer, Failed> {
        let infos = match self.trouble {
            Some(trouble) => return Err(trouble),
            None if self.wanted => self.prepared.infos.clone(),
            None => Vec::new(),
        };
        Ok(self.budget.answer(infos, self.builders))
    }
}

impl Collect for Collected {
    type Row = sqlx::postgres::PgRow;

    fn add(&mut self, row: &sqlx::postgres::PgRow) -> Result<(), Error> {
        self.compare(row).map_err(|failed| failed.error)?;
        self.decode(row)
    }

    fn rows(&self) -> u32 {
        self.budget.rows()
    }

    fn take(&mut self, next: Limits) -> Batch {
        let kinds = self.prepared.columns.iter().map(|read| read.wire.kind());
        let empty = kinds.map(Builder::new).collect();
        let full = std::mem::replace(&mut self.builders, empty);
        let budget = std::mem::replace(&mut self.budget, Budget::new(next));
        budget.answer(Vec::new(), full).batch
    }
}
