//! Owns what a PostgreSQL session is set for, and what is known of that after transactions end; leaves saying for whom
//! to the chain.

use std::sync::Arc;

use crate::error::Error;
use crate::session::Session;
use crate::statement::Failed;

use super::PostgresConnection;

/// What is known of a session. The server takes a change of role back with the transaction or savepoint in which it was
/// made; whether transactions only read is changed outside of them alone.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    role: Role,
    read_only: bool,
    /// The role at BEGIN, while a transaction is open.
    begun_as: Option<Role>,
    /// Whether it is another since.
    changed: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Role {
    /// As after connecting.
    #[default]
    Login,
    Named(Arc<str>),
    /// A statement may have changed it, or a rollback.
    Unknown,
}

impl Role {
    fn wanted(role: Option<&Arc<str>>) -> Self {
        role.map_or(Self::Login, |role| Self::Named(Arc::clone(role)))
    }

    fn sql(&self) -> String {
        match self {
            Self::Named(role) => format!("SET ROLE {}", quoted(role)),
            // Not NONE, as the login may have one by default.
            Self::Login | Self::Unknown => "RESET ROLE".to_owned(),
        }
    }
}

impl Remembered {
    pub(super) fn begun(&mut self) {
        self.begun_as = Some(self.role.clone());
        self.changed = false;
    }

    pub(super) fn committed(&mut self, is_done: bool) {
        self.begun_as = None;
        if !is_done && self.changed {
            self.role = Role::Unknown;
        }
    }

    pub(super) fn rolled_back(&mut self) {
        if let Some(role) = self.begun_as.take() {
            self.role = role;
        }
    }

    pub(super) fn rolled_back_to(&mut self) {
        if self.changed {
            self.role = Role::Unknown;
        }
    }

    /// What a reset, which rolls back, leaves the session set for: what is not known becomes the default.
    pub(super) fn kept(&self) -> Self {
        let role = match self.begun_as.as_ref().unwrap_or(&self.role) {
            Role::Unknown => Role::Login,
            known => known.clone(),
        };
        Self {
            role,
            read_only: self.read_only,
            begun_as: None,
            changed: false,
        }
    }

    /// What is to be said behind a reset, which has made everything the default.
    pub(super) fn after_reset(&self) -> String {
        let mut sql = String::new();
        if self.role != Role::Login {
            sql = format!("; {}", self.role.sql());
        }
        if self.read_only {
            sql.push_str("; ");
            sql.push_str(read_only_sql(true));
        }
        sql
    }
}

impl PostgresConnection {
    /// What the session is set for; what is not known is told as the default.
    pub(crate) fn session(&self) -> Session {
        let role = match &self.session.role {
            Role::Named(role) => Some(Arc::clone(role)),
            Role::Login | Role::Unknown => None,
        };
        Session {
            role,
            read_only: self.session.read_only,
        }
    }

    /// Sets the session outside of any transaction.
    pub(crate) async fn set_for(&mut self, session: &Session) -> Result<(), Failed> {
        let role = Role::wanted(session.role.as_ref());
        let takes = self.session.role != role;
        let turns = self.session.read_only != session.read_only;
        if !takes && !turns {
            return Ok(());
        }
        let mut sql = String::new();
        if takes {
            sql = role.sql();
        }
        if turns {
            if takes {
                sql.push_str("; ");
            }
            sql.push_str(read_only_sql(session.read_only));
        }
        // Refused, nothing of it is done: one text is one transaction.
        self.batch(&sql)
            .await
            .map_err(|failed| not_taken(session.role.as_ref(), failed))?;
        self.session.role = role;
        self.session.read_only = session.read_only;
        Ok(())
    }

    /// Takes a role, in the transaction that is open or before one is begun.
    pub(crate) async fn act_as(&mut self, role: Option<&Arc<str>>) -> Result<(), Failed> {
        let wanted = Role::wanted(role);
        if self.session.role == wanted {
            return Ok(());
        }
        self.session.changed = true;
        self.session.role = Role::Unknown;
        let sql = wanted.sql();
        self.batch(&sql)
            .await
            .map_err(|failed| not_taken(role, failed))?;
        self.session.role = wanted;
        Ok(())
    }

    /// A function that a statement called may have changed the session.
    pub(crate) fn doubt_session(&mut self) {
        self.session.changed = true;
        self.session.role = Role::Unknown;
    }
}

fn read_only_sql(read_only: bool) -> &'static str {
    if read_only {
        "SET default_transaction_read_only = on"
    } else {
        // Not `off`, as the login, the database or `url` may say otherwise.
        "RESET default_transaction_read_only"
    }
}

/// A name as SQL has it in quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Why a role was not taken, and what to do.
fn not_taken(role: Option<&Arc<str>>, mut failed: Failed) -> Failed {
    if let Some(role) = role
        && failed.refused
        && !failed.broken
    {
        failed.error = Error::Denied(format!(
            "its role {role:?} can't be taken ({}): make it where it is not there (CREATE ROLE {name} NOLOGIN), and let the user in `url` take it (GRANT {name} TO that user)",
            failed.error,
            name = quoted(role),
        ));
    }
    failed
}
