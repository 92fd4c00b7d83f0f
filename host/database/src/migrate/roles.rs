//! Owns giving a plugin's PostgreSQL role the rights on the tables that its grants name; takes none away.

use std::sync::Arc;

use tracing::warn;

use crate::actor::Actor;
use crate::column::{Answer, Values};
use crate::database::Database;
use crate::grants::{Grants, Tables, is_host_table, toml_key};
use crate::postgres::quoted;
use crate::url::Backend;
use crate::value::Value;

use super::applying::{Applying, Work};
use super::{Bounds, LOCK_TIMEOUT, MIGRATION_TIMEOUT, MigrationError, no_roles};

/// Every table and view that a grant may name, what the role lacks on it, and what the login could give: letters of
/// SELECT, INSERT, UPDATE and DELETE.
const TABLES: &str = "SELECT n.nspname::text, c.relname::text, CASE WHEN n.nspname = 'public' OR pg_catalog.pg_table_is_visible(c.oid) THEN c.relname::text ELSE '' END, \
    CASE WHEN pg_catalog.has_schema_privilege($1, n.oid, 'USAGE') THEN '' ELSE 'G' END || l.lacks, l.gives FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, LATERAL (SELECT \
        pg_catalog.string_agg(CASE WHEN pg_catalog.has_table_privilege($1, c.oid, p.name) THEN '' ELSE p.letter END, '') AS lacks, \
        pg_catalog.string_agg(CASE WHEN pg_catalog.has_table_privilege(c.oid, p.name || ' WITH GRANT OPTION') THEN p.letter ELSE '' END, '') AS gives \
        FROM (VALUES ('S', 'SELECT'), ('I', 'INSERT'), ('U', 'UPDATE'), ('D', 'DELETE')) AS p (letter, name)) AS l \
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// The sequences of a table's own columns that the role may not use.
const SEQUENCES: &str = "SELECT n.nspname::text, s.relname::text FROM pg_catalog.pg_depend d \
    JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace \
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass \
        AND d.deptype IN ('a', 'i') AND d.refobjid = pg_catalog.to_regclass($1) AND CASE WHEN s.relkind = 'S' THEN NOT pg_catalog.has_sequence_privilege($2, s.oid, 'USAGE') ELSE false END";

/// A table that the role lacks something on.
struct Table {
    schema: String,
    name: String,
    /// As grants have it, if it needs no schema in front.
    short: String,
    lacks: String,
    gives: String,
}

impl Database {
    /// Sees to it that an actor's role is there, that the login may take it, and that it has the rights that the
    /// actor's grants name: SELECT on the tables and views that it may read and that exist; SELECT, INSERT, UPDATE and
    /// DELETE on those that it may write, with the sequences of their columns; USAGE on their schemas. To be called
    /// whenever a plugin is loaded, after the migrations of all. Nothing happens for an actor without a role; a right
    /// that the role has already is not given again, and none is ever taken away. Bounded to a minute.
    ///
    /// # Errors
    /// `Denied` with what to do, where the role can't be taken or the login can't give what is granted by name; what it
    /// can't give of `*` is only logged.
    pub async fn grant_role(&self, actor: &Actor) -> Result<(), MigrationError> {
        let Some(role) = &actor.role else {
            return Ok(());
        };
        if self.backend() == Backend::Sqlite {
            return Err(MigrationError::Denied(no_roles(&actor.plugin, role)));
        }
        let bounds = Bounds {
            whole: MIGRATION_TIMEOUT,
            lock: LOCK_TIMEOUT,
        };
        let what = format!("rights of the role of {}", actor.plugin);
        self.applying(
            bounds,
            &what,
            &actor.plugin,
            &actor.grants,
            Work::Role(role),
        )
        .await
        .map(drop)
    }
}

impl Applying<'_> {
    pub(super) async fn grant_role(&mut self, role: &Arc<str>) -> Result<(), MigrationError> {
        let taken = match self.connection.act_as(Some(role)).await {
            Ok(()) => self.connection.act_as(None).await,
            refused => refused,
        };
        if let Err(failed) = taken {
            return Err(MigrationError::Denied(format!(
                "plugin {:?} can't be used: {}, or take role out of database in [plugins.{}] in host.toml",
                self.plugin,
                failed.error,
                toml_key(self.plugin)
            )));
        }
        let named = [Value::Text(role.to_string())];
        let tables = Table::all(&self.ours(TABLES, &named).await?);
        for table in tables {
            self.grant_table(role, &table).await?;
        }
        Ok(())
    }

    async fn grant_table(&mut self, role: &str, table: &Table) -> Result<(), MigrationError> {
        let Some((privileges, is_named)) = table.wanted(self.grants) else {
            return Ok(());
        };
        let to = quoted(role);
        let lacking: Vec<&str> = privileges
            .iter()
            .filter(|privilege| {
                privilege
                    .chars()
                    .next()
                    .is_some_and(|one| table.lacks.contains(one))
            })
            .copied()
            .collect();
        let may_give = |privilege: &&str| {
            privilege
                .chars()
                .next()
                .is_some_and(|one| table.gives.contains(one))
        };
        if !lacking.is_empty() {
            let sql = format!(
                "GRANT {} ON TABLE {} TO {to}",
                lacking.join(", "),
                table.quoted()
            );
            if !lacking.iter().all(may_give) {
                let said = format!(
                    "the role {role:?} of plugin {:?} has not the rights on table {:?} that its grants in host.toml name, and the user in `url` can't give them: let the table's owner run {sql}",
                    self.plugin, table.name
                );
                if is_named {
                    return Err(MigrationError::Denied(said));
                }
                warn!(target: "poolhouse::database", "{said}");
                return Ok(());
            }
            self.batch(&sql).await?;
        }
        if table.lacks.contains('G') {
            let schema = quoted(&table.schema);
            self.batch(&format!("GRANT USAGE ON SCHEMA {schema} TO {to}"))
                .await?;
        }
        if privileges.contains(&"INSERT") {
            let asked = [Value::Text(table.quoted()), Value::Text(role.to_owned())];
            let answer = self.ours(SEQUENCES, &asked).await?;
            for (schema, sequence) in columns(&answer, 0).into_iter().zip(columns(&answer, 1)) {
                let sequence = format!("{}.{}", quoted(&schema), quoted(&sequence));
                self.batch(&format!("GRANT USAGE ON SEQUENCE {sequence} TO {to}"))
                    .await?;
            }
        }
        Ok(())
    }
}

impl Table {
    fn all(answer: &Answer) -> Vec<Self> {
        let [schemas, names, shorts, lacks, gives] = [0, 1, 2, 3, 4].map(|at| columns(answer, at));
        schemas
            .into_iter()
            .zip(names)
            .zip(shorts.into_iter().zip(lacks.into_iter().zip(gives)))
            .map(|((schema, name), (short, (lacks, gives)))| Self {
                schema,
                name,
                short,
                lacks,
                gives,
            })
            .collect()
    }

    fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    /// What grants allow on it, and whether they name it; none where they allow nothing.
    fn wanted(&self, grants: &Grants) -> Option<(&'static [&'static str], bool)> {
        if is_host_table(&self.name) {
            return None;
        }
        let long = format!("{}.{}", self.schema, self.name);
        let has = |tables: &Tables| {
            tables.contain(&long) || !self.short.is_empty() && tables.contain(&self.short)
        };
        let is_named = |tables: &Tables| matches!(tables, Tables::Some(_)) && has(tables);
        let named = is_named(&grants.read) || is_named(&grants.write);
        if has(&grants.write) {
            Some((&["SELECT", "INSERT", "UPDATE", "DELETE"], named))
        } else if has(&grants.read) {
            Some((&["SELECT"], named))
        } else {
            None
        }
    }
}

/// The texts of one of an answer's columns.
fn columns(answer: &Answer, at: usize) -> Vec<String> {
    match answer.batch.columns.get(at).map(|column| &column.values) {
        Some(Values::Text(packed)) => (0..packed.len())
            .filter_map(|row| packed.get(row))
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect(),
        _ => Vec::new(),
    }
}
