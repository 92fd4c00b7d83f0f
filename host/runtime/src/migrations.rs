//! Carries a plugin's migrations from its `migrations` export to the database.

use std::collections::BTreeSet;
use std::sync::Arc;

use poolhouse_database::{Backend, Grants, Migration, MigrationTable, toml_key};

use crate::bindings::exports::poolhouse::plugin::migrations as wit;
use crate::error::{CallError, LoadError};
use crate::instance::Plain;
use crate::plugin::Plugin;

/// Bytes of a table's name, with its schema; PostgreSQL has 63 for each.
const LONGEST_NAME: usize = 127;

/// Applies what was not applied yet. Nothing happens for a plugin without migrations.
pub(crate) async fn apply(plugin: &Plugin) -> Result<(), LoadError> {
    let access = plugin.access();
    let (Some(exports), Some(database)) = (plugin.exports.migrations.clone(), &access.database)
    else {
        return Ok(());
    };
    let dialect = match database.backend() {
        Backend::Sqlite => wit::Dialect::Sqlite,
        Backend::Postgresql => wit::Dialect::Postgresql,
    };
    let migrations = ask(plugin, exports, dialect)
        .await
        .map_err(|cause| LoadError::Start {
            plugin: Arc::clone(plugin.name()),
            cause: Box::new(cause),
        })?;
    if migrations.is_empty() {
        return Ok(());
    }
    let granted = plugin.actor().filter(|actor| actor.grants.migrate);
    let Some(actor) = granted else {
        return Err(LoadError::Ungranted {
            plugin: Arc::clone(plugin.name()),
            reason: lines_to_add(plugin, &migrations),
        });
    };
    let migrations: Vec<Migration> = migrations.into_iter().map(migration).collect();
    let grants: &Grants = &actor.grants;
    let applied = database
        .migrate(plugin.name(), grants, &migrations)
        .await
        .map_err(Box::new)?;
    if !applied.is_empty() {
        tracing::info!(plugin = %plugin.name(), ?applied, "migrations applied");
    }
    Ok(())
}

/// Has the plugin say what its migrations are.
pub(crate) async fn ask(
    plugin: &Plugin,
    exports: wit::GuestIndices,
    dialect: wit::Dialect,
) -> Result<Vec<wit::Migration>, CallError> {
    let scope = plugin.scope();
    let asked = plugin
        .call(
            &scope,
            &plugin.call_of("migrations.migrations"),
            move |store, instance| {
                Box::pin(async move {
                    exports
                        .load(&mut *store, instance)?
                        .call_migrations(store, dialect)
                        .await
                        .map(Plain)
                })
            },
        )
        .await;
    scope.finish().await;
    asked.map(|Plain(migrations)| migrations)
}

fn migration(migration: wit::Migration) -> Migration {
    Migration {
        number: migration.number,
        name: migration.name,
        tables: migration
            .tables
            .into_iter()
            .map(|table| MigrationTable {
                name: table.name,
                columns: table.columns,
            })
            .collect(),
        statements: migration.statements,
    }
}

fn lines_to_add(plugin: &Plugin, migrations: &[wit::Migration]) -> String {
    format!(
        "it has tables of its own to make and no grant for it: add to [plugins.{}] in host.toml: {}",
        toml_key(plugin.name()),
        grant_for(&migrations.iter().flat_map(tables).collect())
    )
}

/// The grant that a plugin of these tables needs, as a line of its section. Names that are none of a table's are left out: `*`
/// would grant all tables, and a quote would write more into host.toml than a name.
pub(crate) fn grant_for(tables: &BTreeSet<String>) -> String {
    let tables = tables
        .iter()
        .filter(|table| is_plain_name(table))
        .map(|table| format!("\"{table}\""))
        .collect::<Vec<_>>()
        .join(", ");
    format!("database = {{ migrate = true, read = [{tables}], write = [{tables}] }}")
}

/// Whether a name needs no escape in TOML and means only itself in a grant.
fn is_plain_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '$'))
}

/// The tables that a migration makes.
pub(crate) fn tables(migration: &wit::Migration) -> impl Iterator<Item = String> {
    migration.tables.iter().map(|table| table.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_adds_nothing_but_itself_to_a_grant() {
        let forged = [
            "*",
            "",
            "a\"], write = [\"*",
            "a\nb",
            "a\\",
            "orders",
            "shop.täglich",
        ];
        let tables = forged.map(str::to_owned).into();
        assert_eq!(
            grant_for(&tables),
            "database = { migrate = true, read = [\"orders\", \"shop.täglich\"], write = [\"orders\", \"shop.täglich\"] }"
        );
    }
}
