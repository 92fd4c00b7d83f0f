//! `host build`: makes components of plugins' folders, and puts those that this host can link where `host run` finds them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use poolhouse_authoring::{Build as OneBuild, Built, Manifest, Toolchains, build};
use poolhouse_runtime::{Engine, Inspection, inspect};

use super::{Common, with_code_cache};
use crate::output;
use crate::settings::{self, Settings};
use crate::trading::check_description;

/// Arguments of `host build`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Build {
    /// Plugins' folders, as `host new` makes them; without any, this folder.
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    into: Into,
}

/// Where components are put, and what may be installed to make them.
#[derive(Debug, Clone, Args)]
pub(crate) struct Into {
    /// Where the components are put; without this option into the folder of --plugins.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Install what is missing outside of the cache too: a compiler's target, the system's packages.
    #[arg(long)]
    install: bool,
}

/// A component that was put where it belongs.
#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) name: String,
    pub(crate) sha256: String,
    /// It is another one than was there before.
    pub(crate) is_new: bool,
}

/// Builds folders, one after the other.
pub(crate) struct Builder {
    engine: Engine,
    toolchains: Toolchains,
    plugins: PathBuf,
    output: PathBuf,
}

pub(crate) async fn run(
    common: &Common,
    settings: &Settings,
    arguments: Build,
) -> anyhow::Result<ExitCode> {
    let builder = Builder::new(common, settings, &arguments.into)?;
    let mut failed = 0;
    let folders = or_this_folder(arguments.folders);
    have_names_of_their_own(&folders)?;
    for folder in &folders {
        if let Err(error) = builder.build(settings, folder).await {
            // With one folder it is this command's own error.
            if folders.len() == 1 {
                return Err(error);
            }
            eprintln!("host: {}", crate::shown::error(&error));
            failed += 1;
        }
    }
    if failed > 0 {
        bail!("{failed} of {} plugins were not built", folders.len());
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn or_this_folder(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    match folders.is_empty() {
        true => vec![PathBuf::from(".")],
        false => folders,
    }
}

/// Refuses two plugins of one name, of which the second would take the first one's place.
pub(crate) fn have_names_of_their_own(folders: &[PathBuf]) -> anyhow::Result<()> {
    let mut names = BTreeMap::new();
    for folder in folders {
        // What can't be read is told when it is built.
        let Ok(manifest) = Manifest::read(folder) else {
            continue;
        };
        let name = manifest.name;
        if let Some(before) = names.insert(name.clone(), folder)
            && before.canonicalize().ok() != folder.canonicalize().ok()
        {
            bail!(
                "{} and {} are both called \"{name}\": rename one in its plugin.toml, or build them into folders of their own with -o",
                before.display(),
                folder.display()
            );
        }
    }
    Ok(())
}

impl Builder {
    pub(crate) fn new(common: &Common, settings: &Settings, into: &Into) -> anyhow::Result<Self> {
        // Programs are run from there, so it is no folder that others could have made before.
        let Some(cache) = &settings.cache.folder else {
            bail!(
                "compilers are kept in the cache, and there is none: set HOME, or `folder` of [cache] in host.toml"
            );
        };
        Ok(Self {
            engine: with_code_cache(Engine::compiling_on_all_processors()?, settings)?,
            toolchains: Toolchains {
                folder: cache.join("toolchains"),
                install: into.install,
            },
            plugins: common.plugins.clone(),
            output: into
                .output
                .clone()
                .unwrap_or_else(|| common.plugins.clone()),
        })
    }

    /// Builds one folder. What was in the output folder stays if anything fails.
    pub(crate) async fn build(
        &self,
        settings: &Settings,
        folder: &Path,
    ) -> anyhow::Result<Vec<Put>> {
        // What it asks for is to be copied into host.toml.
        if let Ok(manifest) = Manifest::read(folder)
            && let Err(reason) = settings::check_lines(&manifest.grants.host_toml(&manifest.name))
        {
            bail!("{}: grants: {reason}", folder.join("plugin.toml").display());
        }
        let (toolchains, path) = (self.toolchains.clone(), folder.to_owned());
        // Compilers run for seconds, on a thread that may wait for them.
        let (manifest, built) = tokio::task::spawn_blocking(move || {
            build(&OneBuild {
                folder: &path,
                toolchains: &toolchains,
            })
        })
        .await??;
        let mut all = Vec::new();
        for component in &built {
            all.push(self.put(settings, &manifest, component).await?);
        }
        Ok(all)
    }

    async fn put(
        &self,
        settings: &Settings,
        manifest: &Manifest,
        component: &Built,
    ) -> anyhow::Result<Put> {
        // Looked into where nobody takes it for a plugin yet; what is compiled of it stays in the cache.
        let file = component.in_work_folder();
        let found = inspect(&self.engine, file, &self.plugins, |name| {
            settings.plugins.plugin(name)
        })
        .await?;
        if let Some(Ok(strategy)) = &found.strategy
            && let Err(reason) = check_description(&strategy.description)
        {
            bail!(
                "plugin \"{}\" was built, and no row could use it: {reason}",
                component.name
            );
        }
        if let Some(trouble) = &found.unlinkable {
            bail!(
                "plugin \"{}\" was built, and this host can't load it: {trouble}",
                component.name
            );
        }
        // What has no package's name is its own toolchain's.
        if !found.exports.iter().any(|export| export.name.contains(':')) {
            bail!(
                "plugin \"{}\" was built, and exports nothing that the host or another plugin could call: export what its \
                 wit/world.wit says, as the example that `host new` writes does",
                component.name
            );
        }
        let (file, is_new) = component.put(&self.output)?;
        output::print(format_args!(
            "{} {} ({}, compiled in {:.0} ms)",
            if is_new { "built" } else { "unchanged:" },
            file.display(),
            bytesize::ByteSize(found.facts.size),
            found.facts.compile_time.as_secs_f64() * 1e3
        ))?;
        tell(settings, manifest, component, &found)?;
        Ok(Put {
            name: component.name.clone(),
            sha256: found.facts.sha256.to_string(),
            is_new,
        })
    }
}

/// What is the operator's to do before it runs.
fn tell(
    settings: &Settings,
    manifest: &Manifest,
    component: &Built,
    found: &Inspection,
) -> anyhow::Result<()> {
    for trouble in &found.troubles {
        output::print(format_args!("  {}", crate::shown::on_one_line(trouble)))?;
    }
    if !manifest.grants.is_empty() && !settings.plugins.has_section(&component.name) {
        output::print("  it asks for these lines in host.toml:")?;
        for line in manifest.grants.host_toml(&component.name).lines() {
            output::print(format_args!("    {line}"))?;
        }
    }
    Ok(())
}
