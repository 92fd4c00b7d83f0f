//! Owns the one transaction in which migrations are applied, and saying where in it they failed.

use std::sync::Arc;

use crate::connection::Connection;
use crate::database::Database;
use crate::error::{ConflictKind, Error, TimeoutKind, UnavailableReason};
use crate::footprint::{Footprint, StatementKind};
use crate::grants::{Grants, MIGRATIONS_TABLE, Refusal};
use crate::session::Session;
use crate::statement::{Author, Failed, Request};
use crate::transaction::{Isolation, TransactionOptions};
use crate::url::Backend;
use crate::value::Value;

use super::{Bounds, Checked, Migration, MigrationError, MigrationTable, catalog};

/// PostgreSQL's advisory lock under which migrations are applied: "poolhous" in ASCII.
pub(super) const LOCK: i64 = 0x706f_6f6c_686f_7573;

/// What is to be done in it.
#[derive(Clone, Copy)]
pub(super) enum Work<'a> {
    /// What was not applied before.
    Migrations(&'a [Checked<'a>]),
    /// What a role lacks of the grants.
    Role(&'a Arc<str>),
}

/// What applying works with.
pub(super) struct Applying<'a> {
    pub(super) plugin: &'a str,
    pub(super) grants: &'a Grants,
    backend: Backend,
    bounds: Bounds,
    echo: bool,
    pub(super) connection: &'a mut Connection,
    step: Step,
}

/// Where it is, for its errors.
enum Step {
    Begin,
    /// Taking the lock by which hosts exclude each other.
    Lock,
    /// Asking and noting what was applied.
    Records,
    /// A statement of a migration, from 1.
    Statement {
        number: u32,
        name: String,
        statement: usize,
    },
    Commit,
}

impl<'a> Applying<'a> {
    pub(super) fn new(
        database: &Database,
        plugin: &'a str,
        grants: &'a Grants,
        bounds: Bounds,
        connection: &'a mut Connection,
    ) -> Self {
        Self {
            plugin,
            grants,
            bounds,
            backend: database.backend(),
            echo: database.echo(),
            connection,
            step: Step::Begin,
        }
    }

    /// Does it in a transaction, under the lock by which hosts exclude each other, as the login and as nobody's role.
    /// Answers the numbers of migrations that were applied.
    pub(super) async fn all(&mut self, work: Work<'_>) -> Result<Vec<u32>, MigrationError> {
        // Whatever the database's own isolation is: with a snapshot taken before the lock, what another host has applied
        // meanwhile would not be seen.
        let options = TransactionOptions {
            isolation: Isolation::ReadCommitted,
            ..TransactionOptions::default()
        };
        let begun = match self.connection.set_for(&Session::default()).await {
            Ok(()) => self.connection.begin(&options).await,
            Err(failed) => Err(failed),
        };
        begun.map_err(|failed| self.database(failed))?;
        match self.inside(work).await {
            Ok(done) => {
                self.step = Step::Commit;
                self.connection
                    .commit()
                    .await
                    .map_err(|failed| self.database(failed))?;
                Ok(done)
            }
            Err(error) => {
                // Where even this fails the connection is closed next, which ends the transaction too.
                let _ = self.connection.rollback().await;
                Err(error)
            }
        }
    }

    async fn inside(&mut self, work: Work<'_>) -> Result<Vec<u32>, MigrationError> {
        // SQLite's BEGIN IMMEDIATE is its lock already.
        if self.backend == Backend::Postgresql {
            // Zero would be for ever.
            let wait = self.bounds.lock.as_millis().max(1);
            self.batch(&format!("SET LOCAL lock_timeout = '{wait}ms'"))
                .await?;
            self.step = Step::Lock;
            self.batch(&format!("SELECT pg_advisory_xact_lock({LOCK})"))
                .await?;
        }
        self.step = Step::Records;
        match work {
            Work::Migrations(checked) => self.migrate(checked).await,
            Work::Role(role) => self.grant_role(role).await.map(|()| Vec::new()),
        }
    }

    async fn migrate(&mut self, checked: &[Checked<'_>]) -> Result<Vec<u32>, MigrationError> {
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
            self.step = Step::Records;
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
            self.step = Step::Statement {
                number: migration.number,
                name: migration.name.clone(),
                statement: at + 1,
            };
            self.grants
                .allow_added(footprint, self.connection.added_functions())
                .map_err(|refusal| MigrationError::Denied(refusal.message(self.plugin)))?;
            self.check_indexes(footprint).await?;
            if self.echo {
                tracing::info!(target: "poolhouse::echo", plugin = self.plugin, migration = migration.number, sql = &**sql);
            }
            let request = Request {
                sql,
                parameters: &[],
                kind: footprint.kind,
                author: Author::Plugin,
                limits: catalog::LIMITS,
                rows: false,
            };
            let result = self.connection.run(request).await;
            result.map_err(|failed| self.database(failed))?;
        }
        self.step = Step::Records;
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
            // ALTER INDEX renames tables as well.
            if tables.iter().any(String::is_empty) {
                return Err(self.failed_with(Error::invalid(format!("{index:?} is no index"))));
            }
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

    pub(super) async fn ours(
        &mut self,
        sql: &str,
        parameters: &[Value],
    ) -> Result<crate::column::Answer, MigrationError> {
        let request = Request {
            sql: &Arc::from(sql),
            parameters,
            kind: StatementKind::Query,
            author: Author::Host,
            limits: catalog::LIMITS,
            rows: true,
        };
        let result = self.connection.run(request).await;
        result
            .map(|ran| ran.answer)
            .map_err(|failed| self.database(failed))
    }

    pub(super) async fn batch(&mut self, sql: &str) -> Result<(), MigrationError> {
        let result = self.connection.batch(sql).await;
        result.map_err(|failed| self.database(failed))
    }

    /// Why it ended where it was when its time was over.
    pub(super) fn out_of_time(&self) -> MigrationError {
        let limit = self.bounds.whole;
        let over = format!("all of a plugin's migrations may take {limit:?}, and that is over");
        let waiting = match self.step {
            Step::Begin => "the database did not begin a transaction",
            Step::Lock => "another host holds the migration lock, or the database does not answer",
            Step::Records => "the host's own records of migrations were not read and written",
            Step::Statement { .. } => {
                "the statement was not done, or waited for others' transactions"
            }
            Step::Commit => {
                let error = Error::unavailable(
                    UnavailableReason::Unreachable,
                    format!("{over}: the database did not answer COMMIT"),
                );
                return self.failed_with(error.with_unknown_outcome());
            }
        };
        self.failed_with(Error::Timeout {
            kind: TimeoutKind::Statement,
            message: format!("{over}: {waiting}"),
            limit,
        })
    }

    fn database(&self, failed: Failed) -> MigrationError {
        let wait = self.bounds.lock;
        let error = match failed.error {
            Error::Conflict {
                kind: ConflictKind::Busy,
                message,
            } if self.backend == Backend::Postgresql => Error::Conflict {
                kind: ConflictKind::Busy,
                message: if matches!(self.step, Step::Lock) {
                    format!(
                        "another host holds the migration lock, and kept it for the {wait:?} that this one waits: start again when that host has applied its migrations, or end it if it hangs"
                    )
                } else {
                    format!(
                        "another transaction holds a lock on what is to be changed, and kept it for the {wait:?} that a migration waits ({message}): end that transaction and start again"
                    )
                },
            },
            error => error,
        };
        self.failed_with(error)
    }

    fn failed_with(&self, error: Error) -> MigrationError {
        let plugin = self.plugin.to_owned();
        let cause = Box::new(error);
        match &self.step {
            Step::Statement {
                number,
                name,
                statement,
            } => MigrationError::Statement {
                plugin,
                number: *number,
                name: name.clone(),
                statement: *statement,
                cause,
            },
            _ => MigrationError::Database { plugin, cause },
        }
    }
}
