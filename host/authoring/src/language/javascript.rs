//! TypeScript and JavaScript: componentize-js, which puts SpiderMonkey into the component, with the type checker and the bundler
//! before it. They are installed from npm by the SDK's lock file; the rest of the recipe is the SDK's own `build.mjs`.

use std::fs;
use std::path::Path;

use crate::building::Job;
use crate::error::Error;
use crate::language::{Component, Language};
use crate::toolchain::{ask, by_itself, found, run, say};
use crate::wit::write;

/// The folder's name in the toolchains' folder.
const TOOLCHAIN: &str = "javascript";

/// The oldest Node that the toolchain runs on.
const OLDEST_NODE: (u32, u32) = (18, 20);

pub(super) fn compile(job: &Job<'_>) -> Result<Vec<Component>, Error> {
    let wit = job.wit()?;
    let manifest = job.manifest;
    check_node(manifest.language)?;
    let wanted = |name: &str| {
        let file = manifest.sdk.join("toolchain").join(name);
        fs::read_to_string(&file).map_err(Error::read(file))
    };
    let (package, lock) = (wanted("package.json")?, wanted("package-lock.json")?);
    let toolchain = job.toolchains.installed(
        TOOLCHAIN,
        &format!("{package}{lock}"),
        "node_modules",
        |folder| {
            write(&folder.join("package.json"), package.as_bytes())?;
            write(&folder.join("package-lock.json"), lock.as_bytes())?;
            install(manifest.language, folder)
        },
    )?;
    // Where it is, too, for the plugin's tests find it by what the build has noted.
    let version = format!("{} {lock}", toolchain.display());
    let signatures = job.signatures(&wit)?;
    let made = job.unless_unchanged(&wit, &version, |output| {
        let mut command = by_itself("node");
        command
            .arg(manifest.sdk.join("build.mjs"))
            .arg("--plugin")
            .arg(&manifest.folder)
            .args(["--language", manifest.language.word()])
            .arg("--sdk")
            .arg(&manifest.sdk)
            .arg("--wit")
            .arg(&wit.folder)
            .args(["--world", &manifest.world])
            .arg("--signatures")
            .arg(&signatures)
            .arg("--toolchain")
            .arg(&toolchain)
            .arg("--work")
            .arg(job.work.join("javascript"))
            .arg("--out")
            .arg(output)
            .current_dir(&manifest.folder);
        if !run(&mut command)? {
            return Err(job.failed(
                "its build",
                "correct what it names, and run `host build` again",
            ));
        }
        Ok(())
    })?;
    Ok(vec![made])
}

fn check_node(language: Language) -> Result<(), Error> {
    let (major, minor) = OLDEST_NODE;
    let missing = |what: String| Error::Missing {
        language,
        what,
        remedy:
            "install Node.js with npm from your system or https://nodejs.org, and run this again"
                .to_owned(),
    };
    let node = format!("Node.js {major}.{minor} or newer");
    if found("node").is_none() {
        return Err(missing(node));
    }
    let version = ask(by_itself("node").arg("--version"))?.unwrap_or_default();
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    let is_new = numbers
        .next()
        .zip(numbers.next())
        .is_some_and(|found| found >= OLDEST_NODE);
    if !is_new {
        return Err(missing(format!("{node} (this is {version})")));
    }
    Ok(())
}

fn install(language: Language, folder: &Path) -> Result<(), Error> {
    if found("npm").is_none() {
        return Err(Error::Missing {
            language,
            what: "npm".to_owned(),
            remedy:
                "install it (on Debian and Ubuntu: sudo apt-get install npm), and run this again"
                    .to_owned(),
        });
    }
    say(
        "Installing componentize-js, TypeScript and esbuild for all TypeScript and JavaScript plugins …",
    );
    let installed = run(by_itself("npm")
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel",
            "error",
        ])
        .current_dir(folder))?;
    if installed {
        return Ok(());
    }
    Err(Error::NotInstalled {
        what: "the JavaScript toolchain".to_owned(),
        reason: "npm failed, see above".to_owned(),
        remedy: "it is needed once, from npm's registry: run this again where the network or a mirror that npm knows can be reached".to_owned(),
    })
}
