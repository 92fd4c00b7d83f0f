//! The host side of `wasi:logging`: a guest's messages go to its plugin's log, at the level that it says.

use std::sync::Arc;

use wasmtime::component::{HasData, Linker};

use crate::bindings::wasi::logging::logging as wit;
use crate::error::shortened;
use crate::guest_log::{GuestLog, Severity};
use crate::state::PluginState;

/// Bytes of one message; what is more is left out, for the host reads each character.
const LONGEST_MESSAGE: usize = 64 << 10;

/// The capability's borrowed view of a store.
pub(crate) struct LoggingView<'a> {
    log: &'a Arc<GuestLog>,
}

struct HasLogging;

impl HasData for HasLogging {
    type Data<'a> = LoggingView<'a>;
}

/// Offers `wasi:logging/logging` to every component linked with `linker`.
pub(crate) fn add_to_linker(linker: &mut Linker<PluginState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<PluginState, HasLogging>(linker, |state| LoggingView {
        log: &state.wasi.log,
    })
}

impl wit::Host for LoggingView<'_> {
    async fn log(
        &mut self,
        level: wit::Level,
        context: String,
        message: String,
    ) -> wasmtime::Result<()> {
        let severity = match level {
            wit::Level::Trace => Severity::Trace,
            wit::Level::Debug => Severity::Debug,
            wit::Level::Info => Severity::Info,
            wit::Level::Warn => Severity::Warn,
            wit::Level::Error | wit::Level::Critical => Severity::Error,
        };
        let text = match context.as_str() {
            "" => message,
            context => format!("{context}: {message}"),
        };
        for line in shortened(text, LONGEST_MESSAGE).lines() {
            self.log.line(severity, line.as_bytes());
        }
        Ok(())
    }
}
