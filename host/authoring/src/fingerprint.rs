//! Whether anything of a folder's sources is other than it was.

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// What compilers, package managers and editors put into a plugin's folder.
const NOT_SOURCES: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// What a host that runs in the plugin's own folder writes there, and what is built into it.
const NOT_SOURCE_ENDS: [&str; 6] = [".wasm", ".db", ".db-wal", ".db-shm", ".sock", ".sock.lock"];

/// What `host build` itself writes beside the sources, for editors.
const GENERATED: [&str; 2] = ["types/wit.d.ts", "bindings/plugin.h"];

/// Bytes of a file that is read; of a larger one the length counts.
const LARGEST_FILE: u64 = 16 << 20;

/// A number that is another one when a source in the folder is: its place, or what is in it. What can't be read counts as it
/// is, unreadable, and is for the compiler to tell.
pub fn fingerprint(folder: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    add(folder, Path::new(""), &mut HashSet::new(), &mut hasher);
    hasher.finish()
}

/// Each folder once, for a link may lead to one above.
fn add(folder: &Path, inside: &Path, seen: &mut HashSet<PathBuf>, hasher: &mut DefaultHasher) {
    let is_new = folder
        .canonicalize()
        .is_ok_and(|folder| seen.insert(folder));
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    if !is_new {
        return;
    }
    let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_source = !name.starts_with('.')
            && !NOT_SOURCES.contains(&&*name)
            && !NOT_SOURCE_ENDS.iter().any(|end| name.ends_with(end))
            && !GENERATED.iter().any(|generated| path.ends_with(generated));
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        let inside = inside.join(&*name);
        if !is_source {
            continue;
        } else if metadata.is_dir() {
            add(&path, &inside, seen, hasher);
        } else if metadata.is_file() {
            inside.hash(hasher);
            metadata.len().hash(hasher);
            if metadata.len() <= LARGEST_FILE {
                fs::read(&path).ok().hash(hasher);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    #[test]
    fn sources_count_and_what_is_made_of_them_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
            fingerprint(folder.path())
        };
        let first = write("plugin.py", "1");
        for made in [
            "target/x",
            "plugins/cross.wasm",
            "poolhouse.db-wal",
            "types/wit.d.ts",
            "a/node_modules/x",
        ] {
            assert_eq!(write(made, "1"), first, "{made}");
        }
        assert_ne!(write("types/other.d.ts", "1"), first);
        let before = write("plugin.py", "1");
        assert_ne!(write("plugin.py", "2"), before);
        assert_eq!(write("plugin.py", "1"), before);
        // A file that moves into another folder is another one.
        let inside = write("k/l.h", "1");
        fs::rename(folder.path().join("k/l.h"), folder.path().join("l.h")).unwrap();
        assert_ne!(fingerprint(folder.path()), inside);
        for link in ["above", "again"] {
            std::os::unix::fs::symlink(folder.path(), folder.path().join(link)).unwrap();
        }
        fingerprint(folder.path());
    }
}
