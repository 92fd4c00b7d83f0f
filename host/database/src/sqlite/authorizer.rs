//! Owns what may be prepared on an SQLite connection by whose text it is, by rules that are the same for every plugin;
//! which tables are whose it leaves to the statement check. The only unsafe code of the crate.
//!
//! SQLite asks while it prepares a statement. One that is prepared already is not asked about again, so that a text of
//! the host's must never be found by a plugin: the driver knows every text of a plugin's with a line break at its end,
//! which none of the host's has.

#![expect(
    unsafe_code,
    reason = "SQLite takes its authorizer as a C function, and the driver has no other way to set one"
)]

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use libsqlite3_sys as ffi;
use parking_lot::RwLock;

use super::cursor::TABLES as CURSOR_TABLES;
use crate::grants::MIGRATIONS_TABLE;
use crate::statement::Author;

/// By whose rules statements are prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Rules {
    /// The host's own: everything.
    Host,
    /// A plugin's: reading and changing rows of tables that are not the host's.
    Plugin,
    /// A plugin's query inside the statement that keeps its rows in a temporary table.
    Cursor,
    /// A plugin's migration: making, altering and dropping tables and indexes as well.
    Migration,
}

/// What is set to decide on one connection. With it the decision goes: from then on everything is refused.
#[derive(Debug)]
pub(super) struct Authorizer {
    number: usize,
    rules: Arc<AtomicU8>,
}

/// The authorizers of all open connections. SQLite is given a number and not an address: nothing that it may still do
/// when a connection is gone here can reach freed memory.
static OPEN: RwLock<BTreeMap<usize, Arc<AtomicU8>>> = RwLock::new(BTreeMap::new());

static LAST: AtomicUsize = AtomicUsize::new(0);

impl Authorizer {
    /// Sets one on a connection, with the host's rules. Statements that are prepared already are prepared anew.
    pub(super) async fn install(
        connection: &mut sqlx::SqliteConnection,
    ) -> Result<Self, sqlx::Error> {
        let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        let rules = Arc::new(AtomicU8::new(Rules::Host as u8));
        OPEN.write().insert(number, Arc::clone(&rules));
        let authorizer = Self { number, rules };
        let mut handle = connection.lock_handle().await?;
        let database = handle.as_raw_handle();
        let number = std::ptr::without_provenance_mut::<c_void>(number);
        // SAFETY: the connection is open, and while its handle is locked nobody else uses it. The function lives as long
        // as the program, and the number is never followed.
        let code = unsafe { ffi::sqlite3_set_authorizer(database.as_ptr(), Some(ask), number) };
        if code != ffi::SQLITE_OK {
            return Err(sqlx::Error::Protocol(format!(
                "SQLite took no authorizer (code {code})"
            )));
        }
        Ok(authorizer)
    }

    /// By which rules the next statements are prepared.
    pub(super) fn apply(&self, rules: Rules) {
        self.rules.store(rules as u8, Ordering::Release);
    }
}

impl Drop for Authorizer {
    fn drop(&mut self) {
        OPEN.write().remove(&self.number);
    }
}

/// The text under which the driver keeps a statement.
pub(super) fn text(sql: &str, author: Author) -> Arc<str> {
    match author {
        Author::Host => Arc::from(sql),
        Author::Plugin => Arc::from(format!("{sql}\n")),
    }
}

/// Called by SQLite on the driver's thread.
unsafe extern "C" fn ask(
    number: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    database: *const c_char,
    _inside: *const c_char,
) -> c_int {
    // No panic may leave a function that C calls.
    let asked = std::panic::catch_unwind(|| {
        let rules = OPEN.read().get(&number.addr()).map(Arc::clone);
        let Some(rules) = rules.and_then(|rules| Rules::of(rules.load(Ordering::Acquire))) else {
            return false;
        };
        // SAFETY: SQLite gives null, or a string that ends with a zero and lives until this function returns.
        let text = |text: *const c_char| unsafe {
            (!text.is_null()).then(|| CStr::from_ptr(text).to_bytes())
        };
        rules.allow(action, text(first), text(second), text(database))
    });
    match asked {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) | Err(_) => ffi::SQLITE_DENY,
    }
}

impl Rules {
    fn of(number: u8) -> Option<Self> {
        [Self::Host, Self::Plugin, Self::Cursor, Self::Migration]
            .into_iter()
            .find(|rules| *rules as u8 == number)
    }

    /// Whether something may be done; what the names are depends on the action.
    fn allow(
        self,
        action: c_int,
        first: Option<&[u8]>,
        second: Option<&[u8]>,
        database: Option<&[u8]>,
    ) -> bool {
        let (one, other) = (first.unwrap_or_default(), second.unwrap_or_default());
        if self == Self::Host {
            return true;
        }
        let in_main = database.is_none_or(|database| database.eq_ignore_ascii_case(b"main"));
        let is_ours = self == Self::Cursor && is(one, &TEMPORARY_SCHEMA);
        let is_migration = self == Self::Migration;
        match action {
            ffi::SQLITE_SELECT | ffi::SQLITE_RECURSIVE => true,
            ffi::SQLITE_READ => {
                is_ours
                    || is_migration && one.eq_ignore_ascii_case(CHECK_OF_A_TABLE)
                    || !is_hosts(one) && !shows_more(one)
            }
            ffi::SQLITE_FUNCTION => !is(other, &FUNCTIONS),
            ffi::SQLITE_INSERT | ffi::SQLITE_UPDATE | ffi::SQLITE_DELETE => {
                is_ours
                    || is_migration && is_sqlites(one)
                    || in_main && !is_hosts(one) && !is_sqlites(one)
            }
            ffi::SQLITE_PRAGMA => {
                second.is_none() && is(one, &PRAGMAS)
                    || is_migration && one.eq_ignore_ascii_case(b"quick_check")
            }
            ffi::SQLITE_CREATE_TEMP_TABLE => self == Self::Cursor && begins(one, CURSOR_TABLES),
            // A table is dropped with its triggers.
            ffi::SQLITE_CREATE_TABLE
            | ffi::SQLITE_DROP_TABLE
            | ffi::SQLITE_CREATE_INDEX
            | ffi::SQLITE_DROP_INDEX
            | ffi::SQLITE_DROP_TRIGGER
            | ffi::SQLITE_REINDEX => is_migration && in_main && !is_hosts(one) && !is_hosts(other),
            ffi::SQLITE_ALTER_TABLE => {
                is_migration && one.eq_ignore_ascii_case(b"main") && !is_hosts(other)
            }
            _ => false,
        }
    }
}

/// Where SQLite keeps what is temporary.
const TEMPORARY_SCHEMA: [&str; 2] = ["sqlite_temp_master", "sqlite_temp_schema"];

/// Functions that change what SQLite itself runs.
const FUNCTIONS: [&str; 2] = ["load_extension", "fts3_tokenizer"];

/// What full-text and spatial tables ask for by themselves, and every statement of ours that is run behind a plugin's in
/// one text. Only asked for, never set.
const PRAGMAS: [&str; 3] = ["data_version", "page_size", "schema_version"];

/// What ALTER TABLE asks for by itself when a column comes with a check.
const CHECK_OF_A_TABLE: &[u8] = b"pragma_quick_check";

/// Tables that show the file's pages, or what runs on the connection.
const REVEALING: [&str; 5] = [
    "dbstat",
    "sqlite_dbpage",
    "sqlite_stmt",
    "bytecode",
    "tables_used",
];

fn is(name: &[u8], list: &[&str]) -> bool {
    list.iter()
        .any(|listed| name.eq_ignore_ascii_case(listed.as_bytes()))
}

fn begins(name: &[u8], with: &str) -> bool {
    name.get(..with.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
}

fn is_hosts(table: &[u8]) -> bool {
    table.eq_ignore_ascii_case(MIGRATIONS_TABLE.as_bytes()) || begins(table, CURSOR_TABLES)
}

fn is_sqlites(table: &[u8]) -> bool {
    begins(table, "sqlite_")
}

fn shows_more(table: &[u8]) -> bool {
    begins(table, "pragma_") || is(table, &REVEALING)
}
