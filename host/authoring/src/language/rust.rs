//! Rust: cargo, and the standard library for `wasm32-wasip2` by one of two routes. By rustup it is downloaded once; where that
//! can't be had, Debian's compiler builds it from its sources with the linkers of the rustup toolchain.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::building::Job;
use crate::error::Error;
use crate::language::{Component, Language};
use crate::toolchain::{self, apt_install, ask, found, lock, path_with, say, start};
use crate::wit::write;

const TARGET: &str = "wasm32-wasip2";

/// The variable that says which route to take: `rustup` or `debian`.
const ROUTE: &str = "POOLHOUSE_WASM_ROUTE";

/// Where Debian's compiler and what it needs come from.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "wasi-libc"];

/// What runs inside the sandbox: small files, fast enough code, and functions by name in a trap's stack.
const PROFILE: [&str; 5] = [
    "profile.guest.inherits=\"release\"",
    "profile.guest.opt-level=3",
    "profile.guest.lto=true",
    "profile.guest.codegen-units=1",
    "profile.guest.strip=\"debuginfo\"",
];

/// What rustc needs to link with the system's C library in place of the copy in a toolchain.
const DEBIAN_FLAGS: &str =
    "-L native=/usr/lib/wasm32-wasi -C link-self-contained=no -C target-feature=-crt-static";

enum Route {
    Rustup,
    Debian { linkers: PathBuf },
}

#[derive(Deserialize)]
struct Metadata {
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

/// One line of cargo's, of those that are looked at.
#[derive(Deserialize)]
struct Message {
    reason: String,
    package_id: Option<String>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    crate_types: Vec<String>,
}

pub(super) fn compile(job: &Job<'_>) -> Result<Vec<Component>, Error> {
    for program in ["cargo", "rustc"] {
        if found(program).is_none() {
            return Err(missing(
                program,
                "install Rust with rustup, https://rustup.rs, and run this again".to_owned(),
            ));
        }
    }
    let folder = &job.manifest.folder;
    let route = route(job)?;
    let manifest = folder.join("Cargo.toml");
    let metadata = ask(Command::new("cargo")
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(&manifest)
        .current_dir(folder)
        .stderr(Stdio::inherit()))?
    .and_then(|text| serde_json::from_str::<Metadata>(&text).ok())
    .ok_or_else(|| job.failed("`cargo metadata`", "correct Cargo.toml"))?;
    let stands_alone =
        metadata.workspace_root == *folder && metadata.target_directory == folder.join("target");
    let target = if stands_alone {
        // One for all such plugins: what the SDK depends on is compiled once, and takes longer than the plugin.
        job.toolchains.folder.join("rust")
    } else {
        // A folder of its own, so that guests and the host never wait for each other's lock.
        metadata.target_directory.join("guests")
    };

    // Plugins of one name in that one folder take each other's place, so it is this one's until its component is out of it.
    fs::create_dir_all(&target).map_err(Error::write(&target))?;
    let _locked = lock(&target.join(".plugin.lock"))?;

    // By itself, so that where there is no network the author is not sent to look for a mistake.
    if stands_alone
        && !toolchain::run(
            cargo(&route)
                .args(["fetch", "--quiet", "--target", TARGET, "--manifest-path"])
                .arg(&manifest)
                .current_dir(folder),
        )?
    {
        return Err(job.failed(
            "`cargo fetch`",
            "correct Cargo.toml, or run this again where the registry or a mirror that cargo knows can be reached",
        ));
    }

    let mut command = cargo(&route);
    command
        .args([
            "build",
            "--profile",
            "guest",
            "--target",
            TARGET,
            "--lib",
            "--examples",
        ])
        .args([
            "--message-format",
            "json-render-diagnostics",
            "--manifest-path",
        ])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&target)
        .current_dir(folder);
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    if matches!(route, Route::Debian { .. }) {
        command.arg("-Zbuild-std=std,panic_abort");
    }
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(start(&command))?;
    if !output.status.success() {
        return Err(job.failed(
            "cargo",
            "correct what the compiler names, and run `host build` again",
        ));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut components = components(&messages, &manifest);
    for component in &mut components {
        let copy = job
            .work
            .join("rust")
            .join(format!("{}.wasm", component.name));
        let bytes = fs::read(&component.file).map_err(Error::read(&component.file))?;
        write(&copy, &bytes)?;
        component.file = copy;
    }
    if components.is_empty() {
        return Err(Error::Component {
            plugin: job.manifest.name.clone(),
            reason: "its crate is no component: add `crate-type = [\"cdylib\", \"rlib\"]` to [lib] in Cargo.toml".to_owned(),
        });
    }
    // One plugin has the name and version that its plugin.toml says.
    let own = |component: Component| Component {
        name: job.manifest.name.clone(),
        version: match job.manifest.version.as_str() {
            "" => component.version,
            version => version.to_owned(),
        },
        ..component
    };
    Ok(match components.len() {
        1 => components.into_iter().map(own).collect(),
        _ => components,
    })
}

/// What cargo made of that package: its examples, each of which is a plugin, or else its library.
fn components(messages: &str, manifest: &Path) -> Vec<Component> {
    let made = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.reason == "compiler-artifact")
        .filter(|message| {
            message.manifest_path.as_deref().is_some_and(|path| {
                path == manifest || path.canonicalize().is_ok_and(|path| path == manifest)
            })
        })
        .filter_map(|message| {
            let target = message.target?;
            let file = message
                .filenames
                .into_iter()
                .find(|file| file.extension().is_some_and(|end| end == "wasm"))?;
            let is_component = target.crate_types.iter().any(|kind| kind == "cdylib");
            let component = Component {
                name: target.name.replace('_', "-"),
                version: version(&message.package_id?).to_owned(),
                file,
            };
            is_component.then_some((target.kind.iter().any(|kind| kind == "example"), component))
        });
    let (examples, libraries): (Vec<_>, Vec<_>) = made.partition(|(is_example, _)| *is_example);
    let chosen = if examples.is_empty() {
        libraries
    } else {
        examples
    };
    chosen.into_iter().map(|(_, component)| component).collect()
}

/// The end of a package's id, such as `path+file:///x/cross#0.1.0` or `…#other-name@0.1.0`.
fn version(package: &str) -> &str {
    package.rsplit(['#', '@']).next().unwrap_or_default()
}

fn missing(what: &str, remedy: String) -> Error {
    Error::Missing {
        language: Language::Rust,
        what: what.to_owned(),
        remedy,
    }
}

fn cargo(route: &Route) -> Command {
    match route {
        Route::Rustup => Command::new("cargo"),
        Route::Debian { linkers } => {
            let mut command = Command::new("/usr/bin/cargo");
            for variable in [
                "RUSTFLAGS",
                "CARGO_ENCODED_RUSTFLAGS",
                "RUSTUP_TOOLCHAIN",
                "RUSTC_WRAPPER",
            ] {
                command.env_remove(variable);
            }
            command
                .env("RUSTC", "/usr/bin/rustc")
                // The standard library is built from its sources, which only a nightly compiler or one told so does.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", DEBIAN_FLAGS)
                .env("PATH", path_with(&[linkers, &linkers.join("gcc-ld")]));
            command
        }
    }
}

/// The first route that can be had; with `--install`, after installing what it needs.
fn route(job: &Job<'_>) -> Result<Route, Error> {
    let asked = |arguments: &[&str]| {
        ask(Command::new("rustc")
            .args(arguments)
            .current_dir(&job.manifest.folder))
    };
    let sysroot = asked(&["--print", "sysroot"])?.ok_or_else(|| {
        missing(
            "a working rustc",
            "run `rustc --version` to see why".to_owned(),
        )
    })?;
    let rustlib = Path::new(&sysroot).join("lib/rustlib");
    let host = asked(&["--version", "--verbose"])?.unwrap_or_default();
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap_or_default();
    let linkers = rustlib.join(host).join("bin");
    let chosen = std::env::var(ROUTE).unwrap_or_default();
    let by_rustup = match chosen.as_str() {
        "" | "rustup" => {
            has_library(&rustlib) || (job.toolchains.install && rustup_installs(&rustlib, job))
        }
        "debian" => false,
        _ => {
            return Err(missing(
                "a route to its standard library",
                format!("{ROUTE} is \"{chosen}\", and must be rustup or debian"),
            ));
        }
    };
    if by_rustup {
        return Ok(Route::Rustup);
    }
    let has_linkers = toolchain::exist(&[
        &linkers.join("wasm-component-ld"),
        &linkers.join("gcc-ld/wasm-ld"),
    ]);
    if chosen != "rustup"
        && has_linkers
        && (has_debian_packages() || apt_install(job.toolchains, &DEBIAN_PACKAGES))
    {
        return Ok(Route::Debian { linkers });
    }
    let packages = DEBIAN_PACKAGES.join(" ");
    Err(missing(
        &format!("the standard library for {TARGET}"),
        format!(
            "run `rustup target add {TARGET}` or `host build --install`; where rustup can't download, on Debian and Ubuntu \
             `sudo apt-get install --no-install-recommends {packages}`"
        ),
    ))
}

fn has_library(rustlib: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(rustlib.join(TARGET).join("lib")) else {
        return false;
    };
    entries
        .filter_map(Result::ok)
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

fn rustup_installs(rustlib: &Path, job: &Job<'_>) -> bool {
    if found("rustup").is_none() {
        return false;
    }
    say(&format!("Fetching the standard library for {TARGET} …"));
    let mut command = Command::new("rustup");
    command
        .args(["target", "add", TARGET])
        .current_dir(&job.manifest.folder)
        .env("RUST_BACKTRACE", "0");
    toolchain::run(&mut command).unwrap_or(false) && has_library(rustlib)
}

fn has_debian_packages() -> bool {
    let status = |package: &str| {
        ask(Command::new("dpkg-query").args([
            "--show",
            "--showformat=${db:Status-Status}",
            package,
        ]))
        .ok()
        .flatten()
    };
    DEBIAN_PACKAGES
        .iter()
        .all(|package| status(package).as_deref() == Some("installed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_plugins_in_place_of_their_library() {
        let line = |kind: &str, name: &str, types: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"path+file:///x#0.2.0","manifest_path":"/x/Cargo.toml","target":{{"name":"{name}","kind":["{kind}"],"crate_types":["{types}"]}},"filenames":["/t/{name}.wasm"]}}"#
            )
        };
        let library = line("cdylib", "a_b", "cdylib");
        let found = components(&library, Path::new("/x/Cargo.toml"));
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].name.as_str(), found[0].version.as_str()),
            ("a-b", "0.2.0")
        );
        let both = [
            library,
            line("example", "one", "cdylib"),
            line("example", "two", "cdylib"),
        ]
        .join("\n");
        let names: Vec<_> = components(&both, Path::new("/x/Cargo.toml"))
            .into_iter()
            .map(|c| c.name)
            .collect();
        assert_eq!(names, ["one", "two"]);
        assert!(components(&both, Path::new("/y/Cargo.toml")).is_empty());
        assert!(components(&line("lib", "a", "lib"), Path::new("/x/Cargo.toml")).is_empty());
    }
}
