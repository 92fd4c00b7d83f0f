//! Owns what a plugin may do to which tables, as a pure function of a statement's footprint; leaves footprints to `footprint`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::footprint::{Footprint, StatementKind};

/// The host's own record of applied migrations; nobody else reads or writes it.
pub(crate) const MIGRATIONS_TABLE: &str = "poolhouse_migrations";

/// What the names of the host's own tables begin with.
pub(crate) const HOST_PREFIX: &str = "poolhouse_";

/// What a plugin may do, by the names in its statements' texts. Behind it are locks of the databases' own, which know other
/// things: where `write` is empty and `migrate` false its connections only read ([`Actor`](crate::Actor)), on PostgreSQL its
/// statements may run as a role, and SQLite's authorizer refuses what no plugin may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Tables it may read.
    pub read: Tables,
    /// Tables it may change.
    pub write: Tables,
    /// Whether its migrations are applied.
    pub migrate: bool,
    /// Functions that it may call beyond those known to leave other tables and the session alone, in any case, with their schema
    /// where the statement has one other than `pg_catalog`; an operator by its sign. A function that is granted does whatever
    /// it does: one that runs SQL (`query_to_xml`, `dblink`) gives away all that the database's login may touch, one that
    /// changes a setting changes it until the connection comes back.
    pub functions: BTreeSet<String>,
    /// Whether it may open sessions with a connection of their own.
    pub separate: bool,
    /// Whether statements about rows that can't be read here go to the database all the same, past every check of tables and
    /// functions: with it a plugin may read, and with any table in `write` change, whatever the database's login or its
    /// role may.
    pub unparsed: bool,
}

/// A set of tables. Names are as PostgreSQL folds them: lower-case, no schema for `public` and `main`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tables {
    /// No table.
    #[default]
    None,
    /// These tables.
    Some(BTreeSet<String>),
    /// Every table but the host's own and the database's catalogs, which are granted by name only: what is in
    /// `information_schema` and in schemas that begin with `pg_`, or has a name that begins with `pg_`, `sqlite_` or
    /// `pragma_`.
    All,
    /// The same, and these of the catalogs.
    AllAnd(BTreeSet<String>),
}

/// What a statement does that is not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It reads this table.
    Read(String),
    /// It changes this table.
    Write(String),
    /// It changes the schema outside a migration.
    Ddl,
    /// It touches the host's own table.
    Host(String),
    /// It calls a function that is not known to leave other tables alone.
    Function(String),
    /// It can't be read, for this reason.
    Unparsed(String),
    /// It opens a session with a connection of its own.
    Separate,
    /// There is no grant at all.
    Nothing,
}

impl Grants {
    /// Whether a statement of this footprint is granted.
    ///
    /// # Errors
    /// The first thing that it does and may not.
    pub fn allow(&self, footprint: &Footprint) -> Result<(), Refusal> {
        if self.is_empty() {
            return Err(Refusal::Nothing);
        }
        if let Some(own) = footprint
            .reads
            .iter()
            .chain(&footprint.writes)
            .chain(&footprint.indexes)
            .find(|table| is_host_table(table))
        {
            return Err(Refusal::Host(own.clone()));
        }
        if let Some(reason) = &footprint.unparsed {
            return self.allow_unparsed(footprint.kind, reason);
        }
        if footprint.kind == StatementKind::Ddl && !self.migrate {
            return Err(Refusal::Ddl);
        }
        if let Some(table) = footprint
            .writes
            .iter()
            .find(|table| !self.write.contain(table))
        {
            return Err(Refusal::Write(table.clone()));
        }
        if let Some(table) = footprint
            .reads
            .iter()
            .find(|table| !self.read.contain(table))
        {
            return Err(Refusal::Read(table.clone()));
        }
        // A function outside the list may run any SQL (`query_to_xml`).
        match footprint
            .unknown_functions
            .iter()
            .find(|function| !self.may_call(function))
        {
            Some(function) => Err(Refusal::Function(function.clone())),
            None => Ok(()),
        }
    }

    fn allow_unparsed(&self, kind: StatementKind, reason: &str) -> Result<(), Refusal> {
        if !self.unparsed {
            return Err(Refusal::Unparsed(reason.to_owned()));
        }
        if kind != StatementKind::Query && self.write.is_empty() {
            return Err(Refusal::Write("*".to_owned()));
        }
        Ok(())
    }

    /// Whether what a footprint mentions calls no function, or a granted one, where `added` are the names of functions that
    /// somebody has added to the database.
    ///
    /// # Errors
    /// The first function that it calls so and may not.
    pub fn allow_added(
        &self,
        footprint: &Footprint,
        added: &BTreeSet<String>,
    ) -> Result<(), Refusal> {
        if added.is_empty() {
            return Ok(());
        }
        match footprint
            .mentions
            .iter()
            .find(|name| added.contains(*name) && !self.may_call(name))
        {
            Some(function) => Err(Refusal::Function(function.clone())),
            None => Ok(()),
        }
    }

    fn may_call(&self, function: &str) -> bool {
        self.functions.iter().any(|granted| {
            let granted = granted.strip_prefix("pg_catalog.").unwrap_or(granted);
            granted.eq_ignore_ascii_case(function)
        })
    }

    /// Whether nothing at all is granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read.is_empty()
            && self.write.is_empty()
            && self.functions.is_empty()
            && !self.migrate
            && !self.unparsed
    }
}

impl Tables {
    /// Whether the table is one of them.
    #[must_use]
    pub fn contain(&self, table: &str) -> bool {
        match self {
            _ if is_host_table(table) => false,
            Tables::None => false,
            Tables::Some(tables) => named(tables, table),
            Tables::All => !is_catalog(table),
            Tables::AllAnd(tables) => !is_catalog(table) || named(tables, table),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Tables::None => true,
            Tables::Some(tables) => tables.is_empty(),
            Tables::All | Tables::AllAnd(_) => false,
        }
    }
}

fn named(tables: &BTreeSet<String>, table: &str) -> bool {
    tables.contains(table) || catalog_name(table).is_some_and(|name| tables.contains(&name))
}

impl<Name: Into<String>> FromIterator<Name> for Tables {
    fn from_iter<Names: IntoIterator<Item = Name>>(names: Names) -> Self {
        Tables::Some(names.into_iter().map(Into::into).collect())
    }
}

impl Refusal {
    /// One sentence for a person, with the lines to add to host.toml.
    #[must_use]
    pub fn message(&self, plugin: &str) -> String {
        let key = toml_key(plugin);
        match self {
            Refusal::Read(table) | Refusal::Write(table) | Refusal::Host(table)
                if is_host_table(table) =>
            {
                format!(
                    "plugin {plugin:?} may not touch {table:?}: names that begin with {HOST_PREFIX:?} are the host's own"
                )
            }
            Refusal::Read(table) => format!(
                "plugin {plugin:?} may not read table {table:?}; add to [plugins.{key}] in host.toml: database = {{ read = [{}] }}, beside what it may do already",
                toml_string(table)
            ),
            Refusal::Write(table) => format!(
                "plugin {plugin:?} may not write table {table:?}; add to [plugins.{key}] in host.toml: database = {{ write = [{}] }}, beside what it may do already",
                toml_string(table)
            ),
            Refusal::Ddl => format!(
                "plugin {plugin:?} may not change the schema with a statement: DDL belongs in the plugin's migrations, which are applied with, in [plugins.{key}] in host.toml: database = {{ migrate = true, write = [\"TABLE\"] }}"
            ),
            Refusal::Host(table) => {
                format!("plugin {plugin:?} may not touch table {table:?}: it is the host's own")
            }
            Refusal::Function(function) => format!(
                "plugin {plugin:?} may not call function {function:?}: it is not known to leave other tables alone, and may run any SQL; add to [plugins.{key}] in host.toml: database = {{ functions = [{}] }}, beside what it may do already",
                toml_string(function)
            ),
            Refusal::Unparsed(reason) => format!(
                "the statement can't be read: {reason}; so nobody knows which tables it touches: write it otherwise or, to let plugin {plugin:?} run what can't be read, past every check of tables and functions, add to [plugins.{key}] in host.toml: database = {{ unparsed = true }}, beside what it may do already"
            ),
            Refusal::Separate => format!(
                "plugin {plugin:?} may not open a separate session, which takes a connection of its own; open a shared one, or add to [plugins.{key}] in host.toml: database = {{ separate = true }}, beside what it may do already"
            ),
            Refusal::Nothing => format!(
                "plugin {plugin:?} has no grant for the database; add to [plugins.{key}] in host.toml: database = {{ read = [\"TABLE\"], write = [\"TABLE\"] }}"
            ),
        }
    }
}

/// Whether a table is the host's own, in whatever schema.
pub(crate) fn is_host_table(table: &str) -> bool {
    let name = table.rsplit('.').next().unwrap_or_default();
    name.get(..HOST_PREFIX.len())
        .is_some_and(|begins| begins.eq_ignore_ascii_case(HOST_PREFIX))
}

/// Whether a table is one of the database's own, where settings, statistics and other users' statements are.
fn is_catalog(table: &str) -> bool {
    let begins = |name: &str, with: &str| {
        name.get(..with.len())
            .is_some_and(|begins| begins.eq_ignore_ascii_case(with))
    };
    let mut parts = table.rsplit('.');
    let name = parts.next().unwrap_or_default();
    let named = ["pg_", "sqlite_", "pragma_"]
        .iter()
        .any(|prefix| begins(name, prefix));
    named
        || ["dbstat", "temp"]
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own))
        || parts.any(|schema| {
            begins(schema, "pg_")
                || ["information_schema", "temp"]
                    .iter()
                    .any(|own| schema.eq_ignore_ascii_case(own))
        })
}

/// A table of PostgreSQL's catalog by its other name, with the schema or without.
fn catalog_name(table: &str) -> Option<String> {
    match table.strip_prefix("pg_catalog.") {
        Some(name) => Some(name.to_owned()),
        None if table.starts_with("pg_") && !table.contains('.') => {
            Some(format!("pg_catalog.{table}"))
        }
        None => None,
    }
}

/// A name as a key in TOML, as in `[plugins.NAME]`: bare where it may be, else in quotes.
#[must_use]
pub fn toml_key(name: &str) -> Cow<'_, str> {
    let bare = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if bare {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(toml_string(name))
    }
}

/// A text as a string in TOML, on one line.
pub(crate) fn toml_string(text: &str) -> String {
    let mut string = String::with_capacity(text.len() + 2);
    string.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => string.extend(['\\', letter]),
            _ if letter.is_control() => {
                string.push_str(&format!("\\u{:04X}", u32::from(letter)));
            }
            _ => string.push(letter),
        }
    }
    string.push('"');
    string
}
