//! Where a guest's stdout and stderr go: cut into lines for the plugin's log, and the last of stderr kept for the reason of a
//! trap; leaves what is logged of them to `guest_log`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::guest_log::{GuestLog, Severity, printable};

/// Bytes that a guest may write at once, so that no write takes the host long.
const MAX_WRITE: usize = 8 << 10;
/// How much of stderr a trap's reason may quote.
const MAX_TAIL: usize = 2 << 10;

/// One stream of one instance. A clone writes to the same place.
#[derive(Clone)]
pub(crate) struct Output {
    log: Arc<GuestLog>,
    severity: Severity,
    buffer: Arc<Mutex<Buffer>>,
}

#[derive(Default)]
struct Buffer {
    /// The line begun; shorter than a line may be.
    line: Vec<u8>,
    /// What is in it goes on where a piece of the same line was logged.
    is_continued: bool,
    tail: Vec<u8>,
}

impl Output {
    pub(crate) fn new(log: Arc<GuestLog>, severity: Severity) -> Self {
        Self {
            log,
            severity,
            buffer: Arc::default(),
        }
    }

    /// What was written since the last call of this, its end if it was much; and the line begun is logged.
    pub(crate) fn take_tail(&self) -> String {
        let mut buffer = self.buffer.lock();
        if !buffer.line.is_empty() {
            let line = std::mem::take(&mut buffer.line);
            self.log.line(self.severity, &line);
        }
        buffer.is_continued = false;
        if buffer.tail.is_empty() {
            return String::new();
        }
        let tail = std::mem::take(&mut buffer.tail);
        let tail = String::from_utf8_lossy(&tail);
        let lines: Vec<_> = tail.trim().lines().map(printable).collect();
        lines.join(" | ")
    }

    fn append(&self, bytes: &[u8]) {
        let mut buffer = self.buffer.lock();
        buffer.keep_tail(bytes);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut rest = piece;
            while !rest.is_empty() {
                let room = self.log.line_bytes().saturating_sub(buffer.line.len());
                let (now, later) = rest.split_at(rest.len().min(room.max(1)));
                buffer.line.extend_from_slice(now);
                rest = later;
                if now.ends_with(b"\n") {
                    self.end_line(&mut buffer);
                } else if buffer.line.len() >= self.log.line_bytes() {
                    self.cut_line(&mut buffer);
                }
            }
        }
    }

    fn end_line(&self, buffer: &mut Buffer) {
        // The end alone of a line whose pieces are all logged is no line of its own.
        if !(buffer.is_continued && buffer.line == b"\n") {
            self.log.line(self.severity, &buffer.line);
        }
        buffer.line.clear();
        buffer.is_continued = false;
    }

    /// Logs what there is of a line that is too long, but for the beginning of a character at its end.
    fn cut_line(&self, buffer: &mut Buffer) {
        let whole = match std::str::from_utf8(&buffer.line) {
            Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => {
                error.valid_up_to()
            }
            _ => buffer.line.len(),
        };
        self.log.line(self.severity, &buffer.line[..whole]);
        buffer.line.drain(..whole);
        buffer.is_continued = true;
    }
}

impl Buffer {
    fn keep_tail(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(MAX_TAIL)..];
        let excess = (self.tail.len() + bytes.len()).saturating_sub(MAX_TAIL);
        self.tail.drain(..excess);
        self.tail.extend_from_slice(bytes);
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let bytes = &bytes[..bytes.len().min(MAX_WRITE)];
        self.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > MAX_WRITE {
            return Err(StreamError::trap(
                "it wrote more to stdout or stderr at once than check-write allows",
            ));
        }
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_WRITE)
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn output(log_line_bytes: usize) -> Output {
        let limits = Limits {
            log_line_bytes,
            ..Limits::default()
        };
        Output::new(GuestLog::new(&"p".into(), &limits), Severity::Warn)
    }

    #[test]
    fn the_tail_is_the_end_and_is_taken_once() {
        let output = output(8 << 10);
        output.append(&[b'x'; MAX_TAIL]);
        output.append(b"panicked at src/lib.rs:1:1:\nboom\x1b[2J\n");
        let tail = output.take_tail();
        assert!(
            tail.ends_with("panicked at src/lib.rs:1:1: | boom\\u{1b}[2J"),
            "{tail}"
        );
        assert!(tail.len() <= MAX_TAIL + 16);
        assert_eq!(output.take_tail(), "");
    }

    #[test]
    fn nothing_is_held_of_a_line_but_what_one_line_may_have() {
        let output = output(10);
        for _ in 0..1000 {
            output.append(&[b'x'; 1 << 10]);
            let buffer = output.buffer.lock();
            assert!(buffer.line.len() < 10 && buffer.tail.len() <= MAX_TAIL);
            assert!(buffer.line.capacity() <= 64 && buffer.tail.capacity() <= 2 * MAX_TAIL);
        }
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let output = output(4);
        // Four bytes end within the second of these.
        output.append("aüü".as_bytes());
        assert_eq!(output.buffer.lock().line, "ü".as_bytes());
        output.append(b"\n");
        let buffer = output.buffer.lock();
        assert!(buffer.line.is_empty() && !buffer.is_continued);
    }

    #[test]
    fn more_than_was_offered_traps() {
        let mut output = output(4);
        let too_much = Bytes::from(vec![0; output.check_write().unwrap() + 1]);
        assert!(matches!(output.write(too_much), Err(StreamError::Trap(_))));
        assert!(output.write_zeroes(1 << 40).is_err());
    }
}
