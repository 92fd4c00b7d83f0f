//! Owns the classic troubles: what a person reads when the database is not to be had, and that no password is in it.

use std::time::Duration;

use poolhouse_database::{
    Chain, Database, Error, Settings, TransactionOptions, UnavailableReason, Value, Within,
};
use sqlx::Executor;

use crate::both::{both, everything, open, postgresql, settings, sqlite};
use crate::server::server;

async fn trouble(url: &str) -> (UnavailableReason, String) {
    let database = open(url);
    let error = Chain::new(database.clone(), 1, None)
        .query(&everything(), Within::Session, "SELECT 1", &[])
        .await
        .unwrap_err();
    let health = database.health().await;
    assert!(!health.up && health.version.is_empty() && health.error.is_some());
    let Error::Unavailable {
        reason,
        message,
        outcome_unknown: false,
    } = error
    else {
        panic!("{error:?}")
    };
    assert!(
        !message.contains("hunter2") && !health.message.contains("hunter2"),
        "{message} {}",
        health.message
    );
    assert_eq!(database.close(Duration::from_secs(5)).await, 0);
    (reason, message)
}

#[tokio::test]
async fn a_refused_port() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let (reason, message) =
        trouble(&format!("postgresql://ann:hunter2@127.0.0.1:{port}/shop")).await;
    assert_eq!(reason, UnavailableReason::Unreachable);
    assert_eq!(
        message,
        format!(
            "cannot reach PostgreSQL at 127.0.0.1:{port} (refused): is the server running, and is `url` in [database] / DATABASE_URL right?"
        )
    );
}

#[tokio::test]
async fn what_answers_is_no_server() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    let (reason, message) =
        trouble(&format!("postgresql://ann:hunter2@127.0.0.1:{port}/shop")).await;
    assert_eq!(reason, UnavailableReason::Unreachable);
    assert!(message.contains(&format!("127.0.0.1:{port}")), "{message}");
    task.abort();
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user() {
    let mut admin = server().admin("postgres").await;
    admin
        .execute("CREATE ROLE ann LOGIN PASSWORD 'right'")
        .await
        .unwrap();
    for url in [
        server().tcp_url("ann", "hunter2", "postgres"),
        server().tcp_url("nobody", "hunter2", "postgres"),
    ] {
        let (reason, message) = trouble(&url).await;
        assert_eq!(reason, UnavailableReason::Authentication);
        assert!(
            message.contains("user \"ann\"") || message.contains("user \"nobody\""),
            "{message}"
        );
        assert!(message.contains("`url`"), "{message}");
    }
    // What stands in the place of a setting, too, may be a password.
    for (url, words) in [
        (
            server()
                .tcp_url("ann", "", "postgres")
                .replace("ann:@", "ann@"),
            "asks user \"ann\" for a password",
        ),
        (
            format!(
                "{}?options=-c%20hunter2%3Dx",
                server().tcp_url("ann", "right", "postgres")
            ),
            "`options`",
        ),
        (
            format!(
                "{}?options=-c%20lc_monetary%3Dhunter2",
                server().tcp_url("ann", "right", "postgres")
            ),
            "`options`",
        ),
    ] {
        let (_, message) = trouble(&url).await;
        assert!(message.contains(words), "{message}");
    }
    let health = open(&server().tcp_url("ann", "right", "postgres"))
        .health()
        .await;
    assert!(
        health.up && health.version.starts_with(char::is_numeric),
        "{health:?}"
    );
}

#[tokio::test]
async fn an_absent_database() {
    let (reason, message) = trouble(&server().url("nowhere")).await;
    assert_eq!(reason, UnavailableReason::NoDatabase);
    assert!(message.contains("\"nowhere\""), "{message}");
}

#[tokio::test]
async fn tls_that_the_server_does_not_have() {
    for mode in ["require", "verify-full"] {
        let (reason, message) = trouble(&format!(
            "{}?sslmode={mode}",
            server().tcp_url("postgres", "hunter2", "postgres")
        ))
        .await;
        assert_eq!(reason, UnavailableReason::Tls, "{message}");
        assert!(
            message.contains("does not support TLS")
                && message.contains(&format!("sslmode={mode}")),
            "{message}"
        );
    }
}

#[tokio::test]
async fn too_many_connections() {
    let mut admin = server().admin("postgres").await;
    admin
        .execute("CREATE ROLE few LOGIN PASSWORD 'hunter2' CONNECTION LIMIT 0")
        .await
        .unwrap();
    let (reason, message) = trouble(&server().tcp_url("few", "hunter2", "postgres")).await;
    assert_eq!(reason, UnavailableReason::NotReady);
    assert!(message.contains("pool_size"), "{message}");
}

#[tokio::test]
async fn sqlite_files_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(
        folder.path().join("plain"),
        "no database, only text that is long enough to be looked at as one",
    )
    .unwrap();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    for (path, words) in [
        (at("missing/x.db"), vec!["does not exist", "missing"]),
        (at("plain/x.db"), vec!["is not a folder"]),
        (at("folder"), vec!["it is a folder"]),
        (at("plain"), vec!["not a database", "another kind of file"]),
        ("/proc/x.db".to_owned(), vec!["writable", "/proc"]),
        (
            format!("{}?mode=rw", at("absent.db")),
            vec!["absent.db", "does not exist"],
        ),
    ] {
        let (reason, message) = trouble(&format!("sqlite:///{path}")).await;
        assert_eq!(reason, UnavailableReason::File, "{message}");
        assert!(
            message.contains(path.split('?').next().unwrap()),
            "{message}"
        );
        assert!(
            words.iter().all(|word| message.contains(word)),
            "{path}: {message}"
        );
    }
}

#[tokio::test]
async fn an_exhausted_pool_names_the_settings() {
    for opened in both().await {
        let mut limited = settings(&opened.url);
        limited.pool = poolhouse_pool::Options {
            pool_size: 1,
            max_overflow: 0,
            pool_timeout: Duration::from_millis(100),
            ..poolhouse_pool::Options::default()
        };
        let database = Database::open(limited).unwrap();
        let actor = everything();
        let mut holder = Chain::new(database.clone(), 1, None);
        let id = holder
            .begin(&actor, TransactionOptions::default())
            .await
            .unwrap();
        let mut other = Chain::new(database.clone(), 2, None);
        for acquire in [
            poolhouse_database::Acquire::Queue,
            poolhouse_database::Acquire::AtOnce,
        ] {
            other.set_acquire(acquire);
            let error = other
                .query(&actor, Within::Session, "SELECT 1", &[])
                .await
                .unwrap_err();
            let Error::PoolExhausted {
                message,
                size: 1,
                overflow: 0,
                checked_out: 1,
                ..
            } = error
            else {
                panic!("{error:?}")
            };
            assert!(
                ["pool_size", "max_overflow", "pool_timeout"]
                    .iter()
                    .all(|setting| message.contains(setting)),
                "{message}"
            );
        }
        // The chain itself never waits for itself.
        holder
            .query(&actor, Within::Session, "SELECT 1", &[])
            .await
            .unwrap();
        holder.commit(id).await.unwrap();
        other
            .query(&actor, Within::Session, "SELECT 1", &[])
            .await
            .unwrap();
        assert_eq!(database.close(Duration::from_secs(5)).await, 0);
        let error = other
            .query(&actor, Within::Session, "SELECT 1", &[])
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Unavailable {
                    reason: UnavailableReason::NotReady,
                    ..
                }
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn health_of_both() {
    for opened in both().await {
        let health = opened.database.health().await;
        assert!(
            health.up && health.message.is_empty() && health.error.is_none(),
            "{health:?}"
        );
        assert!(
            health.version.contains('.') && health.latency < Duration::from_secs(5),
            "{health:?}"
        );
        assert_eq!(health.backend, opened.backend());
        assert_eq!(opened.database.stats().checked_out, 0);
    }
}

#[tokio::test]
async fn many_connections_open_a_new_sqlite_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("new.db").display());
    let databases: Vec<Database> = (0..3).map(|_| open(&url)).collect();
    let tasks: Vec<_> = (0..24)
        .map(|at: usize| {
            let database = databases[at % databases.len()].clone();
            tokio::spawn(async move {
                Chain::new(database, at as u64, None)
                    .query(&everything(), Within::Session, "SELECT 1", &[])
                    .await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    for database in databases {
        assert_eq!(database.close(Duration::from_secs(5)).await, 0);
    }
}

#[tokio::test]
async fn the_pool_is_settled_and_the_server_agrees() {
    let opened = postgresql().await;
    let tasks: Vec<_> = (0..20)
        .map(|chain| {
            let database = opened.database.clone();
            tokio::spawn(async move {
                Chain::new(database, chain, None)
                    .query(&everything(), Within::Session, "SELECT pg_sleep(0.02)", &[])
                    .await
                    .map(|_| ())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(opened.database.stats().most_checked_out <= 15);
    let Value::Int64(count) = opened
        .value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()",
            &[],
        )
        .await
        .unwrap()
    else {
        panic!()
    };
    assert!((1..=15).contains(&count), "{count}");
}

#[tokio::test]
async fn a_database_is_opened_inside_a_runtime() {
    let opened = sqlite().await;
    let url = opened.url.clone();
    let error = std::thread::spawn(move || {
        Database::open(Settings::new(
            poolhouse_database::DatabaseUrl::parse(&url).unwrap(),
        ))
        .map(|_| ())
    })
    .join()
    .unwrap()
    .unwrap_err();
    assert!(error.to_string().contains("runtime"), "{error}");
}
