//! Where the log goes: standard error, around the progress bar rather than through it.

use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;

use anyhow::Context;
use indicatif::{MultiProgress, ProgressBar};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::command::Common;
use crate::shown;

/// What is logged unless somebody asks for something else: troubles, plugins that come and go while the host runs, what guests write,
/// and echoed SQL. Not the pool's life: whoever waited for a connection that could not be made reports why.
const DEFAULT: &str = "warn,poolhouse_runtime::plugins=info,poolhouse::pool=off,poolhouse::guest=info,poolhouse::echo=info";

/// What `--log` and RUST_LOG may be.
const ALLOWED: &str = "give error, warn (or warning), info, debug, trace or off, alone or for one part as in info,poolhouse::pool=debug";

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
    let directives = checked(&directives).with_context(|| {
        format!("{source} = \"{directives}\" has a word that is not a level; {ALLOWED}")
    })?;
    let filter = EnvFilter::try_new(&directives)
        .with_context(|| format!("{source} = \"{directives}\" is not a log filter; {ALLOWED}"))?;
    let filter = if common.echo {
        filter.add_directive("poolhouse::echo=info".parse()?)
    } else {
        filter
    };
    let coloured = io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(coloured)
        .with_writer(AroundBars(coloured))
        .init();
    Ok(())
}

/// The directives with `warning` for `warn` and without blanks. A word that is no level would be taken for the name of a
/// part of the program, and nothing of any other part would be logged. None where a level is missing or misspelt.
fn checked(directives: &str) -> Option<String> {
    // Filters by a span's fields may hold anything; the filter reads those itself.
    if directives.contains('[') {
        return Some(directives.to_owned());
    }
    let checked: Option<Vec<_>> = directives.split(',').map(directive).collect();
    checked.map(|checked| checked.join(","))
}

fn directive(text: &str) -> Option<String> {
    let (part, level) = match text.split_once('=') {
        Some((part, level)) => (Some(part.trim()), level),
        None => (None, text),
    };
    let level = level.trim().to_ascii_lowercase();
    let level = match level.as_str() {
        "warning" => "warn",
        level @ ("off" | "error" | "warn" | "info" | "debug" | "trace") => level,
        _ => return None,
    };
    Some(part.map_or_else(|| level.to_owned(), |part| format!("{part}={level}")))
}

/// Shows a progress bar that log lines do not break. Hidden where standard error is not a terminal.
pub(crate) fn show(bar: ProgressBar) -> ProgressBar {
    BARS.add(bar)
}

/// Whether the log is coloured.
struct AroundBars(bool);

impl<'a> MakeWriter<'a> for AroundBars {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line {
            text: Vec::new(),
            coloured: self.0,
        }
    }
}

/// One event's text, written out whole when it is complete.
struct Line {
    text: Vec<u8>,
    coloured: bool,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.text.is_empty() {
            return;
        }
        // One event is one line, whatever data it tells of.
        let line = shown::without_passwords(&String::from_utf8_lossy(&self.text));
        let line = line.strip_suffix('\n').unwrap_or(&line);
        let mut line = if self.coloured {
            shown::on_one_coloured_line(line)
        } else {
            shown::on_one_line(line)
        };
        line.push('\n');
        // A log that can't be written has nowhere to say so.
        let _ = BARS.suspend(|| io::stderr().write_all(line.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_level_is_refused() {
        for (given, expected) in [
            ("info", "info"),
            ("WARNING", "warn"),
            ("Warn, poolhouse::pool=Debug", "warn,poolhouse::pool=debug"),
            (DEFAULT, DEFAULT),
            (
                "info,poolhouse[call{plugin=x}]=debug",
                "info,poolhouse[call{plugin=x}]=debug",
            ),
        ] {
            assert_eq!(checked(given).as_deref(), Some(expected), "{given}");
        }
        for given in [
            "inof",
            "poolhouse",
            "poolhouse::pool=loud",
            "info,",
            "",
            "3",
        ] {
            assert_eq!(checked(given), None, "{given}");
        }
    }
}
