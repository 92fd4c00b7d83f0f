//! `host check`: five checks against the configured database, one line each, leaving no row behind.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use poolhouse_database::{Database, TransactionOptions};
use poolhouse_runtime::trading::{
    ConfigLoader, Order, OrderManager, Outcome, Side, StrategyRow, User, UserService,
};
use poolhouse_runtime::{Engine, Interface, LoadError, Pinned, Plugins, Scope};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Common;
use crate::output;
use crate::settings::Settings;
use crate::shown;
use crate::trading::{client_order_id, host, only};

/// Names of what the checks save and roll back.
const PROBE: &str = "host-check";
/// Tasks that use the pool at once.
const TASKS: usize = 20;
/// What one check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);
/// What of it a server that is starting up may take.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// What a check found out, in a few words.
type Finding = anyhow::Result<String>;

pub(crate) async fn run(common: &Common, settings: &Settings) -> anyhow::Result<ExitCode> {
    let engine = super::new_engine(settings)?;
    let database = super::open_database(settings)?;
    let checks = check(common, settings, &engine, &database).await;
    super::close_database(&database).await;
    match checks? {
        0 => Ok(ExitCode::SUCCESS),
        failed => bail!("{failed} of 5 checks failed"),
    }
}

/// Prints the five lines, and answers how many failed.
async fn check(
    common: &Common,
    settings: &Settings,
    engine: &Engine,
    database: &Database,
) -> anyhow::Result<usize> {
    // The connection comes first: without one no plugin can be prepared, and the other lines would only repeat it.
    let connected = line("basic connection", connection(database)).await?;
    let subject = if connected {
        let (plugins, unusable) = Plugins::load_usable(engine, &common.plugins, database, |name| {
            settings.plugins.plugin(name)
        })
        .await?;
        Some(Subject {
            database: database.clone(),
            plugins,
            unusable,
        })
    } else {
        None
    };
    let subject = subject.as_ref();
    let config_loader = line("config loader", with(subject, config_loader)).await?;
    let user_service = line("user service", with(subject, user_service)).await?;
    let order_manager = line("order manager", with(subject, order_manager)).await?;
    let concurrent = line("concurrent access", with(subject, concurrent_access)).await?;
    if let Some(subject) = subject {
        subject.plugins.stop().await;
    }
    let well = [
        connected,
        config_loader,
        user_service,
        order_manager,
        concurrent,
    ];
    Ok(well.iter().filter(|well| !**well).count())
}

/// Runs one check and prints its line.
async fn line(name: &str, check: impl Future<Output = Finding>) -> anyhow::Result<bool> {
    let begun = Instant::now();
    let found = tokio::time::timeout(CHECK_TIMEOUT, check)
        .await
        .unwrap_or_else(|_| Err(anyhow!("no answer within {CHECK_TIMEOUT:?}")));
    let elapsed = begun.elapsed().as_secs_f64() * 1e3;
    let (word, text) = match &found {
        Ok(text) => ("ok    ", text.clone()),
        Err(error) => ("FAILED", shown::error(error)),
    };
    output::print(format_args!("{name:<18} {word} {elapsed:>8.1} ms  {text}"))?;
    Ok(found.is_ok())
}

/// What is checked once the database answers.
struct Subject {
    database: Database,
    plugins: Plugins,
    /// Why other plugins of the folder can't be used.
    unusable: Vec<LoadError>,
}

async fn with<'a, F: Future<Output = Finding>>(
    subject: Option<&'a Subject>,
    check: impl FnOnce(&'a Subject) -> F,
) -> Finding {
    match subject {
        Some(subject) => check(subject).await,
        None => bail!("not tried: there is no connection"),
    }
}

impl Subject {
    /// The one plugin that exports the interface; or why it is not there.
    fn client<T>(
        &self,
        interface: Interface,
        client: impl Fn(&Pinned) -> Option<T>,
    ) -> anyhow::Result<T> {
        only(&self.plugins, interface, client).map_err(|error| {
            let others: Vec<_> = self.unusable.iter().map(ToString::to_string).collect();
            if others.is_empty() {
                anyhow!("not there: {error}")
            } else {
                anyhow!("not there: {error}; not loaded: {}", others.join("; "))
            }
        })
    }

    /// Runs `work` inside a transaction that is rolled back whatever happens.
    async fn rolled_back<T>(
        &self,
        work: impl AsyncFnOnce(&Arc<Scope>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let scope = Scope::new(Some(self.database.clone()), CHECK_TIMEOUT);
        let done = async {
            let transaction = scope.begin(&host(), TransactionOptions::default()).await?;
            let done = work(&scope).await;
            let rolled_back = scope.rollback(transaction).await;
            let done = done?;
            rolled_back?;
            Ok(done)
        }
        .await;
        scope.finish().await;
        done
    }
}

async fn connection(database: &Database) -> Finding {
    let mut health = database.health().await;
    if super::is_starting(health.error.as_ref()) {
        let until = Instant::now() + database.pool_timeout().min(START_TIMEOUT);
        super::wait_for_start(database, until, &health.message).await;
        health = database.health().await;
    }
    ensure!(health.up, "{}", health.message);
    Ok(format!("{} {}", health.backend, health.version))
}

async fn config_loader(subject: &Subject) -> Finding {
    let plugin = subject.client(Interface::ConfigLoader, ConfigLoader::of)?;
    let rows = subject
        .rolled_back(async |scope| {
            let row = StrategyRow {
                id: PROBE.to_owned(),
                plugin: PROBE.to_owned(),
                symbols: vec![PROBE.to_owned()],
                parameters: Vec::new(),
                enabled: false,
            };
            plugin.save(scope, row).await?;
            let rows = plugin.strategies(scope).await?;
            ensure!(
                rows.iter().any(|row| row.id == PROBE && !row.enabled),
                "plugin \"{}\" saved a strategy row and does not list it",
                plugin.plugin().name()
            );
            Ok(rows.len() - 1)
        })
        .await?;
    Ok(format!("{rows} strategy rows"))
}

async fn user_service(subject: &Subject) -> Finding {
    let plugin = subject.client(Interface::UserService, UserService::of)?;
    let users = subject
        .rolled_back(async |scope| {
            let user = User {
                id: PROBE.to_owned(),
                name: PROBE.to_owned(),
                active: true,
                max_order_value: Some("12345678901234567890.12".to_owned()),
                max_exposure: None,
            };
            plugin.save(scope, user.clone()).await?;
            let got = plugin
                .get(scope, PROBE.to_owned())
                .await?
                .context("the user just saved is not there")?;
            ensure!(
                got.name == user.name && got.max_order_value == user.max_order_value,
                "plugin \"{}\" gives back another user than the one saved: {got:?}",
                plugin.plugin().name()
            );
            let active = plugin.list_active(scope).await?;
            ensure!(
                active.iter().any(|user| user.id == PROBE),
                "the active user just saved is not listed"
            );
            Ok(active.len() - 1)
        })
        .await?;
    Ok(format!("{users} active users"))
}

async fn order_manager(subject: &Subject) -> Finding {
    let plugin = subject.client(Interface::OrderManager, OrderManager::of)?;
    let order = |index: usize, max_order_value: &str| Order {
        client_order_id: client_order_id(PROBE, PROBE, PROBE, 0, index),
        user_id: PROBE.to_owned(),
        strategy_id: PROBE.to_owned(),
        symbol: PROBE.to_owned(),
        side: Side::Buy,
        quantity: "10".to_owned(),
        price: "1.50".to_owned(),
        max_order_value: Some(max_order_value.to_owned()),
        bar_time: 0,
    };
    subject
        .rolled_back(async |scope| {
            let orders = vec![order(0, "15.00"), order(1, "14.99")];
            let first = plugin.place(scope, orders.clone()).await?;
            ensure!(
                matches!(first.as_slice(), [Outcome::Placed, Outcome::Rejected(_)]),
                "of two orders, one within its limit and one over it, plugin \"{}\" says {first:?}",
                plugin.plugin().name()
            );
            let again = plugin.place(scope, orders).await?;
            ensure!(
                matches!(again.as_slice(), [Outcome::Duplicate, Outcome::Duplicate]),
                "of the same orders placed again plugin \"{}\" says {again:?}",
                plugin.plugin().name()
            );
            Ok(())
        })
        .await?;
    Ok("an order placed, one rejected, both once".to_owned())
}

/// Many tasks at once, each with a transaction of its own; with the user service if it is there. As many as the pool
/// has connections hold one at the same time, the rest queue.
async fn concurrent_access(subject: &Subject) -> Finding {
    let users = subject.client(Interface::UserService, UserService::of).ok();
    let maximum = subject
        .database
        .maximum_connections()
        .and_then(|maximum| usize::try_from(maximum).ok())
        .unwrap_or(TASKS);
    let holding = Arc::new(Barrier::new(maximum.min(TASKS)));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let holding = (task < maximum).then(|| Arc::clone(&holding));
        tasks.spawn(read_users(subject.database.clone(), users.clone(), holding));
    }
    while let Some(done) = tasks.join_next().await {
        // The first failure ends the others, which may wait for it.
        done.context("a task ended early")??;
    }
    let stats = subject.database.stats();
    ensure!(
        stats.checked_out == 0 && stats.waiting == 0,
        "{} connections are still lent out and {} callers wait",
        stats.checked_out,
        stats.waiting
    );
    Ok(format!(
        "{TASKS} tasks on {} connections, longest wait {:.1} ms",
        stats.most_checked_out,
        subject.database.timings().wait.maximum.as_secs_f64() * 1e3
    ))
}

/// Lists the users in a transaction that is held until as many others hold one as `holding` waits for.
async fn read_users(
    database: Database,
    users: Option<UserService>,
    holding: Option<Arc<Barrier>>,
) -> anyhow::Result<()> {
    let scope = Scope::new(Some(database), CHECK_TIMEOUT);
    let done = async {
        let options = TransactionOptions {
            read_only: true,
            ..TransactionOptions::default()
        };
        let transaction = scope.begin(&host(), options).await?;
        if let Some(holding) = holding {
            holding.wait().await;
        }
        let read = match users {
            Some(users) => users
                .list_active(&scope)
                .await
                .map(|_| ())
                .map_err(anyhow::Error::from),
            None => scope
                .query(&host(), "SELECT 1", &[])
                .await
                .map(|_| ())
                .map_err(anyhow::Error::from),
        };
        let ended = scope.rollback(transaction).await;
        read?;
        Ok(ended?)
    }
    .await;
    scope.finish().await;
    done
}
