//! Owns an answer of PostgreSQL's while its rows arrive: decoding them into columns, and counting them against the limits.

use sqlx::{Row, ValueRef};

use crate::batches::Collect;
use crate::builder::{Budget, Builder, Limits, width};
use crate::column::{Answer, Batch, ColumnInfo};
use crate::error::Error;
use crate::statement::{Failed, Request};

use super::decode::Wire;
use super::prepared::Prepared;

/// The answer while its rows arrive. After the first trouble rows are read and thrown away, so that the connection stays usable.
#[derive(Debug)]
pub(super) struct Collected {
    infos: Vec<ColumnInfo>,
    wires: Vec<Wire>,
    builders: Vec<Builder>,
    budget: Budget,
    trouble: Option<Error>,
    wanted: bool,
}

impl Collected {
    pub(super) fn new(prepared: &Prepared, request: &Request<'_>) -> Result<Self, Failed> {
        let wires = if request.rows {
            prepared.wires()?
        } else {
            Vec::new()
        };
        Ok(Self {
            infos: if request.rows {
                prepared.infos.clone()
            } else {
                Vec::new()
            },
            builders: wires.iter().map(|wire| Builder::new(wire.kind())).collect(),
            wires,
            budget: Budget::new(request.limits),
            trouble: None,
            wanted: request.rows,
        })
    }

    pub(super) fn row(&mut self, row: &sqlx::postgres::PgRow) {
        if self.wanted
            && self.trouble.is_none()
            && let Err(error) = self.decode(row)
        {
            self.trouble = Some(error);
            self.builders.clear();
        }
    }

    fn decode(&mut self, row: &sqlx::postgres::PgRow) -> Result<(), Error> {
        let mut bytes = 0_u64;
        for (at, (wire, builder)) in self.wires.iter().zip(&mut self.builders).enumerate() {
            let refused = |reason: String| {
                let name = self.infos.get(at).map_or("", |info| info.name.as_str());
                Error::invalid(format!("column {name:?} can't be read: {reason}"))
            };
            let value = row
                .try_get_raw(at)
                .map_err(|error| refused(error.to_string()))?;
            if value.is_null() || *wire == Wire::Void {
                builder.null();
                bytes = bytes.saturating_add(width(builder.kind(), 0));
            } else {
                let wire_bytes = value
                    .as_bytes()
                    .map_err(|error| refused(error.to_string()))?;
                bytes = bytes.saturating_add(wire.push(wire_bytes, builder).map_err(refused)?);
            }
        }
        self.budget.row(bytes)
    }

    pub(super) fn finish(self) -> Result<Answer, Error> {
        match self.trouble {
            Some(error) => Err(error),
            None => Ok(self.budget.answer(self.infos, self.builders)),
        }
    }
}

impl Collect for Collected {
    type Row = sqlx::postgres::PgRow;

    fn add(&mut self, row: &sqlx::postgres::PgRow) -> Result<(), Error> {
        self.decode(row)
    }

    fn rows(&self) -> u32 {
        self.budget.rows()
    }

    fn take(&mut self, next: Limits) -> Batch {
        let empty = self.wires.iter().map(|wire| Builder::new(wire.kind()));
        let full = std::mem::replace(&mut self.builders, empty.collect());
        let budget = std::mem::replace(&mut self.budget, Budget::new(next));
        budget.answer(Vec::new(), full).batch
    }
}
