//! How making or building a plugin's folder can fail, in sentences for its author.

use std::io;
use std::path::PathBuf;

use crate::language::Language;

/// Why a plugin was not made or built. Nothing that was there before was changed, but for the plugin's own folder `target`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name that can't be a plugin's.
    #[error(
        "\"{name}\" can't be a plugin's name: {reason}; use lower-case words with hyphens between, such as `my-strategy`"
    )]
    Name {
        /// As given.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// `host new` writes into a folder of its own.
    #[error("{} is there already: choose another name, or remove it", folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// A file or folder that the system refuses.
    #[error("{} can't be {action} ({cause}): correct what the system says of it", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// "read", "written".
        action: &'static str,
        /// The system's reason.
        cause: io::Error,
    },
    /// No plugin there.
    #[error("{} is no plugin's folder: it has no plugin.toml; make one with `host new NAME --lang LANGUAGE`", folder.display())]
    NoPlugin {
        /// The folder.
        folder: PathBuf,
    },
    /// plugin.toml is wrong.
    #[error("{}: {reason}", file.display())]
    Manifest {
        /// The file.
        file: PathBuf,
        /// What is wrong, where, and what to do.
        reason: String,
    },
    /// The WIT files are wrong.
    #[error("the WIT of {} can't be used: {reason}; correct it in {}", folder.display(), wit.display())]
    Wit {
        /// The plugin's folder.
        folder: PathBuf,
        /// Where its WIT is.
        wit: PathBuf,
        /// The parser's reason, on one line.
        reason: String,
    },
    /// A tool that no package manager of the language's own can install.
    #[error("{language} plugins can't be built without {what}: {remedy}")]
    Missing {
        /// Whose.
        language: Language,
        /// The tool.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// A tool that was to be installed, and was not.
    #[error("{what} could not be installed ({reason}): {remedy}")]
    NotInstalled {
        /// The tool.
        what: String,
        /// What went wrong.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// The compiler said on standard error why.
    #[error("plugin \"{plugin}\" was not built: {step} failed, see above; {remedy}")]
    Failed {
        /// The plugin.
        plugin: String,
        /// Which of the steps.
        step: String,
        /// What to do.
        remedy: String,
    },
    /// A program that should run and can't be started.
    #[error(
        "{program} can't be run ({cause}): correct what the system says of it, or reinstall it"
    )]
    Start {
        /// Its name.
        program: String,
        /// The system's reason.
        cause: io::Error,
    },
    /// What the compiler made is no component of this plugin's.
    #[error("plugin \"{plugin}\" was not built: {reason}")]
    Component {
        /// The plugin.
        plugin: String,
        /// What is wrong, and what to do.
        reason: String,
    },
}

impl Error {
    pub(crate) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File {
            path,
            action: "read",
            cause,
        }
    }

    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File {
            path,
            action: "written",
            cause,
        }
    }
}
