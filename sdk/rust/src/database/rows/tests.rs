//! Cells by name and index, structs and tuples, and what the messages say where they do not fit.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

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
    let error = |row: usize, read: fn(&Row<'_>) -> Error| read(&rows.row(row).unwrap()).to_string();
    assert_eq!(
        error(1, |row| row.get::<Decimal>("most").unwrap_err()),
        "column `most` of row 2 is null; read it as an `Option`"
    );
    assert_eq!(
        error(0, |row| row.get::<i64>("name").unwrap_err()),
        "column `name` of row 1 holds a text, not an integer"
    );
    assert!(
        error(2, |row| row.get::<Decimal>("most").unwrap_err())
            .starts_with("column `most` of row 3 holds `NaN`, which is not a finite decimal")
    );
    assert_eq!(
        error(2, |row| row.get::<u32>("age").unwrap_err()),
        "column `age` of row 3 holds -7, which is out of range"
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

#[test]
fn one_row_is_one_row() {
    let rows = users();
    assert!(matches!(
        rows.one::<(String, Option<&str>, Option<i64>, Timestamp, &[u8])>(),
        Err(Error::ManyRows(3))
    ));
    let counts = Rows::of([("count", Column::of([7]))]).unwrap();
    assert_eq!(counts.one::<(u8,)>(), Ok((7,)));
    assert_eq!(counts.scalar::<i64>(), Ok(Some(7)));
    assert_eq!(counts.scalars::<i64>(), Ok(vec![7]));
    let none = Rows::of([("count", Column::of([0; 0]))]).unwrap();
    assert_eq!(none.one::<(i64,)>(), Err(Error::NoRow));
    assert_eq!(none.optional::<(i64,)>(), Ok(None));
    assert_eq!(none.scalar::<i64>(), Ok(None));
    let null = Rows::of([("max", Column::nullable([None::<i64>]))]).unwrap();
    assert_eq!(null.scalar::<Option<i64>>(), Ok(Some(None)));
    assert_eq!(
        null.scalar::<i64>().unwrap_err().to_string(),
        "column `max` of row 1 is null; read it as an `Option`"
    );
    assert!(
        rows.scalars::<String>()
            .unwrap_err()
            .to_string()
            .starts_with("the result has 5 columns (name, most, age, at, raw)")
    );
}

#[test]
fn columns_are_missed_without_any_row() {
    let none = Rows::of([("a", Column::of([0; 0]))]).unwrap();
    assert!(none.all::<(i64, i64)>().is_err());
    assert!(none.optional::<(i64, i64)>().is_err());
}

#[test]
fn rows_of_columns_that_differ_in_length_are_refused() {
    let error = Rows::of([("a", Column::of([1])), ("b", Column::of(["x", "y"]))]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column `b` has 2 rows, and the first column 1; give all as many"
    );
}

#[test]
fn iteration_goes_both_ways() {
    let rows = Rows::of([("n", Column::of([1, 2, 3]))]).unwrap();
    let read = |row: Row<'_>| row.get::<i64>(0).unwrap();
    assert_eq!(rows.iter().rev().map(read).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!((&rows).into_iter().map(read).sum::<i64>(), 6);
    assert_eq!(rows.iter().len(), 3);
}
