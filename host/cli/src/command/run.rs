//! `host run`: loads the plugins, applies a seed, trades a feed, or stays up until it is told to stop.

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use poolhouse_database::{Database, Error, TransactionOptions};
use poolhouse_runtime::{CallError, Plugins, Scope};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::Common;
use crate::feed::{self, Feed, Source};
use crate::live::Live;
use crate::logging;
use crate::seed::Seed;
use crate::settings::Settings;
use crate::trading::{self, Desk, Ended, Services, TRANSACTION_TIMEOUT};

/// How often the pool's state is logged while the host stays up.
const STATUS_EVERY: Duration = Duration::from_secs(60);
/// For how long the seed is applied again while another host is in the way, and the pause before the second try.
const PATIENCE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Instances that a host is expected to have room for: the default of the limit `instances`.
const INSTANCES: usize = 10_000;
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

pub(crate) async fn run(
    common: &Common,
    settings: &Settings,
    run: Run,
) -> anyhow::Result<ExitCode> {
    // What can be wrong with the input is found before anything is done.
    let seed = run.seed.as_deref().map(Seed::read).transpose()?;
    let feed = run.feed.as_deref().map(Source::parse);
    let bars = match &feed {
        Some(file) if file.is_regular_file() => Some(feed::count(file)?),
        _ => None,
    };
    let engine = super::new_engine(settings)?;
    let database = super::open_database(settings)?;
    let stop = stop_signal()?;
    // From now on, or it would end the process while the plugins are loaded.
    let hangup = signal(SignalKind::hangup()).context("SIGHUP can't be waited for")?;
    let ended = async {
        let load = super::load_once_started(&database, async || {
            Plugins::load(&engine, &common.plugins, None, &database, |name| {
                settings.plugins.plugin(name)
            })
            .await
        });
        let Some(plugins) = unless_stopped(&stop, load).await else {
            return Ok(Ended::Stopped);
        };
        let plugins = plugins?;
        for name in settings.plugins.plugins_not_in(&plugins) {
            tracing::warn!(
                "[plugins.{name}] has settings, but there is no such plugin in {}",
                plugins.folder().display()
            );
        }
        let live = Live::start(common, settings, &plugins, hangup);
        let ended = run_plugins(settings, &database, &plugins, seed, feed, bars, stop, &live).await;
        drop(live);
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

#[expect(
    clippy::too_many_arguments,
    reason = "each is used once, and they have nothing in common"
)]
async fn run_plugins(
    settings: &Settings,
    database: &Database,
    plugins: &Plugins,
    seed: Option<Seed>,
    feed: Option<Source>,
    bars: Option<u64>,
    stop: watch::Receiver<bool>,
    live: &Live,
) -> anyhow::Result<Ended> {
    if seed.is_none() && feed.is_none() {
        stay_up(database, plugins, stop).await;
        return Ok(Ended::Feed);
    }
    // What is missing is told before the feed is waited for.
    Services::find(plugins)?;
    let feed = match feed {
        Some(source) => match open_feed(&source, stop.clone()).await? {
            Some(feed) => Some(feed),
            None => return Ok(Ended::Stopped),
        },
        None => None,
    };
    let reloads = live.reloads();
    let opening = open_desk(settings, database, plugins, seed.as_ref());
    let Some(desk) = unless_stopped(&stop, opening).await else {
        return Ok(Ended::Stopped);
    };
    let mut desk = desk?;
    let Some(feed) = feed else {
        drop(reloads);
        stay_up(database, plugins, stop).await;
        return Ok(Ended::Feed);
    };
    // Told of in time where it may matter, and otherwise in the log alone.
    match room(plugins) {
        Some((instances, text)) if desk.rows().len() > instances / 2 => tracing::warn!("{text}"),
        Some((_, text)) => tracing::info!("{text}"),
        None => {}
    }
    let bar = logging::show(progress_bar(bars));
    let begun = Instant::now();
    let ended = desk.trade(feed, stop, reloads, |bars| bar.inc(bars)).await;
    bar.finish_and_clear();
    let ended = ended?;
    trading::print_summary(&desk, database, begun.elapsed())?;
    if ended == Ended::Stopped {
        eprintln!("host: stopped before the feed's end; run again to go on from there");
    }
    Ok(ended)
}

/// What `work` gives, or none if the host is to stop first; then the work is dropped, and what it began is rolled back.
async fn unless_stopped<T>(
    stop: &watch::Receiver<bool>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut stop = stop.clone();
    tokio::select! {
        done = work => Some(done),
        _ = stop.wait_for(|stop| *stop) => {
            eprintln!("host: stopped before anything was traded");
            None
        }
    }
}

/// Waits for the feed's header, so that a feed that can't be traded is known before the seed is applied. None if
/// the host is to stop first.
async fn open_feed(
    source: &Source,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<Option<Feed>> {
    let mut feed = feed::start(source)?;
    tokio::select! {
        opened = &mut feed.opened => opened.context("the feed's thread ended")??,
        _ = stop.wait_for(|stop| *stop) => return Ok(None),
    }
    Ok(Some(feed))
}

/// Applies the seed and makes the strategies' instances in one transaction: a seed with a row that can't run
/// leaves nothing behind. Where another host does the same at this moment, it is done again.
async fn open_desk(
    settings: &Settings,
    database: &Database,
    plugins: &Plugins,
    seed: Option<&Seed>,
) -> anyhow::Result<Desk> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let scope = Scope::new(Some(database.clone()), TRANSACTION_TIMEOUT);
        let opened = open_desk_in(&scope, settings, database, plugins, seed).await;
        scope.finish().await;
        match opened {
            Err(error) if begun.elapsed() < PATIENCE && is_conflict(&error, &scope) => {
                tracing::info!("trying again in {pause:?}: {error:#}");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            opened => return opened,
        }
    }
}

async fn open_desk_in(
    scope: &Arc<Scope>,
    settings: &Settings,
    database: &Database,
    plugins: &Plugins,
    seed: Option<&Seed>,
) -> anyhow::Result<Desk> {
    let transaction = scope
        .begin(&trading::host(), TransactionOptions::default())
        .await?;
    let opened = async {
        let services = Services::find(plugins)?;
        if let Some(seed) = seed {
            seed.apply(&services, scope).await?;
        }
        Desk::open(plugins, &services, database, scope, &settings.trading).await
    }
    .await;
    match opened {
        Ok(desk) => {
            scope.commit(transaction).await?;
            Ok(desk)
        }
        Err(error) => {
            // An error here has lost the connection and the work with it: the first one says more.
            let _ = scope.rollback(transaction).await;
            Err(error)
        }
    }
}

/// Whether somebody else's work was in the way: of a plugin's statement, or of the host's own transaction.
fn is_conflict(error: &anyhow::Error, scope: &Scope) -> bool {
    let met = match error.downcast_ref::<CallError>() {
        Some(CallError::Database(error)) => Some(&**error),
        _ => error.downcast_ref::<Error>(),
    };
    matches!(met, Some(Error::Conflict { .. }))
        || matches!(scope.trouble(), Some(Error::Conflict { .. }))
}

/// How many instances this system has room for, where they are fewer than a host is expected to have, and that in words.
fn room(plugins: &Plugins) -> Option<(usize, String)> {
    let instances = plugins.fewer_instances_than(INSTANCES)?;
    let text = format!(
        "room for {instances} instances at once by the system's vm.max_map_count, not for {INSTANCES} (raise it with: sysctl -w vm.max_map_count=131072)"
    );
    Some((instances, text))
}

async fn stay_up(database: &Database, plugins: &Plugins, mut stop: watch::Receiver<bool>) {
    let names: Vec<_> = plugins
        .iter()
        .map(|plugin| plugin.name().to_string())
        .collect();
    eprintln!(
        "host: running {}; stop with Ctrl-C or SIGTERM{}",
        names.join(", "),
        room(plugins).map_or_else(String::new, |(_, text)| format!("; {text}"))
    );
    let mut status = tokio::time::interval(STATUS_EVERY);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = status.tick() => super::log_status(database),
        }
    }
}

/// Says true after Ctrl-C or SIGTERM. A second one ends the process at once.
fn stop_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be waited for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("Ctrl-C can't be waited for")?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if first {
                sender.send_replace(true);
            }
        }
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
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {human_pos} bars, {per_sec}",
        ),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
