//! What every contender pools: connections of one kind, described once so that no contender gets better ones.

use std::error::Error;
use std::future::Future;

/// Opens, checks and uses connections.
pub(crate) trait Backend: Clone + Send + Sync + 'static {
    type Connection: Send + 'static;
    type Error: Error + Send + Sync + 'static;

    fn connect(&self) -> impl Future<Output = Result<Self::Connection, Self::Error>> + Send;

    /// One round trip that says whether the connection lives.
    fn ping(
        &self,
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// What a caller does with a connection.
    fn query(
        &self,
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Whether an error has already shown that the connection is dead, known without a round trip.
    fn is_broken(&self, connection: &Self::Connection) -> bool;
}
