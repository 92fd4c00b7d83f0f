//! Builds one plugin's folder: reads what it is, has its language's compiler make the component, and hands over the bytes; where
//! they are put, and whether the host can link them, is the caller's.

use std::fs;
use std::path::{Path, PathBuf};

use crate::component;
use crate::error::Error;
use crate::fingerprint::fingerprint;
use crate::language::{Component, Language};
use crate::manifest::{self, Manifest};
use crate::signatures::signatures;
use crate::toolchain::{Toolchains, lock};
use crate::wit::{self, Wit};

/// A plugin's folder to be built.
#[derive(Debug)]
pub struct Build<'a> {
    /// The plugin's folder.
    pub folder: &'a Path,
    /// Where compilers are.
    pub toolchains: &'a Toolchains,
}

/// A component that was built, and is nowhere yet.
#[derive(Debug)]
pub struct Built {
    /// The plugin's name.
    pub name: String,
    bytes: Vec<u8>,
    file: PathBuf,
}

/// What a language's compiler is given.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) toolchains: &'a Toolchains,
    /// The plugin's own folder for what is made on the way. It stays, so that the next build is faster.
    pub(crate) work: PathBuf,
}

impl Job<'_> {
    /// The plugin's WIT, put together in the work folder.
    pub(crate) fn wit(&self) -> Result<Wit, Error> {
        wit::assemble(self.manifest, self.work.join("wit"))
    }

    /// The file that tells an SDK's own recipe what the functions of the world take and answer.
    pub(crate) fn signatures(&self, wit: &Wit) -> Result<PathBuf, Error> {
        let file = self.work.join("signatures.json");
        wit::write(&file, signatures(wit).to_string().as_bytes())?;
        Ok(file)
    }

    /// Compiles, unless the sources, the SDK, the WIT and the toolchain's version are those that the component was made of that is
    /// there: what the interpreters' compilers make of the same sources is another file each time, which would be a new version to
    /// a running host and another one to a pin. `compile` writes the component to the file that it is given.
    pub(crate) fn unless_unchanged(
        &self,
        wit: &Wit,
        toolchain: &str,
        compile: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<Component, Error> {
        let output = self.work.join("plugin.wasm");
        let made_of = self.work.join("made-of");
        let made_from = || {
            let sources = [&self.manifest.folder, &self.manifest.sdk, &wit.folder];
            let sources = sources.map(|folder| fingerprint(folder));
            let host = env!("CARGO_PKG_VERSION");
            format!("{sources:x?} {} {host} {toolchain}", self.manifest.world)
        };
        let now = made_from();
        if output.exists() && fs::read_to_string(&made_of).is_ok_and(|then| then == now) {
            return Ok(self.component(output));
        }
        let _ = fs::remove_file(&made_of);
        compile(&output)?;
        // What was edited meanwhile may be in it or not.
        if made_from() == now {
            fs::write(&made_of, now).map_err(Error::write(made_of))?;
        }
        Ok(self.component(output))
    }

    /// What was made, under the name and version of plugin.toml.
    fn component(&self, file: PathBuf) -> Component {
        Component {
            name: self.manifest.name.clone(),
            version: self.manifest.version.clone(),
            file,
        }
    }

    /// The error of a step whose reasons its program has told.
    pub(crate) fn failed(&self, step: &str, remedy: &str) -> Error {
        Error::Failed {
            plugin: self.manifest.name.clone(),
            step: step.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

/// Builds a plugin's folder. What the compiler says goes to standard error as it says it.
///
/// # Errors
/// Where the folder is no plugin's, a tool is missing, or the compiler refuses.
pub fn build(build: &Build<'_>) -> Result<(Manifest, Vec<Built>), Error> {
    let folder = fs::canonicalize(build.folder).map_err(Error::read(build.folder))?;
    let manifest = Manifest::read(&folder)?;
    if manifest.language != Language::Rust {
        for (key, path) in [("sdk", &manifest.sdk), ("wit", &manifest.wit)] {
            if !path.is_dir() {
                return Err(Error::Manifest {
                    file: folder.join(manifest::FILE),
                    reason: format!(
                        "there is no folder {}: correct `{key}`, or bring back what `host new` has put there",
                        path.display()
                    ),
                });
            }
        }
    }
    // One build of a folder at a time: `host dev` may be at it.
    let work = folder.join("target");
    fs::create_dir_all(&work).map_err(Error::write(&work))?;
    let _locked = lock(&work.join(".lock"))?;
    let job = Job {
        manifest: &manifest,
        toolchains: build.toolchains,
        work,
    };
    let components = manifest.language.compile(&job)?;
    let built = components
        .iter()
        .map(|component| {
            let bytes = component::finished(component)?;
            Ok(Built {
                name: component.name.clone(),
                file: component::put(&job.work.join("component"), &component.name, &bytes)?.0,
                bytes,
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok((manifest, built))
}

impl Built {
    /// The component in the plugin's own folder, under its name.
    pub fn in_work_folder(&self) -> &Path {
        &self.file
    }

    /// Puts the component into a folder as NAME.wasm, whole and at once. Answers the file, and whether it is another one than
    /// was there before.
    ///
    /// # Errors
    /// Where it can't be written; what was there stays.
    pub fn put(&self, folder: &Path) -> Result<(PathBuf, bool), Error> {
        component::put(folder, &self.name, &self.bytes)
    }
}
