//! The repository's files that a plugin's folder is made of: the contract, the SDKs and the examples, as they were when the host was built.

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../wit"]
#[include = "*.wit"]
struct Wit;

#[derive(RustEmbed)]
#[folder = "../../sdk"]
#[exclude = "*/target/*"]
#[exclude = "*/node_modules/*"]
#[exclude = "*__pycache__*"]
struct Sdks;

#[derive(RustEmbed)]
#[folder = "../../examples"]
#[exclude = "*/target/*"]
#[exclude = "*/node_modules/*"]
#[exclude = "*__pycache__*"]
// Made anew in each plugin's folder.
#[exclude = "c/*/bindings/*"]
// Where a language's tools find the SDK in the repository.
#[exclude = "*/poolhouse/*"]
struct Examples;

#[derive(RustEmbed)]
#[folder = "../../plugins/moving-average"]
#[exclude = "target/*"]
struct RustStrategy;

/// The repository's own manifest, which has the versions of what the Rust SDK depends on.
pub(crate) const WORKSPACE: &str = include_str!("../../../Cargo.toml");

/// A file by its path in its folder.
pub(crate) type File = (String, Cow<'static, [u8]>);

/// The contract, by path in `wit/`.
pub(crate) fn wit() -> Vec<File> {
    files::<Wit>("")
}

/// One SDK, by path in its folder.
pub(crate) fn sdk(language: &str) -> Vec<File> {
    files::<Sdks>(&format!("{language}/"))
}

/// One example, by path in its folder; the strategy in Rust is one of the reference plugins.
pub(crate) fn example(language: &str, name: &str) -> Vec<File> {
    match (language, name) {
        ("rust", "moving-average") => files::<RustStrategy>(""),
        _ => files::<Examples>(&format!("{language}/{name}/")),
    }
}

fn files<E: RustEmbed>(folder: &str) -> Vec<File> {
    let mut files: Vec<_> = E::iter()
        .filter_map(|path| {
            let inside = path.strip_prefix(folder)?.to_owned();
            Some((inside, E::get(&path)?.data))
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

/// What the workspace says of a crate that it depends on, as TOML.
pub(crate) fn workspace_version(name: &str) -> String {
    let version = toml::from_str::<toml::Table>(WORKSPACE)
        .ok()
        .and_then(|workspace| {
            let dependencies = workspace.get("workspace")?.get("dependencies")?;
            Some(dependencies.get(name)?.to_string())
        });
    version.unwrap_or_else(|| "\"*\"".to_owned())
}
