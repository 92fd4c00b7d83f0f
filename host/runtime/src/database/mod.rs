//! The host side of `poolhouse:database`: sessions and transactions of a guest over the connections of its
//! call chain. What a statement means to a database is the database crate's.

mod convert;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use poolhouse_database::{
    Acquire, Actor, Backend, Chain, Database, Error, LimitKind, TransactionId, Within, toml_key,
};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use crate::bindings::poolhouse::database::{database as wit, types as wit_types};
use crate::scope::{MAX_SEPARATE, Scope, Slot};
use crate::state::PluginState;

/// What one instance knows of the database.
pub(crate) struct DatabaseState {
    pub(crate) access: Arc<DatabaseAccess>,
    /// The call chain that the instance works in now; none between calls and while it starts.
    pub(crate) scope: Option<Arc<Scope>>,
    /// Live session, transaction and cursor handles.
    pub(crate) handles: u32,
}

/// What one plugin may do with the database, the same for all its instances.
pub(crate) struct DatabaseAccess {
    pub(crate) plugin: Arc<str>,
    pub(crate) database: Option<Database>,
    /// On whose behalf statements run; none without a grant.
    pub(crate) actor: Option<Actor>,
    /// One permit for each connection that the plugin's call chains may hold.
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) quota: u32,
    pub(crate) max_handles: u32,
    /// How long to wait for a connection (`pool_timeout`).
    pub(crate) patience: Duration,
}

/// A guest's session: which connection its statements use. It holds none itself.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Session {
    /// The session's own number where it is separate.
    separate: Option<u64>,
}

/// A guest's transaction. Once its scope or its level has ended it answers `closed`.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Transaction {
    scope: u64,
    separate: Option<u64>,
    id: TransactionId,
}

/// A guest's cursor. There are none yet: opening one is refused.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub enum Cursor {}

/// The capability's borrowed view of a store.
pub(crate) struct DatabaseView<'a> {
    state: &'a mut DatabaseState,
    table: &'a mut ResourceTable,
}

struct HasDatabase;

impl HasData for HasDatabase {
    type Data<'a> = DatabaseView<'a>;
}

/// Offers `poolhouse:database/database` to every component linked with `linker`.
pub(crate) fn add_to_linker(linker: &mut Linker<PluginState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<PluginState, HasDatabase>(linker, |state| DatabaseView {
        state: &mut state.database,
        table: &mut state.table,
    })
}

static NEXT_SESSION: AtomicU64 = AtomicU64::new(1);

/// Where a statement is to run: the chain of its connection and the level in it.
#[derive(Clone, Copy)]
struct Place {
    separate: Option<u64>,
    within: Within,
}

impl DatabaseAccess {
    /// The actor, or the message that names the lines to add.
    fn actor(&self) -> Result<&Actor, Error> {
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
    fn scope(&self) -> Result<Arc<Scope>, Error> {
        self.state.scope.clone().ok_or_else(|| {
            Error::Invalid(
                "the database can't be used while the component starts, only within a call"
                    .to_owned(),
            )
        })
    }

    fn place_of_session(&self, session: &Resource<Session>) -> wasmtime::Result<Place> {
        Ok(Place {
            separate: self.table.get(session)?.separate,
            within: Within::Session,
        })
    }

    fn place_of_transaction(
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
    async fn on_chain<R>(
        &mut self,
        separate: Option<u64>,
        work: impl AsyncFnOnce(&mut Chain, &Actor) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let access = Arc::clone(&self.state.access);
        let actor = access.actor()?;
        let scope = self.scope()?;
        match separate {
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
        }
    }

    async fn query(
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

    async fn execute(
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

    /// Hands a new handle to the guest, or refuses it at the limit.
    fn push<T: Send + 'static>(
        &mut self,
        entry: T,
    ) -> wasmtime::Result<Result<Resource<T>, Error>> {
        let maximum = self.state.access.max_handles;
        if self.state.handles >= maximum {
            return Ok(Err(Error::Limit {
                kind: LimitKind::Handles,
                message: format!(
                    "plugin \"{}\" holds {maximum} sessions and transactions in one instance: drop those it no \
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

    fn delete<T: 'static>(&mut self, handle: Resource<T>) -> wasmtime::Result<T> {
        let entry = self.table.delete(handle)?;
        self.state.handles = self.state.handles.saturating_sub(1);
        Ok(entry)
    }

    /// Makes the handle of a transaction just begun.
    async fn hand_out(
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
    async fn end(
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
                if commit {
                    chain.commit(transaction.id).await
                } else {
                    chain.rollback(transaction.id).await
                }
            })
            .await)
    }
}

/// Runs `work` on a slot with the plugin's permit for a connection in hand.
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
    if !slot.holds_connection() && slot.permit.is_none() {
        slot.permit = Some(permit(access, at_once).await?);
    }
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
    let result = work(chain, actor).await;
    slot.settle();
    result
}

async fn permit(
    access: &DatabaseAccess,
    at_once: bool,
) -> Result<tokio::sync::OwnedSemaphorePermit, Error> {
    let connections = Arc::clone(&access.connections);
    let permit = if at_once {
        connections.try_acquire_owned().ok()
    } else {
        tokio::time::timeout(access.patience, connections.acquire_owned())
            .await
            .ok()
            .and_then(Result::ok)
    };
    permit.ok_or_else(|| Error::Limit {
        kind: LimitKind::Connections,
        message: format!(
            "plugin \"{}\" already holds the {} connections it may (limit `connections`)",
            access.plugin, access.quota
        ),
        maximum: u64::from(access.quota),
    })
}

/// For what is declared in the interface and comes later.
fn not_built(what: &str) -> wit::Error {
    convert::error(Error::Invalid(format!(
        "{what} not built into this version of the host yet"
    )))
}

impl wit_types::Host for DatabaseView<'_> {}

impl wit::Host for DatabaseView<'_> {
    async fn health(&mut self) -> wasmtime::Result<wit::HealthStatus> {
        Ok(match &self.state.access.database {
            Some(database) if self.state.access.actor.is_some() => {
                let database = database.clone();
                // Over the chain's own connection if it holds one: a second could be what it keeps others from.
                let asked = self
                    .on_chain(None, async |chain, _| Ok(chain.health().await))
                    .await;
                match asked {
                    Ok(health) => convert::health(health),
                    Err(_) => convert::health(database.health().await),
                }
            }
            _ => wit::HealthStatus {
                state: wit::HealthState::Down,
                backend: String::new(),
                version: String::new(),
                latency: 0,
                message: match self.state.access.actor() {
                    Err(error) => error.to_string(),
                    Ok(_) => "the host runs without a database".to_owned(),
                },
            },
        })
    }

    async fn stats(&mut self) -> wasmtime::Result<wit::PoolStats> {
        let access = &self.state.access;
        let free = u32::try_from(access.connections.available_permits()).unwrap_or(u32::MAX);
        let pool = access.database.as_ref().map(Database::stats);
        Ok(wit::PoolStats {
            size: pool.as_ref().map_or(0, |pool| pool.size),
            checked_in: pool.as_ref().map_or(0, |pool| pool.checked_in),
            checked_out: pool.as_ref().map_or(0, |pool| pool.checked_out),
            overflow: pool.as_ref().map_or(0, |pool| pool.overflow),
            waiting: pool.as_ref().map_or(0, |pool| pool.waiting),
            quota: access.quota,
            used: access.quota.saturating_sub(free),
        })
    }
}

impl wit::HostSession for DatabaseView<'_> {
    async fn open(
        &mut self,
        sharing: wit::Sharing,
    ) -> wasmtime::Result<Result<Resource<Session>, wit::Error>> {
        if let Err(error) = self.state.access.actor() {
            return Ok(Err(convert::error(error)));
        }
        let separate = match sharing {
            wit::Sharing::Shared => None,
            wit::Sharing::Separate => Some(NEXT_SESSION.fetch_add(1, Ordering::Relaxed)),
        };
        Ok(self.push(Session { separate })?.map_err(convert::error))
    }

    async fn query(
        &mut self,
        session: Resource<Session>,
        sql: String,
        params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<wit::Answer, wit::Error>> {
        let place = self.place_of_session(&session)?;
        Ok(DatabaseView::query(self, place, sql, params)
            .await
            .map_err(convert::error))
    }

    async fn execute(
        &mut self,
        session: Resource<Session>,
        sql: String,
        params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        let place = self.place_of_session(&session)?;
        Ok(DatabaseView::execute(self, place, sql, params)
            .await
            .map_err(convert::error))
    }

    async fn execute_many(
        &mut self,
        _session: Resource<Session>,
        _sql: String,
        _columns: Vec<wit::Column>,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        Ok(Err(not_built("execute-many is")))
    }

    async fn begin(
        &mut self,
        session: Resource<Session>,
        options: wit::TransactionOptions,
    ) -> wasmtime::Result<Result<Resource<Transaction>, wit::Error>> {
        let separate = self.table.get(&session)?.separate;
        let options = convert::options(options);
        let begun = self
            .on_chain(separate, async |chain, actor| {
                chain.begin(actor, options).await
            })
            .await;
        self.hand_out(separate, begun).await
    }

    async fn open_cursor(
        &mut self,
        _session: Resource<Session>,
        _sql: String,
        _params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<Resource<Cursor>, wit::Error>> {
        Ok(Err(not_built("cursors are")))
    }

    async fn drop(&mut self, session: Resource<Session>) -> wasmtime::Result<()> {
        let session = self.delete(session)?;
        if let (Some(session), Some(scope)) = (session.separate, &self.state.scope) {
            scope.forget_separate(session);
        }
        Ok(())
    }
}

impl wit::HostTransaction for DatabaseView<'_> {
    async fn query(
        &mut self,
        transaction: Resource<Transaction>,
        sql: String,
        params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<wit::Answer, wit::Error>> {
        Ok(match self.place_of_transaction(&transaction)? {
            Ok(place) => DatabaseView::query(self, place, sql, params)
                .await
                .map_err(convert::error),
            Err(error) => Err(convert::error(error)),
        })
    }

    async fn execute(
        &mut self,
        transaction: Resource<Transaction>,
        sql: String,
        params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        Ok(match self.place_of_transaction(&transaction)? {
            Ok(place) => DatabaseView::execute(self, place, sql, params)
                .await
                .map_err(convert::error),
            Err(error) => Err(convert::error(error)),
        })
    }

    async fn execute_many(
        &mut self,
        _transaction: Resource<Transaction>,
        _sql: String,
        _columns: Vec<wit::Column>,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        Ok(Err(not_built("execute-many is")))
    }

    async fn savepoint(
        &mut self,
        transaction: Resource<Transaction>,
    ) -> wasmtime::Result<Result<Resource<Transaction>, wit::Error>> {
        let parent = match self.place_of_transaction(&transaction)? {
            Ok(_) => self.table.get(&transaction)?,
            Err(error) => return Ok(Err(convert::error(error))),
        };
        let (separate, id) = (parent.separate, parent.id);
        let begun = self
            .on_chain(separate, async |chain, actor| {
                chain.savepoint(actor, id).await
            })
            .await;
        self.hand_out(separate, begun).await
    }

    async fn open_cursor(
        &mut self,
        _transaction: Resource<Transaction>,
        _sql: String,
        _params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<Resource<Cursor>, wit::Error>> {
        Ok(Err(not_built("cursors are")))
    }

    async fn commit(
        &mut self,
        transaction: Resource<Transaction>,
    ) -> wasmtime::Result<Result<(), wit::Error>> {
        Ok(self.end(transaction, true).await?.map_err(convert::error))
    }

    async fn rollback(
        &mut self,
        transaction: Resource<Transaction>,
    ) -> wasmtime::Result<Result<(), wit::Error>> {
        Ok(self.end(transaction, false).await?.map_err(convert::error))
    }

    async fn drop(&mut self, transaction: Resource<Transaction>) -> wasmtime::Result<()> {
        // Nobody hears of an error here, and the scope's end makes sure of the rollback anyway.
        let _ = self.end(transaction, false).await?;
        Ok(())
    }
}

impl wit::HostCursor for DatabaseView<'_> {
    async fn columns(
        &mut self,
        cursor: Resource<Cursor>,
    ) -> wasmtime::Result<Vec<wit::ColumnInfo>> {
        match *self.table.get(&cursor)? {}
    }

    async fn next(
        &mut self,
        cursor: Resource<Cursor>,
    ) -> wasmtime::Result<Result<Option<wit::Batch>, wit::Error>> {
        match *self.table.get(&cursor)? {}
    }

    async fn drop(&mut self, cursor: Resource<Cursor>) -> wasmtime::Result<()> {
        match self.delete(cursor)? {}
    }
}
