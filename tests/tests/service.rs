//! A service plugin on both databases, called as a person calls it, and what is left of calls that go wrong.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

use std::sync::Arc;
use std::time::Duration;

use poolhouse_database::{Database, DatabaseUrl, Grants, PoolOptions, Settings, Tables};
use poolhouse_runtime::{Answer, CallError, Engine, Limits, PluginOptions, Plugins};
use poolhouse_tests::{BACKENDS, Backend, House, PASSWORD, test_guest};

#[test]
fn users_are_saved_and_listed_from_the_command_line() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let house = House::new(backend)?;
        let save = "{id: \"bob\", name: \"Böb \\\"B\\\"\", active: true, max-order-value: some(\"1000.50\"), max-exposure: none}";
        house
            .run(&["call", "user-service", "user-service.save", save])?
            .succeeded();
        let inactive = "{id: \"eve\", name: \"Eve\", active: false}";
        house
            .run(&["call", "user-service", "user-service.save", inactive])?
            .succeeded();
        let listed = house
            .run(&["call", "user-service", "user-service.list-active"])?
            .succeeded();
        assert!(
            listed.stdout.contains("id: \"bob\"") && listed.stdout.contains("1000.50"),
            "{}",
            listed.stdout
        );
        assert!(!listed.stdout.contains("eve"), "{}", listed.stdout);
        let got = house
            .run(&["call", "user-service", "user-service.get", "eve"])?
            .succeeded();
        assert!(
            got.stdout.starts_with("ok(some({id: \"eve\""),
            "{}",
            got.stdout
        );
        let none = house
            .run(&["call", "user-service", "user-service.get", "nobody"])?
            .succeeded();
        assert_eq!(none.stdout, "ok(none)\n");
        let refused = "{id: \"\", name: \"x\", active: true}";
        house
            .run(&["call", "user-service", "user-service.save", refused])?
            .failed_with(&["user-service", "id"]);
        assert_eq!(house.count("users")?, 2);
    }
    Ok(())
}

#[test]
fn every_statement_is_echoed_with_its_holder_and_no_password() -> anyhow::Result<()> {
    let house = House::new(Backend::Postgresql)?;
    let ran = house
        .run(&[
            "call",
            "user-service",
            "user-service.list-active",
            "--echo",
            "--log",
            "debug",
        ])?
        .succeeded();
    let echoed = ran
        .stderr
        .lines()
        .find(|line| line.contains("FROM users WHERE active"))
        .unwrap();
    assert!(
        echoed.contains("user-service") && echoed.contains("rows"),
        "{echoed}"
    );
    for event in ["connect", "checkout", "return", "status"] {
        assert!(ran.stderr.contains(event), "no {event} in {}", ran.stderr);
    }
    assert!(!ran.stderr.contains(PASSWORD), "{}", ran.stderr);
    Ok(())
}

#[test]
fn an_existing_table_is_adopted_or_its_missing_columns_named() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let house = House::new(backend)?;
        if backend == Backend::Sqlite {
            house.write("house.db", "")?;
        }
        execute(
            &house,
            "CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT, email TEXT, active BOOLEAN)",
        )?;
        house
            .run(&["call", "user-service", "user-service.list-active"])?
            .failed_with(&["users", "max_order_value", "max_exposure", "exposure"]);
        execute(
            &house,
            "ALTER TABLE users ADD COLUMN max_order_value NUMERIC",
        )?;
        execute(&house, "ALTER TABLE users ADD COLUMN max_exposure NUMERIC")?;
        execute(&house, "ALTER TABLE users ADD COLUMN exposure NUMERIC")?;
        execute(
            &house,
            "INSERT INTO users (id, name, email, active) VALUES ('old', 'Old', 'o@x', true)",
        )?;
        let listed = house
            .run(&["call", "user-service", "user-service.list-active"])?
            .succeeded();
        assert!(listed.stdout.contains("id: \"old\""), "{}", listed.stdout);
    }
    Ok(())
}

fn execute(house: &House, sql: &str) -> anyhow::Result<()> {
    house.query(sql)?;
    Ok(())
}

/// A host in this process with the faulty guest, and a pool so small that a connection kept back is noticed.
struct Faulty {
    house: House,
    engine: Engine,
    database: Database,
    plugins: Plugins,
}

impl Faulty {
    async fn start(backend: Backend) -> anyhow::Result<Self> {
        let house = tokio::task::spawn_blocking(move || House::empty(backend)).await??;
        house.add_plugin(&test_guest("faulty-service")?)?;
        let engine = Engine::new()?;
        let database = Database::open(Settings {
            url: DatabaseUrl::parse(house.url())?,
            pool: PoolOptions {
                pool_size: 1,
                max_overflow: 1,
                pool_timeout: Duration::from_secs(5),
                ..PoolOptions::default()
            },
            busy_timeout: Duration::from_secs(5),
            echo: false,
        })?;
        let faults = || Tables::Some(["faults".to_owned()].into());
        let options = PluginOptions {
            grants: Some(Grants {
                read: faults(),
                write: faults(),
                migrate: true,
                separate: true,
                ..Grants::default()
            }),
            limits: Limits {
                call_timeout: Duration::from_millis(700),
                ..Limits::default()
            },
            ..PluginOptions::default()
        };
        let plugins = Plugins::load(&engine, &house.path("plugins"), None, &database, |_| {
            options.clone()
        })
        .await?;
        Ok(Self {
            house,
            engine,
            database,
            plugins,
        })
    }

    async fn call(&self, function: &str, arguments: &[&str]) -> Result<Answer, CallError> {
        let plugin = self.plugins.get("faulty-service").unwrap();
        let scope = plugin.scope();
        let arguments: Vec<_> = arguments
            .iter()
            .map(|argument| (*argument).to_owned())
            .collect();
        let path = format!("faults.{function}");
        let answer = plugin
            .call_by_name(&self.engine, &scope, &path, &arguments)
            .await;
        scope.finish().await;
        answer
    }

    /// Nothing of the last call is left: no lease, no transaction on the server, no row; and the next works.
    async fn is_clean(&self, rows: u64) -> anyhow::Result<()> {
        let until = std::time::Instant::now() + Duration::from_secs(5);
        while self.database.stats().checked_out > 0 && std::time::Instant::now() < until {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.database.stats().checked_out, 0);
        if self.house.server().is_some() {
            loop {
                let open = self.open_transactions().await?;
                if open.is_empty() {
                    break;
                }
                assert!(
                    std::time::Instant::now() < until,
                    "left on the server: {open:?}"
                );
            }
        }
        let inserted = self.call("insert", &[]).await?;
        assert_eq!(inserted.text.as_deref(), Some("ok"));
        let counted = self.call("count", &[]).await?;
        assert_eq!(counted.text, Some(format!("ok({rows})")));
        Ok(())
    }

    async fn open_transactions(&self) -> anyhow::Result<Vec<String>> {
        use sqlx::Connection;
        let mut connection = sqlx::PgConnection::connect(self.house.url()).await?;
        let open = sqlx::query_scalar(
            "SELECT state || ': ' || query FROM pg_stat_activity \
             WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()",
        )
        .fetch_all(&mut connection)
        .await?;
        connection.close().await?;
        Ok(open)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_goes_wrong_says_why_and_leaves_nothing() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let host = Faulty::start(backend).await?;
        let mut rows = 0;
        for (function, words) in [
            (
                "trap-in-transaction",
                &["trapped", "trapped on purpose"][..],
            ),
            (
                "spin-in-transaction",
                &["no answer", "700ms", "call_timeout"],
            ),
            ("sleep-in-transaction", &["no answer", "call_timeout"]),
            (
                "leave-open",
                &["returned", "with a transaction open", "rolled back"],
            ),
            ("leave-separate-open", &["with a transaction open"]),
            ("keep-in-global", &["with a transaction open"]),
            ("allocate", &["bytes of memory were refused", "`memory`"]),
            ("recurse 0", &["trapped", "call stack exhausted"]),
            ("leave", &["exit(1)"]),
        ] {
            let mut parts = function.split(' ');
            let function = parts.next().unwrap();
            let error = host
                .call(function, &parts.collect::<Vec<_>>())
                .await
                .unwrap_err()
                .to_string();
            for word in words.iter().chain(&["faulty-service", function]) {
                assert!(error.contains(word), "{backend:?} {function}: {error}");
            }
            rows += 1;
            host.is_clean(rows).await?;
        }
        let failed = host.call("fail-in-transaction", &[]).await?;
        assert!(failed.failure.unwrap().contains("failed on purpose"));
        host.is_clean(rows + 1).await?;
        assert_eq!(host.database.close(Duration::from_secs(5)).await, 0);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_kept_in_a_global_is_closed_in_the_next_call() -> anyhow::Result<()> {
    let host = Faulty::start(Backend::Sqlite).await?;
    host.call("keep-in-global", &[]).await.unwrap_err();
    let used = host.call("use-kept", &[]).await?;
    let text = used.text.unwrap();
    assert!(text.contains("is over"), "{text}");
    host.is_clean(1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_handed_out_up_to_the_limit() -> anyhow::Result<()> {
    let host = Faulty::start(Backend::Sqlite).await?;
    let opened = host.call("open-sessions", &[]).await?.text.unwrap();
    assert!(
        opened.starts_with("(1024, ") && opened.contains("`handles`"),
        "{opened}"
    );
    host.is_clean(1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_are_not_the_plugin_s_to_run_are_refused() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let host = Faulty::start(backend).await?;
        let mut rows = 0;
        for (sql, words) in [
            ("BEGIN", "begin"),
            ("COMMIT", "commit"),
            ("SELECT 1; SELECT 2", "several statements"),
            ("CREATE TABLE other (id BIGINT)", "migration"),
            ("SELECT * FROM users", "users"),
            ("DELETE FROM poolhouse_migrations", "poolhouse_migrations"),
            ("SELEC 1", "SELEC"),
        ] {
            for function in ["run", "run-in-transaction"] {
                let answer = host.call(function, &[sql]).await?;
                let text = answer.failure.unwrap();
                assert!(
                    text.to_lowercase().contains(&words.to_lowercase()),
                    "{backend:?} {sql}: {text}"
                );
            }
            rows += 1;
            host.is_clean(rows).await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_statement_ends_with_its_call() -> anyhow::Result<()> {
    let host = Faulty::start(Backend::Postgresql).await?;
    let error = host
        .call("run-in-transaction", &["SELECT pg_sleep(60)"])
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::TimedOut { .. }), "{error}");
    host.is_clean(1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_share_two_connections() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let host = Arc::new(Faulty::start(backend).await?);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let host = Arc::clone(&host);
            tasks.spawn(async move {
                // The pool's own queue is what bounds these, so the call's time must not.
                let plugin = host.plugins.get("faulty-service").unwrap();
                let scope = poolhouse_runtime::Scope::new(
                    Some(host.database.clone()),
                    Duration::from_secs(30),
                );
                let answer = plugin
                    .call_by_name(&host.engine, &scope, "faults.count", &[])
                    .await;
                scope.finish().await;
                answer
            });
        }
        while let Some(answer) = tasks.join_next().await {
            assert_eq!(answer??.text.as_deref(), Some("ok(0)"));
        }
        let stats = host.database.stats();
        assert!(
            stats.most_checked_out <= 2 && stats.checked_out == 0,
            "{stats:?}"
        );
    }
    Ok(())
}
