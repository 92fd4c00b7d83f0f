//! The languages that have a path here, and the kinds of plugin that each can make.

mod c;
mod javascript;
mod python;
mod rust;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::building::Job;
use crate::error::Error;
use crate::wit::Wit;

/// What a plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// By cargo.
    Rust,
    /// JavaScript with types that are checked.
    TypeScript,
    /// On SpiderMonkey, which has 64-bit integers.
    JavaScript,
    /// CPython inside the component.
    Python,
    /// By clang.
    C,
}

/// What a new plugin is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Answers bars with signals.
    Strategy,
    /// Exports an interface of its own and keeps tables.
    Service,
}

/// A component as the language's compiler made it.
#[derive(Debug)]
pub(crate) struct Component {
    /// The plugin's name.
    pub(crate) name: String,
    /// The plugin's version.
    pub(crate) version: String,
    pub(crate) file: PathBuf,
}

impl Language {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 5] = [
        Self::Rust,
        Self::TypeScript,
        Self::JavaScript,
        Self::Python,
        Self::C,
    ];

    /// The word for it in plugin.toml and on the command line, and the name of its folder of examples.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::TypeScript => "typescript",
            Self::JavaScript => "javascript",
            Self::Python => "python",
            Self::C => "c",
        }
    }

    /// The folder in `sdk/` that its plugins are written on.
    pub(crate) const fn sdk(self) -> &'static str {
        match self {
            Self::TypeScript => "javascript",
            other => other.word(),
        }
    }

    /// Adds to a new plugin's folder what an editor needs and its author does not write.
    pub(crate) fn add_editor_files(self, folder: &Path, wit: Wit) -> Result<(), Error> {
        match self {
            Self::C => c::editor_files(folder, wit),
            // Their types are in the SDK, in the example, or made by the compiler itself.
            Self::Rust | Self::TypeScript | Self::JavaScript | Self::Python => Ok(()),
        }
    }

    /// Has the language's own compiler make the component, or the components.
    pub(crate) fn compile(self, job: &Job<'_>) -> Result<Vec<Component>, Error> {
        match self {
            Self::Rust => rust::compile(job),
            Self::TypeScript | Self::JavaScript => javascript::compile(job),
            Self::Python => python::compile(job),
            Self::C => c::compile(job),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::TypeScript => "TypeScript",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
            Self::C => "C",
        })
    }
}
