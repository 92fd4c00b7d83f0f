//! Watches the folder: whatever becomes of a file, it is looked at once it is quiet. Whoever writes slowly is waited for, and where
//! the system tells of no changes, as on some network file systems, the folder is looked at all the same.

use std::collections::HashMap;
use std::ffi::OsString;
use std::future::pending;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval, sleep_until};

use crate::plugin::PluginOptions;

use super::Plugins;
use super::change::QUIET;

/// How often the folder is looked at in any case.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// However often files change, so long after the first change they are looked at.
const LONGEST_QUIET: Duration = Duration::from_secs(1);
/// Who has written to a file and not closed it, is done with it after so long.
const WRITTEN_TO: Duration = Duration::from_secs(2);
/// Events between two looks; of more it is enough to know that there were some.
const MOST_EVENTS: usize = 1024;

/// The names of files that somebody is in the middle of writing, and when they were last written to.
pub(super) type Writing = HashMap<OsString, Instant>;

/// What is known of the files between two looks.
#[derive(Default)]
struct Watch {
    /// When the folder is to be looked at, and when at the latest.
    next: Option<(Instant, Instant)>,
}

impl Watch {
    fn note(&mut self, event: Event, writing: &mut Writing) {
        let now = Instant::now();
        let is_plugin = |path: &PathBuf| path.extension().is_some_and(|end| end == "wasm");
        for path in event.paths.into_iter().filter(is_plugin) {
            // The folder is told of by another path than it is watched by.
            let Some(file) = path.file_name() else {
                continue;
            };
            match event.kind {
                EventKind::Create(CreateKind::File) | EventKind::Modify(ModifyKind::Data(_)) => {
                    writing.insert(file.to_owned(), now);
                }
                EventKind::Access(AccessKind::Close(AccessMode::Write))
                | EventKind::Remove(_)
                | EventKind::Modify(ModifyKind::Name(_)) => {
                    writing.remove(file);
                }
                EventKind::Access(_) => continue,
                _ => {}
            }
            self.look_soon(QUIET);
        }
    }

    fn look_soon(&mut self, after: Duration) {
        let now = Instant::now();
        let latest = self.next.map_or(now + LONGEST_QUIET, |(_, latest)| latest);
        self.next = Some(((now + after).min(latest), latest));
    }

    async fn due(&self) {
        match self.next {
            Some((at, _)) => sleep_until(at).await,
            None => pending().await,
        }
    }
}

impl Plugins {
    /// Takes in whatever changes in the folder, for as long as it is polled; and drops warm instances that have been idle for long.
    ///
    /// Cancel safety: dropped midway, what was being loaded is not taken in.
    pub async fn watch(&self, options: impl Fn(&str) -> PluginOptions) {
        let (sender, mut events) = mpsc::channel(MOST_EVENTS);
        let mut watcher = None;
        let mut watched = None;
        let mut trouble = None;
        let mut watch = Watch::default();
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(event) = events.recv() => {
                    watch.note(event, &mut self.shared.writing.lock());
                    continue;
                }
                () = watch.due() => {}
                _ = ticks.tick() => {
                    // The folder itself may be replaced by another of its name.
                    let now = identity(self.folder());
                    if now.is_some() && now != watched {
                        watcher = begin(self.folder(), sender.clone());
                        watched = now;
                    }
                    self.shrink();
                }
            }
            watch.next = None;
            let looked = self.update(None, &options).await;
            match looked {
                Ok(changed) => {
                    trouble = None;
                    if !changed.unsettled.is_empty() {
                        watch.look_soon(QUIET);
                    }
                }
                Err(error) => {
                    let said = error.to_string();
                    if trouble.as_ref() != Some(&said) {
                        tracing::warn!("{said}; the plugins that run go on");
                        trouble = Some(said);
                    }
                    // What took its place, if anything does, is to be watched.
                    watched = None;
                    drop(watcher.take());
                }
            }
        }
    }

    /// Whether somebody is in the middle of writing it, as far as whoever watches was told.
    pub(super) fn is_being_written(&self, path: &Path) -> bool {
        let mut writing = self.shared.writing.lock();
        writing.retain(|_, last| last.elapsed() < WRITTEN_TO);
        path.file_name()
            .is_some_and(|name| writing.contains_key(name))
    }

    fn shrink(&self) {
        for plugin in self.current().plugins() {
            plugin.warm().shrink(plugin.limits());
        }
    }
}

fn identity(folder: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::metadata(folder).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// None where the system can't tell of changes; then there are only the looks.
fn begin(folder: &Path, events: mpsc::Sender<Event>) -> Option<RecommendedWatcher> {
    let told = move |event: notify::Result<Event>| {
        if let Ok(event) = event {
            // Where there is no room there are enough that lead to a look.
            let _ = events.try_send(event);
        }
    };
    let watcher = notify::recommended_watcher(told).and_then(|mut watcher| {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watcher
        .inspect_err(|error| {
            tracing::warn!(
                "changes in the plugins folder are noticed within {LOOK_EVERY:?} only: the system can't tell of them ({error})"
            );
        })
        .ok()
}
