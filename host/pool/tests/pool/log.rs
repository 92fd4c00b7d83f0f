//! What the pool logs on one thread, for the tests that read it; elsewhere nothing is kept.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Once;

use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::prelude::*;

thread_local! {
    /// None where nobody reads.
    static LOG: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

struct ThisThread;

impl Write for ThisThread {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| match log {
            Some(log) => log.write(bytes),
            None => Ok(bytes.len()),
        })
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// To be called before anything is logged: a subscriber that comes while other threads log for the first time can miss
/// what they log, for good.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(|| ThisThread)
            .with_ansi(false)
            .without_time()
            .with_filter(dynamic_filter_fn(|_, _| {
                LOG.with_borrow(|log| log.is_some())
            }));
        tracing_subscriber::registry().with(lines).init();
    });
}

/// Keeps what is logged on this thread from now on.
pub(crate) fn capture() {
    LOG.set(Some(Vec::new()));
}

pub(crate) fn lines_with(words: &str) -> Vec<String> {
    LOG.with_borrow(|log| {
        let text = String::from_utf8_lossy(log.as_deref().unwrap_or_default());
        let lines = text.lines().filter(|line| line.contains(words));
        lines.map(str::to_owned).collect()
    })
}
