//! Owns applying a plugin's migrations: each once, all in one transaction under a lock, and recorded; leaves their SQL to the plugin.

mod catalog;

use std::sync::Arc;

use poolhouse_pool::Holder;

use crate::connection::Connection;
use crate::database::Database;
use crate::error::Error;
use crate::footprint::{Footprint, StatementKind};
use crate::grants::{Grants, MIGRATIONS_TABLE, Refusal, toml_key};
use crate::statement::{Failed, Request};
use crate::transaction::TransactionOptions;
use crate::url::Backend;
use crate::value::Value;

/// PostgreSQL's advisory lock under which migrations are applied: "poolhous" in ASCII.
const LOCK: i64 = 0x706f_6f6c_686f_7573;

/// A numbered change of the tables that a plugin owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// From 1, rising; never used again for something else.
    pub number: u32,
    /// A few words for the log.
    pub name: String,
    /// Tables that it makes or, where somebody made them before, adopts.
    pub tables: Vec<MigrationTable>,
    /// One SQL statement each.
    pub statements: Vec<String>,
}

/// A table that a migration makes or adopts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationTable {
    /// Its name, as SQL has it.
    pub name: String,
    /// The columns that the plugin needs.
    pub columns: Vec<String>,
}

/// Why a plugin's migrations were not applied. Nothing was changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MigrationError {
    /// Not granted; the message has the lines to add to host.toml.
    #[error("{0}")]
    Denied(String),
    /// The list of migrations is wrong.
    #[error("the migrations of plugin {plugin:?} can't be applied: {reason}")]
    Invalid {
        /// Whose they are.
        plugin: String,
        /// What is wrong.
        reason: String,
    },
    /// A table that is there already lacks columns.
    #[error(
        "migration {number} of plugin {plugin:?} needs table {table:?} with the columns {}, but the one that is there lacks {}: add them, or rename the table",
        columns.join(", "),
        missing.join(", ")
    )]
    MissingColumns {
        /// Whose migration.
        plugin: String,
        /// Which one.
        number: u32,
        /// The table.
        table: String,
        /// The columns that the plugin needs.
        columns: Vec<String>,
        /// Those that are missing.
        missing: Vec<String>,
    },
    /// The database refused a statement.
    #[error(
        "migration {number} ({name}) of plugin {plugin:?} failed at statement {statement}: {source}"
    )]
    Statement {
        /// Whose migration.
        plugin: String,
        /// Which one.
        number: u32,
        /// Its name.
        name: String,
        /// Which statement, from 1.
        statement: usize,
        /// What the database said.
        source: Box<Error>,
    },
    /// The database is not to be had, or refused what the host does around the migrations.
    #[error("the migrations of plugin {plugin:?} could not be applied: {source}")]
    Database {
        /// Whose they are.
        plugin: String,
        /// Why.
        source: Box<Error>,
    },
}

/// A migration whose statements were read and are granted.
struct Checked<'m> {
    migration: &'m Migration,
    statements: Vec<(Arc<str>, Footprint)>,
}

/// What applying works with.
struct Applying<'a> {
    plugin: &'a str,
    grants: &'a Grants,
    backend: Backend,
    echo: bool,
    connection: &'a mut Connection,
}

impl Database {
    /// Applies those of a plugin's migrations that were not applied before, and answers their numbers. Several hosts
    /// may do so at once. Not cancel-safe in one sense only: dropped, it may or may not have happened, whole.
    ///
    /// # Errors
    /// [`MigrationError`]; everything is rolled back then.
    pub async fn migrate(
        &self,
        plugin: &Arc<str>,
        grants: &Grants,
        migrations: &[Migration],
    ) -> Result<Vec<u32>, MigrationError> {
        if migrations.is_empty() {
            return Ok(Vec::new());
        }
        let checked = check(plugin, grants, migrations, self.backend())?;
        let database = |error| MigrationError::Database {
            plugin: plugin.to_string(),
            source: Box::new(error),
        };
        let holder = Holder {
            name: Arc::clone(plugin),
            chain: 0,
        };
        let mut lease = self.acquire(&holder, None).await.map_err(database)?;
        lease.touch();
        let mut operation = lease.operation();
        let mut applying = Applying {
            plugin,
            grants,
            backend: self.backend(),
            echo: self.echo(),
            connection: &mut operation,
        };
        let result = applying.all(&checked).await;
        operation.complete();
        // What was prepared before the tables changed, on this connection or another, is not to be used again.
        if matches!(&result, Ok(applied) if !applied.is_empty()) {
            self.retire_generation();
        }
        lease.release().await;
        result
    }
}

fn check<'m>(
    plugin: &str,
    grants: &Grants,
    migrations: &'m [Migration],
    backend: Backend,
) -> Result<Vec<Checked<'m>>, MigrationError> {
    let invalid = |reason: String| MigrationError::Invalid {
        plugin: plugin.to_owned(),
        reason,
    };
    if !grants.migrate {
        return Err(MigrationError::Denied(format!(
            "plugin {plugin:?} has migrations and may not apply them; allow it in host.toml: [plugins.{}] database = {{ migrate = true, write = [{}] }}",
            toml_key(plugin),
            tables_of(migrations)
        )));
    }
    let mut last = 0;
    let mut checked = Vec::with_capacity(migrations.len());
    for migration in migrations {
        let Migration { number, name, .. } = migration;
        if *number <= last {
            return Err(invalid(format!(
                "their numbers rise from 1, and {number} ({name}) comes after {last}"
            )));
        }
        last = *number;
        for table in &migration.tables {
            let folded = catalog::table_name(&table.name, backend);
            if !grants.write.contain(&folded) {
                return Err(MigrationError::Denied(
                    Refusal::Write(folded).message(plugin),
                ));
            }
        }
        let mut statements = Vec::with_capacity(migration.statements.len());
        for (at, sql) in migration.statements.iter().enumerate() {
            let footprint = Footprint::read(sql, backend).map_err(|error| {
                invalid(format!(
                    "statement {} of migration {number} ({name}): {error}",
                    at + 1
                ))
            })?;
            if footprint.parameters > 0 {
                return Err(invalid(format!(
                    "statement {} of migration {number} ({name}) has a parameter, and nobody gives one",
                    at + 1
                )));
            }
            grants
                .allow(&footprint)
                .map_err(|refusal| MigrationError::Denied(refusal.message(plugin)))?;
            statements.push((Arc::from(sql.as_str()), footprint));
        }
        checked.push(Checked {
            migration,
            statements,
        });
    }
    Ok(checked)
}

fn tables_of(migrations: &[Migration]) -> String {
    let mut names: Vec<String> = migrations
        .iter()
        .flat_map(|migration| &migration.tables)
        .map(|table| format!("{:?}", table.name))
        .collect();
    names.sort();
    names.dedup();
    names.join(", ")
}

impl Applying<'_> {
    async fn all(&mut self, checked: &[Checked<'_>]) -> Result<Vec<u32>, MigrationError> {
        self.connection
            .begin(&TransactionOptions::default())
            .await
            .map_err(|failed| self.database(failed))?;
        match self.inside(checked).await {
            Ok(applied) => {
                self.connection
                    .commit()
                    .await
                    .map_err(|failed| self.database(failed))?;
                Ok(applied)
            }
            Err(error) => {
                // Where even this fails the connection is closed next, which ends the transaction too.
                let _ = self.connection.rollback().await;
                Err(error)
            }
        }
    }

    async fn inside(&mut self, checked: &[Checked<'_>]) -> Result<Vec<u32>, MigrationError> {
        // SQLite's BEGIN IMMEDIATE is its lock already.
        if self.backend == Backend::Postgresql {
            self.batch(&format!("SELECT pg_advisory_xact_lock({LOCK})"))
                .await?;
        }
        let applied_at = match self.backend {
            Backend::Postgresql => "applied_at timestamptz NOT NULL DEFAULT now()",
            Backend::Sqlite => {
                "applied_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
            }
        };
        self.batch(&format!(
            "CREATE TABLE IF NOT EXISTS {MIGRATIONS_TABLE} (plugin text NOT NULL, number bigint NOT NULL, name text NOT NULL, {applied_at}, PRIMARY KEY (plugin, number))"
        ))
        .await?;
        let known = self
            .ours(
                &format!("SELECT number FROM {MIGRATIONS_TABLE} WHERE plugin = $1"),
                &[Value::Text(self.plugin.to_owned())],
            )
            .await?;
        let known = catalog::integers(&known);
        let mut applied = Vec::new();
        for checked in checked
            .iter()
            .filter(|checked| !known.contains(&i64::from(checked.migration.number)))
        {
            self.one(checked).await?;
            applied.push(checked.migration.number);
        }
        Ok(applied)
    }

    async fn one(&mut self, checked: &Checked<'_>) -> Result<(), MigrationError> {
        let migration = checked.migration;
        for table in &migration.tables {
            self.adopt(migration, table).await?;
        }
        for (at, (sql, footprint)) in checked.statements.iter().enumerate() {
            self.check_indexes(footprint).await?;
            if self.echo {
                tracing::info!(target: "poolhouse::echo", plugin = self.plugin, migration = migration.number, sql = &**sql);
            }
            let request = Request {
                sql,
                parameters: &[],
                kind: footprint.kind,
                limits: catalog::LIMITS,
                rows: false,
            };
            self.connection
                .run(request)
                .await
                .map_err(|failed| MigrationError::Statement {
                    plugin: self.plugin.to_owned(),
                    number: migration.number,
                    name: migration.name.clone(),
                    statement: at + 1,
                    source: Box::new(failed.error),
                })?;
        }
        let record =
            format!("INSERT INTO {MIGRATIONS_TABLE} (plugin, number, name) VALUES ($1, $2, $3)");
        self.ours(
            &record,
            &[
                Value::Text(self.plugin.to_owned()),
                Value::Int64(i64::from(migration.number)),
                Value::Text(migration.name.clone()),
            ],
        )
        .await?;
        tracing::info!(target: "poolhouse::database", plugin = self.plugin, number = migration.number, name = migration.name, "applied a migration");
        Ok(())
    }

    /// A table that somebody made before must have every column that the plugin needs.
    async fn adopt(
        &mut self,
        migration: &Migration,
        table: &MigrationTable,
    ) -> Result<(), MigrationError> {
        let (sql, parameter) = catalog::columns_query(&table.name, self.backend);
        let there = catalog::texts(&self.ours(sql, &[Value::Text(parameter)]).await?);
        if there.is_empty() {
            return Ok(());
        }
        let missing: Vec<String> = table
            .columns
            .iter()
            .filter(|column| {
                !there
                    .iter()
                    .any(|there| there.eq_ignore_ascii_case(column.trim_matches('"')))
            })
            .cloned()
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(MigrationError::MissingColumns {
            plugin: self.plugin.to_owned(),
            number: migration.number,
            table: table.name.clone(),
            columns: table.columns.clone(),
            missing,
        })
    }

    /// An index is dropped or renamed only by who may write its table.
    async fn check_indexes(&mut self, footprint: &Footprint) -> Result<(), MigrationError> {
        if footprint.kind != StatementKind::Ddl {
            return Ok(());
        }
        for index in &footprint.indexes {
            let (sql, parameter) = catalog::index_query(index, self.backend);
            let tables = catalog::texts(&self.ours(sql, &[Value::Text(parameter)]).await?);
            if let Some(table) = tables
                .into_iter()
                .find(|table| !self.grants.write.contain(table))
            {
                return Err(MigrationError::Denied(
                    Refusal::Write(table).message(self.plugin),
                ));
            }
        }
        Ok(())
    }

    async fn ours(
        &mut self,
        sql: &str,
        parameters: &[Value],
    ) -> Result<crate::column::Answer, MigrationError> {
        let request = Request {
            sql: &Arc::from(sql),
            parameters,
            kind: StatementKind::Query,
            limits: catalog::LIMITS,
            rows: true,
        };
        let result = self.connection.run(request).await;
        result
            .map(|ran| ran.answer)
            .map_err(|failed| self.database(failed))
    }

    async fn batch(&mut self, sql: &str) -> Result<(), MigrationError> {
        let result = self.connection.batch(sql).await;
        result.map_err(|failed| self.database(failed))
    }

    fn database(&self, failed: Failed) -> MigrationError {
        MigrationError::Database {
            plugin: self.plugin.to_owned(),
            source: Box::new(failed.error),
        }
    }
}
