//! Whether anything of a folder's sources is other than it was.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

/// What compilers, package managers and editors put into a plugin's folder.
const NOT_SOURCES: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// What `host build` itself writes beside the sources, for editors.
const GENERATED: [&str; 2] = ["types/wit.d.ts", "bindings/plugin.h"];

/// Folders in folders; deeper there are no sources, but perhaps a link to a folder above.
const DEEPEST: usize = 16;

/// Bytes of a file that is read; of a larger one the length counts.
const LARGEST_FILE: u64 = 16 << 20;

/// A number that is another one when a source in the folder is: a name, or what is in a file. What can't be read counts as it
/// is, unreadable, and is for the compiler to tell.
pub fn fingerprint(folder: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    add(folder, 0, &mut hasher);
    hasher.finish()
}

fn add(folder: &Path, depth: usize, hasher: &mut DefaultHasher) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || NOT_SOURCES.contains(&&*name) {
            continue;
        }
        if GENERATED.iter().any(|generated| path.ends_with(generated)) {
            continue;
        }
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        name.hash(hasher);
        if metadata.is_dir() && depth < DEEPEST {
            add(&path, depth + 1, hasher);
        } else if metadata.len() > LARGEST_FILE {
            metadata.len().hash(hasher);
        } else if metadata.is_file() {
            fs::read(&path).ok().hash(hasher);
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
        assert_eq!(write("target/x", "1"), first);
        assert_eq!(
            write("a/node_modules/x", "1"),
            write("a/node_modules/x", "2")
        );
        let before = write("types/other.d.ts", "1");
        assert_eq!(write("types/wit.d.ts", "1"), before);
        assert_ne!(write("plugin.py", "2"), before);
        assert_eq!(write("plugin.py", "1"), before);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("above")).unwrap();
        fingerprint(folder.path());
    }
}
