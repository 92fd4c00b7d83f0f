//! What the database itself refuses: constraints, conflicts, failed statements, each with its fields.

use poolhouse_tests::conformance::Stage;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::{BACKENDS, Backend};

#[test]
fn a_violated_constraint_says_which() -> anyhow::Result<()> {
    let tables = "CREATE TABLE parent (id BIGINT PRIMARY KEY); \
         CREATE TABLE child (id BIGINT PRIMARY KEY, a BIGINT NOT NULL, b BIGINT, \
         CONSTRAINT a_and_b UNIQUE (a, b), CONSTRAINT positive CHECK (b > 0), \
         CONSTRAINT of_parent FOREIGN KEY (b) REFERENCES parent (id)); \
         INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1, 1, 1)";
    let cases = [
        (
            "INSERT INTO child VALUES (1, 2, 2)",
            "{kind: unique, message: \"…\", name: \"\", table: \"child\", columns: [\"id\"]}",
            "{kind: unique, message: \"…\", name: \"child_pkey\", table: \"child\", columns: [\"id\"]}",
        ),
        (
            "INSERT INTO child VALUES (2, 1, 1)",
            "{kind: unique, message: \"…\", name: \"\", table: \"child\", columns: [\"a\", \"b\"]}",
            "{kind: unique, message: \"…\", name: \"a_and_b\", table: \"child\", columns: [\"a\", \"b\"]}",
        ),
        (
            "INSERT INTO child VALUES (2, NULL, 1)",
            "{kind: not-null, message: \"…\", name: \"\", table: \"child\", columns: [\"a\"]}",
            "{kind: not-null, message: \"…\", name: \"\", table: \"child\", columns: [\"a\"]}",
        ),
        (
            "UPDATE child SET b = -1",
            "{kind: check, message: \"…\", name: \"positive\", table: \"\", columns: []}",
            "{kind: check, message: \"…\", name: \"positive\", table: \"child\", columns: []}",
        ),
        (
            "INSERT INTO child VALUES (2, 2, 3)",
            "{kind: foreign-key, message: \"…\", name: \"\", table: \"\", columns: []}",
            "{kind: foreign-key, message: \"…\", name: \"of_parent\", table: \"child\", columns: [\"b\"]}",
        ),
        (
            "DELETE FROM parent WHERE id = 1",
            "{kind: foreign-key, message: \"…\", name: \"\", table: \"\", columns: []}",
            "{kind: foreign-key, message: \"…\", name: \"of_parent\", table: \"child\", columns: []}",
        ),
    ];
    for backend in BACKENDS {
        let stage = Stage::start(backend, tables)?;
        for (sql, on_sqlite, on_postgresql) in cases {
            let fields = match backend {
                Backend::Sqlite => on_sqlite,
                Backend::Postgresql => on_postgresql,
            };
            let violated = format!("error(constraint({fields}))");
            stage.play(
                sql,
                &[
                    (open(0), "done"),
                    (execute(0, sql, &[]), &violated),
                    (query(0, sql, &[]), &violated),
                    (
                        query(0, "SELECT count(*) AS n FROM child", &[]),
                        &one("int64(1)"),
                    ),
                ],
            )?;
        }
    }
    Ok(())
}

#[test]
fn an_exclusion_constraint_and_a_deferred_one() -> anyhow::Result<()> {
    let tables = "CREATE TABLE stay (during int4range, CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&)); \
         CREATE TABLE one (id BIGINT, CONSTRAINT once UNIQUE (id) DEFERRABLE INITIALLY DEFERRED)";
    let stage = Stage::start(Backend::Postgresql, tables)?;
    stage
        .play(
            "exclusion",
            &[
                (open(0), "done"),
                (execute(0, "INSERT INTO stay VALUES ('[1,5)')", &[]), "changed(1)"),
                (
                    execute(0, "INSERT INTO stay VALUES ('[4,9)')", &[]),
                    "error(constraint({kind: exclusion, message: \"…\", name: \"no_overlap\", table: \"stay\", columns: […]}))",
                ),
                // Checked at the end: the commit answers it, and everything was rolled back.
                (begin(0, 1, DEFAULT), "done"),
                (execute(1, "INSERT INTO one VALUES (1), (1)", &[]), "changed(2)"),
                (
                    commit(1),
                    "error(constraint({kind: unique, message: \"…\", name: \"once\", table: \"one\", columns: [\"id\"]}))",
                ),
                (query(0, "SELECT count(*) AS n FROM one", &[]), &one("int64(0)")),
            ],
        )
}

#[test]
fn a_deferred_foreign_key_fails_the_commit_and_rolls_back() -> anyhow::Result<()> {
    let tables = "CREATE TABLE parent (id BIGINT PRIMARY KEY); \
         CREATE TABLE child (id BIGINT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)";
    for backend in BACKENDS {
        let stage = Stage::start(backend, tables)?;
        stage.play(
            "deferred",
            &[
                (open(0), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (
                    execute(1, "INSERT INTO child VALUES (7)", &[]),
                    "changed(1)",
                ),
                (commit(1), "error(constraint({kind: foreign-key, …}))"),
                (
                    query(0, "SELECT count(*) AS n FROM child", &[]),
                    &one("int64(0)"),
                ),
                (begin(0, 1, DEFAULT), "done"),
                (
                    execute(1, "INSERT INTO child VALUES (7)", &[]),
                    "changed(1)",
                ),
                (
                    execute(1, "INSERT INTO parent VALUES (7)", &[]),
                    "changed(1)",
                ),
                (commit(1), "done"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_failed_statement_has_its_code_and_place() -> anyhow::Result<()> {
    let tables = "CREATE TABLE t (name TEXT, n INTEGER)";
    let stage = Stage::start(Backend::Postgresql, tables)?;
    for (sql, expected) in [
        (
            "SELECT nme FROM t",
            "{code: \"42703\", message: \"column \\\"nme\\\" does not exist\", \
             hint: some(\"…\\\"t.name\\\"…\"), position: some(8)}",
        ),
        // Characters, not bytes.
        (
            "SELECT 'é' AS v, nme FROM t",
            "{code: \"42703\", message: \"column \\\"nme\\\" does not exist\", …position: some(18)}",
        ),
        (
            "SELECT * FROM nowhere",
            "{code: \"42P01\", message: \"relation \\\"nowhere\\\" does not exist\", position: some(15)}",
        ),
        (
            "SELECT 1 / 0",
            "{code: \"22012\", message: \"division by zero\"}",
        ),
        (
            "SELECT 'x'::int",
            "{code: \"22P02\", message: \"…\\\"x\\\"\", position: some(8)}",
        ),
        (
            "INSERT INTO t (n) VALUES (2147483648)",
            "{code: \"22003\", message: \"integer out of range\"…}",
        ),
        (
            "SELECT no_such(1)",
            "{code: \"42883\", message: \"function no_such(integer) does not exist\", hint: some(\"…\"), position: some(8)}",
        ),
    ] {
        let expected = format!("error(statement({expected}))");
        stage.play(sql, &[(open(0), "done"), (query(0, sql, &[]), &expected)])?;
    }
    let stage = Stage::start(Backend::Sqlite, tables)?;
    for (sql, expected) in [
        (
            "SELECT nme FROM t",
            "{code: \"1\", message: \"no such column: nme\"}",
        ),
        (
            "SELECT * FROM nowhere",
            "{code: \"1\", message: \"no such table: nowhere\"}",
        ),
        (
            "SELECT abs(-9223372036854775808)",
            "{code: \"1\", message: \"integer overflow\"}",
        ),
    ] {
        let expected = format!("error(statement({expected}))");
        stage.play(sql, &[(open(0), "done"), (query(0, sql, &[]), &expected)])?;
    }
    Ok(())
}

#[test]
fn a_datatype_that_a_strict_table_refuses_has_its_extended_code() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Sqlite, "CREATE TABLE t (n INTEGER) STRICT")?;
    let refused = "error(statement({code: \"3091\", message: \"cannot store TEXT value in INTEGER column t.n\"}))";
    stage.play(
        "strict",
        &[
            (open(0), "done"),
            (execute(0, "INSERT INTO t VALUES ('x')", &[]), refused),
        ],
    )
}

#[test]
fn a_deadlock_is_a_conflict_and_the_transaction_is_gone() -> anyhow::Result<()> {
    let tables = "CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT); INSERT INTO t VALUES (1, 0), (2, 0); \
         CREATE TABLE signal (name TEXT)";
    let stage = Stage::start(Backend::Postgresql, tables)?;
    let script = [
        open(0),
        begin(0, 1, DEFAULT),
        execute(1, "UPDATE t SET n = 1 WHERE id = 1", &[]),
        open_separate(2),
        execute(2, "INSERT INTO signal VALUES ('one is locked')", &[]),
        poll(2, "SELECT name FROM signal WHERE name = 'the other waits'"),
        execute(1, "UPDATE t SET n = 1 WHERE id = 2", &[]),
        query(1, "SELECT 1", &[]),
        rollback(1),
    ];
    // The other never looks for a deadlock, so the guest's statement is the one that finds it.
    let mut other = stage.outsider()?;
    other.sql("SET deadlock_timeout = '1h'; BEGIN; UPDATE t SET n = 2 WHERE id = 2")?;
    let outcomes = std::thread::scope(|scope| {
        let guest = scope.spawn(|| stage.call(&script));
        stage.wait_until("SELECT count(*)::text FROM signal")?;
        let waiting = scope.spawn(|| other.sql("UPDATE t SET n = 2 WHERE id = 1; COMMIT"));
        stage.wait_until("SELECT count(*)::text FROM pg_locks WHERE NOT granted")?;
        stage.sql("INSERT INTO signal VALUES ('the other waits')")?;
        let outcomes = guest.join().unwrap()?;
        waiting.join().unwrap()?;
        anyhow::Ok(outcomes)
    })?;
    assert!(
        outcomes[6].starts_with("error(conflict({kind: deadlock, "),
        "{outcomes:?}"
    );
    assert!(outcomes[7].starts_with("error("), "{outcomes:?}");
    assert_eq!(outcomes[8], "done", "{outcomes:?}");
    drop(other);
    stage.is_clean()?;
    assert_eq!(stage.text("SELECT n::text FROM t WHERE id = 1")?, "2");
    Ok(())
}

#[test]
fn a_lock_that_is_not_waited_for_is_a_conflict() -> anyhow::Result<()> {
    let tables = "CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT); INSERT INTO t VALUES (1, 0)";
    let stage = Stage::start(Backend::Postgresql, tables)?;
    stage.play(
        "nowait",
        &[
            (open_separate(0), "done"),
            (open_separate(1), "done"),
            (begin(0, 2, DEFAULT), "done"),
            (
                query(2, "SELECT n FROM t WHERE id = 1 FOR UPDATE", &[]),
                ANY_TABLE,
            ),
            (
                query(1, "SELECT n FROM t WHERE id = 1 FOR UPDATE NOWAIT", &[]),
                &conflict("busy", ""),
            ),
            (rollback(2), "done"),
        ],
    )
}
