//! An author's empty folder, and the commands that they run in it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use poolhouse_tests::{House, Ran, host_program, root, run};
use tempfile::TempDir;

/// Set where every language has to be there, as in CI.
const ALL: &str = "POOLHOUSE_ALL_LANGUAGES";

/// What `host build` says where a toolchain is not there and can't be had.
const NOT_THERE: [&str; 2] = ["plugins can't be built without", "could not be installed"];

/// The words of `--lang`.
pub(crate) const LANGUAGES: [&str; 5] = ["rust", "typescript", "javascript", "python", "c"];

/// A folder that is empty at first. Nothing of it is left when it is dropped.
pub(crate) struct Author {
    folder: TempDir,
}

impl Author {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        Ok(std::fs::write(self.path(name), text)?)
    }

    /// The host's command with the author's own environment, which has their toolchains.
    pub(crate) fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(host_program()?);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null());
        Ok(command)
    }

    pub(crate) fn host(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        run(self.command(arguments)?)
    }

    /// `host build` of these; false, which is printed, where the language's toolchain is not there.
    pub(crate) fn builds(&self, language: &str, folders: &[&str]) -> anyhow::Result<bool> {
        let ran = self.host(&[&["build"], folders].concat())?;
        if is_skipped(language, &ran.stderr) {
            return Ok(false);
        }
        ran.succeeded();
        Ok(true)
    }
}

/// The host's command in a house, where it finds what `host build` has compiled: an interpreter takes seconds.
pub(crate) fn in_house(house: &House, arguments: &[&str]) -> anyhow::Result<Ran> {
    let mut command = house.host(arguments)?;
    for variable in ["HOME", "XDG_CACHE_HOME"] {
        if let Some(value) = std::env::var_os(variable) {
            command.env(variable, value);
        }
    }
    run(command)
}

/// Whether that was said for want of a toolchain; it is printed past the tests' capture.
pub(crate) fn is_skipped(language: &str, stderr: &str) -> bool {
    let reason = stderr
        .lines()
        .rev()
        .find(|line| NOT_THERE.iter().any(|words| line.contains(words)));
    let Some(reason) = reason else {
        return false;
    };
    assert!(
        std::env::var_os(ALL).is_none(),
        "{ALL} is set, and: {reason}"
    );
    let _ = writeln!(std::io::stderr(), "SKIPPED for {language}: {reason}");
    true
}

/// An example's folder as the command line takes it.
pub(crate) fn example(language: &str, name: &str) -> String {
    let folder: PathBuf = root().join("examples").join(language).join(name);
    let folder = folder.canonicalize().unwrap_or(folder);
    Path::new(&folder).to_string_lossy().into_owned()
}
