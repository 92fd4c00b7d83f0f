//! Columns as the host lays them out: Arrow's validity bitmap and offsets, at the edges of bytes.

use poolhouse_tests::BACKENDS;
use poolhouse_tests::conformance::Stage;
use poolhouse_tests::conformance::script::*;

/// A query for `rows` numbers from 1 whose texts and numbers are null where the number divides by 3.
fn thirds(rows: u32) -> String {
    let numbers: Vec<_> = (1..=rows).map(|number| format!("({number})")).collect();
    format!(
        "WITH n (n) AS (VALUES {}) SELECT CASE WHEN n % 3 <> 0 THEN n END AS i, \
         CASE WHEN n % 3 <> 0 THEN 'é' || CAST(n AS TEXT) END AS t FROM n ORDER BY n",
        numbers.join(", ")
    )
}

/// The answer to it by the contract's words.
fn expected(rows: u32) -> String {
    let mut validity = Vec::new();
    let (mut numbers, mut offsets, mut data) = (Vec::new(), vec![0], Vec::new());
    for row in 0..rows {
        let (number, here) = (row + 1, (row + 1) % 3 != 0);
        if row % 8 == 0 {
            validity.push(0_u8);
        }
        if here {
            *validity.last_mut().unwrap() |= 1 << (row % 8);
            data.extend_from_slice(format!("é{number}").as_bytes());
        }
        numbers.push(if here { number } else { 0 });
        offsets.push(data.len());
    }
    let validity = if rows < 3 { vec![] } else { validity };
    format!(
        "answer({{columns: […], batch: {{rows: {rows}, columns: [{{validity: {validity:?}, values: int64({numbers:?})}}, \
         {{validity: {validity:?}, values: text({{offsets: {offsets:?}, data: {data:?}}})}}]}}}})"
    )
}

#[test]
fn validity_and_offsets_are_arrow_s() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "")?;
        for rows in [1, 2, 3, 7, 8, 9, 16, 17, 64, 65] {
            let script = [
                (open(0), "done"),
                (query_columns(0, &thirds(rows), &[]), &expected(rows)),
            ];
            stage.play(&format!("{rows} rows"), &script)?;
        }
    }
    Ok(())
}

#[test]
fn no_rows_and_no_columns_have_their_layout_too() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT, b TEXT)")?;
        let empty = "answer({columns: [{name: \"a\", kind: int64, …}, {name: \"b\", kind: text, …}], batch: {rows: 0, \
             columns: [{validity: [], values: int64([])}, {validity: [], values: text({offsets: [0], data: []})}]}})";
        stage
            .play(
                "no rows",
                &[
                    (open(0), "done"),
                    (query_columns(0, "SELECT a, b FROM t", &[]), empty),
                    // A statement without rows answers an empty table.
                    (
                        query_columns(0, "INSERT INTO t VALUES (1, 'x')", &[]),
                        "answer({columns: [], batch: {rows: 0, columns: []}})",
                    ),
                    (
                        query_columns(0, "DELETE FROM t RETURNING a, a AS a", &[]),
                        "answer({columns: [{name: \"a\", kind: int64, …}, {name: \"a\", …}], batch: {rows: 1, columns: \
                         [{validity: [], values: int64([1])}, {validity: [], values: int64([1])}]}})",
                    ),
                ],
            )?;
    }
    Ok(())
}

#[test]
fn a_column_of_nulls_alone_takes_no_bytes() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT, b TEXT)")?;
        stage.sql("INSERT INTO t VALUES (NULL, NULL), (NULL, NULL)")?;
        stage
            .play(
                "nulls",
                &[
                    (open(0), "done"),
                    (
                        query_columns(0, "SELECT a, b FROM t", &[]),
                        "answer({columns: […], batch: {rows: 2, columns: [{validity: [0], values: int64([0, 0])}, \
                         {validity: [0], values: text({offsets: [0, 0, 0], data: []})}]}})",
                    ),
                ],
            )?;
    }
    Ok(())
}
