//! One strategy row at work: its instance, the bars that rebuild it, and its failures.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use poolhouse_runtime::trading::{Bar, Signal, StrategyInstance, StrategyRow, describe};
use poolhouse_runtime::{CallError, Pinned, Plugins, Scope};

use super::history::History;
use super::{parameters, too_long};

/// After so many failures in a row a strategy row is set aside until reload.
const FAILURES: u32 = 3;
/// Signals that a strategy may answer to one bar.
const MAX_SIGNALS: usize = 64;
/// How long feeding a new instance the bars of the old one may take in all.
const REBUILD_TIMEOUT: Duration = Duration::from_secs(30);
/// Bars that a row failed at of which it is remembered.
const MOST_FAILED_AT: usize = 1024;
/// Bars of one symbol kept to rebuild an instance, however many it asks for.
const MAX_WARM_UP: usize = 100_000;

/// A strategy row. Its states: live (has an instance) → failed at a bar (the instance may be gone, and is
/// rebuilt before the next bar) → live again, or set aside for good after [`FAILURES`] in a row.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) symbols: Vec<String>,
    /// Bars up to this time are done with: they only rebuild the memory. Microseconds since the Unix epoch.
    pub(crate) mark: Option<i64>,
    /// The mark that this run began with.
    first_mark: Option<i64>,
    pub(crate) statistics: Statistics,
    /// As it is stored.
    stored: StrategyRow,
    plugins: Plugins,
    bar_timeout: Duration,
    instance: Option<StrategyInstance>,
    warm_up: usize,
    /// Numbers of the bars that it failed at, the oldest first: they are not fed to it again.
    failed_at: VecDeque<u64>,
    /// It was told that its plugin has gone.
    waits: bool,
    /// It was given bars that came before it did.
    was_warmed: bool,
    failures_in_a_row: u32,
    set_aside: Option<String>,
}

/// What a row did in this run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statistics {
    /// Bars fed, those that only rebuilt memory included.
    pub(crate) bars: u64,
    /// Bars at or before the mark that the run began with.
    pub(crate) replayed: u64,
    /// Bars that came after their bar time was taken for complete: too late for an order.
    pub(crate) late: u64,
    pub(crate) signals: u64,
    pub(crate) placed: u64,
    pub(crate) rejected: u64,
    pub(crate) failures: u64,
    /// Time in the strategy, over all bars.
    pub(crate) time: Duration,
}

impl Row {
    /// Checks a row and makes its instance.
    ///
    /// # Errors
    /// One sentence that names the row and what is wrong with it.
    pub(crate) async fn start(
        row: StrategyRow,
        plugins: &Plugins,
        scope: &Arc<Scope>,
        mark: Option<i64>,
        bar_timeout: Duration,
    ) -> anyhow::Result<Self> {
        let id = row.id.clone();
        Self::try_start(row, plugins, scope, mark, bar_timeout)
            .await
            .with_context(|| format!("strategy row \"{id}\""))
    }

    async fn try_start(
        row: StrategyRow,
        plugins: &Plugins,
        scope: &Arc<Scope>,
        mark: Option<i64>,
        bar_timeout: Duration,
    ) -> anyhow::Result<Self> {
        let plugin = find(plugins, &row.plugin)?;
        if row.symbols.is_empty() {
            bail!("it watches no symbols");
        }
        too_long("id", &row.id)?;
        for symbol in &row.symbols {
            too_long("symbol", symbol)?;
            if symbol.trim() != symbol {
                bail!(
                    "it watches the symbol \"{symbol}\", and no feed has one with blanks around it: take them away"
                );
            }
        }
        let instance = create(&plugin, &row, scope, bar_timeout).await?;
        let warm_up = warm_up_of(&instance)?;
        Ok(Self {
            id: row.id.clone(),
            symbols: row.symbols.clone(),
            mark,
            first_mark: mark,
            statistics: Statistics::default(),
            stored: row,
            plugins: plugins.clone(),
            bar_timeout,
            instance: Some(instance),
            warm_up,
            failed_at: VecDeque::new(),
            waits: false,
            was_warmed: false,
            failures_in_a_row: 0,
            set_aside: None,
        })
    }

    /// The plugin's name.
    pub(crate) fn plugin(&self) -> &str {
        &self.stored.plugin
    }

    /// As it is stored, or was when it was read.
    pub(crate) fn stored(&self) -> &StrategyRow {
        &self.stored
    }

    /// How many of a symbol's last bars rebuild its memory.
    pub(crate) fn warm_up(&self) -> usize {
        self.warm_up
    }

    /// Why the row was set aside.
    pub(crate) fn set_aside(&self) -> Option<&str> {
        self.set_aside.as_deref()
    }

    /// Lets it remember bars that came before it did, but for those that the row it replaces failed at, and trade on those that come
    /// later than `until` only.
    ///
    /// # Errors
    /// What the strategy says of one of them.
    pub(crate) async fn warm(
        &mut self,
        before: Option<&Self>,
        history: &History,
        until: i64,
    ) -> Result<(), CallError> {
        self.mark = self.mark.max(Some(until));
        self.first_mark = self.mark;
        self.was_warmed = true;
        if let Some(before) = before {
            self.failed_at.clone_from(&before.failed_at);
        }
        let Some(plugin) = self.plugins.get(&self.stored.plugin) else {
            return Ok(());
        };
        let made = self.instance.take().filter(|made| made.is_of(&plugin));
        self.instance = Some(self.warmed(made, &plugin, history).await?);
        Ok(())
    }

    /// After a change of the plugins: an instance of a version that was replaced is given up at once, so that it keeps none of that
    /// alive, and rebuilt, now or, where others have taken too long, before its next bar.
    pub(crate) async fn follow(&mut self, history: &History, is_late: bool) {
        let plugin = self.plugins.get(&self.stored.plugin);
        let is_current = match (&self.instance, &plugin) {
            (Some(instance), Some(plugin)) => instance.is_of(plugin),
            (Some(_), None) => false,
            (None, _) => return,
        };
        if is_current {
            return;
        }
        self.instance = None;
        if let Some(plugin) = plugin
            && !is_late
        {
            // What goes wrong is met again, and counted, at the next bar.
            match self.rebuild(&plugin, history).await {
                Ok(instance) => self.instance = Some(instance),
                Err(error) => tracing::warn!(row = %self.id, "not rebuilt yet: {error}"),
            }
        }
    }

    /// True if the bar was done with before this run, or earlier in it.
    pub(crate) fn is_done_with(&self, bar: &Bar) -> bool {
        self.mark.is_some_and(|mark| bar.time <= mark)
    }

    /// Feeds one bar; answers the signals to act on. A failure is the row's own: it is logged and counted, and
    /// no other row notices.
    pub(crate) async fn feed(&mut self, bar: &Bar, history: &History) -> Vec<Signal> {
        if self.set_aside.is_some() {
            return Vec::new();
        }
        let Some(plugin) = self.plugins.get(&self.stored.plugin) else {
            self.wait();
            return Vec::new();
        };
        self.waits = false;
        let begun = Instant::now();
        let mut answer = self.try_feed(&plugin, bar, history).await;
        // Its version was replaced under it, and has drained for as long as it may: the one that runs now gets the bar.
        if matches!(answer, Err(CallError::Stopped { .. }))
            && let Some(plugin) = self.plugins.get(&self.stored.plugin)
        {
            answer = self.try_feed(&plugin, bar, history).await;
        }
        self.statistics.time += begun.elapsed();
        self.statistics.bars += 1;
        let done_with = self.is_done_with(bar);
        self.warn_of_lost_memory(bar);
        if self.first_mark.is_some_and(|mark| bar.time <= mark) {
            self.statistics.replayed += 1;
        } else if done_with {
            self.statistics.late += 1;
            tracing::warn!(
                row = %self.id, symbol = %bar.symbol, time = %shown(bar.time),
                "a bar came after its bar time was closed: no order is placed on it (`bar_close` of [trading])"
            );
        }
        match answer {
            Ok(signals) => {
                self.failures_in_a_row = 0;
                if done_with {
                    return Vec::new();
                }
                self.statistics.signals += signals.len() as u64;
                signals
            }
            Err(error) => {
                self.failed(bar, history.next(), &error);
                Vec::new()
            }
        }
    }

    /// Its plugin was taken away. It remembers what comes meanwhile once the plugin is back, and does not trade on it.
    fn wait(&mut self) {
        self.instance = None;
        if !self.waits {
            self.waits = true;
            tracing::warn!(
                row = %self.id,
                "strategy row \"{}\" waits for its plugin \"{}\", which was taken away: no order is placed on the bars until it is back",
                self.id, self.stored.plugin
            );
        }
    }

    /// At the row's first bar: one that lies behind the mark says that the bars before the mark will not come.
    fn warn_of_lost_memory(&self, bar: &Bar) {
        if self.statistics.bars > 1 || self.warm_up == 0 || self.was_warmed {
            return;
        }
        if let Some(mark) = self.first_mark.filter(|mark| bar.time > *mark) {
            tracing::warn!(
                "strategy row \"{}\" has traded up to {}, and the feed begins for it only at {}: it begins without its memory of the bars before; to keep it, stop and run again with a feed that has them from the first",
                self.id,
                shown(mark),
                shown(bar.time)
            );
        }
    }

    async fn try_feed(
        &mut self,
        plugin: &Pinned,
        bar: &Bar,
        history: &History,
    ) -> Result<Vec<Signal>, CallError> {
        let mut instance = match self.instance.take() {
            Some(instance) if instance.is_of(plugin) => instance,
            replaced => {
                drop(replaced);
                self.rebuild(plugin, history).await?
            }
        };
        let answer = instance.on_bar(plugin, bar.clone()).await;
        if !instance.is_dead() {
            self.instance = Some(instance);
        }
        match answer {
            Ok(signals) if signals.len() > MAX_SIGNALS => Err(CallError::Refused(format!(
                "plugin \"{}\" answered {} signals to one bar; {MAX_SIGNALS} are allowed",
                self.stored.plugin,
                signals.len()
            ))),
            answer => answer,
        }
    }

    /// A new instance with the memory of the old: fed the last bars again, its signals dropped.
    async fn rebuild(
        &mut self,
        plugin: &Pinned,
        history: &History,
    ) -> Result<StrategyInstance, CallError> {
        let rebuilt = self.warmed(None, plugin, history).await?;
        tracing::info!(row = %self.id, plugin = %self.stored.plugin, "rebuilt");
        Ok(rebuilt)
    }

    /// That instance, or a new one, that was fed the last bars. Where it fails at one of them, one is made that is not fed that
    /// bar, as often as a row may fail.
    async fn warmed(
        &mut self,
        made: Option<StrategyInstance>,
        plugin: &Pinned,
        history: &History,
    ) -> Result<StrategyInstance, CallError> {
        let warmed = tokio::time::timeout(REBUILD_TIMEOUT, async {
            let mut made = made;
            let mut failures = 0;
            loop {
                let instance = self.made(made.take(), plugin).await?;
                match self.remember(instance, plugin, history).await {
                    Err(error) if failures + 1 < FAILURES => {
                        failures += 1;
                        tracing::warn!(row = %self.id, "fed a bar that came before: {error}");
                    }
                    remembered => return remembered,
                }
            }
        });
        warmed.await.unwrap_or_else(|_| {
            Err(CallError::Refused(format!(
                "plugin \"{}\" could not be given the bars that its strategy wants to begin with within {REBUILD_TIMEOUT:?}",
                plugin.name()
            )))
        })
    }

    /// That instance, or a new one.
    async fn made(
        &mut self,
        made: Option<StrategyInstance>,
        plugin: &Pinned,
    ) -> Result<StrategyInstance, CallError> {
        let instance = match made {
            Some(instance) => instance,
            None => {
                let scope = plugin.scope();
                let made = create(plugin, &self.stored, &scope, self.bar_timeout).await;
                scope.finish().await;
                made.map_err(refused)?
            }
        };
        // Another version may remember more, or less.
        self.warm_up = warm_up_of(&instance).map_err(refused)?;
        Ok(instance)
    }

    /// Feeds it the last bars, its signals dropped. One that it fails at is not fed to another.
    async fn remember(
        &mut self,
        mut instance: StrategyInstance,
        plugin: &Pinned,
        history: &History,
    ) -> Result<StrategyInstance, CallError> {
        let bars = history.last(&self.symbols, self.warm_up, |number| {
            self.failed_at.contains(&number)
        });
        for (number, bar) in bars {
            if let Err(error) = instance.on_bar(plugin, bar).await {
                // A version that had to go is not the bar's doing.
                if !matches!(error, CallError::Stopped { .. } | CallError::Gone { .. }) {
                    self.skip(number);
                }
                return Err(error);
            }
        }
        Ok(instance)
    }

    /// That bar is not fed to another instance of it.
    fn skip(&mut self, number: u64) {
        if self.failed_at.len() == MOST_FAILED_AT {
            self.failed_at.pop_front();
        }
        self.failed_at.push_back(number);
    }

    fn failed(&mut self, bar: &Bar, number: u64, error: &CallError) {
        self.skip(number);
        self.failures_in_a_row += 1;
        self.statistics.failures += 1;
        tracing::warn!(row = %self.id, symbol = %bar.symbol, time = %shown(bar.time), "{error}");
        if self.failures_in_a_row == FAILURES {
            tracing::error!(
                row = %self.id,
                "strategy row \"{}\" failed {FAILURES} bars in a row and is set aside until reload",
                self.id
            );
            self.set_aside = Some(error.to_string());
            self.instance = None;
        }
    }
}

fn find(plugins: &Plugins, name: &str) -> anyhow::Result<Pinned> {
    if let Some(plugin) = plugins.get(name) {
        return Ok(plugin);
    }
    let waiting = plugins.waiting();
    if let Some(waiting) = waiting.iter().find(|waiting| *waiting.plugin == *name) {
        bail!("{waiting}");
    }
    let names: Vec<_> = plugins
        .iter()
        .map(|plugin| plugin.name().to_string())
        .collect();
    bail!(
        "it names the plugin \"{name}\", which is not in {} (there are {})",
        plugins.folder().display(),
        names.join(", ")
    );
}

/// An instance with the row's parameters, as the plugin describes them now.
async fn create(
    plugin: &Pinned,
    row: &StrategyRow,
    scope: &Arc<Scope>,
    bar_timeout: Duration,
) -> anyhow::Result<StrategyInstance> {
    let description = describe(plugin, scope).await?;
    let parameters =
        parameters::check(&description, &row.parameters).map_err(|reason| anyhow!(reason))?;
    Ok(StrategyInstance::create(plugin, scope, parameters, bar_timeout).await?)
}

fn warm_up_of(instance: &StrategyInstance) -> anyhow::Result<usize> {
    let warm_up = usize::try_from(instance.warm_up_bars()).unwrap_or(usize::MAX);
    if warm_up > MAX_WARM_UP {
        bail!("it needs {warm_up} bars to warm up, more than the {MAX_WARM_UP} that are kept");
    }
    Ok(warm_up)
}

fn refused(error: anyhow::Error) -> CallError {
    match error.downcast::<CallError>() {
        Ok(error) => error,
        Err(error) => CallError::Refused(format!("{error:#}")),
    }
}

/// A bar time for a person.
pub(crate) fn shown(time: i64) -> String {
    jiff::Timestamp::from_microsecond(time)
        .map_or_else(|_| time.to_string(), |time| time.to_string())
}
