//! What goes on beside a host's work while it is up: the folder is watched, and who asks for its status or a reload is answered,
//! through the control socket or by SIGHUP.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use poolhouse_runtime::{Again, PluginOptions, Plugins};
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::command::Common;
use crate::control::{self, Answer, Socket};
use crate::settings::{self, PluginSettings, Settings};
use crate::trading::{Reload, Reloaded};

/// Reloads that wait for the trading loop.
const WAITING: usize = 16;
/// How often a file that is still being written is looked at again before a reload goes on without it.
const LOOKS: usize = 20;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The way to the trading loop; none before it has read what it is to trade.
type Desk = Arc<Mutex<Option<mpsc::Sender<Reload>>>>;

/// The tasks beside the host's work; they end when it is dropped.
pub(crate) struct Live {
    desk: Desk,
    _tasks: JoinSet<()>,
}

/// What the tasks share.
#[derive(Clone)]
pub(crate) struct Host {
    common: Common,
    pub(crate) plugins: Plugins,
    /// Those of the last reload.
    settings: Arc<RwLock<Arc<PluginSettings>>>,
    desk: Desk,
}

impl Live {
    /// Starts them. Without a control socket the host goes on, and says so. `hangup` is SIGHUP, since before the plugins were loaded.
    pub(crate) fn start(
        common: &Common,
        settings: &Settings,
        plugins: &Plugins,
        mut hangup: Signal,
    ) -> Self {
        let desk = Desk::default();
        let host = Host {
            common: common.clone(),
            plugins: plugins.clone(),
            settings: Arc::new(RwLock::new(Arc::clone(&settings.plugins))),
            desk: Arc::clone(&desk),
        };
        let mut tasks = JoinSet::new();
        let watching = host.clone();
        tasks.spawn(async move { watching.plugins.watch(|name| watching.options(name)).await });
        let reloading = host.clone();
        tasks.spawn(async move {
            while hangup.recv().await.is_some() {
                match reloading.reload().await {
                    Ok(answer) => answer.log(),
                    Err(error) => tracing::warn!("nothing was reloaded: {error:#}"),
                }
            }
        });
        if let Some(path) = &settings.control.socket {
            match Socket::bind(path) {
                Ok(socket) => {
                    tasks.spawn(control::serve(socket, host));
                }
                Err(error) => tracing::warn!(
                    "`host status` and `host reload` can't reach this host: {error:#}"
                ),
            }
        }
        Self {
            desk,
            _tasks: tasks,
        }
    }

    /// What a trading loop is asked for from now on: to be had before it reads what it is to trade, so that nothing is missed.
    pub(crate) fn reloads(&self) -> mpsc::Receiver<Reload> {
        let (desk, reloads) = mpsc::channel(WAITING);
        *self.desk.lock() = Some(desk);
        reloads
    }
}

impl Host {
    fn options(&self, name: &str) -> PluginOptions {
        self.settings.read().plugin(name)
    }

    /// Reads the plugins' settings anew, takes in what has changed in the folder, and has the trading loop take in what has changed in
    /// the database.
    ///
    /// # Errors
    /// Where the settings or the folder can't be read; then nothing changes. What is wrong with one plugin or row is in the
    /// answer.
    pub(crate) async fn reload(&self) -> anyhow::Result<Answer> {
        let read = settings::load(&self.common)?;
        *self.settings.write() = read.plugins;
        let mut answer = Answer::default();
        let mut again = Again::default();
        let mut looks = 0;
        loop {
            let options = |name: &str| self.options(name);
            let changed = self.plugins.update(Some(&mut again), options).await?;
            answer.add(&changed);
            if changed.unsettled.is_empty() {
                break;
            }
            looks += 1;
            if looks == LOOKS {
                answer.failed.extend(changed.unsettled.iter().map(|plugin| {
                    format!("plugin \"{plugin}\": its file is still being written, and is taken in when it is whole")
                }));
                break;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let (send, answered) = oneshot::channel();
        // No loop, or one that has ended, has nothing to take in.
        let desk = self.desk.lock().clone();
        if let Some(desk) = desk
            && desk.send(send).await.is_ok()
            && let Ok(rows) = answered.await
        {
            answer.rows(rows);
        }
        Ok(answer)
    }
}

impl Answer {
    fn rows(&mut self, rows: Result<Reloaded, String>) {
        match rows {
            Ok(rows) => {
                self.rows_added = rows.added;
                self.rows_changed = rows.changed;
                self.rows_removed = rows.removed;
                self.failed.extend(rows.failed);
            }
            Err(error) => self.failed.push(error),
        }
    }
}
