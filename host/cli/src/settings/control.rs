//! `[control]`: where `host status` and `host reload` find the host that runs.

use std::path::PathBuf;

use serde::Deserialize;

/// In the folder that the host is started in.
const DEFAULT_SOCKET: &str = "host.sock";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
pub(super) struct ControlSection {
    /// "" = none.
    socket: Option<PathBuf>,
}

/// How the host that runs is reached.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    /// The Unix socket; none = it is not to be reached.
    pub(crate) socket: Option<PathBuf>,
}

impl ControlSection {
    pub(super) fn settings(self) -> Control {
        let socket = self.socket.unwrap_or_else(|| DEFAULT_SOCKET.into());
        Control {
            socket: Some(socket).filter(|socket| !socket.as_os_str().is_empty()),
        }
    }
}
