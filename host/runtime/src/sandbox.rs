//! What the sandboxes of one plugin's instances have in common: its limits, its log, its count of instances, and what WASI
//! gives it; leaves the state of each instance to `state`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, WasiCtx};

use crate::admission::{Share, Supply};
use crate::error::CallError;
use crate::guest_log::{GuestLog, Severity};
use crate::instance::Call;
use crate::limits::Limits;
use crate::long_running::Pace;
use crate::output::Output;

/// Random bytes that a guest may ask for at once: the host makes them one by one, and nobody else runs meanwhile.
const MOST_RANDOM_BYTES: u64 = 1 << 20;
/// Handles of WASI's in one instance that may read folders, for each may be an open file of the host's, which has only so many
/// for all.
const MOST_HANDLES_WITH_FOLDERS: usize = 128;

/// The sandbox of one plugin, the same for all its instances.
pub(crate) struct Sandbox {
    pub(crate) plugin: Arc<str>,
    pub(crate) limits: Limits,
    /// Whether its last call was a long one; each instance's own is made of it.
    pub(crate) pace: Pace,
    pub(crate) cut: Arc<Cut>,
    pub(crate) counters: Arc<Counters>,
    log: Arc<GuestLog>,
    environment: Vec<(String, String)>,
    folders: BTreeMap<String, PathBuf>,
    instances: Arc<Supply>,
    /// Those of the system that the instances of all plugins share.
    memory_maps: Arc<Supply>,
    /// How many of them each instance takes.
    maps_of_an_instance: usize,
}

/// What one plugin has done since the host started, over all its versions.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) calls: AtomicU64,
    pub(crate) traps: AtomicU64,
}

/// Ends all calls into one plugin at once.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    is_cut: AtomicBool,
    told: Notify,
}

impl Cut {
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Relaxed)
    }

    /// Ends the calls under way, and those that begin, until it is taken back.
    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
        self.told.notify_waiters();
    }

    pub(crate) fn take_back(&self) {
        self.is_cut.store(false, Ordering::Release);
    }

    /// Resolves when the calls are to end.
    pub(crate) async fn cut_off(&self) {
        loop {
            // Made before the look, so that what is told in between is heard.
            let told = self.told.notified();
            if self.is_cut.load(Ordering::Acquire) {
                return;
            }
            told.await;
        }
    }
}

/// One instance's place among those of its plugin and of the host. Given back when it is dropped.
pub(crate) struct Places {
    _of_plugin: Share,
    _of_host: Share,
}

/// What WASI has for one instance.
pub(crate) struct Wasi {
    pub(crate) context: WasiCtx,
    /// Its streams, files and timers; the database's handles are in a table of their own.
    pub(crate) table: ResourceTable,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    /// What it logs by level.
    pub(crate) log: Arc<GuestLog>,
}

impl Sandbox {
    pub(crate) fn new(
        plugin: &Arc<str>,
        limits: Limits,
        environment: Vec<(String, String)>,
        folders: BTreeMap<String, PathBuf>,
        memory_maps: &Arc<Supply>,
        maps_of_an_instance: usize,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            plugin: Arc::clone(plugin),
            pace: Pace::default(),
            cut: Arc::default(),
            counters,
            log: GuestLog::new(plugin, &limits),
            environment,
            folders,
            instances: Supply::new(limits.instances),
            memory_maps: Arc::clone(memory_maps),
            maps_of_an_instance,
            limits,
        }
    }

    /// A place for one more instance.
    ///
    /// # Errors
    /// Where there are as many as may be, of the plugin's or of all.
    pub(crate) fn place(&self, call: &Call) -> Result<Places, CallError> {
        let refused =
            |limit: usize, of: &'static str, setting: &'static str| CallError::TooManyInstances {
                plugin: Arc::clone(&self.plugin),
                function: Arc::clone(&call.function),
                limit,
                of,
                setting,
            };
        let Some(of_plugin) = self.instances.share(1) else {
            let limit = self.instances.most();
            return Err(refused(limit, "instances of it are alive", "`instances`"));
        };
        let Some(of_host) = self.memory_maps.share(self.maps_of_an_instance) else {
            let limit = self.memory_maps.most();
            return Err(refused(
                limit,
                "memory maps are the most for all instances, and taken",
                "vm.max_map_count of this system",
            ));
        };
        Ok(Places {
            _of_plugin: of_plugin,
            _of_host: of_host,
        })
    }

    /// No arguments, no standard input and no network; the variables and folders that are granted, and a log.
    ///
    /// # Errors
    /// Where a folder can't be opened.
    pub(crate) fn wasi(&self) -> Result<Wasi, CallError> {
        let stdout = Output::new(Arc::clone(&self.log), Severity::Info);
        let stderr = Output::new(Arc::clone(&self.log), Severity::Warn);
        let mut builder = WasiCtx::builder();
        builder
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .envs(&self.environment)
            .max_random_size(MOST_RANDOM_BYTES)
            // The defaults, said all the same: no plugin has a network.
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        for (seen_as, folder) in &self.folders {
            builder
                .preopened_dir(folder, seen_as, FsPerms::ReadOnly)
                .map_err(|error| CallError::Folder {
                    plugin: Arc::clone(&self.plugin),
                    folder: seen_as.clone(),
                    reason: error.root_cause().to_string(),
                })?;
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(self.most_wasi_handles());
        Ok(Wasi {
            context: builder.build(),
            table,
            stdout,
            stderr,
            log: Arc::clone(&self.log),
        })
    }

    /// Streams, files and timers that one instance may have at once.
    pub(crate) fn most_wasi_handles(&self) -> usize {
        let handles = usize::try_from(self.limits.handles).unwrap_or(usize::MAX);
        if self.folders.is_empty() {
            handles
        } else {
            handles.min(MOST_HANDLES_WITH_FOLDERS)
        }
    }
}
