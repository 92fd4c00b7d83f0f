//! Owns cutting a cursor's rows into batches of a bounded size; leaves reading the rows to the backends.

use std::collections::VecDeque;

use crate::builder::Limits;
use crate::column::{Batch, Column, ColumnInfo, Packed, Values};
use crate::error::{Error, LimitKind};

/// Rows of one batch, however many the plugin may have.
const MAX_ROWS: u64 = 8_192;

/// Bytes of one batch, unless a single row is larger.
const MAX_BYTES: u64 = 1024 * 1024;

/// Bytes that may wait in finished batches, should rows turn out larger than those before them.
const MAX_WAITING: u64 = 64 * 1024 * 1024;

/// How many rows are asked for first, as they tell how large rows are; and so many times more each next time.
const GROWTH: u32 = 8;

/// So many rows at once at most: a few large ones among many small ones are then no burden.
const MOST: u32 = 1_024;

/// Columns that fill row by row and are taken out when they are full.
pub(crate) trait Collect {
    /// A row as the driver gives it.
    type Row;

    /// Appends a row. After `Limit` it may be given again once the rows before it were taken out.
    fn add(&mut self, row: &Self::Row) -> Result<(), Error>;

    /// How many rows it has.
    fn rows(&self) -> u32;

    /// Takes out what there is, which may hold a part of one row more, and goes on with these limits.
    fn take(&mut self, next: Limits) -> Batch;
}

/// The rows of a cursor between the database and the plugin.
#[derive(Debug)]
pub(crate) struct Batches<C> {
    collected: C,
    ready: VecDeque<Batch>,
    waiting: u64,
    batch: Limits,
    /// Bytes of a single row, the plugin's limit.
    widest: u64,
    /// What follows after the ready batches.
    trouble: Option<Error>,
    /// How many rows were asked for last.
    count: u32,
    /// Rows of the last batch that was full, if one was since then.
    full: Option<u32>,
    /// Nothing more comes from the database.
    ended: bool,
}

/// How large a cursor's batches may be, by the plugin's own limits.
pub(crate) fn batch_limits(limits: Limits) -> Limits {
    Limits {
        rows: limits.rows.min(MAX_ROWS),
        bytes: limits.bytes.min(MAX_BYTES),
    }
}

impl<C: Collect> Batches<C> {
    /// `collected` begins with [`batch_limits`] of `limits`.
    pub(crate) fn new(collected: C, limits: Limits) -> Self {
        Self {
            collected,
            ready: VecDeque::new(),
            waiting: 0,
            batch: batch_limits(limits),
            widest: limits.bytes,
            trouble: None,
            count: 1,
            full: None,
            ended: false,
        }
    }

    /// Appends a row; after the first trouble rows are thrown away.
    pub(crate) fn row(&mut self, row: &C::Row) {
        if self.trouble.is_none()
            && let Err(error) = self.add(row)
        {
            self.fail(error);
        }
    }

    /// The rows so far are a batch, and then comes this.
    fn fail(&mut self, error: Error) {
        if self.trouble.is_none() {
            self.flush();
            self.trouble = Some(error);
        }
    }

    /// The rows so far are the last batch, for there are no more.
    pub(crate) fn end(&mut self) {
        self.flush();
        self.ended = true;
    }

    /// The rows so far are the last batch, for the database refused to go on.
    pub(crate) fn end_with(&mut self, error: Error) {
        self.fail(error);
        self.ended = true;
    }

    /// Whether nothing more comes from the database.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether [`Self::next`] knows what to say, the end among it, without asking the database.
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty() || self.trouble.is_some() || self.ended
    }

    /// The next batch that is finished; an error once the batches before it were taken, and only once.
    pub(crate) fn next(&mut self) -> Option<Result<Batch, Error>> {
        if let Some(batch) = self.ready.pop_front() {
            self.waiting = self.waiting.saturating_sub(bytes(&batch));
            return Some(Ok(batch));
        }
        self.trouble.take().map(Err)
    }

    /// How many rows to ask for: as many as the last full batch had, and before one is full more and more.
    pub(crate) fn count(&mut self) -> u32 {
        self.count = match self.full.take() {
            Some(rows) => rows.clamp(1, MOST),
            None => self.count.saturating_mul(GROWTH).min(MOST),
        };
        self.count
    }

    /// What follows after the batches that are ready.
    pub(crate) fn trouble(&self) -> Option<&Error> {
        self.trouble.as_ref()
    }

    /// The first batch, to be asked what kinds it has.
    pub(crate) fn first(&self) -> Option<&Batch> {
        self.ready.front()
    }

    fn flush(&mut self) {
        if self.trouble.is_none() && self.collected.rows() > 0 {
            self.cut();
        }
    }

    fn add(&mut self, row: &C::Row) -> Result<(), Error> {
        let refused = match self.collected.add(row) {
            Err(error @ Error::Limit { .. }) => error,
            added => return added,
        };
        if self.collected.rows() > 0 {
            self.full = Some(self.collected.rows());
            self.cut();
            match self.collected.add(row) {
                Err(Error::Limit { .. }) => {}
                added => return added.and_then(|()| self.check_waiting()),
            }
        }
        if self.batch.rows == 0 {
            return Err(refused);
        }
        // A single row may be larger than a batch should be.
        let alone = Limits {
            rows: 1,
            bytes: self.widest,
        };
        self.collected.take(alone);
        self.collected.add(row).map_err(|error| match error {
            Error::Limit { maximum, .. } => Error::Limit {
                kind: LimitKind::Bytes,
                message: format!(
                    "a single row has more than {maximum} bytes, this plugin's limit: ask for fewer columns"
                ),
                maximum,
            },
            other => other,
        })?;
        self.full = Some(1);
        self.cut();
        self.check_waiting()
    }

    fn cut(&mut self) {
        let mut batch = self.collected.take(self.batch);
        let rows = batch.rows as usize;
        batch
            .columns
            .iter_mut()
            .for_each(|column| cut(column, rows));
        self.waiting = self.waiting.saturating_add(bytes(&batch));
        self.ready.push_back(batch);
    }

    fn check_waiting(&self) -> Result<(), Error> {
        if self.waiting <= MAX_WAITING.max(self.widest) {
            return Ok(());
        }
        let maximum = MAX_WAITING.max(self.widest);
        Err(Error::Limit {
            kind: LimitKind::Bytes,
            message: format!(
                "rows that are far larger than those before them came to more than {maximum} bytes at once: ask for the large ones by themselves, or for fewer columns"
            ),
            maximum,
        })
    }
}

/// The same infos with the kinds that a batch has.
pub(crate) fn with_kinds(mut infos: Vec<ColumnInfo>, batch: &Batch) -> Vec<ColumnInfo> {
    for (info, column) in infos.iter_mut().zip(&batch.columns) {
        info.kind = column.values.kind();
    }
    infos
}

fn bytes(batch: &Batch) -> u64 {
    let column = |column: &Column| {
        let values = match &column.values {
            Values::Boolean(values) => values.len(),
            Values::Int64(values) | Values::Time(values) | Values::Timestamp(values) => {
                values.len() * 8
            }
            Values::Float64(values) => values.len() * 8,
            Values::Decimal(packed)
            | Values::Text(packed)
            | Values::Bytes(packed)
            | Values::Json(packed) => packed.data.len() + packed.offsets.len() * 4,
            Values::Uuid(values) => values.len() * 16,
            Values::Date(values) => values.len() * 4,
        };
        values + column.validity.len()
    };
    batch.columns.iter().map(column).sum::<usize>() as u64
}

/// Takes away what a column has behind its first `rows`.
fn cut(column: &mut Column, rows: usize) {
    if column.values.len() > rows {
        match &mut column.values {
            Values::Boolean(values) => values.truncate(rows),
            Values::Int64(values) | Values::Time(values) | Values::Timestamp(values) => {
                values.truncate(rows)
            }
            Values::Float64(values) => values.truncate(rows),
            Values::Decimal(packed)
            | Values::Text(packed)
            | Values::Bytes(packed)
            | Values::Json(packed) => cut_packed(packed, rows),
            Values::Uuid(values) => values.truncate(rows),
            Values::Date(values) => values.truncate(rows),
        }
    }
    if column.validity.is_empty() {
        return;
    }
    column.validity.truncate(rows.div_ceil(8));
    if !rows.is_multiple_of(8)
        && let Some(last) = column.validity.last_mut()
    {
        *last &= (1 << (rows % 8)) - 1;
    }
    // The only null may have been behind them.
    if (0..rows).all(|row| !column.is_null(row)) {
        column.validity.clear();
    }
}

fn cut_packed(packed: &mut Packed, rows: usize) {
    packed.offsets.truncate(rows + 1);
    let end = packed.offsets.last().copied().unwrap_or_default();
    packed
        .data
        .truncate(usize::try_from(end).unwrap_or(usize::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{Budget, Builder, pack};
    use crate::value::Kind;

    /// Rows of one text each; an empty one is a null.
    struct Texts {
        builder: Builder,
        budget: Budget,
    }

    impl Collect for Texts {
        type Row = String;

        fn add(&mut self, row: &String) -> Result<(), Error> {
            if row.is_empty() {
                self.builder.null();
            } else {
                if let Values::Text(packed) = self.builder.values() {
                    pack(packed, row.as_bytes()).map_err(Error::invalid)?;
                }
                self.builder.pushed();
            }
            self.budget.row(row.len() as u64)
        }

        fn rows(&self) -> u32 {
            self.budget.rows()
        }

        fn take(&mut self, next: Limits) -> Batch {
            let rows = self.budget.rows();
            self.budget = Budget::new(next);
            let full = std::mem::replace(&mut self.builder, Builder::new(Kind::Text));
            Batch {
                rows,
                columns: vec![full.finish()],
            }
        }
    }

    fn batches(limits: Limits, rows: &[&str]) -> Vec<Result<Vec<String>, Error>> {
        let texts = Texts {
            builder: Builder::new(Kind::Text),
            budget: Budget::new(batch_limits(limits)),
        };
        let mut batches = Batches::new(texts, limits);
        for row in rows {
            batches.row(&(*row).to_owned());
        }
        batches.end();
        let mut all = Vec::new();
        while let Some(next) = batches.next() {
            all.push(next.map(|batch| {
                let column = &batch.columns[0];
                assert_eq!(column.check(), Ok(batch.rows as usize));
                (0..batch.rows as usize)
                    .map(|row| match column.value(row) {
                        crate::value::Value::Text(text) => text,
                        _ => String::new(),
                    })
                    .collect()
            }));
        }
        assert_eq!(batches.waiting, 0);
        all
    }

    #[test]
    fn rows_fill_batches_and_a_large_one_stands_alone() {
        let limits = Limits {
            rows: 3,
            bytes: 2_000_000,
        };
        let large = "x".repeat(1_500_000);
        let half = "y".repeat(600_000);
        let all = batches(limits, &["a", "", "c", "d", &large, "", &half, &half, "z"]);
        let lengths: Vec<Vec<usize>> = all
            .into_iter()
            .map(|batch| batch.unwrap().iter().map(String::len).collect())
            .collect();
        assert_eq!(
            lengths,
            [
                vec![1, 0, 1],
                vec![1],
                vec![1_500_000],
                vec![0, 600_000],
                vec![600_000, 1]
            ]
        );
    }

    #[test]
    fn a_row_over_the_plugins_limit_comes_after_the_rows_before_it() {
        let limits = Limits { rows: 9, bytes: 5 };
        let all = batches(limits, &["abc", "toolong", "d"]);
        assert_eq!(all[0], Ok(vec!["abc".to_owned()]));
        assert!(
            matches!(&all[1], Err(Error::Limit { kind: LimitKind::Bytes, maximum: 5, message }) if message.contains("single row")),
            "{all:?}"
        );
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn a_cut_column_has_no_trace_of_the_row_behind_it() {
        let mut builder = Builder::new(Kind::Int64);
        for value in 0..8 {
            if let Values::Int64(values) = builder.values() {
                values.push(value);
            }
            builder.pushed();
        }
        builder.null();
        let mut column = builder.finish();
        cut(&mut column, 8);
        assert_eq!(column.check(), Ok(8));
        assert!(column.validity.is_empty());
    }
}
