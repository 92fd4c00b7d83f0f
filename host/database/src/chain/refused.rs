//! Owns what a plugin is told of what the database itself refused it, behind the statement check, and what to do about
//! it.

use crate::actor::Actor;
use crate::error::{Error, UnavailableReason};
use crate::grants::toml_key;
use crate::url::Backend;

use super::Chain;

/// PostgreSQL's `read_only_sql_transaction`.
const READ_ONLY: &str = "25006";

impl Chain {
    /// The database's own refusal, with whose statement it was and which lock it met; any other error as it is.
    pub(super) fn refused(&self, actor: &Actor, error: Error) -> Error {
        let Actor { plugin, role, .. } = actor;
        let said = match (error, self.database.backend()) {
            (Error::Denied(said), Backend::Sqlite) => {
                format!("SQLite refused a statement of plugin {plugin:?}: {said}")
            }
            (Error::Denied(said), Backend::Postgresql) => match role {
                Some(_) if said.starts_with("its role") => format!("plugin {plugin:?}: {said}"),
                Some(role) => format!(
                    "PostgreSQL refused a statement of plugin {plugin:?}, which runs with the rights of role {role:?}: {said}; what the plugin may do by its read and write in host.toml the role is granted when the plugin is loaded, and more can be granted with GRANT … TO the role"
                ),
                None => format!(
                    "PostgreSQL refused a statement of plugin {plugin:?}, which runs with the rights of the user in `url`: {said}; grant it to that user with GRANT … TO"
                ),
            },
            (Error::Statement { code, message, .. }, Backend::Postgresql)
                if code == READ_ONLY && actor.is_read_only() =>
            {
                read_only(plugin, &message)
            }
            (
                Error::Unavailable {
                    reason: UnavailableReason::File,
                    message,
                    ..
                },
                Backend::Sqlite,
            ) if actor.is_read_only() && message.contains("attempt to write a readonly") => {
                read_only(plugin, "attempt to write a readonly database")
            }
            (other, _) => return other,
        };
        Error::Denied(said)
    }
}

fn read_only(plugin: &str, said: &str) -> String {
    format!(
        "plugin {plugin:?} has no write grant, so that its connections only read ({said}); add to [plugins.{}] in host.toml: database = {{ write = [\"TABLE\"] }}, beside what it may do already",
        toml_key(plugin)
    )
}
