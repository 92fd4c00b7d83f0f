//! Where the log goes: standard error, around the progress bar rather than through it.

use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;

use anyhow::Context;
use indicatif::{MultiProgress, ProgressBar};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::command::Common;

/// What is logged unless somebody asks for something else: troubles, what guests write, and echoed SQL. Not the
/// pool's life: whoever waited for a connection that could not be made reports why.
const DEFAULT: &str = "warn,poolhouse::pool=off,poolhouse::guest=info,poolhouse::echo=info";

static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Starts logging for the life of the process.
///
/// # Errors
/// Where the filter can't be read.
pub(crate) fn start(common: &Common) -> anyhow::Result<()> {
    let (directives, source) = match (&common.log, std::env::var("RUST_LOG")) {
        (Some(log), _) => (log.clone(), "--log"),
        (None, Ok(log)) if !log.is_empty() => (log, "RUST_LOG"),
        _ => (DEFAULT.to_owned(), "the default"),
    };
    let filter = EnvFilter::try_new(&directives).with_context(|| {
        format!("{source} = \"{directives}\" is not a log filter: use a level such as info")
    })?;
    let filter = if common.echo {
        filter.add_directive("poolhouse::echo=info".parse()?)
    } else {
        filter
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(AroundBars)
        .init();
    Ok(())
}

/// Shows a progress bar that log lines do not break. Hidden where standard error is not a terminal.
pub(crate) fn show(bar: ProgressBar) -> ProgressBar {
    BARS.add(bar)
}

struct AroundBars;

impl<'a> MakeWriter<'a> for AroundBars {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Vec::new())
    }
}

/// One event's text, written out whole when it is complete.
struct Line(Vec<u8>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // A log that can't be written has nowhere to say so.
        let _ = BARS.suspend(|| io::stderr().write_all(&self.0));
    }
}
