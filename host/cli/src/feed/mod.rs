//! Where bars come from: each source in a file of its own, read by a thread of its own.

pub(crate) mod csv;

use std::collections::HashSet;
use std::path::PathBuf;

use poolhouse_runtime::trading::Bar;
use tokio::sync::{mpsc, oneshot};

/// Bars read ahead of the trading loop.
const READ_AHEAD: usize = 4096;

/// A feed's name: a file, or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    StandardInput,
    File(PathBuf),
}

impl Source {
    /// Whether it is a file with an end, which can be read twice; not a pipe, live or not.
    pub(crate) fn is_regular_file(&self) -> bool {
        match self {
            Self::StandardInput => false,
            // What can't be looked at is opened later, and then says why.
            Self::File(path) => std::fs::metadata(path).map_or(true, |metadata| metadata.is_file()),
        }
    }

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
pub(crate) fn count(file: &Source) -> Result<u64, FeedError> {
    let mut bars = 0;
    for bar in csv::open(file)? {
        bar?;
        bars += 1;
    }
    Ok(bars)
}

/// A feed that is being read.
pub(crate) struct Feed {
    /// Whether its header is right, once it has come.
    pub(crate) opened: oneshot::Receiver<Result<(), FeedError>>,
    /// Its bars in order and at last, perhaps, why there are no more.
    pub(crate) bars: mpsc::Receiver<Result<Bar, FeedError>>,
    /// True for what may fall silent between two bars.
    pub(crate) live: bool,
}

/// Begins to read a feed in a thread of its own, since standard input can't be waited for otherwise.
///
/// # Errors
/// Where the system has no thread to spare.
pub(crate) fn start(source: &Source) -> Result<Feed, FeedError> {
    let (opened_sender, opened) = oneshot::channel();
    let (sender, bars) = mpsc::channel(READ_AHEAD);
    let live = !source.is_regular_file();
    let from = source.clone();
    std::thread::Builder::new()
        .name("poolhouse-feed".into())
        .spawn(move || {
            let bars = match csv::open(&from) {
                Ok(bars) => bars,
                Err(error) => {
                    // Nobody listens once the host is stopping.
                    let _ = opened_sender.send(Err(error));
                    return;
                }
            };
            let _ = opened_sender.send(Ok(()));
            for bar in bars {
                let last = bar.is_err();
                // The other end is gone once the loop has ended.
                if sender.blocking_send(bar).is_err() || last {
                    break;
                }
            }
        })
        .map_err(|error| FeedError::new(source, None, format!("can't be read: {error}")))?;
    Ok(Feed { opened, bars, live })
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
            return Err(
                "its time lies before that of the line above: sort the feed by time".to_owned(),
            );
        }
        if self.time != Some(bar.time) {
            self.time = Some(bar.time);
            self.symbols.clear();
        }
        if self.symbols.contains(&bar.symbol) {
            return Err(format!(
                "it is a second bar of {} at the same time",
                bar.symbol
            ));
        }
        self.symbols.insert(bar.symbol.clone());
        Ok(())
    }
}
