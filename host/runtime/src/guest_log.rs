//! What one plugin's guests log, at so many lines a second and so many bytes a line, with nothing in it that could steer a
//! terminal; leaves where lines begin and end to `output`.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::limits::Limits;

const SECOND: Duration = Duration::from_secs(1);

/// How much a line matters: as the guest says, or by the stream that it wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Trace,
    Debug,
    /// And what a guest writes to stdout.
    Info,
    /// And what a guest writes to stderr.
    Warn,
    Error,
}

/// Writes one line at that severity; or, without a line, says whether anybody would see it.
macro_rules! at_severity {
    ($severity:expr, $log:ident, $act:ident) => {
        match $severity {
            Severity::Trace => $act!($log, TRACE),
            Severity::Debug => $act!($log, DEBUG),
            Severity::Info => $act!($log, INFO),
            Severity::Warn => $act!($log, WARN),
            Severity::Error => $act!($log, ERROR),
        }
    };
}

/// One plugin's log, that of all its instances together.
pub(crate) struct GuestLog {
    plugin: Arc<str>,
    lines_in_a_second: u32,
    line_bytes: usize,
    second: Mutex<Second>,
}

/// The second that lines are counted in now.
struct Second {
    ends: Instant,
    lines: u32,
    left_out: u64,
}

impl GuestLog {
    pub(crate) fn new(plugin: &Arc<str>, limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            plugin: Arc::clone(plugin),
            lines_in_a_second: limits.log_lines,
            line_bytes: limits.log_line_bytes,
            second: Mutex::new(Second {
                ends: Instant::now(),
                lines: 0,
                left_out: 0,
            }),
        })
    }

    /// Bytes of one line at most.
    pub(crate) fn line_bytes(&self) -> usize {
        self.line_bytes
    }

    /// Logs what a guest wrote as one line, or several if it is longer once it is printable; or counts it, if there were
    /// enough in this second.
    pub(crate) fn line(self: &Arc<Self>, severity: Severity, line: &[u8]) {
        // What nobody would see takes no place of what somebody would.
        if !is_seen(severity) || !self.is_admitted() {
            return;
        }
        let text = printable(String::from_utf8_lossy(line).trim_end());
        let (first, mut rest) = split(&text, self.line_bytes);
        self.write(severity, first);
        while !rest.is_empty() && self.is_admitted() {
            let (piece, behind) = split(rest, self.line_bytes);
            self.write(severity, piece);
            rest = behind;
        }
    }

    fn write(&self, severity: Severity, line: &str) {
        macro_rules! write {
            ($line:ident, $level:ident) => {
                tracing::event!(
                    target: "poolhouse::guest",
                    tracing::Level::$level,
                    plugin = %self.plugin,
                    "{}",
                    $line
                )
            };
        }
        at_severity!(severity, line, write);
    }

    /// Whether one more line may be logged now; else it is counted.
    fn is_admitted(self: &Arc<Self>) -> bool {
        let now = Instant::now();
        let mut second = self.second.lock();
        let mut left_out_before = 0;
        if now >= second.ends {
            left_out_before = std::mem::take(&mut second.left_out);
            second.ends = now + SECOND;
            second.lines = 0;
        }
        let is_admitted = second.lines < self.lines_in_a_second;
        if is_admitted {
            second.lines += 1;
        } else {
            second.left_out += 1;
            if second.left_out == 1 {
                self.tell_later(second.ends);
            }
        }
        drop(second);
        self.tell(left_out_before);
        is_admitted
    }

    /// Sees to it that what is left out of this second is told at its end, though nothing more may be written by then.
    fn tell_later(self: &Arc<Self>, ends: Instant) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let log = Arc::downgrade(self);
        runtime.spawn(async move {
            tokio::time::sleep_until(ends).await;
            if let Some(log) = log.upgrade() {
                let mut second = log.second.lock();
                // Where the next has begun already, it was told then.
                let left_out = if second.ends == ends {
                    std::mem::take(&mut second.left_out)
                } else {
                    0
                };
                drop(second);
                log.tell(left_out);
            }
        });
    }

    fn tell(&self, left_out: u64) {
        if left_out > 0 {
            tracing::warn!(
                target: "poolhouse::guest",
                plugin = %self.plugin,
                "{left_out} more lines in the last second were left out (limit `log_lines`)"
            );
        }
    }
}

impl Drop for GuestLog {
    fn drop(&mut self) {
        let left_out = self.second.get_mut().left_out;
        self.tell(left_out);
    }
}

fn is_seen(severity: Severity) -> bool {
    macro_rules! ask {
        ($nothing:ident, $level:ident) => {
            tracing::enabled!(target: "poolhouse::guest", tracing::Level::$level)
        };
    }
    at_severity!(severity, nothing, ask)
}

/// The text with everything written out that a terminal would obey rather than show.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unprintable(character) {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    printable
}

/// Whether a character steers a terminal rather than being shown: the control characters, and those that turn the direction
/// of writing or end a line.
pub fn is_unprintable(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// At most so many bytes, but one character at least, and the rest.
fn split(text: &str, most: usize) -> (&str, &str) {
    if text.len() <= most {
        return (text, "");
    }
    let at = match text.floor_char_boundary(most) {
        0 => text.chars().next().map_or(0, char::len_utf8),
        at => at,
    };
    text.split_at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_written_out() {
        assert_eq!(
            printable("a\u{1b}[2Jb\rc\0d\u{9b}1me\u{202e}f\u{7f}ü"),
            "a\\u{1b}[2Jb\\rc\\u{0}d\\u{9b}1me\\u{202e}f\\u{7f}ü"
        );
    }

    #[test]
    fn pieces_end_between_characters() {
        assert_eq!(split("aüü", 2), ("a", "üü"));
        assert_eq!(split("üü", 3), ("ü", "ü"));
        assert_eq!(split("üü", 1), ("ü", "ü"));
        assert_eq!(split("ab", 2), ("ab", ""));
        assert_eq!(split("", 1), ("", ""));
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_has_so_many_lines_and_the_others_are_counted() {
        let limits = Limits {
            log_lines: 3,
            ..Limits::default()
        };
        let log = GuestLog::new(&"p".into(), &limits);
        let admitted = |lines: usize| (0..lines).filter(|_| log.is_admitted()).count();
        assert_eq!(admitted(5), 3);
        assert_eq!(log.second.lock().left_out, 2);
        // Told at its end, by nobody's writing.
        tokio::time::sleep(SECOND + Duration::from_millis(1)).await;
        assert_eq!(log.second.lock().left_out, 0);
        assert_eq!(admitted(4), 3);
        assert_eq!(log.second.lock().left_out, 1);
        tokio::time::advance(SECOND).await;
        // Told by who writes first in the next; the one who sleeps till then finds another second.
        assert_eq!(admitted(1), 1);
        assert_eq!(log.second.lock().left_out, 0);
    }
}
