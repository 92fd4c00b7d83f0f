//! What the pool knows of one open connection, and what a caller claims; decides nothing.

use std::sync::Arc;

use tokio::time::Instant;

use crate::error::AcquireError;

use super::Delivery;

/// Where a connection is.
///
/// From idle it goes to `Pinging` or `Lent`; from `Pinging` to `Lent`; from `Lent` to idle, `Resetting` or `Revoked`;
/// from `Resetting` to idle. From each it can go to closing, where it is no entry any more, and from there only out of
/// the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Idle,
    Pinging,
    Lent,
    /// Lent, past its deadline: on its way to be closed as soon as its holder lets go of it.
    Revoked,
    Resetting,
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Recycle,
    IdleTimeout,
    Retired,
    Overflow,
    InFlight,
    Broken,
    PingFailed,
    NotReset,
    Revoked,
    PoolClosed,
}

impl Why {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Recycle => "older than pool_recycle",
            Self::IdleTimeout => "idle for pool_idle_timeout",
            Self::Retired => "its generation was retired",
            Self::Overflow => "beyond pool_size",
            Self::InFlight => "an operation was left unfinished",
            Self::Broken => "broken",
            Self::PingFailed => "no answer to the ping",
            Self::NotReset => "not reset",
            Self::Revoked => "its lease was revoked",
            Self::PoolClosed => "the pool is closed",
        }
    }
}

/// One open connection. `S` is what its borrower and the pool share.
pub(crate) struct Entry<S> {
    pub(crate) slot: S,
    pub(crate) id: u64,
    pub(crate) generation: u64,
    /// When it is too old.
    pub(crate) expires: Option<Instant>,
    pub(crate) idle_since: Instant,
    /// Never lent yet.
    pub(crate) fresh: bool,
    pub(crate) phase: Phase,
    /// What it is set for; 0 is nothing.
    pub(crate) setting: u64,
    /// Who has it, or had it last.
    pub(crate) tenant: usize,
    pub(crate) chain: u64,
    pub(crate) lent_at: Instant,
    /// When its lease is revoked.
    pub(crate) deadline: Option<Instant>,
    /// Whether its long lease has been logged.
    pub(crate) warned: bool,
    /// What its tenant was charged for it.
    pub(crate) charged: i64,
}

/// One caller's claim to a connection, the same through all its attempts so that a stale connection does not cost it
/// its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) tenant: usize,
    pub(crate) chain: u64,
    pub(crate) since: Instant,
    pub(crate) until: Instant,
    /// When its lease will be revoked.
    pub(crate) deadline: Option<Instant>,
    pub(crate) setting: u64,
    /// Refuse rather than wait for what others hold.
    pub(crate) at_once: bool,
    /// Its chain holds a connection already.
    pub(crate) urgent: bool,
    /// It was handed a connection that proved stale: the place of that one is its own.
    pub(crate) promised: bool,
    pub(crate) ticket: Option<u64>,
    /// Attempts to connect that had begun when it asked: only later ones tell it anything.
    pub(crate) attempts: u64,
}

/// A connection on its way to a caller, counted as pinging or lent already.
pub(crate) struct Handed<S> {
    pub(crate) key: usize,
    pub(crate) id: u64,
    pub(crate) slot: S,
    pub(crate) ping: bool,
}

pub(crate) enum Outcome<S, E> {
    Handed(Handed<S>),
    Refused(AcquireError<E>),
}

pub(crate) enum Answer<S, E> {
    Told(Outcome<S, E>),
    Queued(usize, Arc<Delivery<S, E>>),
}
