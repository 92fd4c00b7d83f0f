//! Owns one statement run for many rows: all or nothing, in order, and the same whichever way the rows take.

use poolhouse_database::{
    Backend, Column, ConstraintKind, Error, LimitKind, Packed, Value, Values, Within,
};

use crate::both::{Opened, both, everything, postgresql, sqlite, text};

fn int64s(values: impl IntoIterator<Item = i64>) -> Column {
    Column {
        validity: Vec::new(),
        values: Values::Int64(values.into_iter().collect()),
    }
}

/// Texts; an empty one is a null.
fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Column {
    let mut packed = Packed::default();
    let mut validity = Vec::new();
    for (row, value) in values.into_iter().enumerate() {
        let value = value.as_ref();
        if row % 8 == 0 {
            validity.push(0_u8);
        }
        *validity.last_mut().unwrap() |= u8::from(!value.is_empty()) << (row % 8);
        packed.data.extend_from_slice(value.as_bytes());
        packed.offsets.push(packed.data.len() as u32);
    }
    Column {
        validity,
        values: Values::Text(packed),
    }
}

async fn many(opened: &Opened, sql: &str, columns: &[Column]) -> Result<u64, Error> {
    opened
        .chain()
        .execute_many(&everything(), Within::Session, sql, columns)
        .await
}

async fn count(opened: &Opened) -> i64 {
    let count = opened.value("SELECT count(*) FROM t", &[]).await.unwrap();
    let Value::Int64(count) = count else {
        panic!("{count:?}")
    };
    count
}

const TABLE: &str =
    "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER CHECK (amount >= 0))";

#[tokio::test]
async fn every_row_is_run_once_and_in_order() {
    for opened in both().await {
        let serial = match opened.backend() {
            Backend::Sqlite => "CREATE TABLE t (serial INTEGER PRIMARY KEY, id INTEGER, name TEXT)",
            Backend::Postgresql => {
                "CREATE TABLE t (serial SERIAL PRIMARY KEY, id INTEGER, name TEXT)"
            }
        };
        opened.ddl(serial).await;
        let mut expected = 0;
        for (rows, joined) in [
            (0, false),
            (1, true),
            (3, false),
            (4, true),
            (7, false),
            (64, true),
            (65, false),
            (1_000, true),
        ] {
            let ids = int64s((0..rows).map(|row| row * 3));
            let names = texts((0..rows).map(|row| {
                if row % 5 == 0 {
                    String::new()
                } else {
                    format!("name {row}, é")
                }
            }));
            let mut chain = opened.chain();
            let id = match joined {
                true => Some(
                    chain
                        .begin(&everything(), Default::default())
                        .await
                        .unwrap(),
                ),
                false => None,
            };
            let sql = "INSERT INTO t (id, name) VALUES ($1, $2)";
            let changed = chain
                .execute_many(&everything(), Within::Session, sql, &[ids, names])
                .await;
            assert_eq!(changed, Ok(rows as u64));
            if let Some(id) = id {
                chain.commit(id).await.unwrap();
            }
            expected += rows;
            assert_eq!(count(&opened).await, expected);
        }
        let all = opened
            .rows(
                "SELECT id, name FROM t ORDER BY serial DESC LIMIT 1000",
                &[],
            )
            .await
            .unwrap();
        for (row, got) in all.iter().rev().enumerate() {
            let name = match row % 5 {
                0 => Value::Null,
                _ => text(&format!("name {row}, é")),
            };
            assert_eq!(*got, [Value::Int64(row as i64 * 3), name]);
        }
        assert_eq!(opened.database.stats().opened, 1);
    }
}

#[tokio::test]
async fn other_statements_than_inserts_and_odd_ones() {
    for opened in both().await {
        opened.ddl(TABLE).await;
        let ids = || int64s(1..=100);
        // A parameter twice, out of order, with remarks and a semicolon.
        for (sql, changed) in [
            (
                "INSERT INTO t (amount, name, id) VALUES ($1 + 1, '$2; --', $1); -- $3",
                100,
            ),
            (
                "UPDATE t SET amount = amount + $1 WHERE id <= $1 /* ; */",
                5_050,
            ),
            (
                "INSERT INTO t (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET amount = t.amount + 1",
                100,
            ),
            ("INSERT INTO t (id) VALUES ($1) ON CONFLICT DO NOTHING", 0),
            (
                "INSERT INTO t (id) VALUES ($1) ON CONFLICT (id) DO NOTHING",
                0,
            ),
            ("DELETE FROM t WHERE id = $1 AND id > 50 RETURNING id", 50),
        ] {
            assert_eq!(many(&opened, sql, &[ids()]).await, Ok(changed), "{sql}");
        }
        let sum = opened
            .value("SELECT sum(amount) FROM t WHERE id = 1", &[])
            .await
            .unwrap();
        // 2, one more for each of the 100 updates that count up to its row, and one for the conflict.
        assert_eq!(sum, Value::Int64(2 + 5_050 + 1));
        // Of two equal keys the first one stays.
        let keys = int64s([900, 901, 900, 902, 901]);
        let names = texts(["a", "b", "c", "d", "e"]);
        let sql = "INSERT INTO t (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        assert_eq!(many(&opened, sql, &[keys, names]).await, Ok(3));
        let kept = opened
            .rows("SELECT name FROM t WHERE id >= 900 ORDER BY id", &[])
            .await
            .unwrap();
        assert_eq!(kept.concat(), [text("a"), text("b"), text("d")]);
    }
}

#[tokio::test]
async fn a_failed_row_is_named_and_leaves_nothing() {
    for opened in both().await {
        opened.ddl(TABLE).await;
        opened
            .execute("INSERT INTO t VALUES (-1, 'there', 0)", &[])
            .await
            .unwrap();
        let actor = everything();
        for (rows, bad) in [(2, 1), (100, 16), (100, 99), (200, 70)] {
            let mut amounts: Vec<i64> = vec![5; rows];
            amounts[bad] = -1;
            let columns = [int64s(0..rows as i64), int64s(amounts)];
            let sql = "INSERT INTO t (id, amount) VALUES ($1, $2)";
            let alone = many(&opened, sql, &columns).await.unwrap_err();
            let mut chain = opened.chain();
            let id = chain.begin(&actor, Default::default()).await.unwrap();
            chain
                .execute(
                    &actor,
                    Within::Session,
                    "INSERT INTO t (id) VALUES (5000)",
                    &[],
                )
                .await
                .unwrap();
            let savepoint = chain.savepoint(&actor, id).await.unwrap();
            let joined = chain
                .execute_many(&actor, Within::Session, sql, &columns)
                .await
                .unwrap_err();
            for error in [alone, joined] {
                let Error::Constraint {
                    kind: ConstraintKind::Check,
                    message,
                    name,
                    ..
                } = &error
                else {
                    panic!("{error:?}")
                };
                assert!(
                    message.starts_with(&format!("row {} of the columns: ", bad + 1)),
                    "{message}"
                );
                if opened.backend() == Backend::Postgresql {
                    assert_eq!(name, "t_amount_check");
                }
            }
            let next = chain
                .execute(
                    &actor,
                    Within::Session,
                    "INSERT INTO t (id) VALUES (6000)",
                    &[],
                )
                .await;
            match opened.backend() {
                Backend::Sqlite => assert_eq!(next, Ok(1)),
                Backend::Postgresql => {
                    assert!(matches!(next, Err(Error::Statement { code, .. }) if code == "25P02"))
                }
            }
            chain.rollback(savepoint).await.unwrap();
            chain.commit(id).await.unwrap();
            assert_eq!(count(&opened).await, 2);
            opened
                .execute("DELETE FROM t WHERE id = 5000", &[])
                .await
                .unwrap();
        }
        // What can't be bound is refused by us, names its row, and the transaction goes on without the rows before it.
        let mut names = vec!["x"; 100];
        names[40] = "\0";
        let floats = Column {
            validity: Vec::new(),
            values: Values::Float64(
                (0..100)
                    .map(|row| if row == 40 { f64::NAN } else { 1.0 })
                    .collect(),
            ),
        };
        let (sql, column) = match opened.backend() {
            Backend::Sqlite => ("INSERT INTO t (amount) VALUES ($1)", floats),
            Backend::Postgresql => (
                "INSERT INTO t (id, name) VALUES (7, $1) ON CONFLICT DO NOTHING",
                texts(names),
            ),
        };
        let mut chain = opened.chain();
        let id = chain.begin(&actor, Default::default()).await.unwrap();
        let error = chain
            .execute_many(&actor, Within::Session, sql, &[column])
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::Invalid(message) if message.starts_with("row 41 of the columns: parameter $1")),
            "{error:?}"
        );
        chain.commit(id).await.unwrap();
        assert_eq!(count(&opened).await, 1);
        assert_eq!(opened.database.stats().opened, 1);
    }
}

#[tokio::test]
async fn what_is_refused_before_the_database_sees_it() {
    for opened in both().await {
        opened.ddl(TABLE).await;
        let sql = "INSERT INTO t (id, amount) VALUES ($1, $2)";
        let broken = Column {
            validity: vec![1, 2, 3],
            ..int64s(0..3)
        };
        for (columns, says) in [
            (vec![], "no column"),
            (vec![int64s(0..3), int64s(0..4)], "column 2 has 4 rows"),
            (vec![int64s(0..3), broken], "column 2 is malformed"),
            (vec![int64s(0..3)], "takes 2 parameters"),
            (
                vec![int64s([]), int64s([]), int64s([])],
                "takes 2 parameters",
            ),
        ] {
            let error = many(&opened, sql, &columns).await.unwrap_err();
            assert!(
                matches!(&error, Error::Invalid(message) if message.contains(says)),
                "{says}: {error:?}"
            );
        }
        let nothing = [int64s([])];
        let error = many(&opened, "SELECT $1", &nothing).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        let error = many(&opened, "DROP TABLE t", &nothing).await.unwrap_err();
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
        let error = many(&opened, "INSERT INTO t (id) VALUES ($40000)", &nothing)
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Limit {
                    kind: LimitKind::Parameters,
                    ..
                }
            ),
            "{error:?}"
        );
        let nobody = poolhouse_database::Actor::new("nobody", Default::default());
        let denied = opened
            .chain()
            .execute_many(
                &nobody,
                Within::Session,
                "INSERT INTO t (id) VALUES ($1)",
                &nothing,
            )
            .await;
        assert!(matches!(denied, Err(Error::Denied(_))));
        let one = [int64s([1])];
        assert_eq!(
            many(&opened, "INSERT INTO t (id) VALUES ($1)", &nothing).await,
            Ok(0)
        );
        assert_eq!(
            many(&opened, "INSERT INTO t (id) VALUES ($1)", &one).await,
            Ok(1)
        );
    }
}

/// Where a row can see those before it, arrays in one statement would not mean the same.
#[tokio::test]
async fn rows_that_can_see_each_other_go_one_by_one() {
    let opened = postgresql().await;
    for (what, ddl, sql) in [
        (
            "a trigger",
            "CREATE TABLE t (id INTEGER, seen INTEGER);
             CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen := (SELECT count(*) FROM t); RETURN NEW; END $$;
             CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "INSERT INTO t (id) VALUES ($1)",
        ),
        (
            "a default",
            "CREATE TABLE t (id INTEGER);
             CREATE FUNCTION f() RETURNS integer LANGUAGE sql STABLE AS 'SELECT count(*)::integer FROM t';
             ALTER TABLE t ADD COLUMN seen INTEGER DEFAULT f()",
            "INSERT INTO t (id) VALUES ($1)",
        ),
        (
            "a statement's own query",
            "CREATE TABLE t (id INTEGER, seen INTEGER)",
            "INSERT INTO t (id, seen) VALUES ($1, (SELECT count(*) FROM t))",
        ),
    ] {
        assert_eq!(many_after(&opened, ddl, sql).await, (0..50).map(Value::Int64).collect::<Vec<_>>(), "{what}");
        opened.ddl("DROP TABLE t; DROP FUNCTION IF EXISTS f()").await;
    }
    // A reference to a later row is refused as it would be by itself.
    opened
        .ddl("CREATE TABLE t (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES t)")
        .await;
    let sql = "INSERT INTO t (id, parent) VALUES ($1, $2)";
    let later = [int64s(0..10), int64s((0..10).map(|row| (row + 1) % 10))];
    let error = many(&opened, sql, &later).await.unwrap_err();
    assert!(
        matches!(&error, Error::Constraint { kind: ConstraintKind::ForeignKey, message, .. } if message.starts_with("row 1 ")),
        "{error:?}"
    );
    let earlier = [int64s(0..10), int64s((0..10).map(|row| (row - 1).max(0)))];
    assert_eq!(many(&opened, sql, &earlier).await, Ok(10));
}

async fn many_after(opened: &Opened, ddl: &str, sql: &str) -> Vec<Value> {
    opened.ddl(ddl).await;
    assert_eq!(many(opened, sql, &[int64s(0..50)]).await, Ok(50));
    let rows = opened
        .rows("SELECT seen::int8 FROM t ORDER BY id", &[])
        .await;
    rows.unwrap().concat()
}

/// The way by arrays is taken where it can be: one statement on the server, not one for each row.
#[tokio::test]
async fn plain_rows_go_as_arrays() {
    let opened = postgresql().await;
    opened
        .ddl("CREATE TABLE t (a BOOL, b INT2, c INT8 NOT NULL, d NUMERIC(10, 2), e VARCHAR(5), f TIMESTAMPTZ, g JSONB, h BYTEA, i SERIAL, statement TIMESTAMPTZ DEFAULT statement_timestamp())")
        .await;
    let sql = "INSERT INTO t (a, b, c, d, e, f, g, h) VALUES (true, $1, $2, $3, $4, $5, $6, $7)";
    let decimals = Column {
        validity: Vec::new(),
        values: Values::Decimal(Packed {
            offsets: (0..=1_000).map(|row| row * 5).collect(),
            data: b"1.005".repeat(1_000),
        }),
    };
    let times = Column {
        validity: Vec::new(),
        values: Values::Timestamp((0..1_000).collect()),
    };
    let bytes = Column {
        validity: Vec::new(),
        values: Values::Bytes(Packed {
            // 20 MB in all, so that it takes several messages.
            offsets: (0..=1_000).map(|row| row * 20_000).collect(),
            data: vec![7; 20_000_000],
        }),
    };
    let json = Column {
        validity: Vec::new(),
        values: Values::Json(Packed {
            offsets: (0..=1_000).map(|row| row * 2).collect(),
            data: b"{}".repeat(1_000),
        }),
    };
    let columns = [
        int64s((0..1_000).map(|row| row % 100)),
        int64s(0..1_000),
        decimals,
        texts((0..1_000).map(|row| if row % 2 == 0 { "" } else { "abcde" })),
        times,
        json,
        bytes,
    ];
    assert_eq!(many(&opened, sql, &columns).await, Ok(1_000));
    let row = opened
        .rows("SELECT count(DISTINCT statement), count(*), sum(d), count(e), sum(octet_length(h)), bool_and(i = c + 1) FROM t", &[])
        .await
        .unwrap();
    let Value::Int64(statements) = row[0][0] else {
        panic!()
    };
    assert!((2..10).contains(&statements), "{statements} statements");
    assert_eq!(row[0][1], Value::Int64(1_000));
    // 1.005 is rounded to the column's scale, as by itself.
    assert_eq!(row[0][2], Value::Decimal("1010.00".to_owned()));
    assert_eq!(
        row[0][3..],
        [
            Value::Int64(500),
            Value::Int64(20_000_000),
            Value::Boolean(true)
        ]
    );
}

#[tokio::test]
async fn what_sqlite_remembers_is_of_the_last_row() {
    let opened = sqlite().await;
    opened.ddl(TABLE).await;
    let actor = everything();
    let mut chain = opened.chain();
    let id = chain.begin(&actor, Default::default()).await.unwrap();
    let sql = "INSERT INTO t (id) VALUES ($1)";
    let changed = chain
        .execute_many(&actor, Within::Session, sql, &[int64s(1..=100)])
        .await;
    assert_eq!(changed, Ok(100));
    let sql = "SELECT last_insert_rowid(), changes()";
    let answer = chain
        .query(&actor, Within::Session, sql, &[])
        .await
        .unwrap();
    assert_eq!(
        crate::both::rows(&answer),
        [[Value::Int64(100), Value::Int64(1)]]
    );
    chain.commit(id).await.unwrap();
}
