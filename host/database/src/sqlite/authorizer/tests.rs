//! Owns what the authorizer refuses and lets through by itself, with no statement check before it.

use std::sync::Arc;

use poolhouse_pool::Request as LeaseRequest;
use sqlx::{AssertSqlSafe, Executor};

use super::Rules;
use crate::builder::Limits;
use crate::connection::Connection;
use crate::database::{Database, Settings};
use crate::error::Error;
use crate::footprint::StatementKind;
use crate::session::Session;
use crate::sqlite::SqliteConnection;
use crate::statement::{Author, Failed, Request};
use crate::url::DatabaseUrl;
use crate::value::Value;

const TABLES: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
    CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES t ON DELETE CASCADE);
    CREATE INDEX t_name ON t (name);
    CREATE TABLE log (what TEXT);
    CREATE TRIGGER t_log AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.name); END;
    CREATE TABLE poolhouse_migrations (plugin TEXT, number INTEGER);
    INSERT INTO poolhouse_migrations VALUES ('one', 1);
    CREATE VIEW v AS SELECT name FROM t;
    CREATE VIEW applied AS SELECT plugin FROM poolhouse_migrations;
    CREATE TRIGGER v_insert INSTEAD OF INSERT ON v BEGIN INSERT INTO t (name) VALUES (new.name); END;
    CREATE VIRTUAL TABLE words USING fts5 (text);
    CREATE VIRTUAL TABLE boxes USING rtree (id, low, high);
    CREATE TEMP TABLE poolhouse_cursor_7 AS SELECT 1 AS c0";

/// Neither by a plugin's statement nor by its migration.
const NEVER: [&str; 40] = [
    "PRAGMA user_version = 1",
    "PRAGMA foreign_keys = 0",
    "PRAGMA query_only = 0",
    "PRAGMA table_info(t)",
    "PRAGMA schema_version = 7",
    "PRAGMA writable_schema = 1",
    "SELECT * FROM pragma_table_info('t')",
    "SELECT * FROM t, pragma_table_xinfo('t')",
    "ATTACH ':memory:' AS other",
    "DETACH other",
    "VACUUM",
    "VACUUM INTO 'file.db'",
    "ANALYZE",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT s",
    "RELEASE s",
    "CREATE TEMP TABLE x (id INTEGER)",
    "CREATE TABLE temp.x (id INTEGER)",
    "CREATE VIEW x AS SELECT 1",
    "CREATE TEMP VIEW x AS SELECT 1",
    "CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM log; END",
    "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM log; END",
    "CREATE VIRTUAL TABLE x USING fts5 (text)",
    "DROP VIEW v",
    "DROP TABLE words",
    "DROP TABLE poolhouse_migrations",
    "ALTER TABLE poolhouse_migrations ADD COLUMN x TEXT",
    "CREATE INDEX x ON poolhouse_migrations (number)",
    "SELECT * FROM poolhouse_migrations",
    "SELECT (SELECT max(number) FROM Poolhouse_Migrations)",
    "SELECT count(*) FROM applied",
    "INSERT INTO poolhouse_migrations VALUES ('two', 2)",
    "UPDATE main.poolhouse_migrations SET number = 2",
    "DELETE FROM \"poolhouse_migrations\"",
    "SELECT load_extension('x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT * FROM poolhouse_cursor_7",
];

/// By a migration, but by no statement.
const MIGRATIONS: [&str; 13] = [
    "CREATE TABLE x (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER CHECK (n > 0), UNIQUE (n))",
    "CREATE TABLE y AS SELECT * FROM t",
    "CREATE UNIQUE INDEX x_n ON x (abs(n)) WHERE n > 1",
    "ALTER TABLE x ADD COLUMN note TEXT DEFAULT 'n' CHECK (length(note) > 0)",
    "ALTER TABLE x RENAME COLUMN note TO remark",
    "ALTER TABLE x DROP COLUMN remark",
    "ALTER TABLE x RENAME TO z",
    "ALTER TABLE child ADD COLUMN other INTEGER REFERENCES t",
    "DROP INDEX x_n",
    "DROP TABLE z",
    "DROP TABLE y",
    "DROP TABLE child",
    "DROP TABLE t",
];

/// By a statement.
const ALWAYS: [&str; 24] = [
    "INSERT INTO t (name) VALUES ('a'), ('b')",
    "SELECT id, upper(name) FROM t WHERE id IN (SELECT max(id) FROM t)",
    "SELECT count(*) FROM t",
    "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT sum(i) FROM n",
    "SELECT value FROM json_each('[1, 2]')",
    "SELECT key FROM json_tree('{\"a\": 1}')",
    "SELECT row_number() OVER (ORDER BY id) FROM t",
    "INSERT INTO t (id, name) VALUES (1, 'c') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING name",
    "INSERT INTO child VALUES (1, 1)",
    "UPDATE t SET name = 'd' FROM child WHERE child.parent = t.id",
    "DELETE FROM t WHERE id = 1",
    "REPLACE INTO t (id, name) VALUES (2, 'e')",
    "SELECT * FROM v",
    "INSERT INTO v VALUES ('f')",
    "SELECT name FROM sqlite_schema",
    "INSERT INTO words VALUES ('a quick fox'), ('a slow one')",
    "SELECT highlight(words, 0, '[', ']') FROM words WHERE words MATCH 'fox'",
    "INSERT INTO words (words) VALUES ('optimize')",
    "UPDATE words SET text = 'a quicker fox' WHERE words MATCH 'fox'",
    "DELETE FROM words",
    "INSERT INTO boxes VALUES (1, 2.0, 3.0)",
    "SELECT id FROM boxes WHERE low > 1.0",
    "EXPLAIN QUERY PLAN SELECT * FROM t",
    "VALUES (1)",
];

/// A new connection to a file with the tables; the file goes with the folder.
async fn with_connection(work: impl AsyncFnOnce(&mut SqliteConnection)) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let database = Database::open(Settings::new(DatabaseUrl::parse(&url).unwrap())).unwrap();
    let lease = database
        .own()
        .acquire(&database, &LeaseRequest::default())
        .await;
    let mut lease = lease.unwrap();
    lease.touch();
    let mut operation = lease.operation(None).unwrap();
    let Connection::Sqlite(connection) = &mut *operation else {
        unreachable!()
    };
    connection.batch(TABLES).await.unwrap();
    work(connection).await;
    drop(operation);
}

/// Prepares and runs a text by rules, past every check of ours.
async fn run(connection: &mut SqliteConnection, rules: Rules, sql: &str) -> Result<(), String> {
    let text = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    connection
        .by_rules(rules, async |connection| {
            connection.driver().execute(text).await
        })
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}

#[track_caller]
fn is_refused(sql: &str, rules: Rules, result: &Result<(), String>) {
    let refused = |text: &String| {
        ["not authorized", "prohibited", "authorization denied"]
            .iter()
            .any(|words| text.contains(words))
    };
    assert!(
        matches!(result, Err(text) if refused(text)),
        "{rules:?}: {sql}: {result:?}"
    );
}

#[tokio::test]
async fn what_no_plugin_may_is_refused() {
    with_connection(async |connection| {
        for rules in [Rules::Plugin, Rules::Cursor, Rules::Migration] {
            for sql in NEVER {
                is_refused(sql, rules, &run(connection, rules, sql).await);
            }
        }
        for rules in [Rules::Plugin, Rules::Cursor] {
            for sql in MIGRATIONS
                .iter()
                .chain(&["REINDEX t", "DELETE FROM sqlite_sequence"])
            {
                if !sql.contains(" x_n") && !sql.contains(" x ") && !sql.ends_with(['z', 'y']) {
                    is_refused(sql, rules, &run(connection, rules, sql).await);
                }
            }
        }
        // The host may do all of it.
        let sql = "SELECT * FROM poolhouse_migrations, pragma_table_info('t')";
        assert_eq!(run(connection, Rules::Host, sql).await, Ok(()));
    })
    .await;
}

#[tokio::test]
async fn what_statements_and_migrations_are_for_is_let_through() {
    with_connection(async |connection| {
        for sql in ALWAYS {
            assert_eq!(run(connection, Rules::Plugin, sql).await, Ok(()), "{sql}");
        }
        for sql in MIGRATIONS {
            assert_eq!(
                run(connection, Rules::Migration, sql).await,
                Ok(()),
                "{sql}"
            );
        }
    })
    .await;
}

async fn ask(
    connection: &mut SqliteConnection,
    author: Author,
    sql: &str,
    parameters: &[Value],
) -> Result<u32, Error> {
    let request = Request {
        sql: &Arc::from(sql),
        parameters,
        kind: StatementKind::Query,
        author,
        limits: Limits {
            rows: 100,
            bytes: 100_000,
        },
        rows: true,
    };
    let ran = connection.run(request).await;
    ran.map(|ran| ran.answer.batch.rows)
        .map_err(|Failed { error, .. }| error)
}

/// What the host has prepared is not asked about again, whoever runs it.
#[tokio::test]
async fn no_text_of_the_hosts_is_found_by_a_plugin() {
    with_connection(async |connection| {
        let asked = ask(connection, Author::Plugin, "SELECT name FROM t", &[]).await;
        assert_eq!(asked, Ok(0));
        let of_t = [Value::Text("t".to_owned())];
        let columns = "SELECT name, type FROM pragma_table_xinfo($1)";
        let applied = "SELECT number FROM poolhouse_migrations";
        for (sql, parameters, rows) in [(columns, &of_t[..], 2), (applied, &[], 1)] {
            for _ in 0..2 {
                let own = ask(connection, Author::Host, sql, parameters).await;
                assert_eq!(own, Ok(rows), "{sql}");
                for sql in [sql.to_owned(), format!("{sql}\n"), format!(" {sql}")] {
                    let asked = ask(connection, Author::Plugin, &sql, parameters).await;
                    assert!(matches!(asked, Err(Error::Denied(_))), "{sql}: {asked:?}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_that_only_reads_refuses_writes_and_is_one_again_after_transactions() {
    use crate::transaction::TransactionOptions;

    const INSERT: &str = "INSERT INTO log VALUES ('x')";
    with_connection(async |connection| {
        let reading = Session {
            role: None,
            read_only: true,
        };
        let writes = async |connection: &mut SqliteConnection| {
            run(connection, Rules::Plugin, INSERT).await.is_ok()
        };
        assert!(writes(connection).await);
        connection.set_for(&reading).await.unwrap();
        assert!(!writes(connection).await);
        for read_only in [false, true] {
            let options = TransactionOptions {
                read_only,
                ..TransactionOptions::default()
            };
            connection.begin(&options).await.unwrap();
            assert_eq!(writes(connection).await, !read_only);
            connection.commit().await.unwrap();
            assert!(!writes(connection).await);
            connection.begin(&options).await.unwrap();
            connection.rollback().await.unwrap();
            assert!(!writes(connection).await);
        }
        connection.set_for(&Session::default()).await.unwrap();
        assert!(writes(connection).await);
    })
    .await;
}
