//! Owns on whose behalf a statement runs, and where; leaves running it to `chain`.

use std::sync::Arc;
use std::time::Duration;

use crate::builder::Limits;
use crate::grants::Grants;
use crate::session::Session;
use crate::tenant::Tenant;
use crate::transaction::TransactionId;

/// On whose behalf a statement runs, what that one may do, and how large an answer may be.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The plugin's name, as logs, pool and messages have it.
    pub plugin: Arc<str>,
    /// The tables it may read and write.
    pub grants: Grants,
    /// Rows of one answer; 100,000 by default.
    pub max_rows: u64,
    /// Bytes of one answer; 64 MiB by default.
    pub max_bytes: u64,
    /// What one statement may take; 30 s by default, none = as long as the call has.
    pub statement_timeout: Option<Duration>,
    /// What one transaction may take from its beginning to its end; 30 s by default, none = as long as the call has.
    pub transaction_timeout: Option<Duration>,
    /// The PostgreSQL role whose rights its statements run with; none by default, which is the login's own. SQLite has
    /// none, and refuses every statement of an actor that names one.
    ///
    /// By itself a role is a lock on what PostgreSQL knows: tables, columns, sequences, functions, row security. It
    /// knows nothing of session settings or of what costs time, and a function that is granted by name may reset it.
    pub role: Option<Arc<str>>,
    /// Whether others may write in transactions that this one begins, though it has no write grant itself; false by
    /// default. Where it is true, only the statement check and the role keep the actor's own statements from writing
    /// in them; outside of transactions nothing changes.
    pub composes: bool,
    /// In whose name connections are asked for; none by default, which is the host's own.
    pub tenant: Option<Tenant>,
}

/// Where a statement runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// In the innermost open transaction of the chain or, where none is open, by itself.
    Session,
    /// In this transaction, which must be the innermost open one.
    Transaction(TransactionId),
}

/// How a chain takes its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acquire {
    /// In the pool's queue, up to its timeout and the chain's deadline.
    #[default]
    Queue,
    /// At once or not at all.
    AtOnce,
}

impl Actor {
    /// An actor with the default limits.
    #[must_use]
    pub fn new(plugin: impl Into<Arc<str>>, grants: Grants) -> Self {
        Self {
            plugin: plugin.into(),
            grants,
            max_rows: 100_000,
            max_bytes: 64 * 1024 * 1024,
            statement_timeout: Some(Duration::from_secs(30)),
            transaction_timeout: Some(Duration::from_secs(30)),
            role: None,
            composes: false,
            tenant: None,
        }
    }

    /// Whether nothing that it does may change anything: then the database itself is told so, too.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.grants.write.is_empty() && !self.grants.migrate
    }

    /// What a connection is set for when this one works on it by itself.
    pub(crate) fn session(&self) -> Session {
        Session {
            role: self.role.clone(),
            read_only: self.is_read_only(),
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            rows: self.max_rows,
            bytes: self.max_bytes,
        }
    }
}
