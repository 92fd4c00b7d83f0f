//! `[trading]`: how the trading loop runs.

use std::time::Duration;

use serde::Deserialize;

use super::units::{Time, at_least_one, must_end};

/// How the trading loop runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trading {
    /// What a strategy may take for one bar.
    pub(crate) bar_timeout: Duration,
    /// Bar times in one transaction while behind the feed.
    pub(crate) group: usize,
    /// How long the feed must be silent before a bar time counts as complete; none = until the next bar
    /// time or the feed's end.
    pub(crate) bar_close: Option<Duration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
pub(super) struct TradingSection {
    pub(super) bar_timeout: Option<Time>,
    pub(super) group: Option<usize>,
    pub(super) bar_close: Option<Time>,
}

impl TradingSection {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        must_end("bar_timeout", self.bar_timeout)?;
        at_least_one(
            "group",
            self.group.and_then(|group| u64::try_from(group).ok()),
        )?;
        // Endless is the same as not set.
        if self.bar_close == Some(Time(Some(Duration::ZERO))) {
            must_end("bar_close", self.bar_close)?;
        }
        Ok(())
    }

    /// What was checked, over the defaults.
    pub(super) fn settings(&self) -> Trading {
        Trading {
            bar_timeout: self
                .bar_timeout
                .and_then(|time| time.0)
                .unwrap_or(Duration::from_secs(1)),
            group: self.group.unwrap_or(256),
            bar_close: self.bar_close.and_then(|time| time.0),
        }
    }
}
