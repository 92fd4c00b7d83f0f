//! Owns on whose behalf a statement runs, and where; leaves running it to `chain`.

use std::sync::Arc;
use std::time::Duration;

use crate::builder::Limits;
use crate::grants::Grants;
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
    /// The PostgreSQL role whose rights its statements run with; none by default, which is the login's own. SQLite has none.
    pub role: Option<Arc<str>>,
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
            tenant: None,
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            rows: self.max_rows,
            bytes: self.max_bytes,
        }
    }
}
