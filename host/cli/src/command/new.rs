//! `host new`: a folder for a new plugin, which builds as it stands.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use poolhouse_authoring::{Kind, Language, scaffold};

use crate::output;

/// Arguments of `host new`.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The plugin's name, lower-case words with hyphens; its folder and its file are named so.
    name: String,
    /// What it is written in.
    #[arg(long, value_name = "LANGUAGE")]
    lang: LanguageName,
    /// A strategy answers bars with signals; a service exports an interface and keeps tables.
    #[arg(long, value_enum, default_value_t = KindName::Strategy)]
    kind: KindName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LanguageName {
    Rust,
    #[value(alias = "ts")]
    Typescript,
    #[value(alias = "js")]
    Javascript,
    Python,
    C,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KindName {
    Strategy,
    Service,
}

pub(crate) fn run(plugins: &Path, new: &New) -> anyhow::Result<ExitCode> {
    let language = match new.lang {
        LanguageName::Rust => Language::Rust,
        LanguageName::Typescript => Language::TypeScript,
        LanguageName::Javascript => Language::JavaScript,
        LanguageName::Python => Language::Python,
        LanguageName::C => Language::C,
    };
    let kind = match new.kind {
        KindName::Strategy => Kind::Strategy,
        KindName::Service => Kind::Service,
    };
    let folder: PathBuf = scaffold(Path::new(""), &new.name, language, kind)?;
    let folder = folder.strip_prefix(".").unwrap_or(&folder).display();
    output::print(format_args!(
        "{folder}/ is a {language} plugin; {folder}/README.md says what is in it"
    ))?;
    output::print(format_args!(
        "next: host build {folder}    (makes {})",
        plugins.join(format!("{}.wasm", new.name)).display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
