//! The command line: its commands, one file each, and the options that they share.

pub(crate) mod build;
pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod dev;
pub(crate) mod inspect;
pub(crate) mod new;
pub(crate) mod reload;
pub(crate) mod run;
pub(crate) mod status;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use poolhouse_database::{Database, Error, UnavailableReason};
use poolhouse_runtime::{CodeCache, CodeCacheError, Engine, LoadError};

use crate::settings::Settings;

/// How long leases may last after the command is done, before their connections are closed under them.
const DRAIN: Duration = Duration::from_secs(10);

/// One database, one connection pool, and sandboxed plugins that share it.
#[derive(Debug, Parser)]
#[command(name = "host", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// The folder whose .wasm files are the plugins.
    #[arg(long, global = true, value_name = "DIR", default_value = "plugins")]
    pub(crate) plugins: PathBuf,
    /// The settings file; without this option host.toml, where there is one.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The database; goes before DATABASE_URL and host.toml.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Log every SQL statement with its time, rows and holder.
    #[arg(long, global = true)]
    pub(crate) echo: bool,
    /// What to log to standard error: error, warn (or warning), info, debug, trace, off, or a list
    /// such as `info,poolhouse::pool=debug`; goes before RUST_LOG.
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the plugins: trade a feed to its end, or stay up until Ctrl-C or SIGTERM.
    Run(run::Run),
    /// Call one function of one plugin.
    Call(call::Call),
    /// Check database, plugins and pool, leaving no row behind.
    Check,
    /// Look into one plugin's file: what it imports and exports, whether this host can load it, what it needs.
    Inspect(inspect::Inspect),
    /// Tell what the plugins of the host that runs in this folder are doing.
    Status(status::Status),
    /// Make a folder for a new plugin, which builds as it stands.
    New(new::New),
    /// Build plugins' folders into components that this host can load, and put them into the plugins folder.
    Build(build::Build),
    /// Build plugins' folders anew whenever something in them changes; a running host takes them in.
    Dev(dev::Dev),
    /// Have the host that runs in this folder take in what has changed in host.toml, in its plugins folder, and of
    /// strategy rows, users and subscriptions in its database; SIGHUP does the same.
    Reload,
}

/// How often a server that is starting up is asked whether it is done.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// Opens the database of the settings; connects at the first use.
fn open_database(settings: &Settings) -> anyhow::Result<Database> {
    Ok(Database::open(settings.database.clone())?)
}

/// The engine of the settings. A cache that can't be used is done without, and that is said.
fn new_engine(settings: &Settings) -> anyhow::Result<Engine> {
    with_code_cache(Engine::new()?, settings)
}

fn with_code_cache(engine: Engine, settings: &Settings) -> anyhow::Result<Engine> {
    let Some(folder) = &settings.cache.folder else {
        return Ok(engine);
    };
    Ok(match CodeCache::open(folder, settings.cache.size) {
        Ok(cache) => engine.with_code_cache(cache),
        // Such as a service's user without a home, which nobody asked to have a cache.
        Err(reason @ CodeCacheError::Unusable { .. }) if settings.cache.is_default => {
            tracing::info!("{reason}");
            engine
        }
        Err(reason) => {
            tracing::warn!("{reason}");
            engine
        }
    })
}

/// Does `load`; where the server is only starting up, again once it has, within `pool_timeout`.
async fn load_once_started<T>(
    database: &Database,
    mut load: impl AsyncFnMut() -> Result<T, LoadError>,
) -> Result<T, LoadError> {
    let until = Instant::now() + database.pool_timeout();
    loop {
        let loaded = load().await;
        match &loaded {
            Err(LoadError::Migration(error))
                if is_starting(error.database()) && Instant::now() < until =>
            {
                wait_for_start(database, until, error).await;
            }
            _ => return loaded,
        }
    }
}

/// Waits while the server says that it is starting up.
async fn wait_for_start(database: &Database, until: Instant, said: impl std::fmt::Display) {
    tracing::warn!(
        "waiting up to {:.0?} (pool_timeout) for the server: {said}",
        until.saturating_duration_since(Instant::now())
    );
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        if Instant::now() >= until || !is_starting(database.health().await.error.as_ref()) {
            return;
        }
    }
}

fn is_starting(error: Option<&Error>) -> bool {
    matches!(
        error,
        Some(Error::Unavailable {
            reason: UnavailableReason::Starting,
            ..
        })
    )
}

/// Logs the pool's state and closes it.
async fn close_database(database: &Database) {
    log_status(database);
    let left = database.close(DRAIN).await;
    if left > 0 {
        tracing::warn!(
            "{left} connections were still in use after {DRAIN:?} and were closed under their users"
        );
    }
}

/// The pool's numbers, as SQLAlchemy words them.
fn log_status(database: &Database) {
    let stats = database.stats();
    tracing::info!(
        target: "poolhouse::pool",
        "status: pool size {}, connections in pool {}, checked out {}, overflow {}, waiting {}",
        stats.size,
        stats.checked_in,
        stats.checked_out,
        stats.overflow,
        stats.waiting
    );
}
