//! `host run`: loads the plugins, applies a seed, trades a feed, or stays up until it is told to stop.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use poolhouse_database::{Database, TransactionOptions};
use poolhouse_runtime::{Engine, Plugins, Scope};
use tokio::sync::watch;

use super::Common;
use crate::feed::{self, Source};
use crate::logging;
use crate::seed::Seed;
use crate::settings::Settings;
use crate::trading::{self, Desk, Ended, Services, TRANSACTION_TIMEOUT};

/// How often the pool's state is logged while the host stays up.
const STATUS_EVERY: Duration = Duration::from_secs(60);
/// The exit code of a feed that was cut short by Ctrl-C or SIGTERM, as shells have it.
const INTERRUPTED: u8 = 130;

/// Arguments of `host run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Strategy rows, users and subscriptions to save first; applied again it changes nothing.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Bars to trade, as CSV with the columns symbol,time,open,high,low,close,volume; - is standard input.
    #[arg(long, value_name = "FILE.csv")]
    feed: Option<String>,
}

pub(crate) async fn run(common: &Common, settings: &Settings, run: Run) -> anyhow::Result<ExitCode> {
    // What can be wrong with the input is found before anything is done.
    let seed = run.seed.as_deref().map(Seed::read).transpose()?;
    let feed = run.feed.as_deref().map(Source::parse);
    let bars = match &feed {
        Some(Source::File(path)) => Some(feed::count(path)?),
        _ => None,
    };
    let engine = Engine::new()?;
    let database = super::open_database(settings)?;
    let stop = stop_signal()?;
    let ended = async {
        let plugins = Plugins::load(&engine, &common.plugins, None, &database, |name| settings.plugin(name)).await?;
        let ended = run_plugins(settings, &database, &plugins, seed, feed, bars, stop).await;
        plugins.stop().await;
        ended
    }
    .await;
    super::close_database(&database).await;
    Ok(match ended? {
        Ended::Feed => ExitCode::SUCCESS,
        Ended::Stopped => ExitCode::from(INTERRUPTED),
    })
}

async fn run_plugins(
    settings: &Settings,
    database: &Database,
    plugins: &Plugins,
    seed: Option<Seed>,
    feed: Option<Source>,
    bars: Option<u64>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<Ended> {
    if seed.is_none() && feed.is_none() {
        stay_up(database, plugins, stop).await;
        return Ok(Ended::Feed);
    }
    let services = Services::find(plugins)?;
    let mut desk = open_desk(settings, database, plugins, &services, seed).await?;
    let Some(source) = feed else {
        stay_up(database, plugins, stop).await;
        return Ok(Ended::Feed);
    };
    let bar = logging::show(progress_bar(bars));
    let begun = Instant::now();
    let ended = match feed::start(&source) {
        Ok(feed) => desk.trade(feed, stop, |bars| bar.inc(bars)).await,
        Err(error) => Err(error.into()),
    };
    bar.finish_and_clear();
    let ended = ended?;
    trading::print_summary(&desk, &database.stats(), begun.elapsed());
    if ended == Ended::Stopped {
        eprintln!("host: stopped before the feed's end; run again to go on from there");
    }
    Ok(ended)
}

/// Applies the seed and makes the strategies' instances in one transaction: a seed with a row that can't run
/// leaves nothing behind.
async fn open_desk(
    settings: &Settings,
    database: &Database,
    plugins: &Plugins,
    services: &Services,
    seed: Option<Seed>,
) -> anyhow::Result<Desk> {
    let scope = Scope::new(Some(database.clone()), TRANSACTION_TIMEOUT);
    let desk = async {
        let transaction = scope.begin(&trading::host(), TransactionOptions::default()).await?;
        if let Some(seed) = seed {
            seed.apply(services, &scope).await?;
        }
        let desk = Desk::open(plugins, services, database, &scope, &settings.trading).await?;
        scope.commit(transaction).await?;
        Ok(desk)
    }
    .await;
    scope.finish().await;
    desk
}

async fn stay_up(database: &Database, plugins: &Plugins, mut stop: watch::Receiver<bool>) {
    let names: Vec<_> = plugins.iter().map(|plugin| &**plugin.name()).collect();
    eprintln!("host: running {}; stop with Ctrl-C or SIGTERM", names.join(", "));
    let mut status = tokio::time::interval(STATUS_EVERY);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = status.tick() => super::log_status(database),
        }
    }
}

/// Says true after Ctrl-C or SIGTERM. A second Ctrl-C ends the process at once.
fn stop_signal() -> anyhow::Result<watch::Receiver<bool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be waited for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("Ctrl-C can't be waited for")?;
    let (sender, receiver) = watch::channel(false);
    let sender = Arc::new(sender);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        sender.send_replace(true);
        interrupt.recv().await;
        std::process::exit(i32::from(INTERRUPTED));
    });
    Ok(receiver)
}

fn progress_bar(bars: Option<u64>) -> ProgressBar {
    let (bar, template) = match bars {
        Some(bars) => (
            ProgressBar::new(bars),
            "{bar:40} {human_pos}/{human_len} bars, {per_sec}, {eta} left",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {human_pos} bars, {per_sec}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
