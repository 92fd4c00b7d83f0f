//! The command line: its commands, one file each, and the options that they share.

pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod run;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use poolhouse_database::Database;

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
    /// What to log to standard error: error, warn, info, debug, or a list such as
    /// `info,poolhouse::pool=debug`; goes before RUST_LOG.
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
}

/// Opens the database of the settings; connects at the first use.
fn open_database(settings: &Settings) -> anyhow::Result<Database> {
    Ok(Database::open(settings.database.clone())?)
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
