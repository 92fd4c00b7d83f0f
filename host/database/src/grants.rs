//! Owns what a plugin may do to which tables, as a pure function of a statement's footprint; leaves footprints to `footprint`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::footprint::{Footprint, StatementKind};

/// The host's own record of applied migrations; nobody else reads or writes it.
pub(crate) const MIGRATIONS_TABLE: &str = "poolhouse_migrations";

/// What a plugin may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Tables it may read.
    pub read: Tables,
    /// Tables it may change.
    pub write: Tables,
    /// Whether its migrations are applied.
    pub migrate: bool,
    /// Functions that it may call beyond those known to leave other tables and the session alone: as SQL folds them, with
    /// their schema unless it is `pg_catalog`.
    pub functions: BTreeSet<String>,
    /// Whether it may open sessions with a connection of their own.
    pub separate: bool,
    /// Whether statements that can't be read here go to the database all the same, past every check of tables and functions.
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
    /// Every table but the host's own.
    All,
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
            .find(|table| is_host_table(table))
        {
            return Err(Refusal::Host(own.clone()));
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
        // A function outside the list may run any SQL (`query_to_xml`), so only who may read everything may call it.
        if !(self.read == Tables::All && self.write == Tables::All)
            && let Some(function) = footprint.unknown_functions.first()
        {
            return Err(Refusal::Function(function.clone()));
        }
        Ok(())
    }

    /// Whether nothing at all is granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read.is_empty() && self.write.is_empty() && !self.migrate
    }
}

impl Tables {
    /// Whether the table is one of them.
    #[must_use]
    pub fn contain(&self, table: &str) -> bool {
        match self {
            Tables::None => false,
            Tables::Some(tables) => tables.contains(table),
            Tables::All => true,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Tables::None => true,
            Tables::Some(tables) => tables.is_empty(),
            Tables::All => false,
        }
    }
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
                "plugin {plugin:?} may not call function {function:?}: it is not known to leave other tables alone; only a plugin that may read and write every table may call it"
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

fn is_host_table(table: &str) -> bool {
    table
        .rsplit('.')
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case(MIGRATIONS_TABLE))
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
