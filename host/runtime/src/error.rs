//! How loading a plugin or calling into one can fail, in sentences for the person who has to act.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::links::Waiting;
use crate::wasm_file::Digest;

/// Why a plugin was not loaded. Nothing was changed, but for migrations that say they were applied.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// wasmtime does not run on this machine.
    #[error("WebAssembly can't be run on this machine: {0}")]
    Engine(String),
    /// The folder can't be read.
    #[error("the plugins folder {} can't be read ({cause}): make the folder, or name another with --plugins", folder.display())]
    Folder {
        /// As it was given.
        folder: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// No file of that plugin's name.
    #[error("there is no plugin \"{plugin}\" in {}: {}", folder.display(), list(present))]
    Absent {
        /// The name asked for.
        plugin: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// The plugins that are there.
        present: Vec<String>,
    },
    /// The folder has no plugins.
    #[error("the plugins folder {} holds no .wasm file: build the plugins, or name another folder with --plugins", folder.display())]
    Empty {
        /// As it was given.
        folder: PathBuf,
    },
    /// What it may hold of the database's connections can't be kept.
    #[error(
        "plugin \"{plugin}\" can't have its connections: {cause}; correct `connections` in [limits] or [plugins.{}] of host.toml",
        poolhouse_database::toml_key(plugin)
    )]
    Connections {
        /// The plugin.
        plugin: Arc<str>,
        /// Why not.
        cause: Box<poolhouse_database::Error>,
    },
    /// The file can't be read.
    #[error("{} can't be read ({cause}): correct its name, or who may read it", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The file is larger than any plugin may be.
    #[error("{} has more than {maximum} bytes, which no plugin may have: take it out of the folder, or build it smaller", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Bytes.
        maximum: u64,
    },
    /// The file is not the one that the plugin is pinned to. Nothing of it was compiled or run.
    #[error(
        "plugin \"{plugin}\" was not loaded: the SHA-256 of {} is {found}, and `sha256` in [plugins.{}] of host.toml pins it to \
         {expected}: put the right file back, or, if this one is to be trusted, write sha256 = \"{found}\"",
        file.display(),
        poolhouse_database::toml_key(plugin)
    )]
    OtherThanPinned {
        /// The plugin.
        plugin: Arc<str>,
        /// The file.
        file: PathBuf,
        /// The pin.
        expected: Digest,
        /// The file's own.
        found: Digest,
    },
    /// Every plugin must be pinned, and this one is not. Nothing of it was compiled or run.
    #[error(
        "plugin \"{plugin}\" was not loaded: it has no `sha256` and host.toml says require_pins = true: if {} is to be trusted, \
         add to [plugins.{}] in host.toml: sha256 = \"{found}\"",
        file.display(),
        poolhouse_database::toml_key(plugin)
    )]
    NotPinned {
        /// The plugin.
        plugin: Arc<str>,
        /// The file.
        file: PathBuf,
        /// The file's own.
        found: Digest,
    },
    /// Its component declares more from the start than it may use.
    #[error(
        "plugin \"{plugin}\" can't be used: its component wants {wanted} from the start and may have {maximum} (limit `{setting}`): \
         build it with less, or raise `{setting}` in [limits] or the limits of [plugins.{}] in host.toml",
        poolhouse_database::toml_key(plugin)
    )]
    Declares {
        /// The plugin.
        plugin: Arc<str>,
        /// How much of what.
        wanted: String,
        /// How much it may have.
        maximum: usize,
        /// The limit's name in host.toml.
        setting: &'static str,
    },
    /// The file is something else, or more than the compiler may be given.
    #[error("{} can't be used as a plugin: {reason}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What it is, and what to do.
        reason: String,
    },
    /// The host has not what it wants.
    #[error("{} imports {import}, which this host does not offer: {reason}", file.display())]
    Import {
        /// The file.
        file: PathBuf,
        /// The import's name.
        import: String,
        /// What to do.
        reason: String,
    },
    /// Another plugin exports what it imports, and it can't be linked to it all the same.
    #[error("plugin \"{plugin}\" imports {interface} and can't be linked to it: {reason}")]
    Link {
        /// The importer.
        plugin: Arc<str>,
        /// What it imports.
        interface: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// Nobody exports what they import.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Waiting(Vec<Waiting>),
    /// It exports an interface of ours, but of other types.
    #[error("{} exports {interface}, but not as this host knows it ({reason}): build it against the host's wit/ folder", file.display())]
    Export {
        /// The file.
        file: PathBuf,
        /// The interface.
        interface: String,
        /// wasmtime's own.
        reason: String,
    },
    /// It was to take the place of one that runs, or to come beside it, and others that run could not go on with it.
    #[error(
        "plugin \"{plugin}\" was not taken in, for plugin \"{importer}\", which runs, could not go on with it: {reason}"
    )]
    Breaks {
        /// The plugin.
        plugin: Arc<str>,
        /// Who runs and imports from it.
        importer: Arc<str>,
        /// What that one would have to do without.
        reason: String,
    },
    /// As many earlier versions as may drain, and this one is to take the place of the one that runs.
    #[error(
        "plugin \"{plugin}\": its newest file waits, for calls under way still work in {versions} earlier versions, which is as many as \
         may: it is taken in when one of them has ended (limit `drain_timeout`)"
    )]
    Draining {
        /// The plugin.
        plugin: Arc<str>,
        /// How many.
        versions: usize,
    },
    /// It has migrations and no grant for them.
    #[error("plugin \"{plugin}\" can't be used: {reason}")]
    Ungranted {
        /// The plugin.
        plugin: Arc<str>,
        /// The lines to add.
        reason: String,
    },
    /// Its migrations did not go through; none of them did.
    #[error(transparent)]
    Migration(#[from] Box<poolhouse_database::MigrationError>),
    /// Its `migrations`, `describe` or `start` failed.
    #[error("plugin \"{plugin}\" can't be used: {cause}")]
    Start {
        /// The plugin.
        plugin: Arc<str>,
        /// Which call, and why.
        cause: Box<CallError>,
    },
}

fn list(plugins: &[String]) -> String {
    if plugins.is_empty() {
        "the folder holds no .wasm file".to_owned()
    } else {
        format!("there are {}", plugins.join(", "))
    }
}

/// Why a call into a plugin gave no answer. What it did in its transactions was rolled back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The plugin has no such function, or it can't be called from outside.
    #[error("{0}")]
    Refused(String),
    /// The guest trapped: its instance is discarded, the plugin stays.
    #[error("plugin \"{plugin}\" trapped in {function}: {reason}")]
    Trapped {
        /// The plugin.
        plugin: Arc<str>,
        /// Interface and function.
        function: Arc<str>,
        /// The trap, and the end of what the guest wrote to stderr.
        reason: String,
        /// A limit was the cause; the reason names it.
        over_limit: bool,
    },
    /// The guest did not answer in time; its instance is discarded.
    #[error(
        "plugin \"{plugin}\" gave no answer from {function} within {limit:?} ({setting}){}",
        place.as_deref().map(|place| format!("; it was {place}")).unwrap_or_default()
    )]
    TimedOut {
        /// The plugin.
        plugin: Arc<str>,
        /// Interface and function.
        function: Arc<str>,
        /// The time it had.
        limit: Duration,
        /// The setting that says so, for a person.
        setting: &'static str,
        /// Where it computed, from "at" on; none where it waited, or its component has no debug information.
        place: Option<String>,
    },
    /// The guest answered, but had left a transaction or cursor open.
    #[error(
        "plugin \"{plugin}\" returned from {function} with a transaction open; it was rolled back: commit it or roll it back before returning"
    )]
    LeftOpen {
        /// The plugin.
        plugin: Arc<str>,
        /// Interface and function.
        function: Arc<str>,
    },
    /// The guest answered with an error of its own.
    #[error("plugin \"{plugin}\" failed in {function}: {message}")]
    Failed {
        /// The plugin.
        plugin: Arc<str>,
        /// Interface and function.
        function: Arc<str>,
        /// The guest's sentence.
        message: String,
    },
    /// A plugin called another through an interface that none exports now.
    #[error(
        "plugin \"{importer}\" called {interface}, which no plugin exports now: put one into the folder"
    )]
    Missing {
        /// Who called.
        importer: Arc<str>,
        /// What.
        interface: Arc<str>,
    },
    /// The plugin was taken away after the caller had found it.
    #[error("plugin \"{plugin}\" has gone: put its file back into the folder")]
    Gone {
        /// Who was called.
        plugin: Arc<str>,
    },
    /// The plugin was replaced or taken away while it was called, and did not answer within the time that it had left.
    #[error(
        "plugin \"{plugin}\" was stopped before it had answered {function}: it was replaced or taken away, and what was under way had {limit:?} to end (limit `drain_timeout`)"
    )]
    Stopped {
        /// Who was called.
        plugin: Arc<str>,
        /// Interface and function.
        function: Arc<str>,
        /// The time it had.
        limit: Duration,
    },
    /// A plugin called another that has not started yet, as two that import each other may do.
    #[error(
        "{function} of plugin \"{plugin}\" was called before the plugin had started: call it later than in `start`"
    )]
    NotStarted {
        /// Who was called.
        plugin: Arc<str>,
        /// Interface and function.
        function: Arc<str>,
    },
    /// Plugins called each other too deep.
    #[error(
        "{function} of plugin \"{plugin}\" was called more than {limit} calls deep (limit `call_depth`): do the plugins call each other in a circle?"
    )]
    TooDeep {
        /// Who was called.
        plugin: Arc<str>,
        /// Interface and function.
        function: Arc<str>,
        /// Calls.
        limit: u32,
    },
    /// As many calls as may be are in the plugin, and this one was not made.
    #[error(
        "{function} of plugin \"{plugin}\" was not called: {calls} calls are in the plugin already (limit `concurrent_calls`), {wait}"
    )]
    Busy {
        /// Who was called.
        plugin: Arc<str>,
        /// Interface and function.
        function: Arc<str>,
        /// Calls that may be in it at once.
        calls: usize,
        /// What came of waiting.
        wait: Wait,
    },
    /// As many instances as may be are alive, and the call needed one more.
    #[error(
        "{function} of plugin \"{plugin}\" was not called: {limit} {of} already (limit {setting})"
    )]
    TooManyInstances {
        /// Who was called.
        plugin: Arc<str>,
        /// Interface and function.
        function: Arc<str>,
        /// How many may be.
        limit: usize,
        /// Of what, for a person.
        of: &'static str,
        /// The setting that says so, for a person.
        setting: &'static str,
    },
    /// A folder that it was granted can't be opened any more.
    #[error(
        "plugin \"{plugin}\" can't be called without folder {folder:?}, which host.toml grants it and which can't be opened ({reason}): make it readable, or take it out of `folders`"
    )]
    Folder {
        /// The plugin.
        plugin: Arc<str>,
        /// As it is written in host.toml.
        folder: String,
        /// The system's reason.
        reason: String,
    },
    /// The host's own savepoint around the call failed.
    #[error(transparent)]
    Database(Box<poolhouse_database::Error>),
}

/// What came of waiting for a plugin that is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// A call from another plugin does not wait, for its chain may hold what the calls before it wait for.
    Never,
    /// So many waited already.
    Full(usize),
    /// None of those before it ended in the time that the call had.
    InVain(Duration),
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => {
                f.write_str("and a call from another plugin does not wait: try again later")
            }
            Self::Full(calls) => write!(
                f,
                "and {calls} wait for one of those to end (limit `waiting_calls`): try again later"
            ),
            Self::InVain(waited) => write!(
                f,
                "and none of those before it ended within {} ms",
                waited.as_millis()
            ),
        }
    }
}

impl CallError {
    /// The case of `poolhouse:plugin/types.failure-kind` that tells another plugin of it.
    pub(crate) fn failure_kind(&self) -> &'static str {
        match self {
            Self::Missing { .. }
            | Self::NotStarted { .. }
            | Self::Gone { .. }
            | Self::Stopped { .. } => "missing",
            Self::Trapped {
                over_limit: true, ..
            }
            | Self::Busy { .. }
            | Self::TooManyInstances { .. } => "limit",
            Self::Trapped { .. } => "trapped",
            Self::TimedOut { .. } => "timeout",
            Self::TooDeep { .. } => "depth",
            Self::Refused(_)
            | Self::LeftOpen { .. }
            | Self::Failed { .. }
            | Self::Folder { .. }
            | Self::Database(_) => "failed",
        }
    }
}

/// Bytes of one sentence of a guest's.
pub(crate) const LONGEST_MESSAGE: usize = 4 << 10;

/// The text, or its beginning where it has more bytes than that, and how many it had. What hides passwords finds the end of one
/// by what stands behind it, which may be cut off: so nothing stays from where one could begin.
#[must_use]
pub fn shortened(text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let mut kept = &text[..text.floor_char_boundary(most)];
    let lower = kept.to_ascii_lowercase();
    let beginnings = [
        "//",
        "postgres",
        "sqlite",
        "mysql",
        "passw",
        "passphrase",
        "pwd",
    ];
    if let Some(secret) = beginnings.iter().filter_map(|word| lower.find(word)).min() {
        kept = &kept[..secret];
    }
    // Such a word may itself be cut in half.
    let kept = kept.trim_end_matches(|letter: char| letter == '/' || letter.is_ascii_alphabetic());
    format!("{kept}… ({} bytes in all)", text.len())
}

impl From<poolhouse_database::Error> for CallError {
    fn from(error: poolhouse_database::Error) -> Self {
        Self::Database(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn no_password_is_left_where_a_text_is_cut() {
        assert_eq!(shortened("short".to_owned(), 5), "short");
        assert_eq!(
            shortened("12345 ä7".to_owned(), 7),
            "12345 … (9 bytes in all)"
        );
        let text = "no: Postgresql://ann:hun ter2@host and password=hunter2 in it".to_owned();
        for most in 0..text.len() {
            let cut = shortened(text.clone(), most);
            assert!(!cut.contains("hun") && !cut.contains("ann"), "{cut}");
        }
    }
}
