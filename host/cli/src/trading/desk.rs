//! Feeds bars to the strategy rows that watch them, bar time by bar time, and has their orders committed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use poolhouse_database::Database;
use poolhouse_runtime::trading::{Bar, Mark, Order, Outcome, Subscriber};
use poolhouse_runtime::{Plugins, Scope};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, watch};

use super::history::History;
use super::ledger::Ledger;
use super::reload::Reload;
use super::row::Row;
use super::{Services, orders, too_long};
use crate::feed::Feed;
use crate::settings::Trading;

/// Orders in one transaction, at which a group ends early.
const ORDERS_A_GROUP: usize = 10_000;
/// How long the instances of plugins that were replaced are rebuilt before the next bar is looked at; those that are left are rebuilt
/// before theirs.
const FOLLOW_TIMEOUT: Duration = Duration::from_secs(5);

/// The strategy rows and where their orders go.
pub(crate) struct Desk {
    pub(super) rows: Vec<Row>,
    /// Which rows watch a symbol, by their place in `rows`.
    pub(super) watchers: HashMap<String, Vec<usize>>,
    /// By strategy row.
    pub(super) subscribers: HashMap<String, Vec<Subscriber>>,
    pub(super) history: History,
    pub(super) ledger: Ledger,
    pub(super) settings: Trading,
    /// The bars of the bar time that is not complete yet.
    open: Vec<Bar>,
    pending: Pending,
    /// The last bar time that is complete.
    pub(super) closed: Option<i64>,
    /// Told to stop while orders could not be stored; nothing later may be stored either.
    stopped: bool,
}

/// What complete bar times led to and is not committed yet.
#[derive(Default)]
struct Pending {
    bar_times: usize,
    orders: Vec<Order>,
    /// The place in `rows` of each order's row.
    places: Vec<usize>,
    /// Each row's new mark, by its place in `rows`.
    marks: BTreeMap<usize, i64>,
}

/// How a feed came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The feed has no more bars.
    Feed,
    /// Somebody asked the host to stop.
    Stopped,
}

impl Desk {
    /// Makes an instance for each enabled strategy row. Reads rows, subscriptions and marks in `scope`.
    ///
    /// # Errors
    /// Where a row can't run; then none does.
    pub(crate) async fn open(
        plugins: &Plugins,
        services: &Services,
        database: &Database,
        scope: &Arc<Scope>,
        settings: &Trading,
    ) -> anyhow::Result<Self> {
        let marks = marks(services, scope).await?;
        let subscribers = subscribers(services, scope).await?;
        let mut rows = Vec::new();
        for row in services.config_loader.strategies(scope).await? {
            if !row.enabled {
                continue;
            }
            let mark = marks.get(&row.id).copied();
            rows.push(Row::start(row, plugins, scope, mark, settings.bar_timeout).await?);
        }
        let mut desk = Self {
            rows: Vec::new(),
            watchers: HashMap::new(),
            subscribers,
            history: History::default(),
            ledger: Ledger {
                database: database.clone(),
                plugins: plugins.clone(),
            },
            settings: settings.clone(),
            open: Vec::new(),
            pending: Pending::default(),
            closed: None,
            stopped: false,
        };
        desk.set_rows(rows);
        Ok(desk)
    }

    /// Works with these rows from now on. Nothing may be pending.
    pub(super) fn set_rows(&mut self, rows: Vec<Row>) {
        self.watchers.clear();
        for (place, row) in rows.iter().enumerate() {
            self.history.keep(row.warm_up());
            for symbol in &row.symbols {
                let watching = self.watchers.entry(symbol.clone()).or_default();
                // A symbol that is named twice is fed once.
                if watching.last() != Some(&place) {
                    watching.push(place);
                }
            }
        }
        self.rows = rows;
    }

    /// The rows, in order of id.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Trades the feed to its end, or until `stop` says true; `progress` is told of every bar. A bar time is
    /// complete when a later one begins, the feed ends, or a live feed is silent for `bar_close`.
    ///
    /// # Errors
    /// A line that is no bar, after everything before its bar time was committed; or a database that stays
    /// away. In either case a new run goes on exactly where this one ended.
    pub(crate) async fn trade(
        &mut self,
        mut feed: Feed,
        mut stop: watch::Receiver<bool>,
        mut reloads: mpsc::Receiver<Reload>,
        progress: impl Fn(u64),
    ) -> anyhow::Result<Ended> {
        let mut changes = self.ledger.plugins.changes();
        let bar_close = self.settings.bar_close.filter(|_| feed.live);
        loop {
            if self.stopped || *stop.borrow_and_update() {
                self.commit(&stop).await?;
                return Ok(Ended::Stopped);
            }
            let next = match feed.bars.try_recv() {
                Ok(next) => Some(next),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => {
                    // Not behind the feed any more: what is complete is committed before waiting for more.
                    self.commit(&stop).await?;
                    tokio::select! {
                        next = feed.bars.recv() => next,
                        _ = stop.changed() => continue,
                        _ = changes.changed() => {
                            self.follow(&stop).await;
                            continue;
                        }
                        Some(reload) = reloads.recv() => {
                            self.reload(reload, &stop).await?;
                            continue;
                        }
                        () = silence(bar_close), if !self.open.is_empty() => {
                            self.close_bar_time(&stop).await?;
                            continue;
                        }
                    }
                }
            };
            match next {
                Some(Ok(bar)) => {
                    if self.open.first().is_some_and(|open| open.time < bar.time) {
                        self.close_bar_time(&stop).await?;
                        if let Ok(reload) = reloads.try_recv() {
                            self.reload(reload, &stop).await?;
                        }
                    }
                    self.open.push(bar);
                    progress(1);
                }
                Some(Err(error)) => {
                    self.commit(&stop).await?;
                    bail!(error);
                }
                None => {
                    self.close_bar_time(&stop).await?;
                    self.commit(&stop).await?;
                    return Ok(if self.stopped {
                        Ended::Stopped
                    } else {
                        Ended::Feed
                    });
                }
            }
        }
    }

    /// Feeds the bars of a bar time that is complete, and commits the group if it is full.
    async fn close_bar_time(&mut self, stop: &watch::Receiver<bool>) -> anyhow::Result<()> {
        for bar in std::mem::take(&mut self.open) {
            self.feed(&bar).await;
            self.closed = Some(bar.time);
            let is_watched = self.watchers.contains_key(&bar.symbol);
            self.history.add(bar, is_watched);
        }
        self.pending.bar_times += 1;
        if self.pending.bar_times >= self.settings.group
            || self.pending.orders.len() >= ORDERS_A_GROUP
        {
            self.commit(stop).await?;
        }
        Ok(())
    }

    /// Rebuilds the instances of plugins that were replaced, for as long as the feed can wait for that.
    async fn follow(&mut self, stop: &watch::Receiver<bool>) {
        let begun = Instant::now();
        for row in &mut self.rows {
            let is_late = begun.elapsed() > FOLLOW_TIMEOUT || *stop.borrow();
            row.follow(&self.history, is_late).await;
            self.history.keep(row.warm_up());
        }
    }

    async fn feed(&mut self, bar: &Bar) {
        let watching = self
            .watchers
            .get(&bar.symbol)
            .map(Vec::as_slice)
            .unwrap_or_default();
        for &place in watching {
            let Some(row) = self.rows.get_mut(place) else {
                continue;
            };
            let signals = row.feed(bar, &self.history).await;
            self.history.keep(row.warm_up());
            if row.is_done_with(bar) {
                continue;
            }
            // A failed bar, too, is done with: it is never traded later.
            self.pending.marks.insert(place, bar.time);
            let subscribers = self
                .subscribers
                .get(&row.id)
                .map(Vec::as_slice)
                .unwrap_or_default();
            self.pending
                .orders
                .extend(orders::of_signals(&row.id, bar, &signals, subscribers));
            self.pending.places.resize(self.pending.orders.len(), place);
        }
    }

    /// Commits what is pending. Cancel safety: the transaction is committed as a whole or not at all.
    pub(super) async fn commit(&mut self, stop: &watch::Receiver<bool>) -> anyhow::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        if pending.marks.is_empty() || self.stopped {
            return Ok(());
        }
        let marks: Vec<Mark> = pending
            .marks
            .iter()
            .filter_map(|(place, time)| {
                self.rows.get(*place).map(|row| Mark {
                    strategy_id: row.id.clone(),
                    bar_time: *time,
                })
            })
            .collect();
        let Some(outcomes) = self.ledger.commit(&pending.orders, &marks, stop).await? else {
            self.stopped = true;
            return Ok(());
        };
        self.count(&pending.places, &outcomes);
        for (place, time) in pending.marks {
            if let Some(row) = self.rows.get_mut(place) {
                row.mark = Some(time);
            }
        }
        Ok(())
    }

    fn count(&mut self, places: &[usize], outcomes: &[Outcome]) {
        for (place, outcome) in places.iter().zip(outcomes) {
            let Some(row) = self.rows.get_mut(*place) else {
                continue;
            };
            match outcome {
                Outcome::Placed => row.statistics.placed += 1,
                Outcome::Rejected(_) => row.statistics.rejected += 1,
                Outcome::Duplicate => {}
            }
        }
    }
}

/// How far each strategy row has traded.
pub(super) async fn marks(
    services: &Services,
    scope: &Arc<Scope>,
) -> anyhow::Result<HashMap<String, i64>> {
    let marks = services.order_manager.progress(scope).await?;
    let marks = marks.into_iter();
    Ok(marks
        .map(|mark| (mark.strategy_id, mark.bar_time))
        .collect())
}

/// Who trades what each strategy row says.
pub(super) async fn subscribers(
    services: &Services,
    scope: &Arc<Scope>,
) -> anyhow::Result<HashMap<String, Vec<Subscriber>>> {
    let mut subscribers: HashMap<String, Vec<Subscriber>> = HashMap::new();
    for subscriber in services.user_service.subscribers(scope).await? {
        too_long("user", &subscriber.user_id)?;
        subscribers
            .entry(subscriber.strategy_id.clone())
            .or_default()
            .push(subscriber);
    }
    Ok(subscribers)
}

/// Resolves after `time`; never without one.
async fn silence(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}
