//! Why a caller got no connection; what a connection does once it is lent has errors of its own elsewhere.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why no connection was lent. `E` is the connector's error.
#[derive(Debug)]
pub enum AcquireError<E> {
    /// None became free in time, or none was free at once for a caller who would not wait.
    Exhausted(Box<Exhausted<E>>),
    /// None could be opened, and none is open that could come back.
    Connect(Cause<E>),
    /// The pool was closed before or while this caller waited.
    Closed,
}

/// How it stood when a caller was told that no connection became free.
#[derive(Debug, Clone)]
pub struct Exhausted<E> {
    /// The tenant that asked.
    pub tenant: Arc<str>,
    /// How long this caller waited.
    pub waited: Duration,
    /// The setting `pool_size`.
    pub size: u32,
    /// The setting `max_overflow`.
    pub max_overflow: i32,
    /// Connections open beyond `pool_size`, those still opening or closing included.
    pub overflow: u32,
    /// Connections lent to callers.
    pub checked_out: u32,
    /// Connections being opened.
    pub connecting: u32,
    /// Other callers in the queue.
    pub waiting: u32,
    /// Connections kept for tenants that hold fewer than they reserved.
    pub kept_back: u32,
    /// The setting `pool_timeout`.
    pub pool_timeout: Duration,
    /// The tenant's `max`, if it holds that many itself.
    pub at_max: Option<u32>,
    /// Whether it would not wait for what others hold, or its call chain holds a connection already.
    pub at_once: bool,
    /// Whether the pool is paused.
    pub paused: bool,
    /// Why new connections can't be opened, if that is so.
    pub cause: Option<Cause<E>>,
}

/// Said of a lease that is of no use any more: it was held past its deadline, its statement was cancelled, and its
/// connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection was held past its deadline and taken back")]
pub struct Revoked;

/// Why the pool has trouble with opening connections. Clones share the error.
#[derive(Debug)]
pub enum Cause<E> {
    /// A connection could not be opened.
    Refused(Arc<E>),
    /// Opening a connection took longer than `connect_timeout`, given here.
    TimedOut(Duration),
    /// The connector panicked.
    Panicked,
    /// An open connection broke, and none has been opened since.
    Broken(Arc<E>),
    /// An open connection did not answer a ping within `ping_timeout`, given here, and none has been opened since.
    Silent(Duration),
}

impl<E> Clone for Cause<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(Arc::clone(error)),
            Self::TimedOut(limit) => Self::TimedOut(*limit),
            Self::Panicked => Self::Panicked,
            Self::Broken(error) => Self::Broken(Arc::clone(error)),
            Self::Silent(limit) => Self::Silent(*limit),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Cause<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => write!(formatter, "a connection could not be opened: {error}"),
            Self::TimedOut(limit) => write!(
                formatter,
                "a connection could not be opened within connect_timeout ({limit:?}); see whether the server can be \
                 reached"
            ),
            Self::Panicked => {
                formatter.write_str("a connection could not be opened: the connector panicked")
            }
            Self::Broken(error) => write!(formatter, "a connection broke: {error}"),
            Self::Silent(limit) => write!(
                formatter,
                "a connection did not answer a ping within ping_timeout ({limit:?})"
            ),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Exhausted<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tenant,
            waited,
            size,
            max_overflow,
            overflow,
            checked_out,
            connecting,
            waiting,
            pool_timeout,
            ..
        } = self;
        if self.paused {
            return write!(
                formatter,
                "no connection was lent within {waited:.1?}: the pool is paused"
            );
        }
        if let Some(max) = self.at_max {
            return write!(
                formatter,
                "no connection became free within {waited:.1?}: \"{tenant}\" holds the {max} it may; hold connections \
                 for less time, or raise its max"
            );
        }
        if self.at_once {
            formatter.write_str("no connection is free at once")?;
        } else {
            write!(formatter, "no connection became free within {waited:.1?}")?;
        }
        write!(
            formatter,
            ": {checked_out} are lent, {connecting} being opened \
             (pool_size {size}, max_overflow {max_overflow}, {overflow} open beyond pool_size), and {waiting} other callers wait; hold connections for \
             less time, or raise pool_size, max_overflow or pool_timeout ({pool_timeout:?})"
        )?;
        if self.kept_back > 0 {
            write!(formatter, "; {} are reserved for others", self.kept_back)?;
        }
        match &self.cause {
            Some(cause) => write!(formatter, "; new ones can't be opened: {cause}"),
            None => Ok(()),
        }
    }
}

impl<E: fmt::Display> fmt::Display for AcquireError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exhausted(exhausted) => exhausted.fmt(formatter),
            Self::Connect(cause) => cause.fmt(formatter),
            Self::Closed => formatter.write_str("the pool is closed"),
        }
    }
}

impl<E: Error> Error for AcquireError<E> {}
