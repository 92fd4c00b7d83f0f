//! Programs that compilers consist of: found on the PATH, or installed by a language's own package manager into a folder of
//! the cache that all plugins share; and the system's packages, where the user says so.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use crate::error::Error;

/// Written into a toolchain's folder when all of it is there.
const COMPLETE: &str = ".complete";

/// Where toolchains are, and whether the system may be changed to get them.
#[derive(Debug, Clone)]
pub struct Toolchains {
    /// One folder for each toolchain and version. It is made when it is needed.
    pub folder: PathBuf,
    /// The user said that what is missing may be installed outside of it too: system packages, a compiler's target.
    pub install: bool,
}

impl Toolchains {
    /// The folder of that toolchain, where `make` has put what `wanted` describes in full: another text is another folder.
    /// `program` is a file in it without which it is made anew. One `make` runs at a time, and one that failed is begun anew.
    pub(crate) fn installed(
        &self,
        name: &str,
        wanted: &str,
        program: &str,
        make: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<PathBuf, Error> {
        let hash = Sha256::digest(wanted.as_bytes());
        let hash: String = hash[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = self.folder.join(format!("{name}-{hash}"));
        // What it runs may have gone with an upgrade of the system, such as the Python that an environment is a link to.
        let is_complete = || folder.join(COMPLETE).exists() && folder.join(program).exists();
        if is_complete() {
            return Ok(folder);
        }
        fs::create_dir_all(&self.folder).map_err(Error::write(&self.folder))?;
        let lock = self.folder.join(format!(".{name}-{hash}.lock"));
        let locked = File::create(&lock).map_err(Error::write(&lock))?;
        if locked.try_lock().is_err() {
            say(&format!(
                "Waiting for another build, which installs what {name} needs …"
            ));
            locked.lock().map_err(Error::write(&lock))?;
        }
        if is_complete() {
            return Ok(folder);
        }
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(Error::write(&folder))?;
        }
        fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
        make(&folder)?;
        let complete = folder.join(COMPLETE);
        fs::write(&complete, wanted).map_err(Error::write(complete))?;
        Ok(folder)
    }
}

/// Tells the author what takes long; the caller's terminal is theirs.
pub(crate) fn say(what: &str) {
    eprintln!("{what}");
}

/// Where that program is on the PATH.
pub(crate) fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| is_executable(file))
}

/// Whether these files are all there.
pub(crate) fn exist(files: &[&Path]) -> bool {
    files.iter().all(|file| file.exists())
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// A program that finds nothing but what comes with it, whatever the user's environment adds to a Python or a Node.
pub(crate) fn by_itself(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for variable in [
        "PYTHONPATH",
        "PYTHONHOME",
        "PIP_USER",
        "PIP_TARGET",
        "PIP_PREFIX",
        "NODE_OPTIONS",
        "NODE_PATH",
    ] {
        command.env_remove(variable);
    }
    command.env("PYTHONNOUSERSITE", "1");
    command
}

/// Has the Python environment in that folder install one package of PyPI's that is built already. Answers whether it did.
pub(crate) fn pip_installs(folder: &Path, package: &str) -> Result<bool, Error> {
    run(by_itself(folder.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", "--only-binary", ":all:"])
        .arg(package))
}

/// Waits until nobody else has that file locked, and locks it for as long as the answer lives.
pub(crate) fn lock(file: &Path) -> Result<File, Error> {
    let locked = File::create(file).map_err(Error::write(file))?;
    locked.lock().map_err(Error::write(file))?;
    Ok(locked)
}

/// Runs a program whose messages are the author's to read: everything that it prints goes to standard error. Answers whether
/// it succeeded.
pub(crate) fn run(command: &mut Command) -> Result<bool, Error> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .map(|status| status.success())
        .map_err(start(command))
}

/// What a program prints on standard output, if it succeeds.
pub(crate) fn ask(command: &mut Command) -> Result<Option<String>, Error> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(start(command))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(output.status.success().then_some(text))
}

/// The error of a program that could not be started.
pub(crate) fn start(command: &Command) -> impl FnOnce(std::io::Error) -> Error {
    let program = command.get_program().to_string_lossy().into_owned();
    move |cause| Error::Start { program, cause }
}

/// Installs system packages, where the user said so and the system is one that has them. Answers whether they are there.
pub(crate) fn apt_install(toolchains: &Toolchains, packages: &[&str]) -> bool {
    if !toolchains.install || found("apt-get").is_none() {
        return false;
    }
    let Some(apt_get) = as_root() else {
        return false;
    };
    say(&format!("Installing {} …", packages.join(" ")));
    let install = || {
        let mut command = apt_get("install");
        command.args(["--no-install-recommends"]).args(packages);
        run(&mut command).unwrap_or(false)
    };
    // The lists are brought up to date only where the install fails without.
    install() || (run(&mut apt_get("update")).unwrap_or(false) && install())
}

/// Makes `apt-get` commands that run as root; none where that would need a password.
fn as_root() -> Option<impl Fn(&str) -> Command> {
    let is_root = ask(Command::new("id").arg("-u")).ok()?.as_deref() == Some("0");
    if !is_root {
        found("sudo")?;
        ask(Command::new("sudo").args(["-n", "true"])).ok()??;
    }
    Some(move |action: &str| {
        let mut command = match is_root {
            true => Command::new("env"),
            false => {
                let mut command = Command::new("sudo");
                command.args(["-n", "env"]);
                command
            }
        };
        command.args([
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            action,
            "--yes",
            "--quiet",
        ]);
        command
    })
}

/// A program on that PATH before all others.
pub(crate) fn path_with(folders: &[&Path]) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = folders
        .iter()
        .map(|folder| folder.to_path_buf())
        .chain(std::env::split_paths(&path));
    std::env::join_paths(all).unwrap_or_else(|_| AsRef::<OsStr>::as_ref(&path).to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    #[test]
    fn a_toolchain_is_made_once_and_anew_after_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let toolchains = Toolchains {
            folder: folder.path().join("toolchains"),
            install: false,
        };
        let failing = toolchains.installed("t", "1", "tool", |folder| {
            fs::write(folder.join("half"), "").unwrap();
            Err(Error::read("x")(std::io::Error::other("no network")))
        });
        assert!(failing.is_err());
        let made = toolchains.installed("t", "1", "tool", |folder| {
            assert!(!folder.join("half").exists());
            fs::write(folder.join("tool"), "").map_err(Error::write("tool"))
        });
        let again = toolchains.installed("t", "1", "tool", |_| unreachable!("it is there"));
        assert_eq!(made.unwrap(), again.unwrap());
        let other = toolchains.installed("t", "2", "tool", |folder| {
            assert!(!folder.join("tool").exists());
            Ok(())
        });
        assert!(other.is_ok());
    }
}
