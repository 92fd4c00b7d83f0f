//! The WIT that a plugin is compiled against: its own, with the host's packages that it names beside it; parsed here so that a
//! mistake in it is told before any compiler runs.

use std::fs;
use std::path::{Path, PathBuf};

use wit_parser::{ParseError, Resolve, ResolveError, WorldId};

use crate::embedded;
use crate::error::Error;
use crate::manifest::Manifest;

/// A plugin's WIT, parsed.
#[derive(Debug)]
pub(crate) struct Wit {
    /// The folder that has all of it: the plugin's own files, and `deps`.
    pub(crate) folder: PathBuf,
    pub(crate) resolve: Resolve,
    pub(crate) world: WorldId,
}

/// Where each of the contract's packages is in a plugin's `wit/deps`, those that others need first.
pub(crate) const PACKAGES: [(&str, &str); 4] = [
    ("deps/logging/", "wasi-logging"),
    ("deps/plugin/", "poolhouse-plugin"),
    ("deps/database/", "poolhouse-database"),
    ("", "poolhouse-trading"),
];

/// Folders in folders that a package's WIT can lie in: `deps`, and a package's own in it.
const DEEPEST: usize = 2;

/// Writes the host's own packages into `deps`.
pub(crate) fn write_dependencies(deps: &Path) -> Result<(), Error> {
    for (path, content) in embedded::wit() {
        let package = PACKAGES.iter().find_map(|(folder, package)| {
            let file = path.strip_prefix(folder)?;
            (!file.contains('/')).then_some((package, file))
        });
        if let Some((package, file)) = package {
            write(&deps.join(package).join(file), &content)?;
        }
    }
    Ok(())
}

/// Puts the plugin's WIT together in `folder`, which is emptied before: with the packages that it has pinned in its own `deps`, and
/// with the host's where it has none.
pub(crate) fn assemble(manifest: &Manifest, folder: PathBuf) -> Result<Wit, Error> {
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(Error::write(&folder))?;
    }
    copy(&manifest.wit, &folder, DEEPEST)?;
    let deps = folder.join("deps");
    if !deps.exists() {
        write_dependencies(&deps)?;
    }
    let refuse = |error: &dyn std::fmt::Display| Error::Wit {
        folder: manifest.folder.clone(),
        wit: manifest.wit.clone(),
        // The author knows their own folder, not the one that it was copied to.
        reason: one_line(&error.to_string())
            .replace(&*folder.to_string_lossy(), &manifest.wit.to_string_lossy()),
    };
    let mut resolve = Resolve::default();
    let pushed = resolve.push_dir(&folder);
    let (package, _) = pushed.map_err(|error| {
        let syntax = error.downcast_ref::<ParseError>();
        let syntax = syntax.map(|error| (error.kind().span(), error.to_string()));
        let names = error.downcast_ref::<ResolveError>();
        let names = names.map(|error| (error.kind().span(), error.to_string()));
        refuse(&match syntax.or(names) {
            Some((span, reason)) => format!("{}: {reason}", resolve.render_location(span)),
            None => format!("{error:#}"),
        })
    })?;
    let world = resolve
        .select_world(&[package], Some(&manifest.world))
        .map_err(|error| refuse(&format!("{error:#}")))?;
    Ok(Wit {
        folder,
        resolve,
        world,
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Copies the WIT of a folder: its own, and that of `deps`, whose packages are files or folders.
fn copy(from: &Path, to: &Path, depth: usize) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::write(to))?;
    for entry in fs::read_dir(from).map_err(Error::read(from))? {
        let path = entry.map_err(Error::read(from))?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        if path.is_dir() {
            if depth > 0 && (depth < DEEPEST || name == "deps") {
                copy(&path, &to.join(name), depth - 1)?;
            }
        } else if path.extension().is_some_and(|end| end == "wit") {
            let text = fs::read(&path).map_err(Error::read(&path))?;
            write(&to.join(name), &text)?;
        }
    }
    Ok(())
}

/// Writes a file, and the folders that it is in.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::write(folder))?;
    }
    fs::write(path, content).map_err(Error::write(path))
}
