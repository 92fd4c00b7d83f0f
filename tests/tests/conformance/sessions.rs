//! Shared and separate sessions, handles kept over calls, and what a call leaves open.

use poolhouse_tests::conformance::Stage;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::{BACKENDS, Backend};

const TABLE: &str = "CREATE TABLE t (a BIGINT)";
const COUNT: &str = "SELECT count(*) AS n FROM t";

fn insert(on: u32) -> String {
    execute(on, "INSERT INTO t VALUES (1)", &[])
}

#[test]
fn all_shared_sessions_are_one_connection_s() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        stage.play(
            "shared",
            &[
                (open(0), "done"),
                (open(1), "done"),
                (begin(0, 10, DEFAULT), "done"),
                (insert(10), "changed(1)"),
                // The other session's work joins the transaction, and its begin is a savepoint.
                (query(1, COUNT, &[]), &one("int64(1)")),
                (begin(1, 11, DEFAULT), "done"),
                (insert(11), "changed(1)"),
                (insert(10), &invalid("open savepoint")),
                (rollback(11), "done"),
                (insert(1), "changed(1)"),
                ("stats".to_owned(), "stats({…used: 1})"),
                // A session that is dropped ends nothing.
                (forget(0), "done"),
                (query(10, COUNT, &[]), &one("int64(2)")),
                (commit(10), "done"),
                (query(1, COUNT, &[]), &one("int64(2)")),
                ("stats".to_owned(), "stats({…used: 0})"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_separate_session_survives_the_shared_one_s_rollback() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Postgresql, TABLE)?;
    stage.play(
        "audit",
        &[
            (open(0), "done"),
            (open_separate(1), "done"),
            (begin(0, 10, DEFAULT), "done"),
            (insert(10), "changed(1)"),
            (query(1, COUNT, &[]), &one("int64(0)")),
            (insert(1), "changed(1)"),
            (begin(1, 11, DEFAULT), "done"),
            ("stats".to_owned(), "stats({…used: 2})"),
            (insert(11), "changed(1)"),
            (commit(11), "done"),
            (rollback(10), "done"),
            (query(0, COUNT, &[]), &one("int64(2)")),
        ],
    )?;
    // SQLite has one writer; while the chain only reads, the other may.
    let stage = Stage::start(Backend::Sqlite, TABLE)?;
    stage.play(
        "audit",
        &[
            (open(0), "done"),
            (open_separate(1), "done"),
            (begin(0, 10, DEFAULT), "done"),
            (insert(10), "changed(1)"),
            (insert(1), &conflict("busy", "one writer")),
            (query(1, COUNT, &[]), &one("int64(0)")),
            (rollback(10), "done"),
            (begin(0, 10, READ_ONLY), "done"),
            (query(10, COUNT, &[]), &one("int64(0)")),
            (insert(1), "changed(1)"),
            (query(10, COUNT, &[]), &one("int64(0)")),
            (rollback(10), "done"),
            (query(0, COUNT, &[]), &one("int64(1)")),
        ],
    )
}

#[test]
fn a_dropped_separate_session_leaves_its_transaction_to_its_handle() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        stage.play(
            "dropped",
            &[
                (open_separate(0), "done"),
                (begin(0, 10, DEFAULT), "done"),
                (forget(0), "done"),
                (insert(10), "changed(1)"),
                (commit(10), "done"),
                (open(0), "done"),
                (query(0, COUNT, &[]), &one("int64(1)")),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_session_is_kept_over_calls_and_a_transaction_is_not() -> anyhow::Result<()> {
    for backend in BACKENDS {
        for opened in [open(0), open_separate(0)] {
            let stage = Stage::start(backend, TABLE)?;
            stage.play("first", &[(opened, "done"), (insert(0), "changed(1)")])?;
            let script = [
                (query(0, COUNT, &[]), &*one("int64(1)")),
                (begin(0, 1, DEFAULT), "done"),
                (insert(1), "changed(1)"),
                (commit(1), "done"),
            ];
            stage.play("second", &script)?;
            // Left open it is rolled back, and the call says so.
            let steps = [begin(0, 1, DEFAULT), insert(1), savepoint(1, 2), insert(2)];
            let words = ["with a transaction open", "rolled back"];
            stage.play_failing("left open", &steps, &words)?;
            let over = closed("is over");
            stage.play(
                "kept",
                &[
                    (query(1, COUNT, &[]), &over),
                    (insert(2), &over),
                    (savepoint(1, 3), &over),
                    (query(0, COUNT, &[]), &one("int64(2)")),
                    (commit(1), &over),
                    (forget(2), "done"),
                    (query(0, COUNT, &[]), &one("int64(2)")),
                ],
            )?;
        }
    }
    Ok(())
}

#[test]
fn whatever_is_left_open_is_rolled_back() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        let words = ["with a transaction open"];
        for opened in [open(0), open_separate(0)] {
            let begun = [opened.clone(), begin(0, 1, DEFAULT), insert(1)];
            stage.play_failing("a transaction", &begun, &words)?;
            let nested = [&begun[..], &[savepoint(1, 2), insert(2)]].concat();
            stage.play_failing("a savepoint", &nested, &words)?;
            let ended = [&nested[..], &[commit(2)]].concat();
            stage.play_failing("after a savepoint", &ended, &words)?;
            let trapped = [&nested[..], &["trap".to_owned()]].concat();
            stage.play_failing("a trap", &trapped, &["trapped on purpose"])?;
        }
        let both = [
            open(0),
            open_separate(1),
            begin(0, 2, DEFAULT),
            begin(1, 3, READ_ONLY),
            insert(2),
        ];
        stage.play_failing("both", &both, &words)?;
        assert_eq!(stage.text("SELECT CAST(count(*) AS TEXT) FROM t")?, "0");
        assert_eq!(stage.close(), 0);
    }
    Ok(())
}

#[test]
fn a_statement_outside_a_transaction_holds_no_connection() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        let idle = "stats({…checked-out: 0, …used: 0})";
        let mut script = Vec::new();
        for slot in 0..100 {
            script.push((open_separate(slot), "done"));
        }
        let counted = one("int64(0)");
        for slot in 0..100 {
            script.push((query(slot, COUNT, &[]), counted.as_str()));
        }
        script.push(("stats".to_owned(), idle));
        stage.play("a hundred sessions", &script)?;
        let stats = stage.database().stats();
        assert!(stats.most_checked_out <= 1, "{stats:?}");
    }
    Ok(())
}

#[test]
fn health_is_a_round_trip_and_names_the_database() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, TABLE)?;
        let health = match backend {
            Backend::Sqlite => {
                "health({state: up, since: …, backend: \"sqlite\", version: \"3.…\", latency: …, message: \"\"})"
            }
            Backend::Postgresql => {
                "health({state: up, since: …, backend: \"postgresql\", version: \"1…\", latency: …, message: \"\"})"
            }
        };
        stage.play(
            "health",
            &[
                ("health".to_owned(), health),
                (open(0), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (insert(1), "changed(1)"),
                // In a transaction it is asked on its connection, and does it no harm.
                ("health".to_owned(), health),
                ("stats".to_owned(), "stats({…checked-out: 1, …used: 1})"),
                (commit(1), "done"),
                (query(0, COUNT, &[]), &one("int64(1)")),
            ],
        )?;
        if backend == Backend::Postgresql {
            // In an aborted one, too.
            stage.play(
                "health when aborted",
                &[
                    (open(0), "done"),
                    (begin(0, 1, DEFAULT), "done"),
                    (query(1, "SELECT 1 / 0", &[]), &failed("22012", "")),
                    ("health".to_owned(), "health({state: up, …})"),
                    (rollback(1), "done"),
                ],
            )?;
        }
    }
    Ok(())
}
