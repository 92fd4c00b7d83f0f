//! C: bindings by wit-bindgen, clang (the system's, a wasi-sdk's, or the one that Zig has and PyPI carries), and the component by
//! wit-component. What WASI wants of a C library is in the SDK, so that no adapter is needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasmparser::{Parser, Payload};
use wit_bindgen_core::Files;
use wit_component::ComponentEncoder;
use wit_parser::{Resolve, WorldId, WorldKey};

use crate::building::Job;
use crate::error::Error;
use crate::language::{Component, Language};
use crate::toolchain::{self, Toolchains, apt_install, by_itself, found, pip_installs, run, say};
use crate::wit::{Wit, write};

/// The compiler that can be had without root, and its version.
const ZIG: &str = "ziglang==0.16.0";

/// The folder's name in the toolchains' folder.
const TOOLCHAIN: &str = "c";

/// The environment variable that wasi-sdk's own documentation has for its folder.
const WASI_SDK: &str = "WASI_SDK_PATH";

/// Debian's compilers, the newest first, each with the library that makes it one for WebAssembly.
const CLANGS: [&str; 4] = ["clang-22", "clang-19", "clang-14", "clang"];

/// The versions that `--install` looks for on Debian and Ubuntu, the smallest first.
const DEBIAN_VERSIONS: [u32; 3] = [14, 19, 22];

/// What a compiler is to say of code that can't be meant so.
const WARNINGS: [&str; 7] = [
    "-Wall",
    "-Wextra",
    "-Wno-deprecated",
    "-Wdeprecated-declarations",
    "-Werror=implicit-function-declaration",
    "-Werror=incompatible-pointer-types",
    "-Werror=return-type",
];

/// The import of a core module that its C library makes of what WASI 0.2 has otherwise.
const PREVIEW_1: &str = "wasi_snapshot_preview1";

/// The generated header's name.
const HEADER: &str = "plugin.h";

/// Where an editor finds the generated header, and what it is told to compile with.
const BINDINGS: &str = "bindings";
const EDITOR_FLAGS: &str = "-std=gnu11\n-Ipoolhouse\n-Ibindings\n-Wall\n-Wextra\n";

/// Bytes of the guest's stack: a call is shallow, and each instance has one.
const STACK_SIZE: &str = "-Wl,-z,stack-size=262144";

/// A compiler that makes WebAssembly, as the beginning of a command line.
struct Compiler {
    program: PathBuf,
    arguments: Vec<String>,
    /// Zig's linker puts the stack first by itself, and knows no option for it.
    is_zig: bool,
}

pub(super) fn compile(job: &Job<'_>) -> Result<Vec<Component>, Error> {
    let wit = job.wit()?;
    let compiler = Compiler::of(job)?;
    // A system's upgrade puts another one in its place.
    let version = toolchain::ask(
        by_itself(&compiler.program)
            .args(&compiler.arguments)
            .arg("--version"),
    )?;
    let program = format!(
        "{} {}",
        compiler.program.display(),
        version.unwrap_or_default()
    );
    let made = job.unless_unchanged(&wit, &program, |output| {
        let generated = job.work.join("c/bindings");
        if generated.exists() {
            fs::remove_dir_all(&generated).map_err(Error::write(&generated))?;
        }
        all_bindings(job, &wit, &generated)?;
        let core = link(job, &compiler, &generated)?;
        let module = fs::read(&core).map_err(Error::read(&core))?;
        let component = encoded(&module).map_err(|reason| Error::Component {
            plugin: job.manifest.name.clone(),
            reason,
        })?;
        fs::write(output, component).map_err(Error::write(output))
    })?;
    Ok(vec![made])
}

/// The bindings of the plugin's world and of what the C library needs, and the header for the author's editor.
fn all_bindings(job: &Job<'_>, wit: &Wit, generated: &Path) -> Result<(), Error> {
    let manifest = job.manifest;
    bindings(job, wit.resolve.clone(), wit.world, "plugin", generated)?;
    let header = generated.join(HEADER);
    let header = fs::read(&header).map_err(Error::read(header))?;
    write(&manifest.folder.join(BINDINGS).join(HEADER), &header)?;

    let wasi = manifest.sdk.join("wasi");
    let refuse = |error: &dyn std::fmt::Display| Error::Wit {
        folder: manifest.folder.clone(),
        wit: wasi.clone(),
        reason: error.to_string(),
    };
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&wasi).map_err(|error| refuse(&error))?;
    let world = resolve
        .select_world(&[package], Some("wasi"))
        .map_err(|error| refuse(&error))?;
    bindings(job, resolve, world, "wasi", generated)
}

/// Compiles everything into one core module and answers its file.
fn link(job: &Job<'_>, compiler: &Compiler, generated: &Path) -> Result<PathBuf, Error> {
    let manifest = job.manifest;
    let failed = || {
        job.failed(
            "the C compiler",
            "correct what it names, and run `host build` again",
        )
    };
    for name in ["plugin", "wasi"] {
        let mut command = compiler.command(job, generated);
        // Generated code is nobody's to correct.
        command
            .args(["-w", "-include"])
            .arg(manifest.sdk.join("host_call.h"))
            .arg("-c")
            .arg(generated.join(format!("{name}.c")))
            .arg("-o")
            .arg(generated.join(format!("{name}.o")));
        if !run(&mut command)? {
            return Err(failed());
        }
    }
    let core = job.work.join("c/core.wasm");
    let mut command = compiler.command(job, generated);
    command.args(["-mexec-model=reactor", STACK_SIZE]);
    if !compiler.is_zig {
        // What overflows the stack traps, and does not run into the data.
        command.arg("-Wl,--stack-first");
    }
    for source in sources(&manifest.folder, |name| !name.ends_with("_test.c"))? {
        // As its author knows it, and never as an option.
        let name = source.file_name().unwrap_or(source.as_os_str());
        command.arg(Path::new(".").join(name));
    }
    command.args(sources(&manifest.sdk, |_| true)?);
    for object in [
        "plugin.o",
        "wasi.o",
        "plugin_component_type.o",
        "wasi_component_type.o",
    ] {
        command.arg(generated.join(object));
    }
    command.arg("-o").arg(&core);
    if !run(&mut command)? {
        return Err(failed());
    }
    Ok(core)
}

/// What an editor needs beside the SDK, for a plugin that was not built yet.
pub(super) fn editor_files(folder: &Path, mut wit: Wit) -> Result<(), Error> {
    let files = generate(&mut wit.resolve, wit.world, "plugin").map_err(|reason| Error::Wit {
        folder: folder.to_owned(),
        wit: wit.folder,
        reason,
    })?;
    if let Some((name, header)) = files.iter().find(|(name, _)| *name == HEADER) {
        write(&folder.join(BINDINGS).join(name), header)?;
    }
    write(&folder.join("compile_flags.txt"), EDITOR_FLAGS.as_bytes())
}

fn bindings(
    job: &Job<'_>,
    mut resolve: Resolve,
    world: WorldId,
    name: &str,
    folder: &Path,
) -> Result<(), Error> {
    let files = generate(&mut resolve, world, name).map_err(|reason| Error::Wit {
        folder: job.manifest.folder.clone(),
        wit: job.manifest.wit.clone(),
        reason,
    })?;
    for (name, content) in files.iter() {
        let file = folder.join(name);
        match std::str::from_utf8(content) {
            Ok(text) if name.ends_with(".c") => write(&file, with_calls(text).as_bytes())?,
            _ => write(&file, content)?,
        }
    }
    Ok(())
}

fn generate(resolve: &mut Resolve, world: WorldId, name: &str) -> Result<Files, String> {
    let package = resolve.worlds[world].package;
    // The author's functions are named after the interface alone: `exports_ledger_deposit`.
    let rename = resolve.worlds[world]
        .exports
        .keys()
        .filter_map(|key| {
            let WorldKey::Interface(id) = key else {
                return None;
            };
            let interface = &resolve.interfaces[*id];
            let name = interface
                .name
                .as_ref()
                .filter(|_| interface.package == package)?;
            Some((resolve.name_world_key(key), name.replace('-', "_")))
        })
        .collect();
    let mut files = Files::default();
    wit_bindgen_c::Opts {
        rename,
        rename_world: Some(name.to_owned()),
        ..Default::default()
    }
    .build()
    .generate(resolve, world, &mut files)
    .map_err(|error| format!("{error:#}"))?;
    Ok(files)
}

/// Has each export's function begin with `POOLHOUSE_CALL`, by which the SDK knows a call from the next. Not the destructors of the
/// plugin's own resources, which may run inside a call.
fn with_calls(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut is_export = false;
    for line in source.lines() {
        text.push_str(line);
        text.push('\n');
        if is_export && line.ends_with('{') {
            text.push_str("  POOLHOUSE_CALL;\n");
        }
        is_export =
            line.starts_with("__attribute__((__export_name__(") && !line.contains("#[dtor]");
    }
    text
}

/// The component of a core module that has its types in custom sections.
fn encoded(module: &[u8]) -> Result<Vec<u8>, String> {
    let left = preview_1(module)
        .map_err(|error| format!("its compiler made a damaged module: {error}"))?;
    if !left.is_empty() {
        return Err(format!(
            "it uses what the C library does with {}, which a plugin does not have (files, sockets, timers): leave it out",
            left.join(", ")
        ));
    }
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true);
    let encoded = encoder.module(module).and_then(|encoder| encoder.encode());
    encoded.map_err(|error| {
        let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
        format!(
            "its functions are not those of its world: {}; define what wit/world.wit exports, and nothing that it does not import",
            causes.join(": ").split_whitespace().collect::<Vec<_>>().join(" ")
        )
    })
}

/// Functions of the C library's that the SDK has nothing for.
fn preview_1(module: &[u8]) -> wasmparser::Result<Vec<String>> {
    let mut left = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(imports) = payload? {
            for import in imports.into_imports() {
                let import = import?;
                if import.module == PREVIEW_1 {
                    left.push(format!("`{}`", import.name));
                }
            }
        }
    }
    Ok(left)
}

fn sources(folder: &Path, is_source: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, Error> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let path = entry.map_err(Error::read(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".c") && is_source(&name) {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}

impl Compiler {
    /// The first that is there; with `--install` the system's is installed, and else Zig's into the cache.
    fn of(job: &Job<'_>) -> Result<Self, Error> {
        if let Some(folder) = std::env::var_os(WASI_SDK).filter(|folder| !folder.is_empty()) {
            let folder = Path::new(&folder);
            // It runs in another folder than this one.
            let folder = std::path::absolute(folder).map_err(Error::read(folder))?;
            let program = folder.join("bin/clang");
            if program.exists() {
                return Ok(Self::clang(program));
            }
            return Err(missing(
                format!("the compiler of {WASI_SDK}"),
                format!(
                    "{} is not there: correct the variable, or unset it",
                    program.display()
                ),
            ));
        }
        if let Some(compiler) = Self::of_the_system(job)? {
            return Ok(compiler);
        }
        for version in DEBIAN_VERSIONS {
            let packages = debian_packages(version);
            let packages: Vec<_> = packages.iter().map(String::as_str).collect();
            if apt_install(job.toolchains, &packages)
                && let Some(compiler) = Self::of_the_system(job)?
            {
                return Ok(compiler);
            }
        }
        Self::zig(job.toolchains)
    }

    /// A clang that can compile and link for WebAssembly, which needs a linker and a C library beside it.
    fn of_the_system(job: &Job<'_>) -> Result<Option<Self>, Error> {
        let tried = job.work.join("c/tried.c");
        write(
            &tried,
            b"#include <stdlib.h>\nint main(void) { return malloc(1) == 0; }\n",
        )?;
        for program in CLANGS.iter().filter_map(|name| found(name)) {
            let mut command = Command::new(&program);
            command
                .args(["--target=wasm32-wasi", "-O1"])
                .arg(&tried)
                .arg("-o")
                .arg(tried.with_extension("wasm"))
                .stderr(std::process::Stdio::null());
            if toolchain::ask(&mut command)?.is_some() {
                return Ok(Some(Self::clang(program)));
            }
        }
        Ok(None)
    }

    fn clang(program: PathBuf) -> Self {
        Self {
            program,
            arguments: vec!["--target=wasm32-wasi".to_owned()],
            is_zig: false,
        }
    }

    fn zig(toolchains: &Toolchains) -> Result<Self, Error> {
        let folder = toolchains.installed(TOOLCHAIN, ZIG, "bin/python", install_zig)?;
        Ok(Self {
            program: folder.join("bin/python"),
            arguments: ["-m", "ziglang", "cc", "--target=wasm32-wasi"]
                .map(str::to_owned)
                .into(),
            is_zig: true,
        })
    }

    fn command(&self, job: &Job<'_>, generated: &Path) -> Command {
        let sdk = &job.manifest.sdk;
        let mut command = by_itself(&self.program);
        command
            .args(&self.arguments)
            .args(["-std=gnu11", "-O2", "-g1"])
            .args(WARNINGS)
            .arg("-I")
            .arg(sdk)
            .arg("-I")
            .arg(generated)
            // A trap tells files as their author knows them.
            .arg("-ffile-compilation-dir=.")
            .arg(format!("-ffile-prefix-map={}=poolhouse", sdk.display()))
            .arg(format!(
                "-ffile-prefix-map={}=bindings",
                generated.display()
            ))
            .current_dir(&job.manifest.folder);
        command
    }
}

fn debian_packages(version: u32) -> [String; 4] {
    [
        format!("clang-{version}"),
        format!("lld-{version}"),
        format!("libclang-rt-{version}-dev-wasm32"),
        "wasi-libc".to_owned(),
    ]
}

fn install_zig(folder: &Path) -> Result<(), Error> {
    let packages = debian_packages(DEBIAN_VERSIONS[0]).join(" ");
    let clang = format!(
        "install clang for WebAssembly (on Debian and Ubuntu: `host build --install`, or sudo apt-get install --no-install-recommends {packages}), or name a wasi-sdk in {WASI_SDK}"
    );
    if found("python3").is_none() {
        return Err(missing("clang for WebAssembly".to_owned(), clang));
    }
    say(&format!(
        "No clang for WebAssembly is here. Installing {ZIG}, whose compiler is one, for all C plugins (395 MB) …"
    ));
    let made =
        run(by_itself("python3").args(["-m", "venv"]).arg(folder))? && pip_installs(folder, ZIG)?;
    if made {
        return Ok(());
    }
    Err(Error::NotInstalled {
        what: ZIG.to_owned(),
        reason: "Python's venv or pip failed, see above".to_owned(),
        remedy: format!("run this again where PyPI can be reached, or {clang}"),
    })
}

fn missing(what: String, remedy: String) -> Error {
    Error::Missing {
        language: Language::C,
        what,
        remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::with_calls;

    #[test]
    fn exports_begin_a_call_and_destructors_do_not() {
        let source = "__attribute__((__export_name__(\"a#b\")))\nvoid b(void) {\n}\n__attribute__((__export_name__(\"a#[dtor]c\")))\nvoid c(void) {\n}\nvoid d(void) {\n}\n";
        let text = with_calls(source);
        assert_eq!(text.matches("POOLHOUSE_CALL").count(), 1);
        assert!(text.contains("void b(void) {\n  POOLHOUSE_CALL;\n}"));
    }
}
