//! What is known of every plugin that there is or was to be: its state, since when, and its numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use crate::sandbox::Counters;
use crate::wasm_file::Digest;

use super::Plugins;

/// One plugin's state and numbers.
#[derive(Debug, Clone)]
pub struct PluginStatus {
    /// Its file's name without `.wasm`.
    pub name: Arc<str>,
    /// What it does.
    pub state: PluginState,
    /// Since when it does that.
    pub since: SystemTime,
    /// What its author calls the version; none where its component does not say.
    pub version: Option<String>,
    /// Of the file that runs; where none does, of the one that was read last. None where none could be.
    pub sha256: Option<Digest>,
    /// Why a newer file of it was not taken in, while the older one runs on.
    pub trouble: Option<String>,
    /// Calls into it since the host started, over all versions.
    pub calls: u64,
    /// Those of them that ended in a trap or took too long.
    pub traps: u64,
    /// Connections that it holds now.
    pub connections: u32,
    /// Warm instances that wait for its next calls.
    pub warm: usize,
    /// Its earlier versions that calls under way still work in.
    pub draining: usize,
}

/// What a plugin does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginState {
    /// It is being read, compiled, migrated or started.
    Loading,
    /// It imports what nobody exports; the sentence says what.
    Waiting(String),
    /// It answers calls.
    Running,
    /// It was taken away, and calls under way still work in it.
    Draining,
    /// It could not be loaded; the sentence says why.
    Failed(String),
}

impl PluginState {
    /// Its name in one word, in lower case.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Waiting(_) => "waiting",
            Self::Running => "running",
            Self::Draining => "draining",
            Self::Failed(_) => "failed",
        }
    }
}

impl fmt::Display for PluginState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting(reason) | Self::Failed(reason) => write!(f, "{}: {reason}", self.name()),
            _ => f.write_str(self.name()),
        }
    }
}

/// What is remembered of each plugin by its name.
#[derive(Default)]
pub(super) struct Book {
    entries: BTreeMap<Arc<str>, Entry>,
}

struct Entry {
    counters: Arc<Counters>,
    /// The last of what became of it.
    since: SystemTime,
    loading: bool,
    trouble: Option<String>,
    /// What the author calls the version that was read last, and its file's SHA-256.
    file: Option<(Option<String>, Digest)>,
}

impl Book {
    fn entry(&mut self, name: &Arc<str>) -> &mut Entry {
        let new = || Entry {
            counters: Arc::default(),
            since: SystemTime::now(),
            loading: false,
            trouble: None,
            file: None,
        };
        self.entries.entry(Arc::clone(name)).or_insert_with(new)
    }

    pub(super) fn counters(&mut self, name: &Arc<str>) -> Arc<Counters> {
        Arc::clone(&self.entry(name).counters)
    }

    /// A file of it is being read, compiled, migrated and started, perhaps while an older version runs.
    pub(super) fn loads(&mut self, name: &Arc<str>, runs: bool) {
        let entry = self.entry(name);
        entry.loading = true;
        if !runs {
            entry.since = SystemTime::now();
        }
    }

    /// That is over, and nothing is to be told of it but what is known otherwise.
    pub(super) fn is_read(&mut self, name: &Arc<str>) {
        self.entry(name).loading = false;
    }

    pub(super) fn has_file(&mut self, name: &Arc<str>, file: Option<(Option<String>, Digest)>) {
        self.entry(name).file = file;
    }

    pub(super) fn runs(&mut self, name: &Arc<str>) {
        let entry = self.entry(name);
        entry.since = SystemTime::now();
        entry.trouble = None;
        entry.loading = false;
    }

    /// Whether that is news.
    pub(super) fn failed(&mut self, name: &Arc<str>, reason: String, runs: bool) -> bool {
        let entry = self.entry(name);
        entry.loading = false;
        if entry.trouble.as_ref() == Some(&reason) {
            return false;
        }
        if !runs {
            entry.since = SystemTime::now();
        }
        entry.trouble = Some(reason);
        true
    }

    pub(super) fn has_trouble(&self, name: &str) -> bool {
        self.entries
            .get(name)
            .is_some_and(|entry| entry.trouble.is_some())
    }

    pub(super) fn is_well(&mut self, name: &str) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.trouble = None;
        }
    }

    /// Its file has gone.
    pub(super) fn gone(&mut self, name: &str) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.since = SystemTime::now();
            entry.trouble = None;
            entry.loading = false;
        }
    }

    /// Nothing of it is left.
    pub(super) fn forget(&mut self, name: &str) {
        self.entries.remove(name);
    }

    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.entries.keys().cloned().collect()
    }
}

impl Plugins {
    /// Every plugin that runs, waits, drains or could not be loaded, in order of name.
    pub fn status(&self) -> Vec<PluginStatus> {
        let current = self.current();
        let mut names: BTreeSet<Arc<str>> = self.shared.book.lock().names().into_iter().collect();
        names.extend(current.plugins().map(|plugin| Arc::clone(plugin.name())));
        names
            .into_iter()
            .filter_map(|name| self.status_of(&name))
            .collect()
    }

    fn status_of(&self, name: &Arc<str>) -> Option<PluginStatus> {
        let current = self.current();
        let running = current.get(name);
        let draining = self.shared.drains.count(name);
        let tenants = self.shared.database.tenants();
        let mut book = self.shared.book.lock();
        let entry = book.entry(name);
        let mut waiting = current.waiting().iter();
        let waiting = waiting.find(|waiting| waiting.plugin == *name);
        let state = match (running, &entry.trouble, waiting) {
            (Some(_), ..) => PluginState::Running,
            _ if entry.loading => PluginState::Loading,
            (None, Some(trouble), _) => PluginState::Failed(trouble.clone()),
            (None, None, Some(waiting)) => PluginState::Waiting(waiting.to_string()),
            _ if draining > 0 => PluginState::Draining,
            _ => return None,
        };
        let facts = running.map(|plugin| plugin.facts());
        let file = facts.map(|facts| (facts.version.clone(), facts.sha256));
        let (version, sha256) = file.or_else(|| entry.file.clone()).unzip();
        let version = version.flatten();
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        Some(PluginStatus {
            name: Arc::clone(name),
            state,
            since: entry.since,
            version,
            sha256,
            trouble: running.and(entry.trouble.clone()),
            calls: count(&entry.counters.calls),
            traps: count(&entry.counters.traps),
            connections: tenants
                .iter()
                .find(|tenant| tenant.name == *name)
                .map_or(0, |tenant| tenant.checked_out),
            warm: running.map_or(0, |plugin| plugin.warm().len()),
            draining,
        })
    }
}
