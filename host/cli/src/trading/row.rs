//! One strategy row at work: its instance, the bars that rebuild it, and its failures.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use poolhouse_runtime::trading::{Bar, Parameter, Signal, StrategyInstance, StrategyRow, describe};
use poolhouse_runtime::{CallError, Plugin, Plugins, Scope};

use super::{parameters, too_long};

/// After so many failures in a row a strategy row is set aside until reload.
const FAILURES: u32 = 3;
/// Signals that a strategy may answer to one bar.
const MAX_SIGNALS: usize = 64;
/// How long feeding a new instance the bars of the old one may take in all.
const REBUILD_TIMEOUT: Duration = Duration::from_secs(30);
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
    plugin: Arc<Plugin>,
    parameters: Vec<Parameter>,
    bar_timeout: Duration,
    instance: Option<StrategyInstance>,
    warm_up: usize,
    history: HashMap<String, VecDeque<(u64, Bar)>>,
    fed: u64,
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
        let Some(plugin) = plugins.get(&row.plugin) else {
            let mut waiting = plugins.waiting().iter();
            if let Some(waiting) = waiting.find(|waiting| *waiting.plugin == *row.plugin) {
                bail!("{waiting}");
            }
            let names: Vec<_> = plugins.iter().map(|plugin| &**plugin.name()).collect();
            bail!(
                "it names the plugin \"{}\", which is not in {} (there are {})",
                row.plugin,
                plugins.folder().display(),
                names.join(", ")
            );
        };
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
        let description = describe(plugin, scope).await?;
        let parameters =
            parameters::check(&description, &row.parameters).map_err(|reason| anyhow!(reason))?;
        let instance =
            StrategyInstance::create(plugin, scope, parameters.clone(), bar_timeout).await?;
        let warm_up = usize::try_from(instance.warm_up_bars()).unwrap_or(MAX_WARM_UP);
        if warm_up > MAX_WARM_UP {
            bail!("it needs {warm_up} bars to warm up, more than the {MAX_WARM_UP} that are kept");
        }
        Ok(Self {
            id: row.id,
            symbols: row.symbols,
            mark,
            first_mark: mark,
            statistics: Statistics::default(),
            plugin: Arc::clone(plugin),
            parameters,
            bar_timeout,
            instance: Some(instance),
            warm_up,
            history: HashMap::new(),
            fed: 0,
            failures_in_a_row: 0,
            set_aside: None,
        })
    }

    /// The plugin's name.
    pub(crate) fn plugin(&self) -> &str {
        self.plugin.name()
    }

    /// Why the row was set aside.
    pub(crate) fn set_aside(&self) -> Option<&str> {
        self.set_aside.as_deref()
    }

    /// True if the bar was done with before this run, or earlier in it.
    pub(crate) fn is_done_with(&self, bar: &Bar) -> bool {
        self.mark.is_some_and(|mark| bar.time <= mark)
    }

    /// Feeds one bar; answers the signals to act on. A failure is the row's own: it is logged and counted, and
    /// no other row notices.
    pub(crate) async fn feed(&mut self, bar: &Bar) -> Vec<Signal> {
        if self.set_aside.is_some() {
            return Vec::new();
        }
        let begun = Instant::now();
        let answer = self.try_feed(bar).await;
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
                self.remember(bar);
                if done_with {
                    return Vec::new();
                }
                self.statistics.signals += signals.len() as u64;
                signals
            }
            Err(error) => {
                self.failed(bar, &error);
                Vec::new()
            }
        }
    }

    /// At the row's first bar: one that lies behind the mark says that the bars before the mark will not come.
    fn warn_of_lost_memory(&self, bar: &Bar) {
        if self.statistics.bars > 1 || self.warm_up == 0 {
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

    async fn try_feed(&mut self, bar: &Bar) -> Result<Vec<Signal>, CallError> {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.rebuild().await?,
        };
        let answer = instance.on_bar(bar.clone()).await;
        if !instance.is_dead() {
            self.instance = Some(instance);
        }
        match answer {
            Ok(signals) if signals.len() > MAX_SIGNALS => Err(CallError::Refused(format!(
                "plugin \"{}\" answered {} signals to one bar; {MAX_SIGNALS} are allowed",
                self.plugin.name(),
                signals.len()
            ))),
            answer => answer,
        }
    }

    /// A new instance with the memory of the old: fed the last bars again, its signals dropped.
    async fn rebuild(&self) -> Result<StrategyInstance, CallError> {
        let rebuilt = tokio::time::timeout(REBUILD_TIMEOUT, self.try_rebuild()).await;
        rebuilt.unwrap_or_else(|_| {
            Err(CallError::Refused(format!(
                "plugin \"{}\" could not be rebuilt within {REBUILD_TIMEOUT:?}",
                self.plugin.name()
            )))
        })
    }

    async fn try_rebuild(&self) -> Result<StrategyInstance, CallError> {
        let scope = self.plugin.scope();
        let made = StrategyInstance::create(
            &self.plugin,
            &scope,
            self.parameters.clone(),
            self.bar_timeout,
        )
        .await;
        scope.finish().await;
        let mut instance = made?;
        let mut bars: Vec<_> = self.history.values().flatten().collect();
        bars.sort_by_key(|(number, _)| *number);
        for (_, bar) in bars {
            instance.on_bar(bar.clone()).await?;
        }
        tracing::info!(row = %self.id, plugin = %self.plugin.name(), "rebuilt");
        Ok(instance)
    }

    fn remember(&mut self, bar: &Bar) {
        self.fed += 1;
        if self.warm_up == 0 {
            return;
        }
        let history = match self.history.get_mut(&bar.symbol) {
            Some(history) => history,
            None => self.history.entry(bar.symbol.clone()).or_default(),
        };
        if history.len() == self.warm_up {
            history.pop_front();
        }
        history.push_back((self.fed, bar.clone()));
    }

    fn failed(&mut self, bar: &Bar, error: &CallError) {
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
            self.history.clear();
        }
    }
}

/// A bar time for a person.
pub(crate) fn shown(time: i64) -> String {
    jiff::Timestamp::from_microsecond(time)
        .map_or_else(|_| time.to_string(), |time| time.to_string())
}
