//! Takes in what has changed in the folder: loads beside, links, starts, swaps, and lets the old ones drain. What is wrong with a
//! file changes nothing but the log and the status.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::component::ComponentFile;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::folder::files;
use crate::generation::{Generation, Member};
use crate::links::{Resolved, resolve};
use crate::low_priority::at_low_priority;
use crate::plugin::{Plugin, PluginOptions};
use crate::wasm_file::{Digest, WasmFile, name_of};

use super::drain::MOST_DRAINING;
use super::{Plugins, start};

/// A file that changed less than this ago may be changing still.
pub(super) const QUIET: Duration = Duration::from_millis(100);
/// Where many files have changed, those that are compiled begin to run without waiting for the others.
const SETTLE_EVERY: Duration = Duration::from_secs(2);
/// How often it is looked whether files have gone while one is compiled.
const LET_GO_EVERY: Duration = Duration::from_millis(500);

/// What a look at the folder led to.
#[derive(Debug, Default)]
pub struct Changed {
    /// Plugins that came, or came in a new version.
    pub running: Vec<Arc<str>>,
    /// Plugins that were taken away.
    pub gone: Vec<Arc<str>>,
    /// Files that could not be taken in, each with a sentence that names it.
    pub failed: Vec<String>,
    /// Plugins whose files were still being written: they are to be looked at again.
    pub unsettled: BTreeSet<Arc<str>>,
}

/// A try of everything anew, over as many looks as it takes: what failed before is tried again once, and what runs with other options
/// than it would have now is loaded anew.
#[derive(Debug, Default)]
pub struct Again {
    tried: BTreeSet<Arc<str>>,
}

/// The files that were looked at, and what was made of them and does not run.
#[derive(Default)]
pub(super) struct Candidates {
    pending: BTreeMap<Arc<str>, Arc<Plugin>>,
    seen: HashMap<Arc<str>, Seen>,
    /// Of which a new try waits for an earlier version to end.
    held: BTreeSet<Arc<str>>,
    is_closed: bool,
}

impl Candidates {
    pub(super) fn add(&mut self, plugin: &Arc<Plugin>) {
        let name = Arc::clone(plugin.name());
        self.pending.insert(name, Arc::clone(plugin));
    }

    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.pending.clear();
    }
}

/// A file as it was last read.
struct Seen {
    stamp: Stamp,
    /// None where it could not be read.
    sha256: Option<Digest>,
    /// Nothing but other contents can change what became of it.
    is_final: bool,
}

/// What changes whenever a file's contents do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> std::io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    fn is_young(&self) -> bool {
        let (Ok(seconds), Ok(nanos)) =
            (u64::try_from(self.changed.0), u32::try_from(self.changed.1))
        else {
            return false;
        };
        let changed = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
        // One from the future is of a system with another clock.
        changed.elapsed().is_ok_and(|age| age < QUIET)
    }
}

/// What reading one file gave.
enum Read {
    Unsettled,
    Known(Digest),
    Made(Digest, Box<ComponentFile>),
    Failed(Option<Digest>, LoadError),
}

impl Plugins {
    /// Looks at the folder and takes in what has changed, small files first. What is still being written is left for later.
    ///
    /// # Errors
    /// Only where the folder can't be read; then no plugin is taken away.
    pub async fn update(
        &self,
        mut again: Option<&mut Again>,
        options: impl Fn(&str) -> PluginOptions,
    ) -> Result<Changed, LoadError> {
        let mut candidates = self.shared.candidates.lock().await;
        let mut changed = Changed::default();
        if candidates.is_closed {
            return Ok(changed);
        }
        let mut files = files(self.folder())?;
        files.sort_by_cached_key(|path| fs::metadata(path).map_or(0, |file| file.len()));
        let mut settled = Instant::now();
        for path in &files {
            let name: Arc<str> = name_of(path).into();
            if self.is_being_written(path) {
                changed.unsettled.insert(name);
                continue;
            }
            let tries_again = again
                .as_ref()
                .is_some_and(|again| !again.tried.contains(&name))
                | candidates.held.remove(&name);
            let options = options(&name);
            self.look_at(
                &name,
                path,
                tries_again,
                options,
                &mut candidates,
                &mut changed,
            )
            .await;
            if let Some(again) = &mut again
                && !changed.unsettled.contains(&name)
            {
                again.tried.insert(name);
            }
            if settled.elapsed() > SETTLE_EVERY {
                let present = self.present()?;
                self.settle(&mut candidates, &present, &mut changed).await;
                settled = Instant::now();
            }
        }
        // Some may have gone while others were compiled.
        let present = self.present()?;
        candidates.seen.retain(|name, _| present.contains(name));
        candidates.held.retain(|name| present.contains(name));
        self.settle(&mut candidates, &present, &mut changed).await;
        let names = self.shared.book.lock().names();
        for name in names.iter().filter(|name| !present.contains(*name)) {
            self.shared.book.lock().is_well(name);
            self.forget_if_gone(name);
        }
        Ok(changed)
    }

    /// The plugins that have a file now.
    fn present(&self) -> Result<BTreeSet<Arc<str>>, LoadError> {
        let files = files(self.folder())?;
        Ok(files.iter().map(|path| name_of(path).into()).collect())
    }

    /// Lets those go whose files have gone.
    async fn let_go(&self, candidates: &mut Candidates, changed: &mut Changed) {
        let Ok(present) = self.present() else {
            return;
        };
        let current = self.current();
        if !current
            .plugins()
            .all(|plugin| present.contains(plugin.name()))
        {
            self.settle(candidates, &present, changed).await;
        }
    }

    /// Reads and compiles one file, if it is another than before.
    async fn look_at(
        &self,
        name: &Arc<str>,
        path: &Path,
        again: bool,
        options: PluginOptions,
        candidates: &mut Candidates,
        changed: &mut Changed,
    ) {
        let stamp = match Stamp::of(path) {
            Ok(stamp) => stamp,
            // One that has just gone is found to be gone at the next look.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(cause) => {
                let file = path.to_owned();
                return self.failed(name, &LoadError::Unreadable { file, cause }, changed);
            }
        };
        let current = self.current();
        let running = current.get(name);
        let pending = candidates.pending.get(name);
        let newest = pending.or(running);
        let is_as_told = newest.is_none_or(|plugin| *plugin.options() == options);
        let tries_again = again && pending.is_none() && self.shared.book.lock().has_trouble(name);
        let seen = candidates.seen.get(name);
        if seen.is_some_and(|seen| seen.stamp == stamp) && !tries_again && (is_as_told || !again) {
            return;
        }
        if stamp.is_young() {
            changed.unsettled.insert(Arc::clone(name));
            return;
        }
        if self.shared.drains.count(name) >= MOST_DRAINING {
            if again {
                candidates.held.insert(Arc::clone(name));
            }
            let error = LoadError::Draining {
                plugin: Arc::clone(name),
                versions: MOST_DRAINING,
            };
            return self.failed(name, &error, changed);
        }
        let mut known = Vec::new();
        if is_as_told || !again {
            known.extend(newest.map(|plugin| plugin.facts().sha256));
            known.extend(running.map(|plugin| plugin.facts().sha256));
            // What could not be used then can't be now, unless somebody asks for another try.
            let is_final = |seen: &&Seen| seen.is_final && !tries_again;
            known.extend(seen.filter(is_final).and_then(|seen| seen.sha256));
        }
        self.shared.book.lock().loads(name, running.is_some());
        // Whoever goes meanwhile is not kept by this.
        drop(current);
        let (engine, file) = (self.shared.engine.clone(), path.to_owned());
        let reading = {
            let options = options.clone();
            at_low_priority(move || read(&engine, &file, stamp, &options, &known))
        };
        tokio::pin!(reading);
        let read = loop {
            tokio::select! {
                read = &mut reading => break read,
                () = tokio::time::sleep(LET_GO_EVERY) => self.let_go(candidates, changed).await,
            }
        };
        let (sha256, is_final) = match &read {
            Some(Read::Known(sha256)) => {
                let seen = candidates.seen.get(name);
                (
                    Some(*sha256),
                    seen.is_some_and(|seen| seen.is_final && seen.sha256 == Some(*sha256)),
                )
            }
            Some(Read::Made(sha256, _)) => (Some(*sha256), false),
            Some(Read::Failed(sha256, _)) => (*sha256, true),
            // There is no thread for it now.
            Some(Read::Unsettled) | None => {
                self.shared.book.lock().is_read(name);
                changed.unsettled.insert(Arc::clone(name));
                return;
            }
        };
        let seen = Seen {
            stamp,
            sha256,
            is_final,
        };
        candidates.seen.insert(Arc::clone(name), seen);
        let made = match read {
            Some(Read::Made(_, component)) => self.make(*component, |_| options.clone()),
            Some(Read::Failed(_, error)) => {
                let file = sha256.map(|sha256| (None, sha256));
                self.shared.book.lock().has_file(name, file);
                Err(error)
            }
            _ => {
                self.shared.book.lock().is_read(name);
                let current = self.current();
                let runs = current.get(name).map(|plugin| plugin.facts().sha256) == sha256;
                if runs && sha256.is_some() && is_as_told {
                    // It is again what runs, whatever was tried in between.
                    candidates.pending.remove(name);
                    self.shared.book.lock().is_well(name);
                }
                return;
            }
        };
        candidates.pending.remove(name);
        match made {
            Ok(plugin) => {
                self.shared.book.lock().is_well(name);
                candidates.add(&plugin);
            }
            Err(error) => {
                if let Some(seen) = candidates.seen.get_mut(name) {
                    seen.is_final = true;
                }
                self.failed(name, &error, changed);
            }
        }
    }

    fn failed(&self, name: &Arc<str>, error: &LoadError, changed: &mut Changed) {
        let runs = self.current().get(name).is_some();
        let reason = error.to_string();
        changed.failed.push(reason.clone());
        let is_news = self.shared.book.lock().failed(name, reason, runs);
        if is_news && runs {
            tracing::warn!(plugin = %name, "failed, and the version that runs goes on: {error}");
        } else if is_news {
            tracing::warn!(plugin = %name, "failed: {error}");
        }
    }

    /// Links and starts what can be, and swaps.
    async fn settle(
        &self,
        candidates: &mut Candidates,
        present: &BTreeSet<Arc<str>>,
        changed: &mut Changed,
    ) {
        candidates.pending.retain(|name, _| present.contains(name));
        let current = self.current();
        // Those that can't be taken in as things stand; they may be when others have changed.
        let mut aside = BTreeSet::new();
        let mut tried: Vec<Arc<Plugin>> = Vec::new();
        let generation = loop {
            let resolved = {
                let pending = &candidates.pending;
                let mut all: BTreeMap<_, _> = current
                    .plugins()
                    .filter(|plugin| present.contains(plugin.name()))
                    .map(|plugin| (plugin.name(), plugin))
                    .collect();
                let comes = |name: &Arc<str>| !aside.contains(name);
                all.extend(pending.iter().filter(|(name, _)| comes(name)));
                let all: Vec<_> = all.into_values().cloned().collect();
                resolve(&all, |plugin| current.has(plugin))
            };
            if let Some((name, error)) = refused(&current, &resolved, candidates, &aside, present) {
                self.failed(&name, &error, changed);
                aside.insert(name);
                continue;
            }
            let generation = Arc::new(Generation::of(&resolved, |plugin| {
                let member = current.member(plugin.name());
                let same = member.filter(|member| member.plugin.id() == plugin.id());
                same.map_or_else(|| Member::new(Arc::clone(plugin)), Arc::clone)
            }));
            match start(&resolved.ready, &generation).await {
                Ok(()) => break generation,
                Err((failed, error)) => {
                    candidates.pending.remove(failed.name());
                    self.failed(failed.name(), &error, changed);
                    tried.extend(resolved.ready);
                }
            }
        };
        // One of a circle may have started before another of it failed. It has stopped for good, and its file is read anew.
        for plugin in tried {
            if plugin.has_started() && !generation.has(&plugin) && !current.has(&plugin) {
                plugin.stop(&generation).await;
                candidates.pending.remove(plugin.name());
                candidates.seen.remove(plugin.name());
                changed.unsettled.insert(Arc::clone(plugin.name()));
            }
        }
        self.swap(&current, generation, candidates, changed);
        for name in candidates.pending.keys() {
            self.shared.book.lock().is_read(name);
        }
    }

    fn swap(
        &self,
        current: &Generation,
        next: Arc<Generation>,
        candidates: &mut Candidates,
        changed: &mut Changed,
    ) {
        for waiting in next.waiting() {
            if !current.waiting().contains(waiting) {
                tracing::warn!("{waiting}");
            }
        }
        let came = |plugin: &&Arc<Plugin>| !current.has(plugin);
        let came: Vec<_> = next.plugins().filter(came).cloned().collect();
        let left = |member: &&Arc<Member>| !next.has(&member.plugin);
        let left: Vec<_> = current.members().filter(left).cloned().collect();
        if came.is_empty() && left.is_empty() && next.waiting() == current.waiting() {
            return;
        }
        *self.shared.current.write() = Arc::clone(&next);
        for plugin in came {
            let name = plugin.name();
            candidates.pending.remove(name);
            self.shared.book.lock().runs(name);
            let replaced = current.get(name).is_some();
            tracing::info!(
                plugin = %name, sha256 = %plugin.facts().sha256,
                "running{}", if replaced { ", in place of the version before" } else { "" }
            );
            changed.running.push(Arc::clone(name));
        }
        for member in left {
            let name = member.plugin.name();
            if next.get(name).is_none() {
                self.shared.book.lock().gone(name);
                tracing::info!(plugin = %name, "taken away");
                changed.gone.push(Arc::clone(name));
            }
            self.drain(&member);
        }
        self.shared.changes.send_modify(|changes| *changes += 1);
    }
}

/// One that came and can't be taken in as things stand, for others that run could not go on with it, or because it can't be
/// linked, while the version before it can. One that is new and only waits is none of those.
fn refused(
    current: &Generation,
    resolved: &Resolved,
    candidates: &Candidates,
    aside: &BTreeSet<Arc<str>>,
    present: &BTreeSet<Arc<str>>,
) -> Option<(Arc<str>, LoadError)> {
    let comes = |name: &Arc<str>| candidates.pending.contains_key(name) && !aside.contains(name);
    for lost in &resolved.lost {
        let Some(before) = current.provider(lost.importer, lost.link) else {
            continue;
        };
        let importer = current
            .plugins()
            .find(|plugin| plugin.id() == lost.importer)?;
        let wanted = importer.links().get(lost.link)?.interface.bare();
        let name = before.plugin.name();
        let culprit = if comes(name) {
            Some(name)
        } else if present.contains(name) {
            let mut others = candidates.pending.values();
            let offers = |plugin: &&Arc<Plugin>| {
                let mut offered = plugin.offered().iter();
                comes(plugin.name()) && offered.any(|offered| offered.name.bare() == wanted)
            };
            others.find(offers).map(|plugin| plugin.name())
        } else {
            None
        };
        if let Some(culprit) = culprit {
            let error = LoadError::Breaks {
                plugin: Arc::clone(culprit),
                importer: Arc::clone(importer.name()),
                reason: lost.reason.clone(),
            };
            return Some((Arc::clone(culprit), error));
        }
    }
    for error in &resolved.wrong {
        if let LoadError::Link {
            plugin,
            interface,
            reason,
        } = error
        {
            let error = LoadError::Link {
                plugin: Arc::clone(plugin),
                interface: interface.clone(),
                reason: reason.clone(),
            };
            return Some((Arc::clone(plugin), error));
        }
    }
    let replaces = |name: &Arc<str>| comes(name) && current.get(name).is_some();
    let mut waiting = resolved.waiting.iter();
    let waiting = waiting.find(|waiting| replaces(&waiting.plugin))?;
    let error = LoadError::Waiting(vec![waiting.clone()]);
    Some((Arc::clone(&waiting.plugin), error))
}

/// Reads a file, and compiles it unless its contents are known.
fn read(
    engine: &Engine,
    path: &Path,
    stamp: Stamp,
    options: &PluginOptions,
    known: &[Digest],
) -> Read {
    let file = match WasmFile::read(path) {
        Ok(file) => file,
        // It has gone meanwhile.
        Err(_) if !path.exists() => return Read::Unsettled,
        Err(error) => return Read::Failed(None, error),
    };
    // What changed while it was read may be half of each.
    if Stamp::of(path).ok() != Some(stamp) {
        return Read::Unsettled;
    }
    if known.contains(&file.sha256) {
        return Read::Known(file.sha256);
    }
    match ComponentFile::compile(engine, &file, options) {
        Ok(component) => Read::Made(file.sha256, Box::new(component)),
        Err(error) => Read::Failed(Some(file.sha256), error),
    }
}
