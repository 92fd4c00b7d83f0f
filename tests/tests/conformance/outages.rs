//! The database that can't be reached, the pool that has nothing left, and time that is over.

use std::time::Duration;

use poolhouse_database::PoolOptions;
use poolhouse_runtime::Limits;
use poolhouse_test_postgres::{PostgresServer, Shutdown};
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::conformance::{Setup, Stage};
use poolhouse_tests::{BACKENDS, Backend, PASSWORD};

#[test]
fn a_stopped_server_is_unavailable_and_comes_back() -> anyhow::Result<()> {
    let mut server = PostgresServer::start(&[])?;
    let stage = Stage::start_on(server.database()?, Setup::default())?;
    let script = [
        (open(0), "done"),
        (query(0, "SELECT 1", &[]), &*one("int64(1)")),
    ];
    stage.play("before", &script)?;
    server.stop(Shutdown::Fast)?;
    let outcomes = stage.call(&[
        open(0),
        query(0, "SELECT 1", &[]),
        query(0, "SELECT 1", &[]),
        begin(0, 1, DEFAULT),
        "health".to_owned(),
    ])?;
    for outcome in &outcomes[2..4] {
        assert!(
            outcome.starts_with("error(unavailable({reason: unreachable, message: ")
                && outcome.contains("refused")
                && outcome.ends_with("outcome-unknown: false}))")
                && !outcome.contains(PASSWORD),
            "{outcome}"
        );
    }
    assert!(
        outcomes[1].starts_with("error(unavailable({"),
        "{outcomes:?}"
    );
    assert!(
        outcomes[4].starts_with("health({state: down, ") && outcomes[4].contains("version: \"\""),
        "{outcomes:?}"
    );
    stage.is_clean()?;
    server.start_again()?;
    // Whoever asks next may still meet what was seen last; nobody waits for longer than a moment.
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while stage.call(&script.clone().map(|(step, _)| step))?[1] != one_of_one() {
        assert!(std::time::Instant::now() < until, "it does not come back");
    }
    stage.is_clean()
}

fn one_of_one() -> String {
    "table({columns: [{name: \"?column?\", kind: int64, database-type: \"int4\"}], rows: [[int64(1)]]})".to_owned()
}

#[test]
fn what_is_wrong_with_the_way_is_said() -> anyhow::Result<()> {
    let server = poolhouse_test_postgres::shared()?;
    let wrong = "not-the-password";
    for (url, reason, words) in [
        (
            server.url("postgres", wrong, "postgres"),
            "authentication",
            "password",
        ),
        (
            server.url("postgres", PASSWORD, "no_such"),
            "no-database",
            "no_such",
        ),
    ] {
        let stage = Stage::start_on(url, Setup::default())?;
        let outcomes = stage.call(&[open(0), query(0, "SELECT 1", &[])])?;
        let expected = format!("error(unavailable({{reason: {reason}, ");
        assert!(
            outcomes[1].starts_with(&expected)
                && outcomes[1].contains(words)
                && !outcomes[1].contains(wrong)
                && !outcomes[1].contains(PASSWORD),
            "{outcomes:?}"
        );
    }
    Ok(())
}

#[test]
fn a_file_that_is_no_database_is_said() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("text.db");
    std::fs::write(
        &file,
        "this is a text, and a long one at that. ".repeat(100),
    )?;
    let stage = Stage::start_on(format!("sqlite://{}", file.display()), Setup::default())?;
    let script = [
        (open(0), "done"),
        (
            query(0, "SELECT 1", &[]),
            "error(unavailable({reason: file, message: \"…text.db…not a database…\", outcome-unknown: false}))",
        ),
    ];
    stage.play("a text file", &script)
}

fn small_pool(size: u32) -> PoolOptions {
    PoolOptions {
        pool_size: size,
        max_overflow: 0,
        pool_timeout: Duration::from_millis(100),
        ..PoolOptions::default()
    }
}

#[test]
fn a_chain_that_holds_a_connection_is_refused_a_second_at_once() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let setup = Setup {
            pool: PoolOptions {
                // It must not be waited for.
                pool_timeout: Duration::from_secs(3600),
                ..small_pool(1)
            },
            ..Setup::default()
        };
        let stage = Stage::start_with(backend, "CREATE TABLE t (a BIGINT)", setup)?;
        let exhausted = "error(pool-exhausted({message: \"…pool_size…\", waited: …, size: 1, overflow: 0, \
             checked-out: 1, waiting: 0}))";
        stage
            .play(
                "exhausted",
                &[
                    (open(0), "done"),
                    (open_separate(1), "done"),
                    (begin(0, 2, READ_ONLY), "done"),
                    (query(1, "SELECT 1", &[]), exhausted),
                    (begin(1, 3, READ_ONLY), exhausted),
                    // The shared ones work on the connection that is held.
                    (open(4), "done"),
                    (query(4, "SELECT 1", &[]), &one("int64(1)")),
                    (
                        "stats".to_owned(),
                        "stats({size: 1, checked-in: 0, checked-out: 1, overflow: 0, waiting: 0, state: up, …used: 1})",
                    ),
                    ("health".to_owned(), "health({state: up, …})"),
                    (commit(2), "done"),
                    (query(1, "SELECT 1", &[]), &one("int64(1)")),
                ],
            )?;
    }
    Ok(())
}

#[test]
fn a_chain_that_holds_none_waits_for_pool_timeout() -> anyhow::Result<()> {
    let setup = Setup {
        pool: small_pool(1),
        ..Setup::default()
    };
    let tables = "CREATE TABLE signal (name TEXT)";
    let stage = Stage::start_with(Backend::Postgresql, tables, setup)?;
    // The one connection is open before the time to wait for it is short of what opening takes.
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while stage.call(&[open(0), query(0, "SELECT 1", &[])])?[1].starts_with("error(") {
        assert!(
            std::time::Instant::now() < until,
            "no connection can be had"
        );
    }
    let holding = [
        open(0),
        begin(0, 1, DEFAULT),
        query(1, "SELECT 1", &[]),
        poll(1, "SELECT name FROM signal"),
        commit(1),
    ];
    let (held, waited) = std::thread::scope(|scope| {
        let holder = scope.spawn(|| stage.call(&holding));
        while stage.database().stats().checked_out == 0 && !holder.is_finished() {
            std::thread::yield_now();
        }
        let waited = stage.call(&[open(0), query(0, "SELECT 1", &[])])?;
        stage.sql("INSERT INTO signal VALUES ('go on')")?;
        anyhow::Ok((holder.join().unwrap()?, waited))
    })?;
    assert_eq!(held[4], "done", "{held:?}");
    assert!(
        waited[1].starts_with("error(pool-exhausted({message: ")
            && waited[1].contains("size: 1, overflow: 0, checked-out: 1"),
        "{waited:?}"
    );
    let microseconds = waited[1]
        .split("waited: ")
        .nth(1)
        .and_then(|rest| rest.split(',').next());
    let microseconds: u64 = microseconds.unwrap().parse()?;
    assert!(microseconds >= 100_000, "{waited:?}");
    stage.is_clean()
}

#[test]
fn a_transaction_past_its_timeout_is_rolled_back() -> anyhow::Result<()> {
    let short = "{isolation: default, read-only: false, timeout: some(30000)}";
    let over = "error(timeout({kind: transaction, message: \"…\", limit: 30000}))";
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT)")?;
        // A statement that is slow by itself, and one that comes too late.
        let slow = match backend {
            Backend::Sqlite => {
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT max(i) FROM n"
            }
            Backend::Postgresql => "SELECT pg_sleep(60)",
        };
        stage.play(
            "slow",
            &[
                (open(0), "done"),
                (begin(0, 1, short), "done"),
                (execute(1, "INSERT INTO t VALUES (1)", &[]), "changed(1)"),
                (query(1, slow, &[]), over),
                (query(1, "SELECT 1", &[]), over),
                (savepoint(1, 2), over),
                (commit(1), over),
                (
                    query(0, "SELECT count(*) AS n FROM t", &[]),
                    &one("int64(0)"),
                ),
                (begin(0, 1, short), "done"),
                (execute(1, "INSERT INTO t VALUES (1)", &[]), "changed(1)"),
                (query(1, slow, &[]), over),
                (rollback(1), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (execute(1, "INSERT INTO t VALUES (1)", &[]), "changed(1)"),
                // A savepoint with a timeout of its own ends alone.
                (begin(0, 2, short), "done"),
                (execute(2, "INSERT INTO t VALUES (2)", &[]), "changed(1)"),
                (rollback(2), "done"),
                (commit(1), "done"),
                (query(0, "SELECT a FROM t", &[]), &one("int64(1)")),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_statement_has_no_more_time_than_the_server_gives_it() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, "CREATE TABLE t (a BIGINT)")?;
    stage
        .sql("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 50', current_database()); END $$")?;
    stage.play(
        "statement_timeout",
        &[
            (open(0), "done"),
            (
                query(0, "SELECT pg_sleep(60)", &[]),
                "error(timeout({kind: statement, …}))",
            ),
            (query(0, "SELECT 1", &[]), &one("int64(1)")),
            (begin(0, 1, DEFAULT), "done"),
            (execute(1, "INSERT INTO t VALUES (1)", &[]), "changed(1)"),
            (
                query(1, "SELECT pg_sleep(60)", &[]),
                "error(timeout({kind: statement, …}))",
            ),
            (query(1, "SELECT 1", &[]), &failed("25P02", "")),
            (rollback(1), "done"),
        ],
    )
}

#[test]
fn a_call_past_its_deadline_ends_and_leaves_nothing() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let setup = Setup {
            limits: Limits {
                call_timeout: Duration::from_secs(1),
                ..Limits::default()
            },
            ..Setup::default()
        };
        let stage = Stage::start_with(backend, "CREATE TABLE t (a BIGINT)", setup)?;
        let insert = execute(1, "INSERT INTO t VALUES (1)", &[]);
        let over = ["no answer", "1s", "call_timeout"];
        let begun = [open(0), begin(0, 1, DEFAULT), insert.clone()];
        let spin = [&begun[..], &["spin".to_owned()]].concat();
        stage.play_failing("spin", &spin, &over)?;
        let separate = [
            open_separate(0),
            begin(0, 1, DEFAULT),
            insert.clone(),
            "spin".to_owned(),
        ];
        stage.play_failing("separate", &separate, &over)?;
        if backend == Backend::Postgresql {
            let sleep = query(1, "SELECT pg_sleep(60)", &[]);
            stage.play_failing("sleep", &[&begun[..], &[sleep]].concat(), &over)?;
        }
        let trap = [&begun[..], &["trap".to_owned()]].concat();
        stage.play_failing("trap", &trap, &["trapped on purpose"])?;
        let count = "SELECT CAST(count(*) AS TEXT) FROM t";
        assert_eq!(stage.text(count)?, "0");
    }
    Ok(())
}
