//! Python: componentize-py, which puts a whole CPython into the component. It is installed from PyPI into an environment of its
//! own; the rest of the recipe is the SDK's own `_build.py`.

use std::path::Path;

use crate::building::Job;
use crate::error::Error;
use crate::language::{Component, Language};
use crate::toolchain::{ask, by_itself, found, pip_installs, run, say};

/// The version that the SDK's build knows.
const COMPONENTIZE: &str = "componentize-py==0.25.1";

/// The oldest Python that the toolchain runs on.
const OLDEST: (u32, u32) = (3, 9);

/// The folder's name in the toolchains' folder, and what a change of it makes anew.
const TOOLCHAIN: &str = "python";

pub(super) fn compile(job: &Job<'_>) -> Result<Vec<Component>, Error> {
    let wit = job.wit()?;
    let manifest = job.manifest;
    let toolchain = job
        .toolchains
        .installed(TOOLCHAIN, COMPONENTIZE, "bin/python", install)?;
    let signatures = job.signatures(&wit)?;
    let made = job.unless_unchanged(&wit, COMPONENTIZE, |output| {
        let mut command = by_itself(toolchain.join("bin/python"));
        command
            .arg(manifest.sdk.join("_build.py"))
            .arg("--plugin")
            .arg(&manifest.folder)
            .arg("--sdk")
            .arg(&manifest.sdk)
            .arg("--wit")
            .arg(&wit.folder)
            .args(["--world", &manifest.world])
            .arg("--signatures")
            .arg(&signatures)
            .arg("--work")
            .arg(job.work.join("python"))
            .arg("--output")
            .arg(output)
            .current_dir(&manifest.folder)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        if !run(&mut command)? {
            return Err(job.failed(
                "Python",
                "correct what it names, and run `host build` again",
            ));
        }
        Ok(())
    })?;
    Ok(vec![made])
}

fn install(folder: &Path) -> Result<(), Error> {
    let missing = |what: String| {
        Error::Missing {
        language: Language::Python,
        what,
        remedy: "install it (on Debian and Ubuntu: sudo apt-get install python3 python3-venv), and run this again".to_owned(),
    }
    };
    let (major, minor) = OLDEST;
    let wanted = format!("Python {major}.{minor} or newer");
    if found("python3").is_none() {
        return Err(missing(wanted));
    }
    let tells = format!("import sys; sys.exit(sys.version_info < ({major}, {minor}))");
    if ask(by_itself("python3").args(["-c", &tells]))?.is_none() {
        let version = ask(by_itself("python3").arg("--version"))?.unwrap_or_default();
        return Err(missing(format!("{wanted} (this is {version})")));
    }
    say(&format!(
        "Installing {COMPONENTIZE} for all Python plugins …"
    ));
    let made = run(by_itself("python3").args(["-m", "venv"]).arg(folder))?;
    if !made {
        return Err(Error::Missing {
            language: Language::Python,
            what: "Python's venv module".to_owned(),
            remedy: "install it (on Debian and Ubuntu: sudo apt-get install python3-venv), and run this again".to_owned(),
        });
    }
    let installed = pip_installs(folder, COMPONENTIZE)?;
    if installed {
        return Ok(());
    }
    Err(Error::NotInstalled {
        what: COMPONENTIZE.to_owned(),
        reason: "pip failed, see above".to_owned(),
        remedy: "it is needed once, from PyPI: run this again where the network or a mirror that pip knows can be reached".to_owned(),
    })
}
