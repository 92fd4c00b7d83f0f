//! Owns what a guest's column may be: it keeps to the layout, or is refused in words, and nothing panics.

use super::{Column, Packed, Values};
use crate::value::{Uuid, Value};

fn packed(offsets: &[u32], data: &[u8]) -> Packed {
    Packed {
        offsets: offsets.to_vec(),
        data: data.to_vec(),
    }
}

fn column(validity: &[u8], values: Values) -> Column {
    Column {
        validity: validity.to_vec(),
        values,
    }
}

#[test]
fn rows_of_a_right_column() {
    for (column, values) in [
        (column(&[], Values::Int64(vec![])), vec![]),
        (
            column(&[0b1111_1101], Values::Int64(vec![1, 2, 3])),
            vec![Value::Int64(1), Value::Null, Value::Int64(3)],
        ),
        (
            column(&[], Values::Text(packed(&[0, 0, 2, 3], "éx".as_bytes()))),
            vec![
                Value::Text(String::new()),
                Value::Text("é".to_owned()),
                Value::Text("x".to_owned()),
            ],
        ),
        (
            column(&[0b10], Values::Bytes(packed(&[0, 0, 2], &[0xff, 0xc3]))),
            vec![Value::Null, Value::Bytes(vec![0xff, 0xc3])],
        ),
        (
            column(&[0xff, 0x00], Values::Boolean(vec![true; 9])),
            [vec![Value::Boolean(true); 8], vec![Value::Null]].concat(),
        ),
        (
            column(&[], Values::Decimal(packed(&[0, 3], b"1.5"))),
            vec![Value::Decimal("1.5".to_owned())],
        ),
        (
            column(&[], Values::Json(packed(&[0, 2], b"{}"))),
            vec![Value::Json("{}".to_owned())],
        ),
        (
            column(&[], Values::Float64(vec![-0.5])),
            vec![Value::Float64(-0.5)],
        ),
        (
            column(&[], Values::Uuid(vec![Uuid { high: 1, low: 2 }])),
            vec![Value::Uuid(Uuid { high: 1, low: 2 })],
        ),
        (column(&[], Values::Date(vec![-1])), vec![Value::Date(-1)]),
        (column(&[], Values::Time(vec![1])), vec![Value::Time(1)]),
        (
            column(&[], Values::Timestamp(vec![i64::MIN])),
            vec![Value::Timestamp(i64::MIN)],
        ),
        (column(&[], Values::Text(packed(&[0], b""))), vec![]),
    ] {
        let rows = column.check().unwrap();
        let read: Vec<Value> = (0..rows).map(|row| column.value(row)).collect();
        assert_eq!(read, values, "{column:?}");
        assert_eq!(column.value(rows), Value::Null, "{column:?}");
    }
}

#[test]
fn a_lie_is_refused_in_words() {
    for (column, words) in [
        (column(&[], Values::Text(packed(&[], b""))), "begin with 0"),
        (
            column(&[], Values::Bytes(packed(&[1, 2], b"ab"))),
            "begin with 0",
        ),
        (
            column(&[], Values::Bytes(packed(&[0, 2, 1, 2], b"ab"))),
            "fall behind row 1",
        ),
        (
            column(&[], Values::Json(packed(&[0, 3], b"ab"))),
            "end at 3 where it has 2 bytes",
        ),
        (
            column(&[], Values::Bytes(packed(&[0, 1], b"ab"))),
            "end at 1 where it has 2 bytes",
        ),
        (
            column(&[], Values::Bytes(packed(&[0, u32::MAX], b"ab"))),
            "end at 4294967295",
        ),
        (
            column(&[], Values::Text(packed(&[0, 2], b"a\xff"))),
            "not UTF-8 at byte 1",
        ),
        (
            column(&[], Values::Decimal(packed(&[0, 1, 2], "é".as_bytes()))),
            "offset 1 is in the middle of a letter",
        ),
        (
            column(&[0xff], Values::Int64(vec![])),
            "validity has 1 bytes where 0 rows take 0",
        ),
        (
            column(&[0xff], Values::Date(vec![0; 9])),
            "validity has 1 bytes where 9 rows take 2",
        ),
        (
            column(&[0xff, 0xff], Values::Date(vec![0; 8])),
            "validity has 2 bytes where 8 rows take 1",
        ),
    ] {
        let refused = column.check().unwrap_err();
        assert!(refused.contains(words), "{refused}");
        // Even unchecked it can be asked.
        for row in [0, 1, 2, 3, usize::MAX] {
            let _ = column.value(row);
        }
    }
}
