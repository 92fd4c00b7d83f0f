//! Rows over the contract's columns: cells are decoded when they are asked for, and texts are borrowed where they lie.

use std::rc::Rc;

use crate::bindings::imports::poolhouse::database::types::Answer;
use crate::database::cell::cell;
use crate::database::{Batch, Cell, ColumnInfo, Error, FromCell};

/// A complete result, or one batch of a cursor's.
#[derive(Clone, Debug)]
pub struct Rows {
    infos: Rc<[ColumnInfo]>,
    batch: Batch,
}

impl Rows {
    pub(super) fn new(infos: Rc<[ColumnInfo]>, batch: Batch) -> Self {
        Self { infos, batch }
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
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> + DoubleEndedIterator {
        (0..self.len()).map(|index| Row { rows: self, index })
    }
}

impl From<Answer> for Rows {
    fn from(answer: Answer) -> Self {
        Self::new(answer.columns.into(), answer.batch)
    }
}

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
        T::from_cell(self.cell(index)?)
            .map_err(|problem| Error::Decode(format!("column `{}` {problem}", self.name(index))))
    }

    /// The cell of a column as the contract has it.
    ///
    /// # Errors
    /// There is no such column.
    pub fn cell(&self, column: impl ColumnIndex) -> Result<Cell<'a>, Error> {
        let index = column.find(&self.rows.infos)?;
        self.rows
            .batch
            .columns
            .get(index)
            .and_then(|column| cell(column, self.index))
            .ok_or_else(|| {
                Error::Decode(format!(
                    "column `{}` has no cell in row {}",
                    self.name(index),
                    self.index
                ))
            })
    }

    fn name(&self, index: usize) -> &'a str {
        self.rows.infos.get(index).map_or("", |info| &info.name)
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
                let names: Vec<_> = columns.iter().map(|info| info.name.as_str()).collect();
                Error::Decode(format!(
                    "the result has no column `{self}`; it has {}",
                    names.join(", ")
                ))
            })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;
    use crate::bindings::imports::poolhouse::database::types::{Packed, Values};
    use crate::database::{Column, Decimal, Kind, Timestamp};

    fn packed(texts: &[&str]) -> Packed {
        let mut packed = Packed {
            offsets: vec![0],
            data: Vec::new(),
        };
        for text in texts {
            packed.data.extend_from_slice(text.as_bytes());
            packed.offsets.push(packed.data.len() as u32);
        }
        packed
    }

    fn rows(columns: Vec<(&str, Kind, Vec<u8>, Values)>, rows: u32) -> Rows {
        let (infos, columns) = columns
            .into_iter()
            .map(|(name, kind, validity, values)| {
                let info = ColumnInfo {
                    name: name.into(),
                    kind,
                    database_type: String::new(),
                };
                (info, Column { validity, values })
            })
            .unzip();
        Rows::from(Answer {
            columns: infos,
            batch: Batch { rows, columns },
        })
    }

    fn users() -> Rows {
        rows(
            vec![
                (
                    "name",
                    Kind::Text,
                    vec![],
                    Values::Text(packed(&["Zoë", "", "Bob"])),
                ),
                (
                    "most",
                    Kind::Decimal,
                    vec![0b101],
                    Values::Decimal(packed(&["1.50", "", "NaN"])),
                ),
                (
                    "age",
                    Kind::Int64,
                    vec![0b110],
                    Values::Int64(vec![0, 1, -7]),
                ),
                (
                    "at",
                    Kind::Timestamp,
                    vec![],
                    Values::Timestamp(vec![1, 2, i64::MAX]),
                ),
                (
                    "raw",
                    Kind::Bytes,
                    vec![],
                    Values::Bytes(Packed {
                        offsets: vec![0, 1, 1, 2],
                        data: vec![255, 0],
                    }),
                ),
            ],
            3,
        )
    }

    #[test]
    fn cells_are_read_by_name_and_by_index() {
        let rows = users();
        let names: Vec<String> = rows.iter().map(|row| row.get("name").unwrap()).collect();
        assert_eq!(names, ["Zoë", "", "Bob"]);
        let [first, second, third] = [0, 1, 2].map(|index| rows.row(index).unwrap());
        assert_eq!(first.get::<Decimal>(1).unwrap().to_string(), "1.50");
        assert_eq!(second.get::<Option<Decimal>>("most").unwrap(), None);
        assert_eq!(third.get::<&str>("most").unwrap(), "NaN");
        assert_eq!(first.get::<Option<i64>>("age").unwrap(), None);
        assert!(second.get::<bool>("age").unwrap());
        assert_eq!(third.get::<i32>("age").unwrap(), -7);
        assert_eq!(third.get::<Timestamp>("at").unwrap(), Timestamp(i64::MAX));
        assert_eq!(
            rows.iter()
                .map(|row| row.get::<&[u8]>("raw").unwrap())
                .collect::<Vec<_>>(),
            [&[255][..], &[], &[0]]
        );
        assert_eq!(second.cell("age").unwrap(), Cell::Int64(1));
        assert!(rows.row(3).is_none());
    }

    #[test]
    fn what_does_not_fit_is_a_sentence() {
        let rows = users();
        let error =
            |row: usize, read: fn(&Row<'_>) -> Error| read(&rows.row(row).unwrap()).to_string();
        assert_eq!(
            error(1, |row| row.get::<Decimal>("most").unwrap_err()),
            "column `most` is null; read it as an `Option`"
        );
        assert_eq!(
            error(0, |row| row.get::<i64>("name").unwrap_err()),
            "column `name` holds a text, not an integer"
        );
        assert!(
            error(2, |row| row.get::<Decimal>("most").unwrap_err())
                .starts_with("column `most` holds `NaN`, which is not a decimal")
        );
        assert_eq!(
            error(2, |row| row.get::<u32>("age").unwrap_err()),
            "column `age` holds -7, which is out of range"
        );
        assert_eq!(
            error(0, |row| row.get::<i64>("id").unwrap_err()),
            "the result has no column `id`; it has name, most, age, at, raw"
        );
        assert!(error(0, |row| row.get::<i64>(5).unwrap_err()).contains("no column 5"));
    }

    #[test]
    fn validity_runs_over_bytes() {
        let many: Vec<i64> = (0..20).collect();
        let rows = rows(
            vec![(
                "n",
                Kind::Int64,
                vec![0xff, 0b1111_1110, 0b0111],
                Values::Int64(many),
            )],
            20,
        );
        let nulls: Vec<usize> = (0..20)
            .filter(|i| rows.row(*i).unwrap().cell(0).unwrap() == Cell::Null)
            .collect();
        assert_eq!(nulls, [8, 19]);
    }

    #[test]
    fn columns_shorter_than_promised_are_errors() {
        let rows = rows(
            vec![
                ("a", Kind::Text, vec![], Values::Text(packed(&["x"]))),
                (
                    "b",
                    Kind::Text,
                    vec![],
                    Values::Text(Packed {
                        offsets: vec![0, 1, 9],
                        data: vec![b'x'],
                    }),
                ),
                (
                    "c",
                    Kind::Text,
                    vec![],
                    Values::Text(Packed {
                        offsets: vec![0, 0, 1],
                        data: vec![0xff],
                    }),
                ),
            ],
            2,
        );
        for column in 0..3 {
            assert!(matches!(
                rows.row(1).unwrap().get::<&str>(column),
                Err(Error::Decode(_))
            ));
        }
    }
}
