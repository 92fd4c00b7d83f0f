//! Compiled code kept on disk, so that the next start need not compile it again: by the component's hash, the engine's settings and
//! the host's version. What is read is machine code that will be run, so nothing is taken from a folder that anybody else can write
//! to, and nothing that is not whole. This is one of the modules with `unsafe`.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;

use crate::wasm_file::{Digest, one_line};

/// What an entry begins with; behind it come the SHA-256 of the code, and the code.
const MAGIC: &[u8; 8] = b"plhscc01";
const HEADER: usize = MAGIC.len() + 32;
/// The end of an entry's name.
const EXTENSION: &str = "code";
/// Others may write.
const WRITABLE: u32 = 0o022;
/// Whoever may write to such a folder still can't rename what is another's.
const STICKY: u32 = 0o1000;

/// Why a folder is not used for compiled code; the sentence names it and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CodeCacheError {
    /// It can't be made or looked at.
    #[error(
        "the folder for compiled code {} can't be used ({cause}): name another as `folder` in [cache] of host.toml, or \"\" for none",
        folder.display()
    )]
    Unusable {
        /// As it was given.
        folder: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Somebody else could put code of theirs there.
    #[error(
        "the folder for compiled code {} is not used: others can write to {}, and could put code of theirs there; \
         take that away from them (chmod go-w, chown), or name another as `folder` in [cache] of host.toml",
        folder.display(),
        writable.display()
    )]
    Unsafe {
        /// The folder.
        folder: PathBuf,
        /// It, or one that it is in.
        writable: PathBuf,
    },
}

/// A folder of compiled code.
#[derive(Debug)]
pub struct CodeCache {
    folder: PathBuf,
    most_bytes: u64,
    /// Held while old entries are removed.
    tidying: Mutex<()>,
    next_temporary: AtomicU64,
}

impl CodeCache {
    /// Uses this folder, which is made if it is not there, for `most_bytes` bytes in all; the entries used last stay.
    ///
    /// # Errors
    /// Where it can't be made, or anybody but this user and root could put something else there.
    pub fn open(folder: &Path, most_bytes: u64) -> Result<Self, CodeCacheError> {
        let unusable = |cause: io::Error| CodeCacheError::Unusable {
            folder: folder.to_owned(),
            cause,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(unusable)?;
        let folder = folder.canonicalize().map_err(unusable)?;
        for (at, ancestor) in folder.ancestors().enumerate() {
            let metadata = fs::metadata(ancestor).map_err(unusable)?;
            let is_safe = is_trusted(&metadata)
                || (at > 0 && is_ours_or_root_s(&metadata) && metadata.mode() & STICKY != 0);
            if !is_safe {
                let writable = ancestor.to_owned();
                return Err(CodeCacheError::Unsafe { folder, writable });
            }
        }
        Ok(Self {
            folder,
            most_bytes,
            tidying: Mutex::default(),
            next_temporary: AtomicU64::new(0),
        })
    }

    /// The component of that hash; none where it is not there, or not whole.
    pub(crate) fn load(&self, engine: &wasmtime::Engine, sha256: &Digest) -> Option<Component> {
        let path = self.path(engine, sha256);
        let entry = match read(&path) {
            Ok(entry) => entry,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!("{} is not used and compiled anew: {error}", path.display());
                self.remove(&path);
                return None;
            }
        };
        let code = entry.get(HEADER..).unwrap_or_default();
        #[expect(
            unsafe_code,
            reason = "code that this user's host compiled: the folder is this user's alone, the entry is whole by its hash, and wasmtime \
                      compares its own version and the engine's settings"
        )]
        // SAFETY: see the reason. The bytes are a copy in memory, which nobody else can change.
        let component = unsafe { Component::deserialize(engine, code) };
        match component {
            Ok(component) => {
                // Those that are not used for longest go first. Where the time can't be set, it goes sooner.
                let _ = File::options()
                    .write(true)
                    .open(&path)
                    .and_then(|file| file.set_modified(SystemTime::now()));
                Some(component)
            }
            Err(error) => {
                tracing::warn!(
                    "{} is not used and compiled anew: {}",
                    path.display(),
                    one_line(&error)
                );
                self.remove(&path);
                None
            }
        }
    }

    /// Keeps a component's code. What goes wrong is only logged: it is compiled again next time.
    pub(crate) fn store(&self, engine: &wasmtime::Engine, sha256: &Digest, component: &Component) {
        let path = self.path(engine, sha256);
        let stored = component
            .serialize()
            .map_err(|error| io::Error::other(one_line(&error)))
            .and_then(|code| self.write(&path, &code));
        match stored {
            Ok(()) => self.tidy(),
            Err(error) => tracing::warn!("{} can't be written: {error}", path.display()),
        }
    }

    fn write(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        if code.len() as u64 > self.most_bytes {
            return Ok(());
        }
        let number = self.next_temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = self
            .folder
            .join(format!("{}-{number}.new", std::process::id()));
        // One that a host of the same process number left when it was killed.
        self.remove(&temporary);
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .and_then(|mut file| {
                file.write_all(MAGIC)?;
                file.write_all(&Sha256::digest(code))?;
                file.write_all(code)
            })
            .and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            self.remove(&temporary);
        }
        written
    }

    /// Removes what was not used for longest, until the rest is as much as there may be; and what was left half-written.
    fn tidy(&self) {
        let _tidying = self.tidying.lock();
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        let mut kept = Vec::new();
        for entry in entries.flatten() {
            let (path, Ok(metadata)) = (entry.path(), entry.metadata()) else {
                continue;
            };
            let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let end = path.extension();
            if end.is_some_and(|end| end == EXTENSION) {
                kept.push((modified, metadata.len(), path));
            } else if end.is_some_and(|end| end == "new")
                && modified.elapsed().is_ok_and(|age| age.as_secs() > 3600)
            {
                self.remove(&path);
            }
        }
        kept.sort_by_key(|(modified, ..)| std::cmp::Reverse(*modified));
        let mut bytes = 0_u64;
        for (_, length, path) in kept {
            bytes = bytes.saturating_add(length);
            if bytes > self.most_bytes {
                self.remove(&path);
            }
        }
    }

    /// It may have gone already, by another host's doing.
    fn remove(&self, path: &Path) {
        let _ = fs::remove_file(path);
    }

    fn path(&self, engine: &wasmtime::Engine, sha256: &Digest) -> PathBuf {
        let mut settings = Settings(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut settings);
        env!("CARGO_PKG_VERSION").hash(&mut settings);
        let settings = settings.finish();
        self.folder
            .join(format!("{sha256}-{settings:016x}.{EXTENSION}"))
    }
}

/// This user's, or root's, and nobody else can write to it.
fn is_trusted(metadata: &fs::Metadata) -> bool {
    is_ours_or_root_s(metadata) && metadata.mode() & WRITABLE == 0
}

/// Whoever owns a folder may rename what is in it, sticky or not.
fn is_ours_or_root_s(metadata: &fs::Metadata) -> bool {
    let own = rustix::process::geteuid().as_raw();
    [own, 0].contains(&metadata.uid())
}

/// A whole entry.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || !is_trusted(&metadata) {
        return Err(io::Error::other("others can write to it"));
    }
    let mut entry = Vec::new();
    file.read_to_end(&mut entry)?;
    let (header, code) = entry.split_at_checked(HEADER).unwrap_or_default();
    let is_whole = header.strip_prefix(MAGIC) == Some(Sha256::digest(code).as_slice());
    if !is_whole {
        return Err(io::Error::other("it is damaged"));
    }
    Ok(entry)
}

/// Hashes the same on every run, as the standard library's does not promise to.
struct Settings(Sha256);

impl Hasher for Settings {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest
            .iter()
            .take(8)
            .fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn compiled(engine: &wasmtime::Engine, number: u32) -> (Digest, Component) {
        let text = format!(
            "(component (core module $m (func (export \"f\") (result i32) i32.const {number})) (core instance (instantiate $m)))"
        );
        let bytes = wat::parse_str(text).unwrap();
        let component = Component::from_binary(engine, &bytes).unwrap();
        (Digest(Sha256::digest(&bytes).into()), component)
    }

    fn entries(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn what_is_stored_is_loaded_and_what_is_damaged_is_not() {
        let engine = wasmtime::Engine::default();
        let folder = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(&folder.path().join("deep/down"), 1 << 30).unwrap();
        let (sha256, component) = compiled(&engine, 1);
        assert!(cache.load(&engine, &sha256).is_none());
        cache.store(&engine, &sha256, &component);
        assert!(cache.load(&engine, &sha256).is_some());
        let path = entries(&cache.folder).remove(0);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let whole = fs::read(&path).unwrap();
        // Every tenth of it changed, and cut at every tenth.
        for at in (0..whole.len()).step_by(whole.len() / 10) {
            for damaged in [
                whole[..at].to_vec(),
                [&whole[..at], &[whole[at] ^ 1], &whole[at + 1..]].concat(),
            ] {
                fs::write(&path, damaged).unwrap();
                assert!(cache.load(&engine, &sha256).is_none(), "{at}");
                assert!(!path.exists());
                cache.store(&engine, &sha256, &component);
                assert!(cache.load(&engine, &sha256).is_some());
            }
        }
        // Another engine has an entry of its own.
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(true);
        let other = wasmtime::Engine::new(&config).unwrap();
        assert!(cache.load(&other, &sha256).is_none());
        // An entry of the right name with another engine's code is refused by wasmtime.
        fs::copy(&path, cache.path(&other, &sha256)).unwrap();
        assert!(cache.load(&other, &sha256).is_none());
    }

    #[test]
    fn nothing_is_taken_from_where_others_can_write() {
        let engine = wasmtime::Engine::default();
        let folder = tempfile::tempdir().unwrap();
        let (sha256, component) = compiled(&engine, 1);
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let own = folder.path().join("own");
        let cache = CodeCache::open(&own, 1 << 30).unwrap();
        cache.store(&engine, &sha256, &component);
        let path = entries(&own).remove(0);
        mode(&path, 0o622);
        assert!(cache.load(&engine, &sha256).is_none());
        cache.store(&engine, &sha256, &component);
        // A link to one that is trusted is not.
        let aside = folder.path().join("aside");
        fs::rename(&path, &aside).unwrap();
        std::os::unix::fs::symlink(&aside, &path).unwrap();
        assert!(cache.load(&engine, &sha256).is_none());
        for unsafe_mode in [0o777, 0o770, 0o702] {
            mode(&own, unsafe_mode);
            let error = CodeCache::open(&own, 1 << 30).unwrap_err().to_string();
            assert!(error.contains("others can write to"), "{error}");
        }
        mode(&own, 0o700);
        mode(folder.path(), 0o777);
        assert!(CodeCache::open(&own, 1 << 30).is_err());
        // As /tmp is.
        mode(folder.path(), 0o1777);
        assert!(CodeCache::open(&own, 1 << 30).is_ok());
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let engine = wasmtime::Engine::default();
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<_> = (0..5).map(|number| compiled(&engine, number)).collect();
        let cache = CodeCache::open(folder.path(), 1 << 30).unwrap();
        let hour = std::time::Duration::from_secs(3600);
        for (age, (sha256, component)) in all.iter().enumerate().rev() {
            cache.store(&engine, sha256, component);
            let file = File::options()
                .write(true)
                .open(cache.path(&engine, sha256));
            let then = SystemTime::now() - hour * u32::try_from(age).unwrap();
            file.unwrap().set_modified(then).unwrap();
        }
        let length = fs::metadata(cache.path(&engine, &all[0].0)).unwrap().len();
        // The oldest is used once more.
        assert!(cache.load(&engine, &all[4].0).is_some());
        let small = CodeCache::open(folder.path(), length * 3 + length / 2).unwrap();
        small.tidy();
        let left: Vec<_> = all
            .iter()
            .map(|(sha256, _)| small.load(&engine, sha256).is_some())
            .collect();
        assert_eq!(left, [true, true, false, false, true]);
        assert_eq!(entries(folder.path()).len(), 3);
        // One that is too large by itself is not written at all.
        let tiny = CodeCache::open(folder.path(), 10).unwrap();
        tiny.store(&engine, &all[2].0, &all[2].1);
        assert!(tiny.load(&engine, &all[2].0).is_none());
    }
}
