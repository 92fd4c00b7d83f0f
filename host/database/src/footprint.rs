//! Owns what a statement does, read once from its text and kept; leaves deciding whether it may to `grants`.

mod attempts;
mod calls;
mod functions;
mod lexing;
mod names;
mod postgresql;
mod refusals;
mod reserved;
mod scanning;
mod schema;
mod sqlite;
mod types;
mod unparsed;
mod walk;
mod writes;

pub(crate) use functions::is_harmless;
pub(crate) use lexing::{before_semicolon, is_simple};
pub(crate) use names::fold;
pub(crate) use refusals::is_ddl;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

use crate::error::{Error, LimitKind};
use crate::url::Backend;

/// Bytes of one SQL text.
pub(crate) const MAX_SQL: usize = 1024 * 1024;

/// Parameters of one statement: what SQLite can bind.
pub(crate) const MAX_PARAMETERS: usize = 32_766;

/// Texts longer than this are read anew each time and leave no entry in any cache, so that a cache's count bounds its bytes.
pub(crate) const MAX_CACHED_SQL: usize = 16 * 1024;

const CACHED_TEXTS: usize = 1_024;

/// What one statement does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Whether it reads, writes or changes the schema.
    pub kind: StatementKind,
    /// Tables it reads: lower-case unless quoted (always on SQLite), `public.` and `main.` taken away. The target of an
    /// UPDATE, DELETE or MERGE, and of an INSERT with RETURNING, DO UPDATE or a conflict's columns, is read too, as PostgreSQL has it.
    pub reads: BTreeSet<String>,
    /// Tables it changes, locks rows of or, as DDL, makes, alters or drops.
    pub writes: BTreeSet<String>,
    /// Functions it calls: lower-case unless quoted, with their schema unless it is `pg_catalog`.
    pub functions: BTreeSet<String>,
    /// Those of them that are not known to leave other tables and the session alone.
    pub unknown_functions: BTreeSet<String>,
    /// What calls a function only where somebody has added one of that name to the database: `f` in `f(x)` for a known `f`,
    /// in `t.f` and in `x::f`, and operators. A connection to PostgreSQL knows what was added.
    pub mentions: BTreeSet<String>,
    /// Why the parser could not read it, so that nobody knows which tables and functions it touches; none where it was
    /// read.
    pub unparsed: Option<String>,
    /// Whether it may leave something behind in its connection, which must then be reset.
    pub touches_session: bool,
    /// Whether it asks for what lives in a connection (`lastval`, `changes()`…), so makes sense only in a transaction.
    pub needs_transaction: bool,
    /// Whether it is an INSERT that inserts every row that it changes.
    pub inserts: bool,
    /// How many parameters it takes: the largest `$N`.
    pub parameters: u32,
    /// Indexes that it drops or renames; whose they are only the database knows.
    pub indexes: BTreeSet<String>,
}

/// The three kinds of statement that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatementKind {
    /// Changes nothing.
    Query,
    /// Changes or locks rows.
    Write,
    /// Changes the schema.
    Ddl,
}

impl Footprint {
    /// Of a query that touches nothing.
    fn nothing(parameters: u32) -> Self {
        Self {
            kind: StatementKind::Query,
            reads: BTreeSet::new(),
            writes: BTreeSet::new(),
            functions: BTreeSet::new(),
            unknown_functions: BTreeSet::new(),
            mentions: BTreeSet::new(),
            unparsed: None,
            touches_session: false,
            needs_transaction: false,
            inserts: false,
            parameters,
            indexes: BTreeSet::new(),
        }
    }

    /// Reads one statement. What the parser can't read, though it begins as a statement about rows does, has a footprint that
    /// is [`unparsed`](Self::unparsed).
    ///
    /// # Errors
    /// `Invalid` for none, several, one that can't be told what it is, and one that has a function of its own (BEGIN, SET,
    /// COPY…); `Limit` for a text that is too long or too deeply nested.
    pub fn read(sql: &str, backend: Backend) -> Result<Self, Error> {
        let text = lexing::Text::new(sql, backend)?;
        if text.is_simple() {
            // A guest's text must not be able to end its host by a bug in the parser.
            return std::panic::catch_unwind(|| walk::read(text, backend))
                .unwrap_or_else(|_| Err(unreadable()));
        }
        // Chains of operators make trees as deep as they are long, walked and dropped by recursion.
        std::thread::scope(|scope| {
            let reader = std::thread::Builder::new()
                .name("footprint".to_owned())
                .stack_size(lexing::STACK);
            let thread = reader.spawn_scoped(scope, || walk::read(text, backend));
            match thread.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(read)) => read,
                _ => Err(unreadable()),
            }
        })
    }
}

/// The footprints of the last texts, so that each is read once.
#[derive(Debug)]
pub(crate) struct Footprints {
    backend: Backend,
    known: Mutex<LruCache<Arc<str>, Arc<Footprint>>>,
}

impl Footprints {
    pub(crate) fn new(backend: Backend) -> Self {
        Self {
            backend,
            known: Mutex::new(LruCache::new(
                NonZeroUsize::new(CACHED_TEXTS).unwrap_or(NonZeroUsize::MIN),
            )),
        }
    }

    /// The text, shared, and its footprint. Cancel-safe.
    pub(crate) async fn of(&self, sql: &str) -> Result<(Arc<str>, Arc<Footprint>), Error> {
        if sql.len() > MAX_SQL {
            return Err(Error::Limit {
                kind: LimitKind::SqlLength,
                message: format!(
                    "the SQL text is {} bytes long, the limit is {MAX_SQL}: use parameters for values",
                    sql.len()
                ),
                maximum: MAX_SQL as u64,
            });
        }
        if let Some((text, footprint)) = self.known.lock().get_key_value(sql) {
            return Ok((Arc::clone(text), Arc::clone(footprint)));
        }
        let text: Arc<str> = Arc::from(sql);
        let footprint = if sql.len() > MAX_CACHED_SQL {
            // Long enough to hold up a runtime's thread.
            let (backend, shared) = (self.backend, Arc::clone(&text));
            let read = tokio::task::spawn_blocking(move || Footprint::read(&shared, backend)).await;
            return match read {
                Ok(footprint) => Ok((text, Arc::new(footprint?))),
                Err(_) => Err(unreadable()),
            };
        } else {
            Arc::new(Footprint::read(sql, self.backend)?)
        };
        self.known
            .lock()
            .put(Arc::clone(&text), Arc::clone(&footprint));
        Ok((text, footprint))
    }
}

/// The parser panicked, or there was no thread for it.
fn unreadable() -> Error {
    Error::invalid("the statement can't be read: the host's parser failed on it")
}
