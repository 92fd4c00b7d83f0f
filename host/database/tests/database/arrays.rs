//! Owns arrays as parameters, columns that lie, and what is written as text.

use poolhouse_database::{Column, Error, Packed, Uuid, Value, Values};

use crate::both::{Opened, postgresql, sqlite, text};

fn array(validity: &[u8], values: Values) -> Value {
    Value::Array(Column {
        validity: validity.to_vec(),
        values,
    })
}

fn packed(values: &[&[u8]]) -> Packed {
    let mut packed = Packed::default();
    for value in values {
        packed.data.extend_from_slice(value);
        packed.offsets.push(packed.data.len() as u32);
    }
    packed
}

fn json(text: &str) -> Value {
    Value::Json(text.to_owned())
}

async fn types(opened: &Opened) {
    opened.ddl("CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN small AS int2 CHECK (VALUE < 100); CREATE DOMAIN list AS int4[]").await;
}

#[tokio::test]
async fn arrays_are_parameters() {
    let opened = postgresql().await;
    types(&opened).await;
    let integers = |values: &[i64]| array(&[], Values::Int64(values.to_vec()));
    for (sql, given, expected) in [
        (
            "SELECT $1::int2[]",
            integers(&[-32_768, 32_767]),
            json("[-32768,32767]"),
        ),
        (
            "SELECT $1::int4[]",
            array(&[0b101], Values::Int64(vec![1, 0, 3])),
            json("[1,null,3]"),
        ),
        (
            "SELECT $1::int8[]",
            integers(&[i64::MAX, i64::MIN]),
            json("[9223372036854775807,-9223372036854775808]"),
        ),
        ("SELECT $1::int8[]", integers(&[]), json("[]")),
        ("SELECT $1::list", integers(&[1]), json("[1]")),
        ("SELECT $1::small[]", integers(&[99]), json("[99]")),
        (
            "SELECT $1::oid[]",
            integers(&[4_294_967_295]),
            json("[\"4294967295\"]"),
        ),
        ("SELECT $1::numeric[]", integers(&[7]), json("[7]")),
        (
            "SELECT $1::float8[]",
            array(&[], Values::Float64(vec![0.1, f64::NAN, -0.0])),
            json("[0.1,\"NaN\",-0]"),
        ),
        (
            "SELECT $1::numeric[]",
            array(
                &[],
                Values::Decimal(packed(&[b"1.50", b"NaN", b"-12345678901234567890.123"])),
            ),
            json("[1.50,\"NaN\",-12345678901234567890.123]"),
        ),
        (
            "SELECT $1::boolean[]",
            array(&[0b01], Values::Boolean(vec![true, false])),
            json("[true,null]"),
        ),
        (
            "SELECT $1::text[]",
            array(
                &[],
                Values::Text(packed(&["é,\"{}\\".as_bytes(), b"", b"NULL"])),
            ),
            json("[\"é,\\\"{}\\\\\",\"\",\"NULL\"]"),
        ),
        (
            "SELECT $1::mood[]",
            array(&[], Values::Text(packed(&[b"glad"]))),
            json("[\"glad\"]"),
        ),
        (
            "SELECT $1::bytea[]",
            array(&[], Values::Bytes(packed(&[&[0, 255], &[]]))),
            json("[\"\\\\x00ff\",\"\\\\x\"]"),
        ),
        (
            "SELECT $1::uuid[]",
            array(&[], Values::Uuid(vec![Uuid { high: 1, low: 2 }])),
            json("[\"00000000-0000-0001-0000-000000000002\"]"),
        ),
        (
            "SELECT $1::date[]",
            array(&[], Values::Date(vec![0, i32::MAX])),
            json("[\"1970-01-01\",\"infinity\"]"),
        ),
        (
            "SELECT $1::time[]",
            array(&[], Values::Time(vec![1])),
            json("[\"00:00:00.000001\"]"),
        ),
        (
            "SELECT $1::timestamptz[]",
            array(&[], Values::Timestamp(vec![-1, i64::MIN])),
            json("[\"1969-12-31T23:59:59.999999+00:00\",\"-infinity\"]"),
        ),
        (
            "SELECT $1::jsonb[]",
            array(&[], Values::Json(packed(&[b"{\"a\": 1}"]))),
            json("[{\"a\": 1}]"),
        ),
        (
            "SELECT $1::text[]::inet[]",
            array(&[], Values::Text(packed(&[b"::1"]))),
            json("[\"::1\"]"),
        ),
        (
            "SELECT 7 = ANY($1)",
            integers(&[6, 7]),
            Value::Boolean(true),
        ),
        (
            "SELECT sum(n)::int8 FROM unnest($1::int8[]) AS n",
            integers(&[1, 2, 3]),
            Value::Int64(6),
        ),
    ] {
        let got = opened.value(sql, std::slice::from_ref(&given)).await;
        assert_eq!(got.as_ref(), Ok(&expected), "{sql} {given:?}");
    }
}

#[tokio::test]
async fn arrays_that_do_not_fit_are_refused_by_name() {
    let opened = postgresql().await;
    types(&opened).await;
    let integers = |values: &[i64]| array(&[], Values::Int64(values.to_vec()));
    let lie = |offsets: &[u32], data: &[u8]| {
        Values::Text(Packed {
            offsets: offsets.to_vec(),
            data: data.to_vec(),
        })
    };
    for (sql, given, words) in [
        (
            "SELECT $1::int4[]",
            integers(&[1, 1 << 31]),
            &["$1", "element 2", "int4"][..],
        ),
        (
            "SELECT $1::text[]",
            integers(&[1]),
            &["element 1", "text", "int64"],
        ),
        (
            "SELECT $1::numeric[]",
            array(&[], Values::Decimal(packed(&[b"1e5"]))),
            &["element 1", "1e5"],
        ),
        (
            "SELECT $1::int4",
            integers(&[1]),
            &["int4", "array of int64"],
        ),
        (
            "SELECT $1::inet[]",
            array(&[], Values::Text(packed(&[b"::1"]))),
            &["$1::text[]::inet[]"],
        ),
        (
            "SELECT $1::text[]",
            array(&[], lie(&[0, 9], b"ab")),
            &["malformed", "end at 9"],
        ),
        (
            "SELECT $1::text[]",
            array(&[], lie(&[0, 2, 1], b"ab")),
            &["malformed", "fall"],
        ),
        (
            "SELECT $1::text[]",
            array(&[], lie(&[], b"")),
            &["malformed"],
        ),
        (
            "SELECT $1::text[]",
            array(&[], lie(&[0, 1], b"\xff")),
            &["malformed", "UTF-8"],
        ),
        (
            "SELECT $1::int4[]",
            array(&[1, 2], Values::Int64(vec![1])),
            &["malformed", "validity"],
        ),
    ] {
        let error = opened
            .value(sql, std::slice::from_ref(&given))
            .await
            .unwrap_err();
        let Error::Invalid(message) = &error else {
            panic!("{sql}: {error:?}")
        };
        assert!(
            words.iter().all(|word| message.contains(word)),
            "{sql}: {message}"
        );
    }
    // What only the server knows, it says.
    for (sql, given) in [
        ("SELECT $1::small[]", integers(&[100])),
        (
            "SELECT $1::mood[]",
            array(&[], Values::Text(packed(&[b"mad"]))),
        ),
    ] {
        let error = opened
            .value(sql, std::slice::from_ref(&given))
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Statement { .. } | Error::Constraint { .. }),
            "{error:?}"
        );
    }
    let sqlite = sqlite().await;
    let error = sqlite
        .value("SELECT $1", &[integers(&[1])])
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Invalid(message) if message.contains("json_each($1)")),
        "{error:?}"
    );
    let sum = sqlite
        .value("SELECT sum(value) FROM json_each($1)", &[json("[1, 2]")])
        .await;
    assert_eq!(sum, Ok(Value::Int64(3)));
}

#[tokio::test]
async fn what_is_written_as_text_says_so() {
    let opened = postgresql().await;
    for (name, given) in [
        ("inet", "10.0.0.1"),
        ("interval", "1 day"),
        ("int4range", "[1,2)"),
        ("point", "(1,2)"),
        ("timetz", "12:00:00+02"),
        ("tsvector", "'a'"),
        ("xid8", "7"),
    ] {
        let error = opened
            .value(&format!("SELECT $1::{name}"), &[text(given)])
            .await
            .unwrap_err();
        let advice = format!("$1::text::{name}");
        assert!(
            matches!(&error, Error::Invalid(message) if message.contains(&advice)),
            "{error:?}"
        );
        let null = opened
            .value(&format!("SELECT $1::{name}"), &[Value::Null])
            .await;
        assert_eq!(null, Ok(Value::Null));
        let advised = opened
            .value(&format!("SELECT {advice}"), &[text(given)])
            .await;
        assert_eq!(advised, Ok(text(given)));
    }
    let error = opened
        .value("SELECT '{[1,2)}'::int4multirange", &[])
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Invalid(message) if message.contains("::text")),
        "{error:?}"
    );
    assert_eq!(
        opened
            .value("SELECT '{[1,2)}'::int4multirange::text", &[])
            .await,
        Ok(text("{[1,2)}"))
    );
}
