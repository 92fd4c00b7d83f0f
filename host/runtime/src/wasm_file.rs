//! One plugin file's bytes, read once: bounded, hashed, compared with the plugin's pin, and compiled. What is in the
//! component, and whether it can be linked, is not its matter.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;

use crate::compile_cost;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::nesting;
use crate::plugin::PluginOptions;

/// Bytes of one file. The largest that compilers make, those with a whole Python or JavaScript engine inside, are a fifth.
const MAX_FILE: u64 = 128 << 20;

/// Bytes of stack to compile on, the same whoever asks for it: what is nested as deep as may be needs a tenth.
const STACK: usize = 8 << 20;

/// A SHA-256; shown as `sha256sum` prints it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A file that was read and not compiled yet. What is compiled later are these bytes, whatever becomes of the file.
pub(crate) struct WasmFile {
    /// The plugin's name.
    pub(crate) name: Arc<str>,
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sha256: Digest,
}

impl WasmFile {
    /// # Errors
    /// Where it can't be read, is larger than any plugin may be, or has a name that is no plugin's.
    pub(crate) fn read(path: &Path) -> Result<Self, LoadError> {
        let unreadable = |cause| LoadError::Unreadable {
            file: path.to_owned(),
            cause,
        };
        // Its plugin would have the name of another whose file's is as little to be read.
        if path.file_stem().is_some_and(|stem| stem.to_str().is_none()) {
            return Err(unreadable(io::Error::other(
                "its name is not UTF-8, rename it",
            )));
        }
        let irregular = || unreadable(io::Error::other("it is not a regular file"));
        // To open a pipe may wait for ever, and a device may have no end; what is opened is looked at again, for it may be another.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(irregular());
        }
        let file = File::open(path).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(irregular());
        }
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(LoadError::TooLarge {
                file: path.to_owned(),
                maximum: MAX_FILE,
            });
        }
        Ok(Self {
            name: name_of(path).into(),
            path: path.to_owned(),
            sha256: Digest(Sha256::digest(&bytes).into()),
            bytes,
        })
    }

    /// Whether it is the file that host.toml says it must be. Every file passes here before anything of it is compiled,
    /// the first at start as one that is to take a running one's place.
    ///
    /// # Errors
    /// Where it is another, or has no pin and needs one.
    pub(crate) fn check_pin(&self, options: &PluginOptions) -> Result<(), LoadError> {
        match options.sha256.map(Digest) {
            Some(expected) if expected != self.sha256 => Err(LoadError::OtherThanPinned {
                plugin: Arc::clone(&self.name),
                file: self.path.clone(),
                expected,
                found: self.sha256,
            }),
            None if options.require_pin => Err(LoadError::NotPinned {
                plugin: Arc::clone(&self.name),
                file: self.path.clone(),
                found: self.sha256,
            }),
            _ => Ok(()),
        }
    }

    /// Compiles it, which takes a processor for the tenth of a second that a small component needs, or takes what was compiled
    /// before from the engine's cache; and answers how long that took.
    ///
    /// # Errors
    /// Where it is not a component, or would cost the compiler too much.
    pub(crate) fn compile(&self, engine: &Engine) -> Result<(Component, Duration), LoadError> {
        let begun = Instant::now();
        let cache = engine.code_cache();
        // What is there was looked into before it was compiled, by a host of this very version.
        if let Some(component) = cache.and_then(|cache| cache.load(engine.wasmtime(), &self.sha256))
        {
            prepare(&component);
            return Ok((component, begun.elapsed()));
        }
        self.begins_like_a_component()
            .map_err(|reason| self.unusable(reason.to_owned()))?;
        let trouble = nesting::trouble(&self.bytes).or_else(|| compile_cost::trouble(&self.bytes));
        if let Some(reason) = trouble {
            return Err(self.unusable(reason));
        }
        let begun = Instant::now();
        let component = compile(engine, &self.bytes)
            .map_err(|reason| self.unusable(format!("it is damaged ({reason}); build it again")))?;
        prepare(&component);
        let took = begun.elapsed();
        if let Some(cache) = cache {
            cache.store(engine.wasmtime(), &self.sha256, &component);
        }
        Ok((component, took))
    }

    fn unusable(&self, reason: String) -> LoadError {
        LoadError::Unusable {
            file: self.path.clone(),
            reason,
        }
    }

    /// The four bytes after the magic number tell a core module from a component.
    fn begins_like_a_component(&self) -> Result<(), &'static str> {
        match self.bytes.get(..8) {
            Some([0, b'a', b's', b'm', 0x0d, 0, 1, 0]) => Ok(()),
            Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => Err(
                "it is a core WebAssembly module; build it for the target wasm32-wasip2, or wrap it with \
                 `wasm-tools component new`",
            ),
            Some([0, b'a', b's', b'm', ..]) => Err(
                "its binary version is unknown; build it with a toolchain of component model 1.0",
            ),
            _ => Err(
                "it does not begin like a WebAssembly component; take it out of the folder, or build it again",
            ),
        }
    }
}

/// Compiles in a thread of its own, for two reasons: the stack is as large as it must be, and where wasmtime panics on what
/// nobody thought of, as it does on types that refer to each other in a chain of more than 127, only that thread ends.
fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, String> {
    thread::scope(|scope| {
        let compiling = thread::Builder::new()
            .name("poolhouse-compile".into())
            .stack_size(STACK)
            .spawn_scoped(scope, || {
                Component::from_binary(engine.wasmtime(), bytes).map_err(|error| one_line(&error))
            });
        match compiling.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(compiled)) => compiled,
            Ok(Err(_)) => Err("the compiler can't make sense of it".to_owned()),
            Err(error) => Err(format!("no thread can be started to compile it: {error}")),
        }
    })
}

/// Makes what its first instance would otherwise make, which takes a processor some milliseconds where the memory begins with much in
/// it, as an interpreter's does.
fn prepare(component: &Component) {
    // What can't be made now is made then, or does without.
    let _ = component.initialize_copy_on_write_image();
}

/// A plugin's name: its file's without `.wasm`.
pub(crate) fn name_of(file: &Path) -> String {
    file.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Characters of a text that a component's author chose, in a message.
const LONGEST_QUOTED: usize = 500;

/// What a component's author wrote, so that it can stand in a message: not too long, and on one line.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for (at, character) in text.chars().enumerate() {
        if at == LONGEST_QUOTED {
            quoted.push('…');
            break;
        }
        if character.is_control() {
            quoted.extend(character.escape_default());
        } else {
            quoted.push(character);
        }
    }
    quoted
}

/// wasmtime's reason, which may have names from the component in it.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let causes: Vec<_> = error
        .chain()
        .map(|cause| quoted(&cause.to_string().replace('\n', " ")))
        .collect();
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_QUOTED, quoted};

    #[test]
    fn what_is_quoted_is_short_and_on_one_line() {
        assert_eq!(quoted("a:b/c@1.0.0"), "a:b/c@1.0.0");
        assert_eq!(quoted("a\n\u{1b}[2J"), "a\\n\\u{1b}[2J");
        let most = "ä".repeat(LONGEST_QUOTED);
        assert_eq!(quoted(&most), most);
        assert_eq!(quoted(&format!("{most}ä")), format!("{most}…"));
    }
}
