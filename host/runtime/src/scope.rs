//! One call chain: its deadline and its connections. Whatever is still open when it ends is rolled back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use poolhouse_database::{
    Acquire, Actor, Answer, Chain, Database, Error, TransactionId, TransactionOptions, Value,
    Within,
};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

/// Separate sessions that one call chain may have used at a time.
pub(crate) const MAX_SEPARATE: usize = 1024;

static NEXT_SCOPE: AtomicU64 = AtomicU64::new(1);

/// A call chain, from the outermost call to the innermost. End it with [`Scope::finish`]; a scope that is
/// dropped instead (its task was cancelled) rolls back in the background.
pub struct Scope {
    id: u64,
    timeout: Duration,
    deadline: Instant,
    database: Option<Database>,
    shared: AsyncMutex<Slot>,
    separate: Mutex<HashMap<u64, Arc<AsyncMutex<Slot>>>>,
    trouble: Mutex<Option<Error>>,
}

/// A connection's worth of work.
pub(crate) struct Slot {
    pub(crate) chain: Option<Chain>,
}

impl Slot {
    pub(crate) fn holds_connection(&self) -> bool {
        self.chain.as_ref().is_some_and(Chain::holds_connection)
    }
}

impl Scope {
    /// A new call chain that ends at the latest `timeout` from now. Without a database every use of one
    /// is an error.
    pub fn new(database: Option<Database>, timeout: Duration) -> Arc<Self> {
        let id = NEXT_SCOPE.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + timeout;
        let chain = database
            .as_ref()
            .map(|database| Chain::new(database.clone(), id, Some(deadline)));
        Arc::new(Self {
            id,
            timeout,
            deadline,
            database,
            shared: AsyncMutex::new(Slot { chain }),
            separate: Mutex::default(),
            trouble: Mutex::default(),
        })
    }

    /// Unique in this process; the same number as in the logs.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// When the chain ends at the latest.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// How long the chain may take in all.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The first trouble of the database's own that a guest's work in this chain met ([`Error::is_passing`]). A guest
    /// can only tell of it in words, and whoever decides about another try should not have to read them.
    pub fn trouble(&self) -> Option<Error> {
        self.trouble.lock().clone()
    }

    pub(crate) fn note_trouble(&self, error: &Error) {
        if error.is_passing() {
            self.trouble.lock().get_or_insert_with(|| error.clone());
        }
    }

    /// Begins a transaction that the calls made in this scope join, each inside a savepoint.
    ///
    /// # Errors
    /// Those of [`Chain::begin`].
    pub async fn begin(
        &self,
        actor: &Actor,
        options: TransactionOptions,
    ) -> Result<TransactionId, Error> {
        let mut slot = self.shared.lock().await;
        slot.chain_mut()?.begin(actor, options).await
    }

    /// Commits a transaction or savepoint of [`Scope::begin`]'s.
    ///
    /// # Errors
    /// Those of [`Chain::commit`].
    pub async fn commit(&self, transaction: TransactionId) -> Result<(), Error> {
        let mut slot = self.shared.lock().await;
        slot.chain_mut()?.commit(transaction).await
    }

    /// Rolls a transaction or savepoint back.
    ///
    /// # Errors
    /// Those of [`Chain::rollback`].
    pub async fn rollback(&self, transaction: TransactionId) -> Result<(), Error> {
        let mut slot = self.shared.lock().await;
        slot.chain_mut()?.rollback(transaction).await
    }

    /// A query of the host's own in this scope.
    ///
    /// # Errors
    /// Those of [`Chain::query`].
    pub async fn query(&self, actor: &Actor, sql: &str, params: &[Value]) -> Result<Answer, Error> {
        let mut slot = self.shared.lock().await;
        slot.chain_mut()?
            .query(actor, Within::Session, sql, params)
            .await
    }

    /// Rolls everything back that is still open and gives the connections back. The server shows no
    /// transaction of this scope afterwards.
    pub async fn finish(&self) {
        let separate: Vec<_> = self.separate.lock().drain().map(|(_, slot)| slot).collect();
        for slot in separate {
            slot.lock().await.finish().await;
        }
        self.shared.lock().await.finish().await;
    }

    pub(crate) fn shared(&self) -> &AsyncMutex<Slot> {
        &self.shared
    }

    /// The connection of one separate session in this scope, made at its first use; none if there are too many.
    pub(crate) fn separate(&self, session: u64) -> Option<Arc<AsyncMutex<Slot>>> {
        let mut separate = self.separate.lock();
        if separate.len() >= MAX_SEPARATE && !separate.contains_key(&session) {
            return None;
        }
        let slot = separate.entry(session).or_insert_with(|| {
            let chain = self.database.as_ref().map(|database| {
                let mut chain = Chain::new(database.clone(), self.id, Some(self.deadline));
                chain.set_acquire(Acquire::AtOnce);
                chain
            });
            Arc::new(AsyncMutex::new(Slot { chain }))
        });
        Some(Arc::clone(slot))
    }

    /// Forgets a separate session that its guest dropped, unless a transaction of it is still open.
    pub(crate) fn forget_separate(&self, session: u64) {
        let mut separate = self.separate.lock();
        let idle = separate
            .get(&session)
            .is_some_and(|slot| slot.try_lock().is_ok_and(|slot| !slot.holds_connection()));
        if idle {
            separate.remove(&session);
        }
    }

    /// True if a connection of this scope, other than the given session's own, is held.
    pub(crate) fn holds_another(&self, session: Option<u64>) -> bool {
        // A slot that can't be locked is at work in an outer call, so it holds one.
        let shared = session.is_some()
            && self
                .shared
                .try_lock()
                .map_or(true, |slot| slot.holds_connection());
        shared
            || self.separate.lock().iter().any(|(id, slot)| {
                Some(*id) != session && slot.try_lock().map_or(true, |slot| slot.holds_connection())
            })
    }

    /// True if another connection of this scope than the given session's own is in a transaction that may write.
    pub(crate) fn writes_elsewhere(&self, session: Option<u64>) -> bool {
        let writing = |slot: &Slot| slot.chain.as_ref().is_some_and(Chain::is_writing);
        let shared =
            session.is_some() && self.shared.try_lock().map_or(true, |slot| writing(&slot));
        shared
            || self.separate.lock().iter().any(|(id, slot)| {
                Some(*id) != session && slot.try_lock().map_or(true, |slot| writing(&slot))
            })
    }

    /// Marks the place in the shared transaction that a call begins at; a savepoint if one is open.
    pub(crate) async fn enter(&self, actor: &Actor) -> Result<Entry, Error> {
        let mut slot = self.shared.lock().await;
        let Some(chain) = slot.chain.as_mut() else {
            return Ok(Entry {
                depth: 0,
                savepoint: None,
            });
        };
        let mut entry = Entry {
            depth: chain.depth(),
            savepoint: None,
        };
        if entry.depth > 0 {
            entry.savepoint = Some(chain.begin(actor, TransactionOptions::default()).await?);
        }
        Ok(entry)
    }

    /// Ends what a call began. Answers whether the guest had left a transaction open.
    ///
    /// # Errors
    /// Where the savepoint of a call that went well can't be released.
    pub(crate) async fn leave(&self, entry: Entry, keep: bool) -> Result<bool, Error> {
        let mut slot = self.shared.lock().await;
        let Some(chain) = slot.chain.as_mut() else {
            return Ok(false);
        };
        let own = entry.depth + usize::from(entry.savepoint.is_some());
        let left_open = chain.depth() > own;
        // What the guest left comes first, and is logged as the guest's.
        chain.unwind_to(own).await;
        let ended = match entry.savepoint {
            Some(savepoint) if keep && !left_open => chain.commit(savepoint).await,
            // A rollback that fails has lost the connection and the work with it: rolled back all the same.
            Some(savepoint) => {
                let _ = chain.rollback(savepoint).await;
                Ok(())
            }
            None => Ok(()),
        };
        chain.unwind_to(entry.depth).await;
        ended.map(|()| left_open)
    }

    /// Ends the transactions that separate sessions left open. Answers whether there were any.
    pub(crate) async fn leave_separate(&self) -> bool {
        let separate: Vec<_> = self.separate.lock().values().cloned().collect();
        let mut left_open = false;
        for slot in separate {
            // One that is locked belongs to an outer call of this chain.
            if let Ok(mut slot) = slot.try_lock() {
                left_open |= slot.chain.as_ref().is_some_and(|chain| chain.depth() > 0);
                slot.finish().await;
            }
        }
        left_open
    }
}

/// Where a call began; given back to [`Scope::leave`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    depth: usize,
    savepoint: Option<TransactionId>,
}

impl Slot {
    pub(crate) fn chain_mut(&mut self) -> Result<&mut Chain, Error> {
        self.chain
            .as_mut()
            .ok_or_else(|| Error::Invalid("this call has no database".to_owned()))
    }

    async fn finish(&mut self) {
        if let Some(chain) = self.chain.as_mut() {
            chain.finish().await;
        }
    }
}
