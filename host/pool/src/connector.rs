//! What a pool must be told about the connections it lends; how any of it is done belongs to the implementor.

use std::future::Future;

/// Opens, checks, cleans, cancels and closes connections of one kind.
///
/// The pool bounds every call with a timeout from [`Options`](crate::Options) by dropping the future, so an
/// implementation needs no timeouts of its own. A connection whose `ping` or `reset` failed or was dropped
/// midway is only ever passed to [`close`](Connector::close) afterwards.
pub trait Connector: Send + Sync + 'static {
    /// One open connection. Dropping it must free its socket, for that is what happens where a close times out.
    type Connection: Send + 'static;
    /// What names a connection to whoever cancels it while it is in a borrower's hands.
    type Key: Send + Sync + 'static;
    /// Why connecting, pinging or resetting failed. Its message is logged, so it must not hold a password.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Opens a connection. Runs in a task of its own, for at most `connect_timeout`.
    ///
    /// # Errors
    /// The cause, which reaches those who wait as [`AcquireError::Connect`](crate::AcquireError::Connect).
    fn connect(
        &self,
    ) -> impl Future<Output = Result<(Self::Connection, Self::Key), Self::Error>> + Send;

    /// Makes one round trip, for at most `ping_timeout`.
    ///
    /// # Errors
    /// Any error condemns the connection and its generation.
    fn ping(
        &self,
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Brings a connection that was touched back to the state of a new one, within `reset_timeout`.
    ///
    /// # Errors
    /// Any error condemns the connection.
    fn reset(
        &self,
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Ends what a connection is doing just now, from outside, so that its borrower gets an error; for at most
    /// `close_timeout`. Called once for a lease that is revoked in the middle of an operation.
    fn cancel(&self, key: &Self::Key) -> impl Future<Output = ()> + Send;

    /// Closes it, cancelling what is still under way on the server if there is such a thing, within `close_timeout`.
    fn close(&self, connection: Self::Connection) -> impl Future<Output = ()> + Send;
}
