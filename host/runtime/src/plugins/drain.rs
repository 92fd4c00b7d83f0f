//! The end of a plugin that was replaced or taken away: calls under way go on in it, for as long as they may.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::generation::Member;
use crate::plugin::{Plugin, PluginId};

use super::Plugins;

/// Earlier versions of one plugin that may drain at once; the next one is taken in when one of them has ended.
pub(super) const MOST_DRAINING: usize = 4;
/// How long a chain that was cut off may take to roll back what it left.
const LONGEST_END: Duration = Duration::from_secs(10);

/// The plugins that drain.
pub(super) struct Drains {
    draining: Mutex<HashMap<PluginId, Draining>>,
    count: watch::Sender<usize>,
}

struct Draining {
    name: Arc<str>,
    hurry: Arc<Notify>,
}

impl Default for Drains {
    fn default() -> Self {
        Self {
            draining: Mutex::default(),
            count: watch::Sender::new(0),
        }
    }
}

impl Drains {
    /// Versions of that plugin that drain.
    pub(super) fn count(&self, name: &str) -> usize {
        let draining = self.draining.lock();
        draining.values().filter(|one| *one.name == *name).count()
    }

    /// Waits until none drains any more.
    pub(super) async fn finish(&self) {
        for one in self.draining.lock().values() {
            one.hurry.notify_one();
        }
        let mut count = self.count.subscribe();
        // The sender is this one's own, so it does not go before.
        let _ = count.wait_for(|count| *count == 0).await;
    }

    fn begin(&self, plugin: &Plugin) -> Arc<Notify> {
        let hurry = Arc::new(Notify::new());
        let mut draining = self.draining.lock();
        draining.insert(
            plugin.id(),
            Draining {
                name: Arc::clone(plugin.name()),
                hurry: Arc::clone(&hurry),
            },
        );
        self.count.send_replace(draining.len());
        hurry
    }

    fn end(&self, plugin: &Plugin) {
        let mut draining = self.draining.lock();
        draining.remove(&plugin.id());
        self.count.send_replace(draining.len());
    }
}

impl Plugins {
    /// Lets the calls under way end, ends those that take longer than they may, calls the plugin's `stop` and drops it; in a task
    /// of its own.
    pub(super) fn drain(&self, member: &Member) {
        let Some(ended) = member.ended() else {
            return;
        };
        let plugin = Arc::clone(&member.plugin);
        let hurry = self.shared.drains.begin(&plugin);
        let plugins = self.clone();
        tokio::spawn(async move {
            plugins.wait_for_end(&plugin, ended, &hurry).await;
            let among = Arc::new(plugins.current().with_guest(&plugin));
            plugin.stop(&among).await;
            drop(among);
            tracing::info!(plugin = %plugin.name(), sha256 = %plugin.facts().sha256, "stopped");
            plugins.shared.drains.end(&plugin);
            plugins.forget_if_gone(plugin.name());
            // To give its code and its instances back takes the system a moment.
            let _ = tokio::task::spawn_blocking(move || drop(plugin)).await;
        });
    }

    async fn wait_for_end(
        &self,
        plugin: &Plugin,
        mut ended: tokio::sync::oneshot::Receiver<()>,
        hurry: &Notify,
    ) {
        let limit = plugin.limits().drain_timeout;
        let in_time = tokio::select! {
            ended = tokio::time::timeout(limit, &mut ended) => ended.is_ok(),
            () = hurry.notified() => false,
        };
        if in_time {
            return;
        }
        tracing::warn!(
            plugin = %plugin.name(),
            "calls under way in the version that was replaced or taken away are ended now: they had {limit:?} (limit `drain_timeout`), or the host stops"
        );
        let cut = &plugin.sandbox().cut;
        cut.cut();
        if tokio::time::timeout(LONGEST_END, ended).await.is_err() {
            tracing::warn!(plugin = %plugin.name(), "a call chain that began before still lasts; its calls into that version fail");
            return;
        }
        // For its own `stop`.
        cut.take_back();
    }

    pub(super) fn forget_if_gone(&self, name: &Arc<str>) {
        let current = self.current();
        let is_there = current.get(name).is_some()
            || current
                .waiting()
                .iter()
                .any(|waiting| waiting.plugin == *name)
            || self.shared.drains.count(name) > 0;
        let mut book = self.shared.book.lock();
        if !is_there && !book.has_trouble(name) {
            book.forget(name);
        }
    }
}
