//! Owns applying a plugin's migrations: each once, all in one transaction under a lock, and recorded; leaves their SQL to the plugin.

mod applying;
mod catalog;
mod error;
mod roles;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use poolhouse_pool::Request;
use tokio::time::{Instant, timeout_at};

use crate::database::Database;
use crate::error::{ConflictKind, Error, UnavailableReason};
use crate::footprint::Footprint;
use crate::grants::{Grants, Refusal, toml_key, toml_string};
use crate::url::Backend;

use applying::{Applying, Work};
pub use error::MigrationError;

/// All that applying one plugin's migrations may take, the wait for a connection included.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(60);

/// What one wait of it for a lock may take on PostgreSQL; on SQLite it is `busy_timeout`.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// Tries of what somebody else's work was in the way of, and the pause before the second; it doubles.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// How long it is tried on SQLite at least while the file is locked, however short `busy_timeout` is.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// A migration whose statements were read and are granted.
struct Checked<'m> {
    migration: &'m Migration,
    statements: Vec<(Arc<str>, Footprint)>,
}

/// How long migrations may take.
#[derive(Clone, Copy)]
struct Bounds {
    /// All of them, the wait for a connection included.
    whole: Duration,
    /// One wait for a lock.
    lock: Duration,
}

impl Database {
    /// Applies those of a plugin's migrations that were not applied before, and answers their numbers. Several hosts
    /// may do so at once. Bounded to a minute. Not cancel-safe in one sense only: dropped, it may or may not have
    /// happened, whole.
    ///
    /// # Errors
    /// [`MigrationError`]; everything is rolled back then, unless the cause has `outcome_unknown`.
    pub async fn migrate(
        &self,
        plugin: &Arc<str>,
        grants: &Grants,
        migrations: &[Migration],
    ) -> Result<Vec<u32>, MigrationError> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            let bounds = Bounds {
                whole: MIGRATION_TIMEOUT.saturating_sub(begun.elapsed()),
                lock: LOCK_TIMEOUT,
            };
            let result = self
                .migrate_within(bounds, plugin, grants, migrations)
                .await;
            tries += 1;
            let again = match result.as_ref().err().and_then(MigrationError::conflict) {
                Some(ConflictKind::Serialization | ConflictKind::Deadlock) => tries < TRIES,
                // PostgreSQL's wait for a lock was long enough.
                Some(ConflictKind::Busy) => {
                    self.backend() == Backend::Sqlite && begun.elapsed() < PATIENCE
                }
                None => false,
            };
            if !again {
                return result;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PATIENCE / 4);
        }
    }

    async fn migrate_within(
        &self,
        bounds: Bounds,
        plugin: &Arc<str>,
        grants: &Grants,
        migrations: &[Migration],
    ) -> Result<Vec<u32>, MigrationError> {
        if migrations.is_empty() {
            return Ok(Vec::new());
        }
        let checked = check(plugin, grants, migrations, self.backend())?;
        let what = format!("migrations of {plugin}");
        let work = Work::Migrations(&checked);
        let result = self.applying(bounds, &what, plugin, grants, work).await;
        // What was prepared before the tables changed, on this connection or another, is not to be used again.
        if result
            .as_ref()
            .map_or_else(is_outcome_unknown, |applied| !applied.is_empty())
        {
            self.retire_generation();
        }
        result
    }

    /// Works on a connection of the host's own, within the bounds.
    async fn applying(
        &self,
        bounds: Bounds,
        what: &str,
        plugin: &Arc<str>,
        grants: &Grants,
        work: Work<'_>,
    ) -> Result<Vec<u32>, MigrationError> {
        let failed = |cause: Error| MigrationError::Database {
            plugin: plugin.to_string(),
            cause: Box::new(cause),
        };
        let deadline = Instant::now() + bounds.whole;
        let request = Request {
            until: Some(deadline),
            ..Request::default()
        };
        let mut lease = self.own().acquire(self, &request).await.map_err(failed)?;
        lease.touch();
        let mut operation = lease.operation(Some(&Arc::from(what))).map_err(|revoked| {
            failed(Error::unavailable(
                UnavailableReason::Other,
                revoked.to_string(),
            ))
        })?;
        let mut applying = Applying::new(self, plugin, grants, bounds, &mut operation);
        let result = match timeout_at(deadline, applying.all(work)).await {
            Ok(result) => {
                operation.complete();
                result
            }
            // Left unfinished: the connection is closed, and what runs on it is cancelled.
            Err(_) => {
                let error = applying.out_of_time();
                drop(operation);
                Err(error)
            }
        };
        // As the host's it is set for nobody.
        lease.set_for(0);
        lease.release().await;
        result
    }
}

/// Why a plugin whose role SQLite would have to know does not work with it.
pub(crate) fn no_roles(plugin: &str, role: &str) -> String {
    format!(
        "plugin {plugin:?} is to work with the rights of role {role:?}, and SQLite has no roles: take role out of database in [plugins.{}] in host.toml, or use PostgreSQL",
        toml_key(plugin)
    )
}

fn is_outcome_unknown(error: &MigrationError) -> bool {
    match error {
        MigrationError::Database { cause, .. } => matches!(
            **cause,
            Error::Unavailable {
                outcome_unknown: true,
                ..
            }
        ),
        _ => false,
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
            "plugin {plugin:?} has migrations and may not apply them; add to [plugins.{}] in host.toml: database = {{ migrate = true, write = [{}] }}, beside what it may do already",
            toml_key(plugin),
            tables_of(migrations, backend)
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

fn tables_of(migrations: &[Migration], backend: Backend) -> String {
    let mut names: Vec<String> = migrations
        .iter()
        .flat_map(|migration| &migration.tables)
        .map(|table| toml_string(&catalog::table_name(&table.name, backend)))
        .collect();
    names.sort();
    names.dedup();
    names.join(", ")
}
