//! An SDK as a plugin's own folder has it. All are as they are in the repository but Rust's, which is a part of a workspace there
//! and must stand by itself here.

use std::path::Path;

use toml::{Table, Value};

use crate::embedded::{self, WORKSPACE};
use crate::error::Error;
use crate::language::Language;
use crate::wit::{PACKAGES, write};

/// Where the crate's bindings find the contract in the repository.
const REPOSITORY_WIT: &str = "path: \"../../wit\"";

/// Writes the SDK of a language into `folder`, which is beside the plugin's `wit`.
pub(crate) fn write_sdk(language: Language, folder: &Path) -> Result<(), Error> {
    for (path, content) in embedded::sdk(language.sdk()) {
        // Its own tests are the repository's.
        if path.starts_with("tests/") {
            continue;
        }
        let file = folder.join(&path);
        if language != Language::Rust {
            write(&file, &content)?;
        } else if path.ends_with("Cargo.toml") {
            write(&file, standing_alone(&file, &content)?.as_bytes())?;
        } else {
            let text = String::from_utf8_lossy(&content);
            write(
                &file,
                text.replace(REPOSITORY_WIT, &pinned_wit()).as_bytes(),
            )?;
        }
    }
    Ok(())
}

/// The contract as the plugin has pinned it, each package after those that it needs.
fn pinned_wit() -> String {
    let paths = PACKAGES.map(|(_, package)| format!("\"../wit/deps/{package}\""));
    format!("path: [{}]", paths.join(", "))
}

/// A manifest in which nothing is the workspace's any more: neither versions nor lints, which are the SDK's own affair.
fn standing_alone(file: &Path, manifest: &[u8]) -> Result<String, Error> {
    let parse = |text: &str| {
        toml::from_str::<Table>(text).map_err(|error| Error::Manifest {
            file: file.to_owned(),
            reason: error.message().to_owned(),
        })
    };
    let workspace = parse(WORKSPACE)?;
    let of_workspace =
        |section: &str, key: &str| workspace.get("workspace")?.get(section)?.get(key).cloned();
    let mut manifest = parse(&String::from_utf8_lossy(manifest))?;
    for section in ["lints", "dev-dependencies"] {
        manifest.remove(section);
    }
    for (section, source) in [("package", "package"), ("dependencies", "dependencies")] {
        let Some(Value::Table(table)) = manifest.get_mut(section) else {
            continue;
        };
        for (key, value) in table.iter_mut() {
            let is_inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
            if let (true, Some(found)) = (is_inherited, of_workspace(source, key)) {
                *value = found;
            }
            if let Some(path) = value.get_mut("path") {
                let inside = path
                    .as_str()
                    .and_then(|path| path.strip_prefix("sdk/rust/"));
                if let Some(inside) = inside.map(str::to_owned) {
                    *path = Value::String(inside);
                }
            }
        }
    }
    toml::to_string(&manifest).map_err(|error| Error::Manifest {
        file: file.to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_rust_sdk_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        write_sdk(Language::Rust, folder.path()).unwrap();
        for manifest in ["Cargo.toml", "derive/Cargo.toml"] {
            let text = fs::read_to_string(folder.path().join(manifest)).unwrap();
            assert!(!text.contains("workspace"), "{text}");
        }
        let manifest = fs::read_to_string(folder.path().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("path = \"derive\""), "{manifest}");
        let bindings = fs::read_to_string(folder.path().join("src/bindings.rs")).unwrap();
        assert!(!bindings.contains("../../wit") && bindings.contains("../wit/deps/wasi-logging"));
    }
}
