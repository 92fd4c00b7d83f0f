//! What passes between the pool's state and those who act on it: claims, connections, and the work a change leaves to
//! be done once the lock is free; decides nothing.

use tokio::time::Instant;

/// One open connection and what the pool knows of it.
pub(crate) struct Entry<K> {
    pub(crate) id: u64,
    pub(crate) generation: u64,
    pub(crate) opened_at: Instant,
    pub(crate) idle_since: Instant,
    pub(crate) connection: K,
}

/// Where a connection in somebody's hands is counted.
///
/// A connection goes from connecting to idle or `Lent`; from idle to `Pinging` or `Lent`; from `Pinging` to `Lent`;
/// from `Lent` to idle, to another's `Lent` or `Pinging`, or to `Resetting`, and from there on the same ways. From
/// each it can go to closing, and from there only out of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Lent,
    Pinging,
    Resetting,
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Recycle,
    Retired,
    Overflow,
    InFlight,
    Broken,
    PingFailed,
    NotReset,
    PoolClosed,
}

impl Why {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Recycle => "older than pool_recycle",
            Self::Retired => "its generation was retired",
            Self::Overflow => "beyond pool_size",
            Self::InFlight => "an operation was left unfinished",
            Self::Broken => "broken",
            Self::PingFailed => "no answer to the ping",
            Self::NotReset => "not reset",
            Self::PoolClosed => "the pool is closed",
        }
    }
}

/// A connection on its way to a caller, already counted as what `phase` says.
pub(crate) struct Handed<K> {
    pub(crate) entry: Entry<K>,
    pub(crate) phase: Phase,
}

/// One caller's claim to a connection, the same through all its attempts so that a stale connection does not cost it
/// its place.
pub(crate) struct Claim {
    pub(crate) ticket: Option<u64>,
    pub(crate) since: Instant,
    /// Refuse rather than wait for what others hold.
    pub(crate) at_once: bool,
}

pub(crate) enum Answer<K, R> {
    Handed(Handed<K>),
    Queued(u64, R),
    Exhausted,
    Closed,
}

/// What is to be done after the lock is released.
#[must_use]
pub(crate) struct Work<K, W> {
    /// At most one, for every change frees at most one connection.
    pub(crate) handed: Option<(W, Handed<K>)>,
    pub(crate) turned_away: Vec<W>,
    pub(crate) closing: Vec<(Entry<K>, Why)>,
    /// Connections to open, each counted as connecting already, in `generation`.
    pub(crate) connects: u32,
    pub(crate) generation: u64,
    /// Whether to pause before connecting, because the connector has just panicked.
    pub(crate) pause: bool,
    /// Whether the pool is closed and its last connection gone.
    pub(crate) drained: bool,
}

impl<K, W> Default for Work<K, W> {
    fn default() -> Self {
        Self {
            handed: None,
            turned_away: Vec::new(),
            closing: Vec::new(),
            connects: 0,
            generation: 0,
            pause: false,
            drained: false,
        }
    }
}
