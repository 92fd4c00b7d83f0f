//! Rows as structs and tuples: which columns a type needs is found once for a result, not for each of its rows.

use std::slice;

use crate::database::rows::Row;
use crate::database::{ColumnInfo, Error, FromCell};

/// A struct or tuple that is read out of a row.
///
/// Deriving it reads each field from the column of its name:
///
/// ```
/// use poolhouse::database::{Column, Decimal, FromRow, Rows, Timestamp};
///
/// #[derive(FromRow)]
/// struct Position {
///     symbol: String,
///     /// NULL where there is no limit.
///     most: Option<Decimal>,
///     /// From a column of another name.
///     #[row(rename = "qty")]
///     quantity: Decimal,
///     /// `Default::default()` where the result has no such column.
///     #[row(default)]
///     note: String,
///     /// A struct of its own, from columns of the same row.
///     #[row(flatten)]
///     times: Times,
/// }
///
/// #[derive(FromRow)]
/// struct Times {
///     opened_at: Timestamp,
/// }
///
/// let rows = Rows::of([
///     ("symbol", Column::of(["AAPL", "IBM"])),
///     ("qty", Column::of([Decimal::scaled(150, 2), Decimal::from(3)])),
///     ("most", Column::nullable([None, Some(Decimal::from(10))])),
///     ("opened_at", Column::of([Timestamp(0), Timestamp(1)])),
/// ])?;
/// let positions: Vec<Position> = rows.all()?;
/// assert_eq!(positions[0].symbol, "AAPL");
/// assert_eq!(positions[0].quantity.to_string(), "1.50");
/// assert_eq!(positions[0].most, None);
/// assert_eq!(positions[1].times.opened_at, Timestamp(1));
/// assert_eq!(positions[1].note, "");
/// # Ok::<(), poolhouse::database::Error>(())
/// ```
///
/// A struct with a lifetime borrows its texts and bytes from the [`Rows`](crate::database::Rows):
///
/// ```
/// use poolhouse::database::{Column, FromRow, Rows};
///
/// #[derive(FromRow)]
/// struct Name<'r> {
///     name: &'r str,
/// }
///
/// let rows = Rows::of([("name", Column::of(["Zoë"]))])?;
/// assert_eq!(rows.one::<Name>()?.name, "Zoë");
/// # Ok::<(), poolhouse::database::Error>(())
/// ```
///
/// Tuples of up to sixteen cells are read by position, and have exactly as many as the result has columns:
///
/// ```
/// use poolhouse::database::{Column, Rows};
///
/// let rows = Rows::of([("symbol", Column::of(["AAPL"])), ("count", Column::of([3]))])?;
/// assert_eq!(rows.all::<(&str, u32)>()?, [("AAPL", 3)]);
/// assert_eq!(
///     rows.all::<(&str, Option<bool>)>().unwrap_err().to_string(),
///     "cell 1 of the tuple: column `count` of row 1 holds an integer, not a boolean",
/// );
/// assert_eq!(
///     rows.all::<(&str,)>().unwrap_err().to_string(),
///     "the result has 2 columns (symbol, count), and a tuple of 1 reads it; give both as many",
/// );
/// # Ok::<(), poolhouse::database::Error>(())
/// ```
///
/// What can't be derived does not compile: a struct whose fields have no names,
///
/// ```compile_fail
/// #[derive(poolhouse::database::FromRow)]
/// struct Pair(String, i64);
/// ```
///
/// an enum, which is one cell and implements [`FromCell`],
///
/// ```compile_fail
/// #[derive(poolhouse::database::FromRow)]
/// enum Side { Buy, Sell }
/// ```
///
/// a field that no cell can be read as,
///
/// ```compile_fail,E0277
/// struct Inner { a: i64 }
///
/// #[derive(poolhouse::database::FromRow)]
/// struct Outer { inner: Inner }
/// ```
///
/// an attribute that there is not,
///
/// ```compile_fail
/// #[derive(poolhouse::database::FromRow)]
/// struct Position {
///     #[row(renamed = "qty")]
///     quantity: i64,
/// }
/// ```
///
/// one column in two fields,
///
/// ```compile_fail
/// #[derive(poolhouse::database::FromRow)]
/// struct Position {
///     quantity: i64,
///     #[row(rename = "quantity")]
///     count: i64,
/// }
/// ```
///
/// or one that borrows and is to outlive its rows.
///
/// ```compile_fail
/// use poolhouse::database::{Error, FromRow, Session};
///
/// #[derive(FromRow)]
/// struct Name<'r> { name: &'r str }
///
/// fn names(session: &Session) -> Result<Vec<Name<'_>>, Error> {
///     session.query_as("SELECT name FROM users", &[])
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a row can't be read as `{Self}`",
    label = "no row, or it borrows from one that is gone",
    note = "derive `FromRow` for the struct, or read a tuple of up to 16 cells; one value is read with `query_scalar`"
)]
pub trait FromRow<'r>: Sized {
    /// Finds the columns, in the order in which [`from_row`](Self::from_row) takes them.
    ///
    /// # Errors
    /// A column is missing, or there are two of its name.
    fn find_columns(columns: &mut ColumnFinder<'_>) -> Result<(), Error>;

    /// Takes the columns that were found, each once and in their order.
    ///
    /// # Errors
    /// A cell is none of its field's type.
    fn from_row(fields: &mut Fields<'r, '_>) -> Result<Self, Error>;
}

/// Finds the columns of a result that a [`FromRow`] type needs. `field` is what messages call the field: `Struct.field`.
#[derive(Debug)]
pub struct ColumnFinder<'c> {
    infos: &'c [ColumnInfo],
    found: Vec<Option<usize>>,
}

impl ColumnFinder<'_> {
    /// The column of that name.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn named(&mut self, field: &'static str, column: &str) -> Result<(), Error> {
        self.named_or_absent(field, column)?;
        if let Some(Some(_)) = self.found.last() {
            return Ok(());
        }
        Err(Error::Decode(format!(
            "{field}: the result has no column `{column}`; it has {}",
            names(self.infos)
        )))
    }

    /// The column of that name, if there is one.
    ///
    /// # Errors
    /// There are several.
    pub fn named_or_absent(&mut self, field: &'static str, column: &str) -> Result<(), Error> {
        let mut matching = (0..self.infos.len()).filter(|index| self.infos[*index].name == column);
        let found = matching.next();
        let others = matching.count();
        if others > 0 {
            return Err(Error::Decode(format!(
                "{field}: the result has {} columns named `{column}`; give each a name of its own with AS",
                others + 1
            )));
        }
        self.found.push(found);
        Ok(())
    }

    /// All columns in order, of which there must be `count`.
    ///
    /// # Errors
    /// There are more or fewer.
    pub fn all(&mut self, count: usize) -> Result<(), Error> {
        if self.infos.len() == count {
            self.found.extend((0..count).map(Some));
            return Ok(());
        }
        Err(Error::Decode(format!(
            "the result has {} columns ({}), and a tuple of {count} reads it; give both as many",
            self.infos.len(),
            names(self.infos)
        )))
    }
}

/// The columns' names, for messages.
pub(super) fn names(infos: &[ColumnInfo]) -> String {
    let names: Vec<_> = infos.iter().map(|info| info.name.as_str()).collect();
    names.join(", ")
}

/// One row's cells in the order in which a [`FromRow`] type found their columns.
#[derive(Debug)]
pub struct Fields<'r, 'c> {
    row: Row<'r>,
    columns: slice::Iter<'c, Option<usize>>,
}

impl<'r> Fields<'r, '_> {
    /// The next column's cell; `field` is what messages call the field.
    ///
    /// # Errors
    /// It is none of the type.
    pub fn next<T: FromCell<'r>>(&mut self, field: &'static str) -> Result<T, Error> {
        match self.columns.next() {
            Some(Some(column)) => self.row.field(field, *column),
            _ => Err(Error::Decode(format!(
                "{field}: `from_row` takes a column that `find_columns` did not find; they go in one order"
            ))),
        }
    }

    /// The next column's cell, or the type's default where the result has no such column.
    ///
    /// # Errors
    /// There is a column, and its cell is none of the type.
    pub fn next_or_default<T: FromCell<'r> + Default>(
        &mut self,
        field: &'static str,
    ) -> Result<T, Error> {
        if let [None, ..] = self.columns.as_slice() {
            self.columns.next();
            return Ok(T::default());
        }
        self.next(field)
    }

    /// The row itself.
    pub fn row(&self) -> Row<'r> {
        self.row
    }
}

/// Where a type's fields lie in a result.
#[derive(Clone, Debug)]
pub(super) struct FoundColumns(Vec<Option<usize>>);

impl FoundColumns {
    pub(super) fn of<'r, T: FromRow<'r>>(infos: &[ColumnInfo]) -> Result<Self, Error> {
        let mut finder = ColumnFinder {
            infos,
            found: Vec::new(),
        };
        T::find_columns(&mut finder)?;
        Ok(Self(finder.found))
    }

    pub(super) fn read<'r, T: FromRow<'r>>(&self, row: Row<'r>) -> Result<T, Error> {
        T::from_row(&mut Fields {
            row,
            columns: self.0.iter(),
        })
    }
}

macro_rules! tuples {
    ($($count:literal: $($cell:ident $index:literal)+;)*) => {$(
        impl<'r, $($cell: FromCell<'r>),+> FromRow<'r> for ($($cell,)+) {
            fn find_columns(columns: &mut ColumnFinder<'_>) -> Result<(), Error> {
                columns.all($count)
            }

            fn from_row(fields: &mut Fields<'r, '_>) -> Result<Self, Error> {
                Ok(($(fields.next::<$cell>(concat!("cell ", $index, " of the tuple"))?,)+))
            }
        }
    )*};
}

tuples! {
    1: A 0;
    2: A 0 B 1;
    3: A 0 B 1 C 2;
    4: A 0 B 1 C 2 D 3;
    5: A 0 B 1 C 2 D 3 E 4;
    6: A 0 B 1 C 2 D 3 E 4 F 5;
    7: A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
    9: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
    10: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
    11: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10;
    12: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11;
    13: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12;
    14: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13;
    15: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14;
    16: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14 P 15;
}
