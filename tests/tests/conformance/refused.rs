//! What is refused before the database sees it: `denied` for want of a grant, `invalid` for what can't be right.

use poolhouse_database::{Grants, Tables};
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::conformance::{Setup, Stage};
use poolhouse_tests::{BACKENDS, Backend};

const TABLES: &str = "CREATE TABLE mine (a BIGINT); CREATE TABLE seen (a BIGINT); CREATE TABLE secret (a BIGINT); \
     INSERT INTO secret VALUES (7)";

fn granted() -> Setup {
    Setup {
        grants: Some(Grants {
            read: Tables::from_iter(["mine", "seen"]),
            write: Tables::from_iter(["mine"]),
            migrate: false,
            ..Grants::default()
        }),
        ..Setup::default()
    }
}

#[test]
fn without_a_grant_there_is_no_session() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let setup = Setup {
            grants: None,
            ..Setup::default()
        };
        let stage = Stage::start_with(backend, TABLES, setup)?;
        stage
            .play(
                "no grant",
                &[
                    (open(0), &*denied("[plugins.conformance]…read = […write = [")),
                    (open_separate(0), &denied("no grant")),
                    (
                        "health".to_owned(),
                        "health({state: down, since: …, backend: \"\", version: \"\", latency: 0, message: \"…no grant…\"})",
                    ),
                ],
            )?;
    }
    Ok(())
}

#[test]
fn a_table_that_is_not_granted_is_denied() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start_with(backend, TABLES, granted())?;
        for (sql, words) in [
            ("SELECT a FROM secret", "may not read…secret…read = ["),
            (
                "SELECT a FROM mine WHERE a IN (SELECT a FROM secret)",
                "read…secret",
            ),
            (
                "WITH s AS (SELECT a FROM secret) SELECT a FROM s",
                "read…secret",
            ),
            (
                "SELECT a FROM mine UNION SELECT a FROM secret",
                "read…secret",
            ),
            ("INSERT INTO mine SELECT a FROM secret", "read…secret"),
            (
                "INSERT INTO seen VALUES (1)",
                "may not write…seen…write = [",
            ),
            ("UPDATE seen SET a = 1", "write…seen"),
            ("DELETE FROM seen", "write…seen"),
            (
                "INSERT INTO mine VALUES (1) RETURNING (SELECT max(a) FROM secret)",
                "read…secret",
            ),
            (
                "UPDATE mine SET a = (SELECT max(a) FROM secret)",
                "read…secret",
            ),
            ("SELECT a FROM poolhouse_migrations", "poolhouse_migrations"),
            ("CREATE TABLE other (a BIGINT)", "migration"),
            ("DROP TABLE mine", "migration"),
            ("ALTER TABLE mine ADD COLUMN b BIGINT", "migration"),
        ] {
            let refused = denied(words);
            stage.play(
                sql,
                &[
                    (open(0), "done"),
                    (query(0, sql, &[]), &refused),
                    (execute(0, sql, &[]), &refused),
                    // In a transaction it changes nothing: the database never saw it.
                    (begin(0, 1, DEFAULT), "done"),
                    (query(1, sql, &[]), &refused),
                    (
                        query(1, "SELECT count(*) AS n FROM seen", &[]),
                        &one("int64(0)"),
                    ),
                    (commit(1), "done"),
                ],
            )?;
        }
    }
    Ok(())
}

#[test]
fn what_is_granted_is_not_in_the_way() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start_with(backend, TABLES, granted())?;
        stage.play(
            "granted",
            &[
                (open(0), "done"),
                (
                    execute(0, "INSERT INTO mine SELECT count(*) FROM seen", &[]),
                    "changed(1)",
                ),
                // A name in quotes is the same table; a name of the statement's own is none.
                (query(0, "SELECT a FROM \"mine\"", &[]), &one("int64(0)")),
                (
                    query(
                        0,
                        "WITH secret AS (SELECT 1 AS a) SELECT a FROM secret",
                        &[],
                    ),
                    &one("int64(1)"),
                ),
                (
                    query(0, "SELECT 'secret' AS v", &[]),
                    &one("text(\"secret\")"),
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn what_belongs_to_the_host_is_refused_whatever_the_grant() -> anyhow::Result<()> {
    let both = [
        ("BEGIN", "use begin"),
        ("/* x */ begin", "use begin"),
        ("COMMIT", "use commit"),
        ("ROLLBACK", "use rollback"),
        ("SAVEPOINT a", "savepoint"),
        ("RELEASE SAVEPOINT a", "savepoint"),
        ("ROLLBACK TO SAVEPOINT a", "rollback"),
        ("VACUUM", "host"),
        ("ANALYZE", "host"),
        ("SELECT 1; SELECT 2", "several statements"),
        ("", ""),
        (" -- nothing", ""),
        ("SELEC 1", "SELEC"),
        ("SELECT 'unfinished", ""),
    ];
    let sqlite = [
        ("PRAGMA foreign_keys = 0", "PRAGMA"),
        ("ATTACH DATABASE 'x.db' AS x", "ATTACH"),
        ("DETACH DATABASE main", ""),
        ("REINDEX", ""),
        ("INSERT OR ROLLBACK INTO t VALUES (1)", "use OR ABORT"),
    ];
    let postgresql = [
        ("SET search_path = x", "session settings"),
        ("SET LOCAL work_mem = '1GB'", "session settings"),
        ("RESET ALL", "session settings"),
        ("DISCARD ALL", "session settings"),
        ("SET ROLE postgres", "session settings"),
        ("SHOW work_mem", "SHOW"),
        ("COPY t TO STDOUT", "COPY"),
        ("COPY t FROM PROGRAM 'id'", "COPY"),
        ("LISTEN x", "LISTEN"),
        ("NOTIFY x", "NOTIFY"),
        ("LOCK TABLE t", ""),
        ("TRUNCATE t", "DELETE"),
        ("PREPARE p AS SELECT 1", "prepares"),
        ("DECLARE c CURSOR FOR SELECT 1", "open-cursor"),
        ("DO $$ BEGIN END $$", ""),
        ("CALL x()", ""),
        ("GRANT ALL ON t TO public", ""),
        ("SELECT a INTO other FROM t", ""),
    ];
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT)")?;
        let own = match backend {
            Backend::Sqlite => &sqlite[..],
            Backend::Postgresql => &postgresql[..],
        };
        for (sql, words) in both.iter().chain(own) {
            // `denied` or `invalid`: a refusal before the database saw it.
            let refused = format!("error(…({{message: \"…{words}…\"}}))");
            stage.play(
                sql,
                &[
                    (open(0), "done"),
                    (query(0, sql, &[]), &refused),
                    (execute(0, sql, &[]), &refused),
                    (begin(0, 1, DEFAULT), "done"),
                    (execute(1, sql, &[]), &refused),
                    (execute(1, "INSERT INTO t VALUES (1)", &[]), "changed(1)"),
                    (rollback(1), "done"),
                    (
                        query(0, "SELECT count(*) AS n FROM t", &[]),
                        &one("int64(0)"),
                    ),
                ],
            )?;
        }
    }
    Ok(())
}

#[test]
fn what_lives_in_a_connection_is_invalid_outside_a_transaction() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let (table, functions) = match backend {
            Backend::Sqlite => (
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a BIGINT)",
                &["last_insert_rowid()", "changes()"][..],
            ),
            Backend::Postgresql => (
                "CREATE TABLE t (id bigserial PRIMARY KEY, a BIGINT)",
                &["lastval()", "currval('t_id_seq')"][..],
            ),
        };
        let stage = Stage::start(backend, table)?;
        for function in functions {
            let sql = format!("SELECT {function} AS v");
            stage.play(
                function,
                &[
                    (open(0), "done"),
                    (
                        execute(0, "INSERT INTO t (a) VALUES (1)", &[]),
                        "changed(1)",
                    ),
                    (query(0, &sql, &[]), &invalid("use RETURNING")),
                    (begin(0, 1, DEFAULT), "done"),
                    (
                        execute(1, "INSERT INTO t (a) VALUES (1)", &[]),
                        "changed(1)",
                    ),
                    (query(1, &sql, &[]), &one("int64(…)")),
                    (commit(1), "done"),
                ],
            )?;
        }
        // What another chain left in the connection is not to be seen in the next one's transaction.
        for function in functions {
            let sql = format!("SELECT {function} AS v");
            stage.play(
                function,
                &[
                    (open(0), "done"),
                    (begin(0, 1, DEFAULT), "done"),
                    (query(1, &sql, &[]), "error(…)"),
                    (rollback(1), "done"),
                ],
            )?;
        }
    }
    Ok(())
}
