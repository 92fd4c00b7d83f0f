//! Why a caller got no connection; what a connection does once it is lent has errors of its own elsewhere.

use std::sync::Arc;
use std::time::Duration;

/// Why no connection was lent. `E` is the connector's error.
#[derive(Debug, thiserror::Error)]
pub enum AcquireError<E> {
    /// None became free in time, or none was free at once for a caller who would not wait.
    #[error(
        "no connection became free within {waited:?}: {checked_out} are lent (pool_size {size}, {overflow} open beyond \
         it) and {waiting} other callers wait; hold connections for less time, or raise pool_size, max_overflow or \
         pool_timeout ({pool_timeout:?})"
    )]
    Exhausted {
        /// How long this caller waited.
        waited: Duration,
        /// The setting `pool_size`.
        size: u32,
        /// Connections open beyond `pool_size`, those still opening or closing included.
        overflow: u32,
        /// Connections lent to callers.
        checked_out: u32,
        /// Other callers in the queue.
        waiting: u32,
        /// The setting `pool_timeout`.
        pool_timeout: Duration,
    },
    /// A connection could not be opened; the source is the connector's own error.
    #[error("a connection could not be opened")]
    Connect(#[source] Arc<E>),
    /// Opening a connection took longer than `connect_timeout`, given here.
    #[error(
        "a connection could not be opened within connect_timeout ({0:?}); see whether the server can be reached"
    )]
    ConnectTimeout(Duration),
    /// The pool was closed before or while this caller waited.
    #[error("the pool is closed")]
    Closed,
}
