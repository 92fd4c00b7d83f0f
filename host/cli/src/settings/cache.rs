//! `[cache]`: where compiled code is kept, so that the next start need not compile it again.

use std::path::PathBuf;

use serde::Deserialize;

use super::units::{Bytes, at_least_one};

/// A component with a whole Python inside takes 32 MB.
const DEFAULT_SIZE: u64 = 512 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
pub(super) struct CacheSection {
    /// "" = none.
    folder: Option<PathBuf>,
    size: Option<Bytes>,
}

/// Where compiled code is kept.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    /// None = nowhere.
    pub(crate) folder: Option<PathBuf>,
    /// Nobody named the folder.
    pub(crate) is_default: bool,
    /// Bytes of all that is kept.
    pub(crate) size: u64,
}

impl CacheSection {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        at_least_one("size", self.size.map(|bytes| bytes.0))
    }

    pub(super) fn settings(self) -> Cache {
        let is_default = self.folder.is_none();
        let folder = match self.folder {
            Some(folder) => Some(from_home(folder)).filter(|folder| !folder.as_os_str().is_empty()),
            None => default_folder(),
        };
        // Compilers that are kept there run in other folders. Only where there is no current folder has it no such path.
        let folder = folder.map(|folder| std::path::absolute(&folder).unwrap_or(folder));
        Cache {
            folder,
            is_default,
            size: self.size.map_or(DEFAULT_SIZE, |bytes| bytes.0),
        }
    }
}

/// None for a user without a home.
fn default_folder() -> Option<PathBuf> {
    let absolute = |name: &str| {
        let folder = PathBuf::from(std::env::var_os(name)?);
        // As the XDG specification has it, a relative path is none.
        folder.is_absolute().then_some(folder)
    };
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(caches.join("poolhouse"))
}

/// A path that begins with `~/` is in the user's home, as a shell has it.
fn from_home(folder: PathBuf) -> PathBuf {
    match (folder.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => folder,
    }
}
