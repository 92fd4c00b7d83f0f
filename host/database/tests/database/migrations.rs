//! Owns migrations: once, together or not at all, adopting what is there, by several hosts at once.

use std::sync::Arc;

use poolhouse_database::{
    Backend, Database, Error, Grants, Migration, MigrationError, MigrationTable, Tables, Value,
};

use sqlx::Executor;

use crate::both::{Opened, both, open, settings, text};

fn plugin() -> Arc<str> {
    Arc::from("order-manager")
}

fn grants() -> Grants {
    Grants {
        read: Tables::from_iter(["orders", "users"]),
        write: Tables::from_iter(["orders", "progress"]),
        migrate: true,
        ..Grants::default()
    }
}

fn migration(number: u32, tables: &[(&str, &[&str])], statements: &[&str]) -> Migration {
    Migration {
        number,
        name: format!("step {number}"),
        tables: tables
            .iter()
            .map(|(name, columns)| MigrationTable {
                name: (*name).to_owned(),
                columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            })
            .collect(),
        statements: statements.iter().map(|sql| (*sql).to_owned()).collect(),
    }
}

fn first() -> Migration {
    migration(
        1,
        &[("orders", &["id", "Client_Order_Id"])],
        &[
            "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, client_order_id TEXT NOT NULL)",
            "CREATE UNIQUE INDEX IF NOT EXISTS orders_client ON orders (client_order_id)",
            "INSERT INTO orders VALUES (1, 'first')",
        ],
    )
}

async fn migrate(opened: &Opened, migrations: &[Migration]) -> Result<Vec<u32>, MigrationError> {
    opened
        .database
        .migrate(&plugin(), &grants(), migrations)
        .await
}

/// An error as a command prints it: with its sources.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[tokio::test]
async fn a_database_that_is_not_there_is_said_once() {
    let database = open(&crate::server::server().url("nowhere"));
    let error = database
        .migrate(&plugin(), &grants(), &[first()])
        .await
        .unwrap_err();
    let text = said(&error);
    assert_eq!(text.matches("has no database").count(), 1, "{text}");
}

#[tokio::test]
async fn each_is_applied_once() {
    for opened in both().await {
        assert_eq!(migrate(&opened, &[]).await.unwrap(), Vec::<u32>::new());
        assert_eq!(migrate(&opened, &[first()]).await.unwrap(), [1]);
        assert_eq!(
            migrate(&opened, &[first()]).await.unwrap(),
            Vec::<u32>::new()
        );
        let second = migration(
            3,
            &[],
            &[
                "ALTER TABLE orders ADD COLUMN note TEXT",
                "UPDATE orders SET note = 'old'",
            ],
        );
        // The columns are seen anew by connections that had prepared `SELECT *`.
        assert_eq!(
            opened.rows("SELECT * FROM orders", &[]).await.unwrap()[0].len(),
            2
        );
        assert_eq!(
            migrate(&opened, &[first(), second.clone()]).await.unwrap(),
            [3]
        );
        assert_eq!(
            opened.rows("SELECT * FROM orders", &[]).await.unwrap(),
            [[Value::Int64(1), text("first"), text("old")]]
        );
        assert_eq!(
            migrate(&opened, &[first(), second]).await.unwrap(),
            Vec::<u32>::new()
        );
        // Another plugin has numbers of its own.
        let other: Arc<str> = Arc::from("other");
        let progress = migration(
            1,
            &[("progress", &["id"])],
            &["CREATE TABLE progress (id INTEGER)"],
        );
        assert_eq!(
            opened
                .database
                .migrate(&other, &grants(), &[progress])
                .await
                .unwrap(),
            [1]
        );
        let stats = opened.database.stats();
        assert_eq!(stats.checked_out, 0);
    }
}

#[tokio::test]
async fn a_table_that_is_there_is_adopted_or_refused() {
    for opened in both().await {
        opened.ddl("CREATE TABLE orders (ID INTEGER PRIMARY KEY, client_order_id TEXT NOT NULL, more TEXT DEFAULT 'm')").await;
        let adopting = migration(
            1,
            &[("orders", &["id", "client_order_id"])],
            &["CREATE TABLE IF NOT EXISTS orders (id INTEGER)"],
        );
        let lacking = migration(
            2,
            &[("orders", &["id", "price", "side"])],
            &["CREATE TABLE IF NOT EXISTS progress (id INTEGER)"],
        );
        let error = migrate(&opened, &[adopting.clone(), lacking])
            .await
            .unwrap_err();
        let MigrationError::MissingColumns {
            table,
            missing,
            number: 2,
            ..
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!(
            (table.as_str(), missing.as_slice()),
            ("orders", &["price".to_owned(), "side".to_owned()][..])
        );
        assert!(error.to_string().contains("lacks price, side"), "{error}");
        // Nothing of it was kept.
        assert!(opened.rows("SELECT * FROM progress", &[]).await.is_err());
        assert_eq!(migrate(&opened, &[adopting]).await.unwrap(), [1]);
    }
}

#[tokio::test]
async fn a_failure_changes_nothing() {
    for opened in both().await {
        let broken = migration(
            2,
            &[],
            &[
                "CREATE TABLE progress (id INTEGER)",
                "INSERT INTO orders VALUES (1, 'again')",
            ],
        );
        let error = migrate(&opened, &[first(), broken]).await.unwrap_err();
        let MigrationError::Statement {
            number: 2,
            statement: 2,
            ref cause,
            ..
        } = error
        else {
            panic!("{error:?}")
        };
        assert!(matches!(**cause, Error::Constraint { .. }), "{cause:?}");
        assert_eq!(said(&error).matches(&cause.to_string()).count(), 1);
        assert!(opened.rows("SELECT * FROM orders", &[]).await.is_err());
        assert_eq!(migrate(&opened, &[first()]).await.unwrap(), [1]);
    }
}

#[tokio::test]
async fn what_is_not_granted_or_not_a_migration_is_refused() {
    for opened in both().await {
        opened
            .ddl("CREATE TABLE users (id INTEGER); CREATE INDEX users_id ON users (id)")
            .await;
        let error = opened
            .database
            .migrate(
                &plugin(),
                &Grants {
                    migrate: false,
                    ..grants()
                },
                &[first()],
            )
            .await
            .unwrap_err();
        assert!(
            matches!(&error, MigrationError::Denied(message) if message.contains("migrate = true") && message.contains("[plugins.order-manager]")),
            "{error:?}"
        );
        for (tables, sql) in [
            (&[][..], "CREATE TABLE users2 (id INTEGER)"),
            (&[], "DROP TABLE users"),
            (&[], "DELETE FROM users"),
            (&[], "ALTER TABLE users ADD COLUMN x TEXT"),
            (&[], "ALTER TABLE orders RENAME TO users3"),
            (&[], "DROP INDEX users_id"),
            (&[], "DROP TABLE poolhouse_migrations"),
            (
                &[("users", &[][..])],
                "CREATE TABLE IF NOT EXISTS orders (id INTEGER)",
            ),
        ] {
            let error = migrate(&opened, &[first(), migration(2, tables, &[sql])])
                .await
                .unwrap_err();
            assert!(
                matches!(error, MigrationError::Denied(_)),
                "{sql}: {error:?}"
            );
        }
        for sql in [
            "PRAGMA user_version = 1",
            "CREATE VIEW v AS SELECT 1",
            "CREATE TEMP TABLE orders (id INTEGER)",
            "COMMIT",
            "CREATE TABLE orders (id INTEGER); DROP TABLE users",
            "INSERT INTO orders VALUES ($1)",
            "",
        ] {
            let error = migrate(&opened, &[first(), migration(2, &[], &[sql])])
                .await
                .unwrap_err();
            assert!(
                matches!(error, MigrationError::Invalid { .. }),
                "{sql}: {error:?}"
            );
        }
        for numbers in [[0, 1], [1, 1], [2, 1]] {
            let list = numbers.map(|number| Migration { number, ..first() });
            assert!(
                matches!(
                    migrate(&opened, &list).await,
                    Err(MigrationError::Invalid { .. })
                ),
                "{numbers:?}"
            );
        }
        assert!(opened.rows("SELECT * FROM orders", &[]).await.is_err());
        assert_eq!(
            opened
                .value("SELECT count(*) FROM users", &[])
                .await
                .unwrap(),
            Value::Int64(0)
        );
    }
}

#[tokio::test]
async fn hosts_that_start_together_migrate_once() {
    let [sqlite, postgresql] = both().await;
    let [impatient, serializable] = both().await;
    let name = serializable.url.rsplit('/').next().unwrap().to_owned();
    for isolation in ["serializable", "repeatable read"] {
        crate::server::server()
            .admin("postgres")
            .await
            .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
                "ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'"
            ))))
            .await
            .unwrap();
        if isolation == "serializable" {
            hosts_start_together(&serializable, 5).await;
        }
    }
    let repeatable = serializable;
    repeatable.ddl("DROP TABLE poolhouse_migrations").await;
    repeatable.ddl("DROP TABLE orders").await;
    hosts_start_together(&repeatable, 5).await;
    for (opened, busy_timeout) in [(sqlite, 5), (postgresql, 5), (impatient, 0)] {
        hosts_start_together(&opened, busy_timeout).await;
    }
}

/// `busy_timeout` is in seconds.
async fn hosts_start_together(opened: &Opened, busy_timeout: u64) {
    let hosts: Vec<_> = (0..4)
        .map(|_| {
            let mut settings = settings(&opened.url);
            settings.busy_timeout = std::time::Duration::from_secs(busy_timeout);
            Database::open(settings).unwrap()
        })
        .collect();
    let tasks: Vec<_> = hosts
        .iter()
        .cloned()
        .map(|host| {
            tokio::spawn(async move { host.migrate(&plugin(), &grants(), &[first()]).await })
        })
        .collect();
    let mut applied = Vec::new();
    for task in tasks {
        applied.extend(task.await.unwrap().unwrap());
    }
    assert_eq!(applied, [1]);
    let count = if opened.backend() == Backend::Sqlite {
        "SELECT count(*) FROM orders"
    } else {
        "SELECT count(*) FROM public.orders"
    };
    assert_eq!(opened.value(count, &[]).await.unwrap(), Value::Int64(1));
    for host in hosts {
        assert_eq!(host.close(std::time::Duration::from_secs(5)).await, 0);
    }
}

/// What a migration could reach others by, and each is refused before anything is applied.
const ATTACKS: [(&str, &[Backend]); 58] = [
    ("CREATE TABLE orders AS SELECT * FROM secrets", BOTH),
    ("CREATE TABLE orders AS TABLE secrets", POSTGRESQL),
    (
        "CREATE TABLE orders AS WITH s AS (SELECT * FROM secrets) SELECT * FROM s",
        BOTH,
    ),
    (
        "CREATE TABLE orders (id INTEGER REFERENCES secrets (id))",
        BOTH,
    ),
    (
        "CREATE TABLE orders (id INTEGER, FOREIGN KEY (id) REFERENCES secrets (id))",
        BOTH,
    ),
    (
        "CREATE TABLE orders (plugin TEXT REFERENCES poolhouse_migrations)",
        BOTH,
    ),
    (
        "ALTER TABLE orders ADD COLUMN s INTEGER REFERENCES secrets (id)",
        BOTH,
    ),
    (
        "ALTER TABLE orders ADD CONSTRAINT c FOREIGN KEY (id) REFERENCES secrets (id)",
        POSTGRESQL,
    ),
    ("CREATE TABLE orders (LIKE secrets)", POSTGRESQL),
    (
        "CREATE TABLE orders (LIKE secrets INCLUDING ALL)",
        POSTGRESQL,
    ),
    (
        "CREATE TABLE orders (id INTEGER) INHERITS (secrets)",
        POSTGRESQL,
    ),
    (
        "CREATE TABLE orders PARTITION OF secrets DEFAULT",
        POSTGRESQL,
    ),
    ("CREATE TABLE orders OF secrets", POSTGRESQL),
    ("CREATE TABLE orders (s secrets)", POSTGRESQL),
    ("CREATE TABLE orders (s secrets[])", POSTGRESQL),
    ("CREATE TABLE orders (s public.secrets)", POSTGRESQL),
    ("CREATE TABLE orders (s \"secrets\")", POSTGRESQL),
    (
        "CREATE TABLE orders (s TEXT DEFAULT (NULL::secrets)::text)",
        POSTGRESQL,
    ),
    ("ALTER TABLE orders ADD COLUMN s secrets", POSTGRESQL),
    (
        "ALTER TABLE orders ALTER COLUMN id TYPE secrets USING NULL",
        POSTGRESQL,
    ),
    ("CREATE TABLE orders (id INTEGER DEFAULT sneak())", BOTH),
    ("CREATE TABLE orders (id INTEGER CHECK (sneak() > 0))", BOTH),
    (
        "CREATE TABLE orders (id INTEGER, n INTEGER GENERATED ALWAYS AS (sneak()) STORED)",
        BOTH,
    ),
    ("CREATE INDEX i ON orders (sneak())", BOTH),
    ("CREATE INDEX i ON orders (id) WHERE sneak() > 0", BOTH),
    (
        "ALTER TABLE orders ALTER COLUMN id SET DEFAULT sneak()",
        POSTGRESQL,
    ),
    (
        "ALTER TABLE orders ADD CONSTRAINT c CHECK (sneak() > 0)",
        POSTGRESQL,
    ),
    (
        "CREATE TABLE orders (id INTEGER) TABLESPACE pg_default",
        POSTGRESQL,
    ),
    (
        "CREATE TABLE orders (id INTEGER) WITH (fillfactor = 10)",
        POSTGRESQL,
    ),
    ("CREATE UNLOGGED TABLE orders (id INTEGER)", POSTGRESQL),
    ("CREATE TEMP TABLE orders (id INTEGER)", BOTH),
    ("CREATE TABLE pg_temp.orders (id INTEGER)", POSTGRESQL),
    ("CREATE TABLE temp.orders (id INTEGER)", BOTH),
    ("ALTER TABLE orders RENAME TO secrets", BOTH),
    ("ALTER TABLE other.orders RENAME TO progress", POSTGRESQL),
    ("ALTER INDEX secrets RENAME TO progress", POSTGRESQL),
    ("ALTER INDEX orders RENAME TO secrets2", POSTGRESQL),
    ("ALTER INDEX secrets_id RENAME TO mine", POSTGRESQL),
    ("DROP INDEX secrets_id", BOTH),
    ("DROP INDEX \"secrets.id\"", BOTH),
    ("DROP INDEX IF EXISTS \"secrets.id\"", BOTH),
    ("DROP INDEX \"secrets\"\"id\"", BOTH),
    ("ALTER INDEX \"secrets.id\" RENAME TO mine", POSTGRESQL),
    (
        "CREATE TABLE orders (id INTEGER REFERENCES seen (id))",
        BOTH,
    ),
    (
        "CREATE TABLE orders (id INTEGER DEFAULT nextval('secrets_seq'))",
        POSTGRESQL,
    ),
    ("DROP TABLE orders, secrets", POSTGRESQL),
    ("DROP TABLE orders CASCADE", POSTGRESQL),
    ("ALTER TABLE orders DROP COLUMN id CASCADE", POSTGRESQL),
    ("ALTER TABLE orders OWNER TO postgres", POSTGRESQL),
    ("ALTER TABLE orders SET SCHEMA other", POSTGRESQL),
    ("ALTER TABLE orders INHERIT secrets", POSTGRESQL),
    ("ALTER TABLE orders DISABLE TRIGGER ALL", POSTGRESQL),
    ("ALTER TABLE secrets ADD COLUMN x INTEGER", BOTH),
    ("CREATE INDEX i ON secrets (id)", BOTH),
    (
        "CREATE TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM secrets; END",
        BOTH,
    ),
    ("INSERT INTO orders SELECT id FROM secrets", BOTH),
    ("COMMENT ON TABLE secrets IS 'x'", POSTGRESQL),
    ("GRANT ALL ON secrets TO public", POSTGRESQL),
];

const BOTH: &[Backend] = &[Backend::Sqlite, Backend::Postgresql];
const POSTGRESQL: &[Backend] = &[Backend::Postgresql];

#[tokio::test]
async fn a_migration_reaches_its_own_tables_only() {
    for opened in both().await {
        opened
            .ddl("CREATE TABLE secrets (id INTEGER PRIMARY KEY); INSERT INTO secrets VALUES (1); CREATE INDEX secrets_id ON secrets (id); CREATE INDEX \"secrets.id\" ON secrets (id); CREATE INDEX \"secrets\"\"id\" ON secrets (id); CREATE TABLE seen (id INTEGER UNIQUE); CREATE TABLE orders (id INTEGER)")
            .await;
        if opened.backend() == Backend::Postgresql {
            opened.ddl("CREATE SEQUENCE secrets_seq; CREATE SCHEMA other; CREATE TABLE other.orders (id INTEGER); CREATE FUNCTION sneak() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'").await;
        }
        for (sql, backends) in ATTACKS {
            if !backends.contains(&opened.backend()) {
                continue;
            }
            let granted = Grants {
                read: Tables::from_iter(["seen"]),
                write: Tables::from_iter(["orders", "progress", "other.orders"]),
                ..grants()
            };
            let attack = migration(1, &[], &[sql]);
            let applied = opened
                .database
                .migrate(&plugin(), &granted, &[attack])
                .await;
            assert!(
                matches!(
                    applied,
                    Err(MigrationError::Denied(_) | MigrationError::Invalid { .. })
                ) || matches!(&applied, Err(MigrationError::Statement { cause, .. }) if matches!(**cause, Error::Invalid(_))),
                "{sql}: {applied:?}"
            );
        }
        // Nothing of what its own tables need is refused with them.
        let own: &[&str] = match opened.backend() {
            Backend::Sqlite => &[
                "CREATE TABLE IF NOT EXISTS progress (id INTEGER PRIMARY KEY AUTOINCREMENT, price DECIMAL_TEXT NOT NULL DEFAULT '0', n INTEGER CHECK (n > 0), m INTEGER GENERATED ALWAYS AS (n + 1) VIRTUAL, CONSTRAINT u UNIQUE (n))",
                "CREATE UNIQUE INDEX p ON progress (abs(n), price COLLATE NOCASE) WHERE n > 1",
                "ALTER TABLE progress ADD COLUMN note TEXT DEFAULT 'n' CHECK (length(note) > 0)",
                "ALTER TABLE progress RENAME COLUMN note TO remark",
                "ALTER TABLE progress DROP COLUMN remark",
                "INSERT INTO progress (n) VALUES (1) ON CONFLICT DO NOTHING",
                "DROP INDEX p",
                "ALTER TABLE orders RENAME TO more",
                "CREATE TABLE orders AS SELECT * FROM progress",
                "DROP TABLE IF EXISTS progress",
            ],
            Backend::Postgresql => &[
                "CREATE TABLE IF NOT EXISTS progress (id BIGSERIAL PRIMARY KEY, price NUMERIC(20, 4) NOT NULL DEFAULT 0, n INTEGER CHECK (n > 0), m INTEGER GENERATED ALWAYS AS (n + 1) STORED, tags TEXT[], at TIMESTAMP WITH TIME ZONE DEFAULT now(), d DOUBLE PRECISION, v CHARACTER VARYING(9), k JSONB DEFAULT '{}'::jsonb, u UUID, CONSTRAINT uu UNIQUE (n))",
                "CREATE UNIQUE INDEX p ON progress USING btree (abs(n), price DESC) INCLUDE (d) WHERE n > 1",
                "ALTER TABLE progress ADD COLUMN note TEXT DEFAULT 'n' CHECK (length(note) > 0), ALTER COLUMN price TYPE NUMERIC(30, 4) USING price::numeric",
                "ALTER TABLE progress RENAME COLUMN note TO remark",
                "ALTER TABLE progress DROP COLUMN remark",
                "ALTER TABLE progress ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES orders2 (id) ON DELETE CASCADE DEFERRABLE",
                "ALTER INDEX p RENAME TO q",
                "INSERT INTO progress (n) VALUES (1) ON CONFLICT DO NOTHING",
                "DROP INDEX q",
                "ALTER TABLE orders RENAME TO more",
                "CREATE TABLE orders AS SELECT * FROM progress",
                "DROP TABLE IF EXISTS progress",
            ],
        };
        opened
            .ddl("CREATE TABLE orders2 (id BIGINT PRIMARY KEY); INSERT INTO orders2 VALUES (1)")
            .await;
        let granted = Grants {
            read: Tables::from_iter(["orders2", "progress"]),
            write: Tables::from_iter(["orders", "orders2", "progress", "more"]),
            ..grants()
        };
        let all = migration(1, &[], own);
        let applied = opened.database.migrate(&plugin(), &granted, &[all]).await;
        assert_eq!(applied, Ok(vec![1]));
        assert_eq!(opened.database.stats().checked_out, 0);
    }
}
