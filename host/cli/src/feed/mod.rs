//! Where bars come from: each source in a file of its own, read by a thread of its own.

pub(crate) mod csv;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use poolhouse_runtime::trading::Bar;
use tokio::sync::mpsc;

/// Bars read ahead of the trading loop.
const READ_AHEAD: usize = 4096;

/// A feed's name: a file, or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    StandardInput,
    File(PathBuf),
}

impl Source {
    /// `-` is standard input.
    pub(crate) fn parse(text: &str) -> Self {
        if text == "-" {
            Self::StandardInput
        } else {
            Self::File(text.into())
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::StandardInput => formatter.write_str("standard input"),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

/// A line of a feed that can't be traded on.
#[derive(Debug, thiserror::Error)]
#[error("feed {feed}{}: {reason}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub(crate) struct FeedError {
    feed: String,
    line: Option<u64>,
    reason: String,
}

impl FeedError {
    fn new(source: &Source, line: impl Into<Option<u64>>, reason: impl Into<String>) -> Self {
        Self {
            feed: source.to_string(),
            line: line.into(),
            reason: reason.into(),
        }
    }
}

/// Reads a whole file to see that every line of it is a bar, and counts the bars.
///
/// # Errors
/// At the first line that is not.
pub(crate) fn count(file: &Path) -> Result<u64, FeedError> {
    let mut bars = 0;
    for bar in csv::open(&Source::File(file.to_owned()))? {
        bar?;
        bars += 1;
    }
    Ok(bars)
}

/// Begins to read a feed; the receiver gets bars in order and at last, perhaps, why there are no more.
///
/// # Errors
/// Where the feed can't be opened or its header is wrong.
pub(crate) fn start(source: &Source) -> Result<mpsc::Receiver<Result<Bar, FeedError>>, FeedError> {
    let bars = csv::open(source)?;
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    std::thread::Builder::new()
        .name("poolhouse-feed".into())
        .spawn(move || {
            for bar in bars {
                let last = bar.is_err();
                // The other end is gone once the loop has ended.
                if sender.blocking_send(bar).is_err() || last {
                    break;
                }
            }
        })
        .map_err(|error| FeedError::new(source, None, format!("can't be read: {error}")))?;
    Ok(receiver)
}

/// What a feed promises beyond each line: times never decrease, and a symbol has one bar at a time.
#[derive(Debug, Default)]
struct Order {
    time: Option<i64>,
    symbols: HashSet<String>,
}

impl Order {
    /// The reason why `bar` can't come next.
    fn check(&mut self, bar: &Bar) -> Result<(), String> {
        if self.time.is_some_and(|time| bar.time < time) {
            return Err("its time lies before that of the line above: sort the feed by time".to_owned());
        }
        if self.time != Some(bar.time) {
            self.time = Some(bar.time);
            self.symbols.clear();
        }
        if self.symbols.contains(&bar.symbol) {
            return Err(format!("it is a second bar of {} at the same time", bar.symbol));
        }
        self.symbols.insert(bar.symbol.clone());
        Ok(())
    }
}
