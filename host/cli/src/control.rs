//! What a host that runs tells and does on request: its status, and a reload. One line of JSON each way.

mod socket;

use poolhouse_runtime::{Changed, PluginStatus};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::{Duration, timeout};

use crate::live::Host;
use crate::shown;

pub(crate) use socket::{Socket, connect};

/// Bytes of one request.
const LONGEST_REQUEST: u64 = 1024;
/// What one request may take to come.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests at once.
const MOST_REQUESTS: usize = 16;

/// What can be asked.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Request {
    Status,
    Reload,
}

/// What comes back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Response {
    Status(Status),
    Reload(Answer),
    /// One sentence.
    Error(String),
}

/// The state of a host.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The process.
    pub(crate) pid: u32,
    /// In order of name.
    pub(crate) plugins: Vec<Plugin>,
}

/// The state of one plugin.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plugin {
    pub(crate) name: String,
    /// One word.
    pub(crate) state: String,
    /// Of `waiting` and `failed`: for whom, or why. Of `running`: why a newer file was not taken in.
    pub(crate) reason: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) sha256: Option<String>,
    /// RFC 3339.
    pub(crate) since: String,
    pub(crate) calls: u64,
    pub(crate) traps: u64,
    pub(crate) connections: u32,
    pub(crate) warm_instances: usize,
    /// Earlier versions that calls under way still work in.
    pub(crate) draining: usize,
}

/// What a reload changed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Plugins that came, or came in a new version.
    pub(crate) running: Vec<String>,
    pub(crate) gone: Vec<String>,
    pub(crate) rows_added: Vec<String>,
    pub(crate) rows_changed: Vec<String>,
    pub(crate) rows_removed: Vec<String>,
    /// Sentences.
    pub(crate) failed: Vec<String>,
}

impl Answer {
    pub(crate) fn add(&mut self, changed: &Changed) {
        let names = |names: &[std::sync::Arc<str>]| -> Vec<_> {
            names.iter().map(ToString::to_string).collect()
        };
        self.running.extend(names(&changed.running));
        self.gone.extend(names(&changed.gone));
        for sentence in &changed.failed {
            if !self.failed.contains(sentence) {
                self.failed.push(sentence.clone());
            }
        }
    }

    pub(crate) fn log(&self) {
        tracing::info!(
            running = ?self.running, gone = ?self.gone, rows_added = ?self.rows_added,
            rows_changed = ?self.rows_changed, rows_removed = ?self.rows_removed, failed = ?self.failed,
            "reloaded"
        );
    }
}

impl From<PluginStatus> for Plugin {
    fn from(status: PluginStatus) -> Self {
        use poolhouse_runtime::PluginState::{Failed, Waiting};
        let state = status.state.name().to_owned();
        let reason = match status.state {
            Waiting(reason) | Failed(reason) => Some(reason),
            _ => status.trouble,
        };
        Self {
            name: status.name.to_string(),
            state,
            reason: reason.map(|reason| shown::on_one_line(&shown::without_passwords(&reason))),
            version: status.version,
            sha256: status.sha256.map(|sha256| sha256.to_string()),
            since: jiff::Timestamp::try_from(status.since)
                .map(|since| since.to_string())
                .unwrap_or_default(),
            calls: status.calls,
            traps: status.traps,
            connections: status.connections,
            warm_instances: status.warm,
            draining: status.draining,
        }
    }
}

/// Answers requests for as long as it is polled.
pub(crate) async fn serve(socket: Socket, host: Host) {
    let mut requests = tokio::task::JoinSet::new();
    loop {
        let stream = socket.accept().await;
        while requests.try_join_next().is_some() {}
        if requests.len() >= MOST_REQUESTS {
            // Dropped unanswered: who asked is told that the host did not answer.
            continue;
        }
        let host = host.clone();
        requests.spawn(async move {
            // Who asked may go at any time.
            let _ = answer(stream, &host).await;
        });
    }
}

async fn answer(stream: UnixStream, host: &Host) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut read = BufReader::new(read.take(LONGEST_REQUEST));
    timeout(REQUEST_TIMEOUT, read.read_line(&mut line)).await??;
    let response = match serde_json::from_str(&line) {
        Ok(Request::Status) => Response::Status(Status {
            pid: std::process::id(),
            plugins: host
                .plugins
                .status()
                .into_iter()
                .map(Plugin::from)
                .collect(),
        }),
        Ok(Request::Reload) => match host.reload().await {
            Ok(mut answer) => {
                answer.log();
                for sentence in &mut answer.failed {
                    *sentence = shown::on_one_line(&shown::without_passwords(sentence));
                }
                Response::Reload(answer)
            }
            Err(error) => Response::Error(shown::error(&error)),
        },
        Err(_) => Response::Error(
            "the host does not know this request: is the other side of another version?".to_owned(),
        ),
    };
    let mut line = serde_json::to_string(&response)?;
    line.push('\n');
    write.write_all(line.as_bytes()).await
}
