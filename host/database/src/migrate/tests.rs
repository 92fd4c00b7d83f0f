//! Owns migrations that meet a lock: each wait ends within its bound, and says what it was for.

use sqlx::{Connection, Executor};

use super::*;
use crate::database::Settings;
use crate::error::ConflictKind;
use crate::grants::Tables;
use crate::url::DatabaseUrl;

const SOON: Duration = Duration::from_millis(100);
const LATE: Duration = Duration::from_secs(60);

async fn url() -> String {
    let server = poolhouse_test_postgres::shared().unwrap();
    tokio::task::spawn_blocking(move || server.database().unwrap())
        .await
        .unwrap()
}

async fn failure(url: &str, bounds: Bounds) -> MigrationError {
    let database = Database::open(Settings::new(DatabaseUrl::parse(url).unwrap())).unwrap();
    let grants = Grants {
        read: Tables::None,
        write: Tables::from_iter(["orders"]),
        migrate: true,
        ..Grants::default()
    };
    let migration = Migration {
        number: 1,
        name: "note".to_owned(),
        tables: Vec::new(),
        statements: vec!["ALTER TABLE orders ADD COLUMN note TEXT".to_owned()],
    };
    let plugin = Arc::from("order-manager");
    let migrations = [migration];
    let work = database.migrate_within(bounds, &plugin, &grants, &migrations);
    let error = tokio::time::timeout(LATE / 2, work)
        .await
        .expect("the migrations don't end")
        .unwrap_err();
    assert_eq!(database.close(LATE).await, 0);
    error
}

#[tokio::test]
async fn another_hosts_lock_and_anothers_table() {
    for (whole, lock) in [(LATE, SOON), (SOON, LATE)] {
        let bounds = Bounds { whole, lock };
        let expected = |cause: &Error| match cause {
            Error::Timeout { .. } => whole == SOON,
            Error::Conflict { kind, .. } => lock == SOON && *kind == ConflictKind::Busy,
            _ => false,
        };
        let url = url().await;
        let mut other = sqlx::PgConnection::connect(&url).await.unwrap();
        let mut run = async |sql: String| {
            let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
            other.execute(sql).await.unwrap();
        };
        let lock = applying::LOCK;
        run("CREATE TABLE orders (id INTEGER)".to_owned()).await;
        run(format!("BEGIN; SELECT pg_advisory_xact_lock({lock})")).await;
        let error = failure(&url, bounds).await;
        let text = error.to_string();
        assert!(
            text.contains("another host holds the migration lock"),
            "{text}"
        );
        assert!(text.contains("100ms"), "{text}");
        assert!(
            matches!(&error, MigrationError::Database { cause, .. } if expected(cause)),
            "{error:?}"
        );
        run("ROLLBACK; BEGIN; LOCK TABLE orders IN ACCESS SHARE MODE".to_owned()).await;
        let error = failure(&url, bounds).await;
        let text = error.to_string();
        assert!(
            text.contains("transaction") && text.contains("100ms"),
            "{text}"
        );
        let MigrationError::Statement {
            number: 1,
            statement: 1,
            cause,
            ..
        } = error
        else {
            panic!("{error:?}")
        };
        assert!(expected(&cause), "{cause:?}");
    }
}

#[test]
fn the_lines_to_add_are_toml() {
    let migration = Migration {
        number: 1,
        name: "first".to_owned(),
        tables: vec![MigrationTable {
            name: "Orders".to_owned(),
            columns: Vec::new(),
        }],
        statements: Vec::new(),
    };
    let Err(MigrationError::Denied(message)) =
        check("a.b", &Grants::default(), &[migration], Backend::Postgresql)
    else {
        panic!("a migration without a grant")
    };
    assert!(
        message.contains(
            "add to [plugins.\"a.b\"] in host.toml: database = { migrate = true, write = [\"orders\"] }"
        ),
        "{message}"
    );
}
