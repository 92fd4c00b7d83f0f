//! Results read batch by batch: as batches, or as an iterator of rows or structs. How much a batch holds, the host
//! decides.

use std::cell::Cell;
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::rc::Rc;

use crate::bindings::imports::poolhouse::database::database as contract;
use crate::database::from_row::FoundColumns;
use crate::database::{Batch, ColumnInfo, Error, FromRow, OwnedRow, Rows};

/// An open result that is read batch by batch, or row by row with `for`.
///
/// Nothing more comes after the end or after an error, and the cursor is closed then; dropping it earlier cancels the
/// rest.
///
/// ```
/// use poolhouse::database::{Column, Cursor, Rows};
///
/// // In a plugin: `tx.cursor("SELECT symbol, quantity FROM positions", params![])?`
/// let cursor = Cursor::from(Rows::of([
///     ("symbol", Column::of(["AAPL", "IBM"])),
///     ("quantity", Column::of([10, 3])),
/// ])?);
/// let mut most = 0;
/// for row in cursor {
///     most = most.max(row?.get::<i64>("quantity")?);
/// }
/// assert_eq!(most, 10);
/// # Ok::<(), poolhouse::database::Error>(())
/// ```
pub struct Cursor {
    /// None when the end is reached, or an error was.
    batches: Option<Box<dyn Batches>>,
    infos: Rc<[ColumnInfo]>,
    /// Rows of the batches so far.
    rows: u64,
}

/// Where a cursor's batches come from; dropping it closes the cursor.
pub(super) trait Batches {
    fn next_batch(&self) -> Result<Option<Batch>, Error>;
}

/// The host's cursor, and whether the transaction that it is in met a conflict.
pub(super) struct HostBatches {
    pub(super) cursor: contract::Cursor,
    pub(super) met_conflict: Option<Rc<Cell<bool>>>,
}

impl Batches for HostBatches {
    fn next_batch(&self) -> Result<Option<Batch>, Error> {
        let batch = self.cursor.next().map_err(Error::from);
        if let (Err(error), Some(met)) = (&batch, &self.met_conflict) {
            met.set(met.get() || error.is_conflict());
        }
        batch
    }
}

impl Cursor {
    pub(super) fn new(infos: Rc<[ColumnInfo]>, batches: Box<dyn Batches>) -> Self {
        Self {
            batches: Some(batches),
            infos,
            rows: 0,
        }
    }

    /// What the database says of the columns.
    pub fn columns(&self) -> &[ColumnInfo] {
        &self.infos
    }

    /// The next rows, at most the plugin's limit; none at the end.
    ///
    /// # Errors
    /// The host's error, after which there are no more.
    pub fn next_batch(&mut self) -> Result<Option<Rows>, Error> {
        let Some(batches) = &self.batches else {
            return Ok(None);
        };
        let batch = batches.next_batch();
        let Ok(Some(batch)) = batch else {
            // Closed here, so that its connection goes back although the cursor itself lives on.
            self.batches = None;
            return batch.map(|_| None);
        };
        let before = self.rows;
        self.rows += u64::from(batch.rows);
        Ok(Some(Rows::new(Rc::clone(&self.infos), batch, before)))
    }

    /// The rows as structs or tuples, one after the other. A column that is missing is the first item's error.
    ///
    /// ```no_run
    /// use poolhouse::database::{Decimal, Error, FromRow, Session};
    /// use poolhouse::params;
    ///
    /// #[derive(FromRow)]
    /// struct Position { symbol: String, quantity: Decimal }
    ///
    /// fn longest() -> Result<Option<Position>, Error> {
    ///     let cursor = Session::open()?.cursor("SELECT symbol, quantity FROM positions", params![])?;
    ///     let mut longest: Option<Position> = None;
    ///     for position in cursor.rows::<Position>() {
    ///         let position = position?;
    ///         if longest.as_ref().is_none_or(|longest| position.quantity > longest.quantity) {
    ///             longest = Some(position);
    ///         }
    ///     }
    ///     Ok(longest)
    /// }
    /// ```
    pub fn rows<T: for<'r> FromRow<'r>>(self) -> CursorRows<T> {
        CursorRows {
            rows: self.into_iter(),
            columns: None,
            read: PhantomData,
        }
    }
}

impl IntoIterator for Cursor {
    type Item = Result<OwnedRow, Error>;
    type IntoIter = OwnedRows;

    fn into_iter(self) -> OwnedRows {
        OwnedRows {
            cursor: self,
            batch: None,
        }
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor")
            .field("columns", &self.infos)
            .field("open", &self.batches.is_some())
            .field("rows", &self.rows)
            .finish()
    }
}

/// A cursor over rows that are there already, for tests.
impl From<Rows> for Cursor {
    fn from(rows: Rows) -> Self {
        let (infos, batch) = rows.into_parts();
        Self::new(infos, Box::new(OneBatch(Cell::new(Some(batch)))))
    }
}

struct OneBatch(Cell<Option<Batch>>);

impl Batches for OneBatch {
    fn next_batch(&self) -> Result<Option<Batch>, Error> {
        Ok(self.0.take())
    }
}

/// A cursor's rows; each holds on to its batch, so it may be kept.
#[derive(Debug)]
pub struct OwnedRows {
    cursor: Cursor,
    /// The batch that rows are taken from, and the next row's index.
    batch: Option<(Rc<Rows>, usize)>,
}

impl OwnedRows {
    fn next_row(&mut self) -> Result<Option<OwnedRow>, Error> {
        loop {
            if let Some((rows, index)) = &mut self.batch {
                if *index < rows.len() {
                    *index += 1;
                    return Ok(Some(OwnedRow::new(Rc::clone(rows), *index - 1)));
                }
                self.batch = None;
            }
            match self.cursor.next_batch()? {
                Some(rows) => self.batch = Some((Rc::new(rows), 0)),
                None => return Ok(None),
            }
        }
    }
}

impl Iterator for OwnedRows {
    type Item = Result<OwnedRow, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

impl FusedIterator for OwnedRows {}

/// A cursor's rows as structs or tuples: see [`Cursor::rows`].
#[derive(Debug)]
pub struct CursorRows<T> {
    rows: OwnedRows,
    columns: Option<FoundColumns>,
    read: PhantomData<fn() -> T>,
}

impl<T: for<'r> FromRow<'r>> CursorRows<T> {
    fn next_row(&mut self) -> Result<Option<T>, Error> {
        let columns = match &mut self.columns {
            Some(columns) => columns,
            none => none.insert(FoundColumns::of::<T>(&self.rows.cursor.infos)?),
        };
        let row = self.rows.next_row()?;
        row.map(|row| columns.read(row.row())).transpose()
    }
}

impl<T: for<'r> FromRow<'r>> Iterator for CursorRows<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rows.cursor.batches.is_none() && self.rows.batch.is_none() {
            return None;
        }
        let row = self.next_row();
        if row.is_err() {
            self.rows.cursor.batches = None;
            self.rows.batch = None;
        }
        row.transpose()
    }
}

impl<T: for<'r> FromRow<'r>> FusedIterator for CursorRows<T> {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;
    use crate::bindings::imports::poolhouse::database::types;
    use crate::database::Column;
    use std::cell::RefCell;
    use std::collections::VecDeque;

    /// Answers what it was given, and tells when it is closed and how often it was asked.
    struct Given {
        answers: RefCell<VecDeque<Result<Option<Batch>, Error>>>,
        log: Rc<RefCell<Vec<&'static str>>>,
    }

    impl Batches for Given {
        fn next_batch(&self) -> Result<Option<Batch>, Error> {
            self.log.borrow_mut().push("asked");
            self.answers.borrow_mut().pop_front().unwrap()
        }
    }

    impl Drop for Given {
        fn drop(&mut self) {
            self.log.borrow_mut().push("closed");
        }
    }

    type Log = Rc<RefCell<Vec<&'static str>>>;

    fn cursor(answers: impl IntoIterator<Item = Result<Option<Batch>, Error>>) -> (Cursor, Log) {
        let log = Log::default();
        let given = Given {
            answers: RefCell::new(answers.into_iter().collect()),
            log: Rc::clone(&log),
        };
        let rows = Rows::of([("n", Column::of([0; 0]))]).unwrap();
        (Cursor::new(rows.columns().into(), Box::new(given)), log)
    }

    fn batch(numbers: &[i64]) -> Result<Option<Batch>, Error> {
        Ok(Some(Batch {
            rows: numbers.len() as u32,
            columns: vec![Column::of(numbers.iter().copied())],
        }))
    }

    fn broken() -> Error {
        Error::from(types::Error::Closed("broken".into()))
    }

    #[test]
    fn rows_run_on_over_batches_and_the_end_closes() {
        let (cursor, log) = cursor([batch(&[1, 2]), batch(&[]), batch(&[3]), Ok(None)]);
        let mut rows = cursor.into_iter();
        let numbers: Vec<i64> = rows
            .by_ref()
            .map(|row| row.unwrap().get("n").unwrap())
            .collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(
            *log.borrow(),
            ["asked", "asked", "asked", "asked", "closed"]
        );
        // Asked once more, the source would panic.
        assert!(rows.next().is_none());
    }

    #[test]
    fn nothing_comes_after_an_error() {
        let (cursor, log) = cursor([batch(&[1]), Err(broken())]);
        let mut rows = cursor.rows::<(i64,)>();
        assert_eq!(rows.next(), Some(Ok((1,))));
        assert_eq!(rows.next(), Some(Err(broken())));
        assert_eq!(*log.borrow(), ["asked", "asked", "closed"]);
        assert_eq!(rows.next(), None);
    }

    #[test]
    fn a_row_of_another_type_ends_it_and_is_told_by_its_number() {
        let (cursor, log) = cursor([batch(&[1, 2]), batch(&[3, 4000, 5])]);
        let mut rows = cursor.rows::<(u8,)>();
        assert!(rows.by_ref().take(3).all(|row| row.is_ok()));
        assert_eq!(
            rows.next().unwrap().unwrap_err().to_string(),
            "cell 0 of the tuple: column `n` of row 4 holds 4000, which is out of range"
        );
        assert_eq!(rows.next(), None);
        assert_eq!(log.borrow().last(), Some(&"closed"));
    }

    #[test]
    fn a_missing_column_is_told_before_anything_is_asked() {
        let (cursor, log) = cursor([]);
        let mut rows = cursor.rows::<(i64, i64)>();
        assert!(rows.next().unwrap().is_err() && rows.next().is_none());
        assert_eq!(*log.borrow(), ["closed"]);
    }

    #[test]
    fn batches_end_as_rows_do() {
        let (mut cursor, log) = cursor([batch(&[1]), Err(broken())]);
        assert_eq!(cursor.next_batch().unwrap().unwrap().scalars(), Ok(vec![1]));
        assert_eq!(cursor.next_batch().unwrap_err(), broken());
        assert!(cursor.next_batch().unwrap().is_none());
        assert_eq!(*log.borrow(), ["asked", "asked", "closed"]);
    }

    #[test]
    fn dropping_it_early_closes_it() {
        let (cursor, log) = cursor([batch(&[1, 2])]);
        let mut rows = cursor.into_iter();
        let kept = rows.next().unwrap().unwrap();
        drop(rows);
        assert_eq!(kept.get("n"), Ok(1));
        assert_eq!(*log.borrow(), ["asked", "closed"]);
    }
}
