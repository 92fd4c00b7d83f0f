//! Rows over the contract's columns: cells are decoded when they are asked for, and texts are borrowed where they lie.

#[cfg(test)]
mod tests;

use std::iter::FusedIterator;
use std::ops::Range;
use std::rc::Rc;

use crate::bindings::imports::poolhouse::database::types::Answer;
use crate::database::cell::cell;
use crate::database::from_row::{FoundColumns, names};
use crate::database::{Batch, Cell, Column, ColumnInfo, Error, FromCell, FromRow};

/// A complete result, or one batch of a cursor's.
#[derive(Clone, Debug)]
pub struct Rows {
    infos: Rc<[ColumnInfo]>,
    batch: Batch,
    /// How many rows of the cursor came before these, for messages.
    before: u64,
}

impl Rows {
    pub(super) fn new(infos: Rc<[ColumnInfo]>, batch: Batch, before: u64) -> Self {
        Self {
            infos,
            batch,
            before,
        }
    }

    pub(super) fn into_parts(self) -> (Rc<[ColumnInfo]>, Batch) {
        (self.infos, self.batch)
    }

    /// Rows that no database answered, for tests.
    ///
    /// ```
    /// use poolhouse::database::{Column, Rows};
    ///
    /// let rows = Rows::of([("id", Column::of([1, 2])), ("name", Column::nullable([Some("Zoë"), None]))])?;
    /// assert_eq!(rows.all::<(i64, Option<&str>)>()?, [(1, Some("Zoë")), (2, None)]);
    /// # Ok::<(), poolhouse::database::Error>(())
    /// ```
    ///
    /// # Errors
    /// The columns are not all of one length.
    pub fn of<'n>(columns: impl IntoIterator<Item = (&'n str, Column)>) -> Result<Self, Error> {
        let (infos, columns): (Vec<_>, Vec<_>) = columns
            .into_iter()
            .map(|(name, column)| {
                let info = ColumnInfo {
                    name: name.to_owned(),
                    kind: column.kind(),
                    database_type: String::new(),
                };
                (info, column)
            })
            .unzip();
        let rows = columns.first().map_or(0, Column::len);
        if let Some((info, column)) = infos.iter().zip(&columns).find(|(_, c)| c.len() != rows) {
            return Err(Error::Decode(format!(
                "column `{}` has {} rows, and the first column {rows}; give all as many",
                info.name,
                column.len()
            )));
        }
        let batch = Batch {
            // A guest's memory is 32 bits wide, so its lengths fit.
            rows: rows as u32,
            columns,
        };
        Ok(Self::new(infos.into(), batch, 0))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.batch.rows as usize
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.batch.rows == 0
    }

    /// What the database says of the columns; there with zero rows too.
    pub fn columns(&self) -> &[ColumnInfo] {
        &self.infos
    }

    /// The first row.
    pub fn first(&self) -> Option<Row<'_>> {
        self.row(0)
    }

    /// The row of that index, from 0.
    pub fn row(&self, index: usize) -> Option<Row<'_>> {
        (index < self.len()).then_some(Row { rows: self, index })
    }

    /// All rows in order.
    pub fn iter(&self) -> RowIter<'_> {
        RowIter {
            rows: self,
            indexes: 0..self.len(),
        }
    }

    /// All rows as structs or tuples, which may borrow from these rows.
    ///
    /// # Errors
    /// A column is missing, with zero rows too, or a cell is none of its field's type.
    pub fn all<'r, T: FromRow<'r>>(&'r self) -> Result<Vec<T>, Error> {
        self.typed()?.collect()
    }

    /// All rows as structs or tuples, one after the other.
    ///
    /// # Errors
    /// A column is missing; an item is an error where a cell is none of its field's type.
    pub fn typed<'r, T: FromRow<'r>>(
        &'r self,
    ) -> Result<impl ExactSizeIterator<Item = Result<T, Error>>, Error> {
        let columns = FoundColumns::of::<T>(&self.infos)?;
        Ok(self.iter().map(move |row| columns.read(row)))
    }

    /// The only row.
    ///
    /// # Errors
    /// There is none, or more than one, or it is none of the type.
    pub fn one<'r, T: FromRow<'r>>(&'r self) -> Result<T, Error> {
        self.optional()?.ok_or(Error::NoRow)
    }

    /// The only row, if there is one.
    ///
    /// # Errors
    /// There is more than one, or it is none of the type.
    pub fn optional<'r, T: FromRow<'r>>(&'r self) -> Result<Option<T>, Error> {
        let columns = FoundColumns::of::<T>(&self.infos)?;
        let row = self.at_most_one()?;
        row.map(|row| columns.read(row)).transpose()
    }

    /// The cells of the only column.
    ///
    /// # Errors
    /// There are more columns, or a cell is none of the type.
    pub fn scalars<'r, T: FromCell<'r>>(&'r self) -> Result<Vec<T>, Error> {
        self.check_one_column()?;
        self.iter().map(|row| row.get(0)).collect()
    }

    /// The only cell of the only row, if there is one; where a row may hold a NULL, `T` is an `Option`.
    ///
    /// # Errors
    /// There are more rows or columns, or the cell is none of the type.
    pub fn scalar<'r, T: FromCell<'r>>(&'r self) -> Result<Option<T>, Error> {
        self.check_one_column()?;
        self.at_most_one()?.map(|row| row.get(0)).transpose()
    }

    fn at_most_one(&self) -> Result<Option<Row<'_>>, Error> {
        match self.len() {
            0 | 1 => Ok(self.first()),
            count => Err(Error::ManyRows(count)),
        }
    }

    fn check_one_column(&self) -> Result<(), Error> {
        match self.infos.len() {
            1 => Ok(()),
            count => Err(Error::Decode(format!(
                "the result has {count} columns ({}), and one value is read; select one column, or read a tuple",
                names(&self.infos)
            ))),
        }
    }
}

impl From<Answer> for Rows {
    fn from(answer: Answer) -> Self {
        Self::new(answer.columns.into(), answer.batch, 0)
    }
}

impl<'a> IntoIterator for &'a Rows {
    type Item = Row<'a>;
    type IntoIter = RowIter<'a>;

    fn into_iter(self) -> RowIter<'a> {
        self.iter()
    }
}

/// The rows of [`Rows::iter`].
#[derive(Clone, Debug)]
pub struct RowIter<'a> {
    rows: &'a Rows,
    indexes: Range<usize>,
}

impl<'a> Iterator for RowIter<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        let index = self.indexes.next()?;
        Some(Row {
            rows: self.rows,
            index,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.indexes.size_hint()
    }
}

impl DoubleEndedIterator for RowIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let index = self.indexes.next_back()?;
        Some(Row {
            rows: self.rows,
            index,
        })
    }
}

impl ExactSizeIterator for RowIter<'_> {}

impl FusedIterator for RowIter<'_> {}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    rows: &'a Rows,
    index: usize,
}

impl<'a> Row<'a> {
    /// The cell of a column, by name or index, as a Rust type; a column that may be NULL is read as an `Option`.
    ///
    /// # Errors
    /// There is no such column, or its value is none of the type.
    pub fn get<T: FromCell<'a>>(&self, column: impl ColumnIndex) -> Result<T, Error> {
        let index = column.find(&self.rows.infos)?;
        self.decode(index).map_err(Error::Decode)
    }

    /// The row as a struct or tuple. For many rows [`Rows::all`] and [`Rows::typed`] are faster: they look for the
    /// columns once.
    ///
    /// # Errors
    /// A column is missing, or a cell is none of its field's type.
    pub fn to<T: FromRow<'a>>(&self) -> Result<T, Error> {
        FoundColumns::of::<T>(&self.rows.infos)?.read(*self)
    }

    /// The cell of a column as the contract has it.
    ///
    /// # Errors
    /// There is no such column.
    pub fn cell(&self, column: impl ColumnIndex) -> Result<Cell<'a>, Error> {
        let index = column.find(&self.rows.infos)?;
        self.cell_at(index)
            .ok_or_else(|| Error::Decode(self.no_cell(index)))
    }

    /// The cell of a field's column, whose name opens the message.
    pub(super) fn field<T: FromCell<'a>>(
        &self,
        field: &'static str,
        index: usize,
    ) -> Result<T, Error> {
        self.decode(index)
            .map_err(|problem| Error::Decode(format!("{field}: {problem}")))
    }

    fn decode<T: FromCell<'a>>(&self, index: usize) -> Result<T, String> {
        let cell = self.cell_at(index).ok_or_else(|| self.no_cell(index))?;
        T::from_cell(cell).map_err(|problem| format!("{} {problem}", self.place(index)))
    }

    fn cell_at(&self, index: usize) -> Option<Cell<'a>> {
        cell(self.rows.batch.columns.get(index)?, self.index)
    }

    fn no_cell(&self, index: usize) -> String {
        format!("{} has no cell", self.place(index))
    }

    /// Rows are counted from 1 here, as a person does.
    fn place(&self, index: usize) -> String {
        let name = self.rows.infos.get(index).map_or("", |info| &info.name);
        let row = self.rows.before + self.index as u64 + 1;
        format!("column `{name}` of row {row}")
    }
}

/// A row that holds on to its result, so that it outlives it: what a [`Cursor`](crate::database::Cursor) iterates over.
#[derive(Clone, Debug)]
pub struct OwnedRow {
    rows: Rc<Rows>,
    index: usize,
}

impl OwnedRow {
    pub(super) fn new(rows: Rc<Rows>, index: usize) -> Self {
        Self { rows, index }
    }

    /// The row.
    pub fn row(&self) -> Row<'_> {
        Row {
            rows: &self.rows,
            index: self.index,
        }
    }

    /// [`Row::get`].
    ///
    /// # Errors
    /// There is no such column, or its value is none of the type.
    pub fn get<'a, T: FromCell<'a>>(&'a self, column: impl ColumnIndex) -> Result<T, Error> {
        self.row().get(column)
    }
}

/// Names a column: by its name, or by its index from 0.
pub trait ColumnIndex {
    /// The column's index among the result's columns.
    ///
    /// # Errors
    /// There is no such column.
    fn find(&self, columns: &[ColumnInfo]) -> Result<usize, Error>;
}

impl ColumnIndex for usize {
    fn find(&self, columns: &[ColumnInfo]) -> Result<usize, Error> {
        if *self < columns.len() {
            Ok(*self)
        } else {
            Err(Error::Decode(format!(
                "the result has no column {self}; it has {}, counted from 0",
                columns.len()
            )))
        }
    }
}

impl ColumnIndex for &str {
    fn find(&self, columns: &[ColumnInfo]) -> Result<usize, Error> {
        columns
            .iter()
            .position(|info| info.name == *self)
            .ok_or_else(|| {
                Error::Decode(format!(
                    "the result has no column `{self}`; it has {}",
                    names(columns)
                ))
            })
    }
}
