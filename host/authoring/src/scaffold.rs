//! `host new`: a folder that builds as it stands, made of an example of the language, its SDK and the host's contract.

use std::fs;
use std::path::{Path, PathBuf};

use crate::embedded;
use crate::error::Error;
use crate::language::{Kind, Language};
use crate::manifest::{self, Manifest};
use crate::name;
use crate::sources;
use crate::wit::{self, write};

/// Makes the folder `name` in `parent` and answers it. Nothing is left of one that failed.
///
/// # Errors
/// Where the name can't be a plugin's, the folder is there, or it can't be written.
pub fn scaffold(
    parent: &Path,
    name: &str,
    language: Language,
    kind: Kind,
) -> Result<PathBuf, Error> {
    name::check(name)?;
    // A relative name is where the author is.
    let parent = match parent.as_os_str().is_empty() {
        true => Path::new("."),
        false => parent,
    };
    let folder = parent.join(name);
    if folder.symlink_metadata().is_ok() {
        return Err(Error::Exists { folder });
    }
    let making = tempfile::Builder::new()
        .prefix(".new-")
        .tempdir_in(parent)
        .map_err(Error::write(parent))?;
    let example = kind.example();
    for (path, content) in embedded::example(language.word(), example) {
        let file = making.path().join(&path);
        match std::str::from_utf8(&content) {
            Ok(text) => write(&file, renamed(kind, &path, text, name).as_bytes())?,
            Err(_) => write(&file, &content)?,
        }
    }
    if language == Language::Rust {
        write(
            &making.path().join("Cargo.toml"),
            cargo_manifest(name, kind).as_bytes(),
        )?;
    }
    if !making.path().join("wit").exists() {
        write(
            &making.path().join("wit/world.wit"),
            strategy_world(name).as_bytes(),
        )?;
    }
    write(
        &making.path().join(".gitignore"),
        ignored(language).as_bytes(),
    )?;
    wit::write_dependencies(&making.path().join("wit/deps"))?;
    sources::write_sdk(language, &making.path().join("poolhouse"))?;
    let manifest = Manifest::read(making.path())?;
    let wit = wit::assemble(&manifest, making.path().join("target/wit"))?;
    language.add_editor_files(making.path(), wit)?;
    let target = making.path().join("target");
    fs::remove_dir_all(&target).map_err(Error::write(&target))?;
    // A temporary folder is its maker's alone; a plugin's is like any other.
    use std::os::unix::fs::PermissionsExt;
    let everybody_s = fs::Permissions::from_mode(0o755);
    fs::set_permissions(making.path(), everybody_s).map_err(Error::write(making.path()))?;
    let made = making.keep();
    fs::rename(&made, &folder).map_err(|cause| {
        // What is in it is of no use under that name, and the cause is what counts.
        let _ = fs::remove_dir_all(&made);
        Error::write(&folder)(cause)
    })?;
    Ok(folder)
}

impl Kind {
    /// The example that a new plugin begins as.
    const fn example(self) -> &'static str {
        match self {
            Self::Strategy => "moving-average",
            Self::Service => "ledger",
        }
    }
}

/// The example's text under the new plugin's name. A service's interface keeps its own, which is for its author to change.
fn renamed(kind: Kind, path: &str, text: &str, name: &str) -> String {
    let example = kind.example();
    let (old, new) = (example.replace('-', "_"), name.replace('-', "_"));
    let replace = |text: String, from: &str, to: &str| text.replace(from, to);
    let text = match kind {
        Kind::Strategy => replace(replace(text.to_owned(), example, name), &old, &new),
        Kind::Service => [
            // In the repository the contract lies elsewhere than beside the plugin's own WIT.
            (
                "path: [\"../../../wit\", \"wit\"]".to_owned(),
                "path: \"wit\"".to_owned(),
            ),
            (format!("local:{example}"), format!("local:{name}")),
            (format!("local_{old}_"), format!("local_{new}_")),
            (format!("local::{old}::"), format!("local::{new}::")),
            (
                format!("name = \"{example}\""),
                format!("name = \"{name}\""),
            ),
            (
                format!("\"name\": \"{example}\""),
                format!("\"name\": \"{name}\""),
            ),
            (format!("[plugins.{example}]"), format!("[plugins.{name}]")),
            (
                format!("host call {example} "),
                format!("host call {name} "),
            ),
            (
                format!("host build {example}"),
                format!("host build {name}"),
            ),
            (format!("{example}.wasm"), format!("{name}.wasm")),
            (format!("cd {example}"), format!("cd {name}")),
            (format!("# {example}\n"), format!("# {name}\n")),
        ]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| replace(text, from, to)),
    };
    if path != manifest::FILE {
        return text;
    }
    // In the new folder the SDK is where plugin.toml expects it.
    text.lines()
        .filter(|line| !line.starts_with("sdk = "))
        .map(|line| format!("{line}\n"))
        .collect()
}

fn strategy_world(name: &str) -> String {
    format!(
        "package local:{name}@0.1.0;\n\n/// A strategy. Its exports are made by the SDK.\nworld plugin {{\n  include poolhouse:trading/strategy-plugin@0.1.0;\n}}\n"
    )
}

/// Its own workspace, so that it builds wherever it lies.
fn cargo_manifest(name: &str, kind: Kind) -> String {
    let bindings = match kind {
        Kind::Strategy => String::new(),
        Kind::Service => format!(
            "wit-bindgen = {}\n",
            embedded::workspace_version("wit-bindgen")
        ),
    };
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n[dependencies]\npoolhouse = {{ path = \"poolhouse\" }}\n{bindings}\n[workspace]\n"
    )
}

fn ignored(language: Language) -> &'static str {
    match language {
        Language::Rust => "/target\n/plugins\n",
        Language::C => "/target\n/plugins\n/bindings\n/plugin_test\n",
        Language::TypeScript | Language::JavaScript => "/target\n/plugins\nnode_modules\n",
        Language::Python => "/target\n/plugins\n__pycache__\n",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    #[test]
    fn every_language_and_kind_is_a_folder_with_its_wit() {
        let parent = tempfile::tempdir().unwrap();
        for language in Language::ALL {
            for (kind, name) in [(Kind::Strategy, "my-cross"), (Kind::Service, "my-books")] {
                let name = format!("{name}-{}", language.word());
                let folder = scaffold(parent.path(), &name, language, kind).unwrap();
                let manifest = Manifest::read(&folder).unwrap();
                assert_eq!(
                    (manifest.name.as_str(), manifest.language),
                    (name.as_str(), language)
                );
                assert!(manifest.sdk.is_dir(), "{name}");
                let wit = wit::assemble(&manifest, folder.join("target/wit")).unwrap();
                assert_eq!(wit.resolve.worlds[wit.world].name, "plugin");
                for file in [
                    "README.md",
                    ".gitignore",
                    "wit/deps/poolhouse-database/types.wit",
                ] {
                    assert!(folder.join(file).exists(), "{name}: {file}");
                }
                let again = scaffold(parent.path(), &name, language, kind).unwrap_err();
                assert!(again.to_string().contains("is there already"));
            }
        }
        let hidden = fs::read_dir(parent.path()).unwrap().filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with('.')
        });
        assert_eq!(hidden.count(), 0);
    }

    #[test]
    fn a_service_keeps_its_interface_s_name() {
        let text = renamed(
            Kind::Service,
            "world.wit",
            "package local:ledger@0.1.0;\ninterface ledger {}",
            "my-books",
        );
        assert_eq!(text, "package local:my-books@0.1.0;\ninterface ledger {}");
    }
}
