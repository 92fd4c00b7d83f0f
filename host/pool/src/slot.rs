//! What the pool and a connection's borrower share while it is lent: the connection itself, so that it can be taken
//! from a borrower who does not let go; what it may be used for is the lease's.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::connector::Connector;

/// One open connection, for as long as it is open.
pub(crate) struct Slot<C: Connector> {
    pub(crate) id: u64,
    pub(crate) key: C::Key,
    cell: Mutex<Cell<C::Connection>>,
    /// Rung when the lease is revoked.
    revoked: Notify,
}

struct Cell<K> {
    /// None while an operation has it, and once it is on its way to be closed.
    connection: Option<K>,
    revoked: bool,
    /// What its borrower does with it, or did last.
    statement: Option<Arc<str>>,
}

impl<C: Connector> Slot<C> {
    pub(crate) fn new(id: u64, key: C::Key, connection: C::Connection) -> Self {
        Self {
            id,
            key,
            cell: Mutex::new(Cell {
                connection: Some(connection),
                revoked: false,
                statement: None,
            }),
            revoked: Notify::new(),
        }
    }

    /// Takes the connection out; none if it is taken already.
    pub(crate) fn take(&self) -> Option<C::Connection> {
        self.cell.lock().connection.take()
    }

    /// Its next borrower has done nothing with it yet.
    pub(crate) fn forget_statement(&self) {
        self.cell.lock().statement = None;
    }

    /// Takes it out for an operation, unless its lease was revoked.
    pub(crate) fn take_for(&self, statement: Option<&Arc<str>>) -> Option<C::Connection> {
        let mut cell = self.cell.lock();
        if cell.revoked {
            return None;
        }
        cell.statement = statement.cloned();
        cell.connection.take()
    }

    /// Puts the connection back after an operation. Answers whether its lease was revoked meanwhile.
    pub(crate) fn store(&self, connection: C::Connection) -> bool {
        let mut cell = self.cell.lock();
        cell.connection = Some(connection);
        cell.revoked
    }

    /// Revokes the lease: nothing can be done with the connection any more. Answers whether an operation has it.
    pub(crate) fn revoke(&self) -> bool {
        let in_flight = {
            let mut cell = self.cell.lock();
            cell.revoked = true;
            cell.connection.is_none()
        };
        self.revoked.notify_waiters();
        in_flight
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.cell.lock().revoked
    }

    /// Waits until the lease is revoked.
    pub(crate) async fn until_revoked(&self) {
        let mut rung = std::pin::pin!(self.revoked.notified());
        // Listening before looking, so that what happens in between is not missed.
        rung.as_mut().enable();
        if !self.is_revoked() {
            rung.await;
        }
    }

    pub(crate) fn statement(&self) -> Option<Arc<str>> {
        self.cell.lock().statement.clone()
    }
}
