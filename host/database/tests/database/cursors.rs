//! Owns cursors: batches in order and in constant size, in transactions and outside them, and how they end.

use std::time::{Duration, Instant};

use poolhouse_database::{
    Actor, Answer, Backend, Batch, Chain, ColumnInfo, CursorId, Database, Error, Kind, LimitKind,
    TimeoutKind, TransactionOptions, Value, Within,
};
use tokio::time::timeout;

use crate::both::{Opened, both, eventually, everything, postgresql, rows, settings, sqlite, text};
use crate::server::server;

/// `rows` rows of a number and a text.
fn numbers(opened: &Opened, rows: u32) -> String {
    match opened.backend() {
        Backend::Sqlite => format!(
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT i, 'row ' || i AS t FROM n"
        ),
        Backend::Postgresql => {
            format!(
                "SELECT i::int8, 'row ' || i AS t FROM (SELECT generate_series(1, {rows}) AS i) AS n"
            )
        }
    }
}

fn number(row: u32) -> Vec<Value> {
    vec![Value::Int64(row.into()), text(&format!("row {row}"))]
}

/// A query that never ends and gives no row.
fn endless(opened: &Opened) -> &'static str {
    match opened.backend() {
        Backend::Sqlite => {
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0"
        }
        Backend::Postgresql => "SELECT pg_sleep(3600)",
    }
}

fn as_rows(columns: &[ColumnInfo], batch: Batch) -> Vec<Vec<Value>> {
    rows(&Answer {
        columns: columns.to_vec(),
        batch,
    })
}

/// Reads a cursor to its end, and tells each batch's rows.
async fn drain(
    chain: &mut Chain,
    cursor: CursorId,
    columns: &[ColumnInfo],
) -> Result<Vec<Vec<Vec<Value>>>, Error> {
    let mut batches = Vec::new();
    while let Some(batch) = chain.fetch(cursor).await? {
        assert!(batch.rows > 0, "an empty batch");
        batches.push(as_rows(columns, batch));
    }
    assert_eq!(chain.fetch(cursor).await, Ok(None));
    Ok(batches)
}

async fn open(chain: &mut Chain, sql: &str) -> Result<(CursorId, Vec<ColumnInfo>), Error> {
    chain
        .open_cursor(&everything(), Within::Session, sql, &[])
        .await
}

/// A chain in a transaction or not, as `joined` says.
async fn chain(opened: &Opened, joined: bool) -> Chain {
    let mut chain = opened.chain();
    if joined {
        let options = TransactionOptions::default();
        chain.begin(&everything(), options).await.unwrap();
    }
    chain
}

/// One connection, so that whatever is left on it is found by the next.
async fn ones() -> [Opened; 2] {
    let mut all = both().await;
    for opened in &mut all {
        let mut settings = settings(&opened.url);
        (settings.pool.pool_size, settings.pool.max_overflow) = (1, 0);
        opened.database = Database::open(settings).unwrap();
    }
    all
}

/// Nothing is lent, nothing was closed, and the one connection is as new.
async fn clean(opened: &Opened) {
    eventually("the connection is back", async || {
        let stats = opened.database.stats();
        (stats.checked_out, stats.checked_in, stats.total()) == (0, 1, 1)
    })
    .await;
    assert_eq!(opened.database.stats().opened, 1, "it was closed");
    let left = match opened.backend() {
        Backend::Sqlite => "SELECT count(*) FROM sqlite_temp_master",
        Backend::Postgresql => "SELECT count(*) FROM pg_cursors WHERE name <> ''",
    };
    assert_eq!(opened.value(left, &[]).await, Ok(Value::Int64(0)));
}

#[tokio::test]
async fn all_rows_come_once_and_in_order() {
    for opened in ones().await {
        for joined in [false, true] {
            let mut chain = chain(&opened, joined).await;
            for count in [0_u32, 1, 7, 8, 9, 8_192, 8_193, 20_000] {
                let sql = format!("{};", numbers(&opened, 20_001));
                let sql = sql.replace("SELECT i", "SELECT  i");
                let limited = format!(
                    "SELECT * FROM ({}) AS q WHERE i <= $1 -- all of them",
                    sql.trim_end_matches(';')
                );
                let params = [Value::Int64(count.into())];
                let (cursor, columns) = chain
                    .open_cursor(&everything(), Within::Session, &limited, &params)
                    .await
                    .unwrap();
                let kinds: Vec<_> = columns
                    .iter()
                    .map(|info| (&*info.name, info.kind))
                    .collect();
                if count > 0 || opened.backend() == Backend::Postgresql {
                    assert_eq!(kinds, [("i", Kind::Int64), ("t", Kind::Text)]);
                }
                assert!(chain.holds_connection());
                let batches = drain(&mut chain, cursor, &columns).await.unwrap();
                assert!(batches.iter().all(|batch| batch.len() <= 8_192));
                assert!(batches.len() <= 1 + count as usize / 8_192);
                let all: Vec<_> = batches.into_iter().flatten().collect();
                assert_eq!(all.len(), count as usize);
                for (row, at) in all.iter().zip(1..) {
                    assert_eq!(*row, number(at));
                }
                assert_eq!(chain.holds_connection(), joined);
            }
            chain.finish().await;
            clean(&opened).await;
        }
    }
}

#[tokio::test]
async fn batches_keep_to_the_plugins_limits() {
    for opened in both().await {
        let wide = |length: u32| match opened.backend() {
            Backend::Sqlite => format!("hex(zeroblob({length} / 2))"),
            Backend::Postgresql => format!("repeat('0', {length})"),
        };
        for joined in [false, true] {
            let mut chain = chain(&opened, joined).await;
            let narrow = Actor {
                max_rows: 10,
                max_bytes: 4_000_000,
                ..everything()
            };
            let sql = numbers(&opened, 25);
            let (cursor, columns) = chain
                .open_cursor(&narrow, Within::Session, &sql, &[])
                .await
                .unwrap();
            let batches = drain(&mut chain, cursor, &columns).await.unwrap();
            let lengths: Vec<usize> = batches.iter().map(Vec::len).collect();
            assert_eq!(lengths, [10, 10, 5]);
            // Small rows, some of a megabyte and a half, which stand alone, and one that is more than the plugin may have.
            let sql = format!(
                "SELECT i, CASE WHEN i = 61 THEN {} WHEN i % 20 = 0 THEN {} ELSE 'x' END FROM ({}) AS q",
                wide(5_000_000),
                wide(1_500_000),
                numbers(&opened, 70)
            );
            let wide_rows = Actor {
                max_rows: 1_000,
                ..narrow
            };
            let (cursor, columns) = chain
                .open_cursor(&wide_rows, Within::Session, &sql, &[])
                .await
                .unwrap();
            let mut lengths = Vec::new();
            let error = loop {
                match chain.fetch(cursor).await {
                    Ok(batch) => lengths.push(as_rows(&columns, batch.unwrap()).len()),
                    Err(error) => break error,
                }
            };
            assert_eq!(lengths, [19, 1, 19, 1, 19, 1]);
            assert!(
                matches!(&error, Error::Limit { kind: LimitKind::Bytes, maximum: 4_000_000, message } if message.contains("single row")),
                "{error:?}"
            );
            assert!(
                matches!(chain.fetch(cursor).await, Err(Error::Closed(why)) if why.contains("single row"))
            );
            // Refused by us, not by the server: the transaction goes on.
            assert_eq!(chain.depth(), usize::from(joined));
            chain
                .query(&everything(), Within::Session, "SELECT 1", &[])
                .await
                .unwrap();
            chain.finish().await;
        }
    }
}

#[tokio::test]
async fn in_a_transaction_everything_else_goes_on() {
    for opened in ones().await {
        opened.ddl("CREATE TABLE t (id INTEGER)").await;
        let actor = everything();
        for read_only in [false, true] {
            let mut chain = opened.chain();
            let options = TransactionOptions {
                read_only,
                ..Default::default()
            };
            let id = chain.begin(&actor, options).await.unwrap();
            let sql = numbers(&opened, 30_000);
            let (first, columns) = open(&mut chain, &sql).await.unwrap();
            let (second, _) = open(&mut chain, &sql).await.unwrap();
            assert!(first < second);
            let mut seen = [0_u32; 2];
            for turn in 0..3 {
                for (cursor, seen) in [first, second].iter().zip(&mut seen) {
                    let batch = chain.fetch(*cursor).await.unwrap().unwrap();
                    let got = as_rows(&columns, batch);
                    assert_eq!(got[0], number(*seen + 1));
                    *seen += got.len() as u32;
                    if read_only {
                        let write = chain
                            .execute(&actor, Within::Session, "INSERT INTO t VALUES (1)", &[])
                            .await;
                        assert!(matches!(write, Err(Error::Invalid(_))), "{write:?}");
                        chain
                            .query(&actor, Within::Session, "SELECT 1", &[])
                            .await
                            .unwrap();
                    } else {
                        let insert = "INSERT INTO t VALUES ($1)";
                        let changed = chain
                            .execute(&actor, Within::Session, insert, &[Value::Int64(turn)])
                            .await;
                        assert_eq!(changed, Ok(1));
                    }
                    // A savepoint that ends leaves the cursors of the transaction alone.
                    let savepoint = chain.savepoint(&actor, id).await.unwrap();
                    if turn == 1 {
                        chain.rollback(savepoint).await.unwrap();
                    } else {
                        chain.commit(savepoint).await.unwrap();
                    }
                }
            }
            chain.close_cursor(first).await;
            chain.commit(id).await.unwrap();
            for (cursor, why) in [(first, "was closed"), (second, "committed")] {
                let error = chain.fetch(cursor).await.unwrap_err();
                assert!(
                    matches!(&error, Error::Closed(said) if said.contains(why)),
                    "{error:?}"
                );
            }
            clean(&opened).await;
        }
        let count = opened.value("SELECT count(*) FROM t", &[]).await;
        assert_eq!(count, Ok(Value::Int64(6)));
    }
}

#[tokio::test]
async fn a_cursor_ends_with_its_savepoint() {
    for opened in ones().await {
        let actor = everything();
        for commits in [false, true] {
            let mut chain = chain(&opened, true).await;
            let sql = numbers(&opened, 30_000);
            let (outer, columns) = open(&mut chain, &sql).await.unwrap();
            let depth = chain.depth();
            let savepoint = chain.begin(&actor, Default::default()).await.unwrap();
            let (inner, _) = open(&mut chain, &sql).await.unwrap();
            chain.fetch(inner).await.unwrap().unwrap();
            chain.fetch(outer).await.unwrap().unwrap();
            if commits {
                chain.commit(savepoint).await.unwrap();
            } else {
                chain.unwind_to(depth).await;
            }
            let why = if commits { "committed" } else { "rolled back" };
            let error = chain.fetch(inner).await.unwrap_err();
            assert!(
                matches!(&error, Error::Closed(said) if said.contains(why)),
                "{error:?}"
            );
            let rest = drain(&mut chain, outer, &columns).await.unwrap();
            assert_eq!(rest[0][0], number(8_193));
            let left = match opened.backend() {
                Backend::Sqlite => "SELECT count(*) FROM sqlite_temp_master",
                Backend::Postgresql => "SELECT count(*) FROM pg_cursors WHERE name <> ''",
            };
            let answer = chain.query(&actor, Within::Session, left, &[]).await;
            assert_eq!(rows(&answer.unwrap())[0][0], Value::Int64(0));
            chain.finish().await;
            clean(&opened).await;
        }
    }
}

#[tokio::test]
async fn what_a_cursor_is_not_opened_over() {
    for opened in both().await {
        opened.ddl("CREATE TABLE t (id INTEGER)").await;
        let mut chain = opened.chain();
        for sql in [
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t VALUES (1) RETURNING id",
            "UPDATE t SET id = 1",
            "EXPLAIN SELECT 1",
            "BEGIN",
            "SELECT 1; SELECT 2",
        ] {
            let error = open(&mut chain, sql).await.unwrap_err();
            assert!(matches!(error, Error::Invalid(_)), "{sql}: {error:?}");
        }
        let denied = Actor::new("nobody", Default::default());
        let refused = chain
            .open_cursor(&denied, Within::Session, "SELECT 1", &[])
            .await;
        assert!(matches!(refused, Err(Error::Denied(_))));
        let refused = chain
            .open_cursor(&everything(), Within::Session, "SELECT $1", &[])
            .await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
        let error = open(&mut chain, "SELECT * FROM missing").await.unwrap_err();
        assert!(matches!(error, Error::Statement { .. }), "{error:?}");
        assert_eq!(opened.database.stats().checked_out, 0);
        assert!(!chain.holds_connection());
    }
    // A cursor's table is nobody's to read.
    let opened = sqlite().await;
    let mut chain = chain(&opened, true).await;
    let sql = numbers(&opened, 30_000);
    let (cursor, _) = open(&mut chain, &sql).await.unwrap();
    for name in [
        format!("poolhouse_cursor_{cursor}"),
        format!("temp.\"Poolhouse_Cursor_{cursor}\""),
    ] {
        let sql = format!("SELECT * FROM {name}");
        let answer = chain.query(&everything(), Within::Session, &sql, &[]).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{answer:?}");
    }
    chain.finish().await;
}

#[tokio::test]
async fn errors_come_after_the_rows_before_them() {
    let opened = postgresql().await;
    for joined in [false, true] {
        let mut chain = chain(&opened, joined).await;
        let sql = "SELECT 1 / (20000 - i) AS q FROM generate_series(1, 30000) AS n (i)";
        let (cursor, _) = open(&mut chain, sql).await.unwrap();
        let mut seen = 0;
        let error = loop {
            match chain.fetch(cursor).await {
                Ok(batch) => seen += batch.unwrap().rows,
                Err(error) => break error,
            }
        };
        // A FETCH that fails gives no rows.
        assert!((18_900..20_000).contains(&seen), "{seen}");
        assert!(
            matches!(&error, Error::Statement { code, .. } if code == "22012"),
            "{error:?}"
        );
        let after = chain.fetch(cursor).await.unwrap_err();
        assert!(
            matches!(&after, Error::Closed(why) if why.contains("division by zero")),
            "{after:?}"
        );
        let next = chain
            .query(&everything(), Within::Session, "SELECT 1", &[])
            .await;
        match joined {
            true => assert!(matches!(next, Err(Error::Statement { code, .. }) if code == "25P02")),
            false => assert!(next.is_ok()),
        }
        chain.finish().await;
    }
    assert_eq!(opened.database.stats().opened, 1);
    let opened = sqlite().await;
    let sql = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT CASE WHEN i = 20000 THEN abs(-9223372036854775807 - 1) ELSE i END FROM n";
    let mut chain = opened.chain();
    let (cursor, _) = open(&mut chain, sql).await.unwrap();
    let mut seen = 0;
    let error = loop {
        match chain.fetch(cursor).await {
            Ok(batch) => seen += batch.unwrap().rows,
            Err(error) => break error,
        }
    };
    assert_eq!(seen, 19_999);
    assert!(
        matches!(&error, Error::Statement { message, .. } if message.contains("overflow")),
        "{error:?}"
    );
    // In a transaction it comes when the cursor is opened, and the transaction goes on.
    let id = chain
        .begin(&everything(), Default::default())
        .await
        .unwrap();
    let error = open(&mut chain, sql).await.unwrap_err();
    assert!(
        matches!(&error, Error::Statement { message, .. } if message.contains("overflow")),
        "{error:?}"
    );
    chain.commit(id).await.unwrap();
    assert_eq!(opened.database.stats().opened, 1);
}

#[tokio::test]
async fn kinds_are_the_same_in_every_batch() {
    let opened = sqlite().await;
    opened
        .ddl("CREATE TABLE t (id INTEGER PRIMARY KEY, loose, real REAL, flag BOOLEAN)")
        .await;
    let fill = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO t SELECT i, CASE WHEN i < 15000 THEN i ELSE 'x' END, i, i % 2 FROM n WHERE true ON CONFLICT DO NOTHING";
    opened.execute(fill, &[]).await.unwrap();
    for joined in [false, true] {
        let mut chain = chain(&opened, joined).await;
        let (cursor, columns) = open(
            &mut chain,
            "SELECT loose, real, flag, loose || '' FROM t ORDER BY id",
        )
        .await
        .unwrap();
        let kinds: Vec<_> = columns.iter().map(|info| info.kind).collect();
        assert_eq!(
            kinds,
            [Kind::Int64, Kind::Float64, Kind::Boolean, Kind::Text]
        );
        let mut seen = 0;
        let error = loop {
            match chain.fetch(cursor).await {
                Ok(batch) => {
                    let got = as_rows(&columns, batch.unwrap());
                    assert!(
                        matches!(
                            got[0][..],
                            [
                                Value::Int64(_),
                                Value::Float64(_),
                                Value::Boolean(_),
                                Value::Text(_)
                            ]
                        ),
                        "{:?}",
                        got[0]
                    );
                    seen += got.len();
                }
                Err(error) => break error,
            }
        };
        assert_eq!(seen, 14_999);
        assert!(
            matches!(&error, Error::Invalid(why) if why.contains("\"loose\"") && why.contains("first batch")),
            "{error:?}"
        );
        chain.finish().await;
    }
    // A union's columns have the values as they are, not as its first half would have them.
    let sql = "SELECT CAST('a' AS TEXT) AS v UNION ALL SELECT 5 UNION ALL SELECT 1.5";
    let plain = opened.rows("SELECT typeof(v) FROM (SELECT CAST('a' AS TEXT) AS v UNION ALL SELECT 5 UNION ALL SELECT 1.5)", &[]).await.unwrap();
    assert_eq!(plain[1][0], text("integer"));
    for joined in [false, true] {
        let mut chain = chain(&opened, joined).await;
        let result = open(&mut chain, sql).await;
        let error = match result {
            Ok((cursor, _)) => loop {
                match chain.fetch(cursor).await {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("a number became text"),
                    Err(error) => break error,
                }
            },
            Err(error) => error,
        };
        assert!(
            matches!(&error, Error::Invalid(why) if why.contains("its first value is text")),
            "{error:?}"
        );
        chain.finish().await;
    }
}

#[tokio::test]
async fn a_materialised_cursor_changes_nothing_that_sqlite_remembers() {
    let opened = sqlite().await;
    opened.ddl("CREATE TABLE t (id INTEGER PRIMARY KEY)").await;
    let actor = everything();
    let mut chain = chain(&opened, true).await;
    chain
        .execute(
            &actor,
            Within::Session,
            "INSERT INTO t VALUES (77), (78), (99)",
            &[],
        )
        .await
        .unwrap();
    let remembered = "SELECT changes(), last_insert_rowid()";
    let sql = numbers(&opened, 10_000);
    for step in 0..3 {
        let (cursor, columns) = open(&mut chain, &sql).await.unwrap();
        if step == 1 {
            drain(&mut chain, cursor, &columns).await.unwrap();
        } else if step == 2 {
            chain.close_cursor(cursor).await;
        }
        let answer = chain
            .query(&actor, Within::Session, remembered, &[])
            .await
            .unwrap();
        assert_eq!(rows(&answer), [[Value::Int64(3), Value::Int64(99)]]);
    }
    chain.finish().await;
}

#[tokio::test]
async fn at_most_64_are_open_and_a_mark_ends_those_after_it() {
    for opened in ones().await {
        let mut chain = chain(&opened, true).await;
        let sql = numbers(&opened, 10);
        let (first, _) = open(&mut chain, &sql).await.unwrap();
        let mark = chain.cursor_mark();
        let mut others = Vec::new();
        for _ in 1..64 {
            others.push(open(&mut chain, &sql).await.unwrap().0);
        }
        let error = open(&mut chain, &sql).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::Limit {
                    kind: LimitKind::Handles,
                    maximum: 64,
                    ..
                }
            ),
            "{error:?}"
        );
        chain.close_cursors_since(mark).await;
        for other in others {
            assert!(matches!(chain.fetch(other).await, Err(Error::Closed(_))));
        }
        assert!(chain.fetch(first).await.unwrap().is_some());
        chain.finish().await;
        assert!(matches!(chain.fetch(first).await, Err(Error::Closed(_))));
        clean(&opened).await;
        // Outside a transaction each holds a connection.
        let mark = chain.cursor_mark();
        open(&mut chain, &sql).await.unwrap();
        assert!(chain.holds_connection());
        chain.close_cursors_since(mark).await;
        assert!(!chain.holds_connection());
        clean(&opened).await;
    }
}

#[tokio::test]
async fn the_only_connection_is_refused_at_once_while_a_cursor_has_it() {
    for opened in ones().await {
        let mut chain = opened.chain();
        let (cursor, _) = open(&mut chain, &numbers(&opened, 100_000)).await.unwrap();
        chain.fetch(cursor).await.unwrap().unwrap();
        let asked = Instant::now();
        for refused in [
            chain
                .query(&everything(), Within::Session, "SELECT 1", &[])
                .await
                .map(drop),
            open(&mut chain, "SELECT 1").await.map(drop),
            chain
                .begin(&everything(), Default::default())
                .await
                .map(drop),
        ] {
            assert!(
                matches!(refused, Err(Error::PoolExhausted { .. })),
                "{refused:?}"
            );
        }
        // Another chain's cursor does not wait either.
        let mut other = opened.chain();
        let refused = open(&mut other, "SELECT 1").await;
        assert!(
            matches!(refused, Err(Error::PoolExhausted { .. })),
            "{refused:?}"
        );
        assert!(asked.elapsed() < Duration::from_secs(1));
        chain.close_cursor(cursor).await;
        chain
            .query(&everything(), Within::Session, "SELECT 1", &[])
            .await
            .unwrap();
        clean(&opened).await;
    }
}

#[tokio::test]
async fn closing_early_is_prompt_and_the_connection_is_kept() {
    for opened in ones().await {
        let huge = numbers(&opened, 2_000_000_000);
        for dropped in [false, true] {
            let mut chain = opened.chain();
            let (cursor, _) = open(&mut chain, &huge).await.unwrap();
            chain.fetch(cursor).await.unwrap().unwrap();
            let closed = Instant::now();
            if dropped {
                drop(chain);
            } else {
                chain.close_cursor(cursor).await;
                assert_eq!(opened.database.stats().checked_out, 0);
            }
            clean(&opened).await;
            assert!(
                closed.elapsed() < Duration::from_secs(1),
                "{:?}",
                closed.elapsed()
            );
        }
        // One that computes on without giving a row.
        let mut chain = opened.chain();
        let sql = format!("SELECT i FROM ({huge}) AS q WHERE i < 20000 OR i < 0");
        let (cursor, _) = open(&mut chain, &sql).await.unwrap();
        chain.fetch(cursor).await.unwrap().unwrap();
        let closed = Instant::now();
        chain.close_cursor(cursor).await;
        clean(&opened).await;
        assert!(
            closed.elapsed() < Duration::from_secs(1),
            "{:?}",
            closed.elapsed()
        );
    }
}

#[tokio::test]
async fn a_future_dropped_while_it_waits_ends_the_cursor() {
    for opened in both().await {
        let sql = endless(&opened);
        for joined in [false, true] {
            let mut chain = chain(&opened, joined).await;
            let patience = Duration::from_millis(50);
            // On PostgreSQL reading waits, on SQLite opening does.
            match opened.backend() {
                Backend::Sqlite => {
                    timeout(patience, open(&mut chain, sql)).await.unwrap_err();
                }
                Backend::Postgresql => {
                    let (cursor, _) = open(&mut chain, sql).await.unwrap();
                    timeout(patience, chain.fetch(cursor)).await.unwrap_err();
                    let error = chain.fetch(cursor).await.unwrap_err();
                    assert!(
                        matches!(&error, Error::Closed(why) if why.contains("cancelled")),
                        "{error:?}"
                    );
                }
            }
            let begun = Instant::now();
            let next = chain
                .query(&everything(), Within::Session, "SELECT 1", &[])
                .await;
            assert_eq!(next.is_err(), joined, "{next:?}");
            chain.finish().await;
            eventually("all is given back", async || {
                let stats = opened.database.stats();
                (stats.checked_out, stats.closing) == (0, 0)
            })
            .await;
            assert!(begun.elapsed() < Duration::from_secs(2));
        }
    }
}

#[tokio::test]
async fn a_cursor_stops_at_the_calls_deadline() {
    for opened in both().await {
        let sql = endless(&opened);
        for joined in [false, true] {
            let deadline = tokio::time::Instant::now() + Duration::from_millis(200);
            let mut chain = Chain::new(opened.database.clone(), 4_711, Some(deadline));
            if joined {
                chain
                    .begin(&everything(), Default::default())
                    .await
                    .unwrap();
            }
            let error = match open(&mut chain, sql).await {
                Ok((cursor, _)) => chain.fetch(cursor).await.unwrap_err(),
                Err(error) => error,
            };
            assert!(
                matches!(
                    error,
                    Error::Timeout {
                        kind: TimeoutKind::Call,
                        ..
                    }
                ),
                "{error:?}"
            );
            chain.finish().await;
            eventually("all is given back", async || {
                let stats = opened.database.stats();
                (stats.checked_out, stats.closing) == (0, 0)
            })
            .await;
        }
    }
}

#[tokio::test]
async fn parameters_have_the_servers_types() {
    let opened = postgresql().await;
    for joined in [false, true] {
        let mut chain = chain(&opened, joined).await;
        let sql = "SELECT $1::numeric + 1, $2 || 'x', $3::int4, $4 = 'a' FROM generate_series(1, $3::int4)";
        let params = [
            Value::Decimal("1.50".to_owned()),
            text("y"),
            Value::Int64(3),
            Value::Null,
        ];
        let (cursor, columns) = chain
            .open_cursor(&everything(), Within::Session, sql, &params)
            .await
            .unwrap();
        let kinds: Vec<_> = columns
            .iter()
            .map(|info| (info.kind, &*info.database_type))
            .collect();
        assert_eq!(kinds[0], (Kind::Decimal, "numeric"));
        let all = drain(&mut chain, cursor, &columns).await.unwrap().concat();
        assert_eq!(all.len(), 3);
        assert_eq!(
            all[0],
            [
                Value::Decimal("2.50".to_owned()),
                text("yx"),
                Value::Int64(3),
                Value::Null
            ]
        );
        let wrong = chain
            .open_cursor(
                &everything(),
                Within::Session,
                "SELECT $1::int4",
                &[text("x")],
            )
            .await;
        assert!(matches!(wrong, Err(Error::Invalid(_))));
        chain.finish().await;
    }
    let mut admin = server().admin("postgres").await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND application_name = 'poolhouse' AND datname = $1";
    let name = opened.url.rsplit('/').next().unwrap();
    let open: i64 = sqlx::query_scalar(sql)
        .bind(name)
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(open, 0);
}
