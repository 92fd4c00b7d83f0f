//! Where a guest's stdout and stderr go: line by line into tracing under the plugin's name, and the last
//! of stderr into the reason for a trap.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// A line longer than this is logged in pieces.
const MAX_LINE: usize = 8 << 10;
/// How much of stderr a trap's reason may quote.
const MAX_TAIL: usize = 2 << 10;

/// Which of its two streams a guest wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// One stream of one instance. A clone writes to the same place.
#[derive(Clone)]
pub(crate) struct Output {
    plugin: Arc<str>,
    stream: Stream,
    buffer: Arc<Mutex<Buffer>>,
}

#[derive(Default)]
struct Buffer {
    line: Vec<u8>,
    tail: Vec<u8>,
}

impl Output {
    pub(crate) fn new(plugin: Arc<str>, stream: Stream) -> Self {
        Self {
            plugin,
            stream,
            buffer: Arc::default(),
        }
    }

    /// What was written since the last call of this, its end if it was much; and the line begun is logged.
    pub(crate) fn take_tail(&self) -> String {
        let mut buffer = self.buffer.lock();
        if !buffer.line.is_empty() {
            let line = std::mem::take(&mut buffer.line);
            self.log(&line);
        }
        let tail = std::mem::take(&mut buffer.tail);
        String::from_utf8_lossy(&tail).trim().to_owned()
    }

    fn append(&self, bytes: &[u8]) {
        let mut buffer = self.buffer.lock();
        buffer.tail.extend_from_slice(bytes);
        let excess = buffer.tail.len().saturating_sub(MAX_TAIL);
        buffer.tail.drain(..excess);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            buffer.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || buffer.line.len() >= MAX_LINE {
                let line = std::mem::take(&mut buffer.line);
                self.log(&line);
            }
        }
    }

    fn log(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        match self.stream {
            Stream::Stdout => {
                tracing::info!(target: "poolhouse::guest", plugin = %self.plugin, "{line}");
            }
            Stream::Stderr => {
                tracing::warn!(target: "poolhouse::guest", plugin = %self.plugin, "{line}");
            }
        }
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
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_LINE)
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_end_and_is_taken_once() {
        let output = Output::new("p".into(), Stream::Stderr);
        output.append(&[b'x'; MAX_TAIL]);
        output.append(b"panicked at src/lib.rs:1:1:\nboom\n");
        let tail = output.take_tail();
        assert!(
            tail.ends_with("panicked at src/lib.rs:1:1:\nboom"),
            "{tail}"
        );
        assert!(tail.len() <= MAX_TAIL);
        assert_eq!(output.take_tail(), "");
    }
}
