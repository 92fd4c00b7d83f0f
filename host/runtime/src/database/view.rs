//! What a guest's handles stand for: finding the chain of a session or transaction, and running work on it.

use std::sync::Arc;

use poolhouse_database::{
    Acquire, Actor, Backend, Chain, CursorId, Error, LimitKind, TransactionId, Within, toml_key,
};
use tokio::sync::Mutex as AsyncMutex;
use wasmtime::component::Resource;

use super::{Cursor, DatabaseAccess, DatabaseView, Session, Transaction, convert};
use crate::bindings::poolhouse::database::database as wit;
use crate::scope::{MAX_SEPARATE, Scope, Slot};

/// Where a statement is to run: the chain of its connection and the level in it.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) separate: Option<u64>,
    pub(super) within: Within,
}

impl DatabaseAccess {
    /// The actor, or the message that names the lines to add.
    pub(super) fn actor(&self) -> Result<&Actor, Error> {
        self.actor.as_ref().ok_or_else(|| {
            Error::Denied(format!(
                "plugin \"{}\" has no grant to use the database: add to [plugins.{}] in host.toml: \
                 database = {{ read = [\"TABLE\"], write = [\"TABLE\"] }}",
                self.plugin,
                toml_key(&self.plugin)
            ))
        })
    }
}

impl DatabaseView<'_> {
    /// To be called before each thing that a guest asks for: an observer of the chain may trap it.
    pub(super) fn asked(&self, function: &str) -> wasmtime::Result<()> {
        match &self.state.scope {
            Some(scope) => scope
                .host_call(&self.state.access.plugin, function)
                .map_err(wasmtime::Error::msg),
            None => Ok(()),
        }
    }

    pub(super) fn scope(&self) -> Result<Arc<Scope>, Error> {
        self.state.scope.clone().ok_or_else(|| {
            Error::Invalid(
                "the database can't be used while the component starts, only within a call"
                    .to_owned(),
            )
        })
    }

    pub(super) fn place_of_session(&self, session: &Resource<Session>) -> wasmtime::Result<Place> {
        Ok(Place {
            separate: self.table.get(session)?.separate,
            within: Within::Session,
        })
    }

    pub(super) fn place_of_transaction(
        &self,
        transaction: &Resource<Transaction>,
    ) -> wasmtime::Result<Result<Place, Error>> {
        let transaction = self.table.get(transaction)?;
        let here = self.state.scope.as_ref().map(|scope| scope.id());
        Ok(if here == Some(transaction.scope) {
            Ok(Place {
                separate: transaction.separate,
                within: Within::Transaction(transaction.id),
            })
        } else {
            Err(Error::Closed(
                "the call that this transaction was begun in is over; it was rolled back then unless committed"
                    .to_owned(),
            ))
        })
    }

    /// Runs one piece of work on the chain of `place`.
    ///
    /// Cancel safety: dropped midway, the connection at work is closed by its lease, never reused.
    pub(super) async fn on_chain<R>(
        &mut self,
        separate: Option<u64>,
        work: impl AsyncFnOnce(&mut Chain, &Actor) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let access = Arc::clone(&self.state.access);
        let actor = access.actor()?;
        let scope = self.scope()?;
        let result = match separate {
            None => on_slot(&access, actor, &scope, None, scope.shared(), work).await,
            Some(session) => {
                let slot = scope.separate(session).ok_or_else(|| Error::Limit {
                    kind: LimitKind::Connections,
                    message: format!(
                        "this call has used {MAX_SEPARATE} separate sessions: drop those that it no longer uses"
                    ),
                    maximum: MAX_SEPARATE as u64,
                })?;
                on_slot(&access, actor, &scope, separate, &slot, work).await
            }
        };
        if let Err(error) = &result {
            scope.note_trouble(error);
        }
        result
    }

    pub(super) async fn query(
        &mut self,
        place: Place,
        sql: String,
        params: Vec<wit::Value>,
    ) -> Result<wit::Answer, Error> {
        let params = convert::values(params);
        let answer = self
            .on_chain(place.separate, async |chain, actor| {
                chain.query(actor, place.within, &sql, &params).await
            })
            .await?;
        Ok(convert::answer(answer))
    }

    pub(super) async fn execute(
        &mut self,
        place: Place,
        sql: String,
        params: Vec<wit::Value>,
    ) -> Result<u64, Error> {
        let params = convert::values(params);
        self.on_chain(place.separate, async |chain, actor| {
            chain.execute(actor, place.within, &sql, &params).await
        })
        .await
    }

    pub(super) async fn execute_many(
        &mut self,
        place: Place,
        sql: String,
        columns: Vec<wit::Column>,
    ) -> Result<u64, Error> {
        let columns = convert::columns(columns);
        self.on_chain(place.separate, async |chain, actor| {
            chain
                .execute_many(actor, place.within, &sql, &columns)
                .await
        })
        .await
    }

    /// Opens a cursor and makes its handle.
    pub(super) async fn open_cursor(
        &mut self,
        place: Place,
        sql: String,
        params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<Resource<Cursor>, wit::Error>> {
        let params = convert::values(params);
        let opened = self
            .on_chain(place.separate, async |chain, actor| {
                chain.open_cursor(actor, place.within, &sql, &params).await
            })
            .await;
        let (id, columns, scope) =
            match opened.and_then(|(id, columns)| Ok((id, columns, self.scope()?.id()))) {
                Ok(opened) => opened,
                Err(error) => return Ok(Err(convert::error(error))),
            };
        let handle = self.push(Cursor {
            scope,
            separate: place.separate,
            id,
            columns: convert::column_infos(columns),
        })?;
        if handle.is_err() {
            // The guest will never have a handle to close it with.
            self.close_cursor(place.separate, id).await;
        }
        Ok(handle.map_err(convert::error))
    }

    pub(super) async fn close_cursor(&mut self, separate: Option<u64>, id: CursorId) {
        let Ok(scope) = self.scope() else {
            return;
        };
        match separate {
            None => scope.shared().lock().await.close_cursor(id).await,
            Some(session) => {
                if let Some(slot) = scope.separate(session) {
                    slot.lock().await.close_cursor(id).await;
                }
            }
        }
    }

    pub(super) fn place_of_cursor(
        &self,
        cursor: &Resource<Cursor>,
    ) -> wasmtime::Result<Result<(Option<u64>, CursorId), Error>> {
        let cursor = self.table.get(cursor)?;
        let here = self.state.scope.as_ref().map(|scope| scope.id());
        Ok(if here == Some(cursor.scope) {
            Ok((cursor.separate, cursor.id))
        } else {
            Err(Error::Closed(
                "the call that this cursor was opened in is over, and so is the cursor".to_owned(),
            ))
        })
    }

    /// Hands a new handle to the guest, or refuses it at the limit.
    pub(super) fn push<T: Send + 'static>(
        &mut self,
        entry: T,
    ) -> wasmtime::Result<Result<Resource<T>, Error>> {
        let maximum = self.state.access.max_handles;
        if self.state.handles >= maximum {
            return Ok(Err(Error::Limit {
                kind: LimitKind::Handles,
                message: format!(
                    "plugin \"{}\" holds {maximum} sessions, transactions and cursors in one instance: drop those it no \
                     longer uses (limit `handles`)",
                    self.state.access.plugin
                ),
                maximum: u64::from(maximum),
            }));
        }
        let handle = self.table.push(entry)?;
        self.state.handles += 1;
        Ok(Ok(handle))
    }

    pub(super) fn delete<T: 'static>(&mut self, handle: Resource<T>) -> wasmtime::Result<T> {
        let entry = self.table.delete(handle)?;
        self.state.handles = self.state.handles.saturating_sub(1);
        Ok(entry)
    }

    /// Makes the handle of a transaction just begun.
    pub(super) async fn hand_out(
        &mut self,
        separate: Option<u64>,
        begun: Result<TransactionId, Error>,
    ) -> wasmtime::Result<Result<Resource<Transaction>, wit::Error>> {
        let (id, scope) = match begun.and_then(|id| Ok((id, self.scope()?.id()))) {
            Ok(begun) => begun,
            Err(error) => return Ok(Err(convert::error(error))),
        };
        let handle = self.push(Transaction {
            scope,
            separate,
            id,
        })?;
        if handle.is_err() {
            // The guest will never have a handle to end it with.
            let _ = self
                .on_chain(separate, async |chain, _| chain.rollback(id).await)
                .await;
        }
        Ok(handle.map_err(convert::error))
    }

    /// Ends a transaction whose handle the guest gave away.
    pub(super) async fn end(
        &mut self,
        handle: Resource<Transaction>,
        commit: bool,
    ) -> wasmtime::Result<Result<(), Error>> {
        let place = self.place_of_transaction(&handle)?;
        let transaction = self.delete(handle)?;
        let place = match place {
            Ok(place) => place,
            Err(error) => return Ok(Err(error)),
        };
        Ok(self
            .on_chain(place.separate, async |chain, _| {
                if !commit {
                    return chain.rollback(transaction.id).await;
                }
                let committed = chain.commit(transaction.id).await;
                // With an open savepoint it is refused, and with the handle gone nobody else could end it.
                if committed.is_err() && chain.is_open(transaction.id) {
                    let _ = chain.rollback(transaction.id).await;
                }
                committed
            })
            .await)
    }
}

/// Runs `work` on a slot.
async fn on_slot<R>(
    access: &DatabaseAccess,
    actor: &Actor,
    scope: &Scope,
    separate: Option<u64>,
    slot: &AsyncMutex<Slot>,
    work: impl AsyncFnOnce(&mut Chain, &Actor) -> Result<R, Error>,
) -> Result<R, Error> {
    // A chain that holds a connection must not queue for a second: its first could be what the others wait for.
    let at_once = scope.holds_another(separate);
    let writes_elsewhere = scope.writes_elsewhere(separate);
    let mut slot = slot.lock().await;
    slot.mark_calls().await?;
    let sqlite = access
        .database
        .as_ref()
        .is_some_and(|database| database.backend() == Backend::Sqlite);
    let chain = slot.chain_mut()?;
    chain.set_acquire(if at_once {
        Acquire::AtOnce
    } else {
        Acquire::Queue
    });
    chain.refuse_writes((sqlite && writes_elsewhere).then(|| {
        "this call chain is writing on another connection, and SQLite has one writer: commit that first".to_owned()
    }));
    work(chain, actor).await
}
