//! Owns what a connection is set for in the name of whoever acts; leaves setting it to the backends.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// What a session is set for. The connection remembers it from one borrower to the next; a new one has the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Session {
    /// PostgreSQL's role; none = the login's own.
    pub(crate) role: Option<Arc<str>>,
    /// Whether what is no transaction, or one that does not say otherwise, only reads.
    pub(crate) read_only: bool,
}

impl Session {
    /// The number by which the pool looks for a connection that is set for it already; 0 for the default. That two have
    /// the same by chance costs a round trip and no more, as what a connection is set for it knows itself.
    pub(crate) fn setting(&self) -> u64 {
        if *self == Self::default() {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish().max(1)
    }
}
