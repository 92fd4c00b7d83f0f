//! One call chain: its deadline and its connections. Whatever is still open when it ends is rolled back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use poolhouse_database::{
    Acquire, Actor, Answer, Chain, CursorId, CursorMark, Database, Error, TransactionId,
    TransactionOptions, Value, Within,
};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

use crate::generation::Generation;

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
    observer: OnceLock<Observer>,
    generation: OnceLock<Arc<Generation>>,
}

/// See [`Scope::observe`].
type Observer = Box<dyn Fn(&str, &str) -> Result<(), String> + Send + Sync>;

/// A connection's worth of work.
pub(crate) struct Slot {
    pub(crate) chain: Option<Chain>,
    /// Calls under way that work on it, from the outermost inwards; none for a separate session's.
    calls: Vec<CallUnderWay>,
}

/// One call's place in the shared transaction.
struct CallUnderWay {
    plugin: Arc<str>,
    savepoint: Savepoint,
}

/// The host's savepoint around one call. It is made at the first statement in it, for most calls make none.
enum Savepoint {
    /// No transaction was open when the call began.
    NotNeeded,
    NotMadeYet,
    /// Made when so many levels were open.
    Made {
        depth: usize,
        id: TransactionId,
    },
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
            shared: AsyncMutex::new(Slot::new(chain)),
            separate: Mutex::default(),
            trouble: Mutex::default(),
            observer: OnceLock::new(),
            generation: OnceLock::new(),
        })
    }

    /// The generation that the chain works in: this one, unless it works in another already.
    pub(crate) fn pin(&self, generation: &Arc<Generation>) -> &Arc<Generation> {
        self.generation.get_or_init(|| Arc::clone(generation))
    }

    /// None before the chain's first call.
    pub(crate) fn generation(&self) -> Option<&Arc<Generation>> {
        self.generation.get()
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

    /// Lets `observer` see every call that the chain's guests make into the host or through it into each other, before it is
    /// made: which plugin calls, and what. An error of its own traps that guest there. The first observer stays.
    pub fn observe(
        &self,
        observer: impl Fn(&str, &str) -> Result<(), String> + Send + Sync + 'static,
    ) {
        let _ = self.observer.set(Box::new(observer));
    }

    /// To be told before each call that a guest makes; an error is to trap it.
    pub(crate) fn host_call(&self, plugin: &str, function: &str) -> Result<(), String> {
        match self.observer.get() {
            Some(observer) => observer(plugin, function),
            None => Ok(()),
        }
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
            Arc::new(AsyncMutex::new(Slot::new(chain)))
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

    /// Marks the place in the shared transaction that a call begins at.
    pub(crate) async fn enter(&self, plugin: &Arc<str>) -> Entry {
        let mut slot = match self.shared.try_lock() {
            Ok(slot) => slot,
            Err(_) => self.shared.lock().await,
        };
        let in_transaction = slot.chain.as_ref().is_some_and(|chain| chain.depth() > 0);
        let cursors = slot.chain.as_ref().map(Chain::cursor_mark);
        let position = slot.calls.len();
        slot.calls.push(CallUnderWay {
            plugin: Arc::clone(plugin),
            savepoint: if in_transaction {
                Savepoint::NotMadeYet
            } else {
                Savepoint::NotNeeded
            },
        });
        Entry {
            position,
            cursors,
            separate: self.separate_depths(),
        }
    }

    /// Ends what a call began: kept if it went well, rolled back otherwise. Answers whether the guest had left a
    /// transaction open.
    ///
    /// # Errors
    /// Where the savepoint of a call that went well can't be released.
    pub(crate) async fn leave(&self, entry: Entry, keep: bool) -> Result<bool, Error> {
        if self.left_nothing(&entry) {
            return Ok(false);
        }
        // In a box of its own, so that calls that left nothing, which are most, stay small.
        Box::pin(self.leave_what_is_open(entry, keep)).await
    }

    /// Forgets a call that did nothing in the database that is still to be ended; false where it may have.
    fn left_nothing(&self, entry: &Entry) -> bool {
        if !self.separate.lock().is_empty() {
            return false;
        }
        let Ok(mut slot) = self.shared.try_lock() else {
            return false;
        };
        let outermost = slot.calls.get(entry.position);
        let nothing_made = match outermost.map(|call| &call.savepoint) {
            Some(Savepoint::NotMadeYet) => true,
            Some(Savepoint::NotNeeded) => {
                slot.chain.as_ref().is_none_or(|chain| chain.depth() == 0)
            }
            Some(Savepoint::Made { .. }) | None => false,
        };
        let no_cursor = slot
            .chain
            .as_ref()
            .is_none_or(|chain| Some(chain.cursor_mark()) == entry.cursors);
        if nothing_made && no_cursor {
            slot.calls.truncate(entry.position);
        }
        nothing_made && no_cursor
    }

    async fn leave_what_is_open(&self, entry: Entry, keep: bool) -> Result<bool, Error> {
        let left_separate = self.leave_separate(&entry).await;
        let mut slot = self.shared.lock().await;
        // Calls further inwards whose future was dropped before they could leave end with it.
        let call = slot.calls.drain(entry.position..).next();
        let (Some(call), Some(chain)) = (call, slot.chain.as_mut()) else {
            return Ok(left_separate);
        };
        if let Some(mark) = entry.cursors {
            chain.close_cursors_since(mark).await;
        }
        let left_open = match call.savepoint {
            Savepoint::NotNeeded => {
                let left_open = chain.depth() > 0;
                chain.unwind_to(0).await;
                left_open
            }
            // It did nothing there.
            Savepoint::NotMadeYet => false,
            Savepoint::Made { depth, id } => {
                let left_open = chain.depth() > depth + 1;
                // What the guest left comes first, and is logged as the guest's.
                chain.unwind_to(depth + 1).await;
                if keep && !left_open && !left_separate {
                    chain.commit(id).await?;
                } else {
                    // One that fails has lost the connection and the work with it: rolled back all the same.
                    let _ = chain.rollback(id).await;
                }
                chain.unwind_to(depth).await;
                left_open
            }
        };
        Ok(left_open || left_separate)
    }

    /// How many levels each separate session has open that holds a connection.
    fn separate_depths(&self) -> Vec<(u64, usize)> {
        let separate = self.separate.lock();
        let depths = separate.iter().filter_map(|(session, slot)| {
            let slot = slot.try_lock().ok()?;
            let chain = slot
                .chain
                .as_ref()
                .filter(|chain| chain.holds_connection())?;
            Some((*session, chain.depth()))
        });
        depths.collect()
    }

    /// Ends what separate sessions have opened since the call began. Answers whether transactions were among it.
    async fn leave_separate(&self, entry: &Entry) -> bool {
        let separate: Vec<_> = self
            .separate
            .lock()
            .iter()
            .map(|(session, slot)| (*session, Arc::clone(slot)))
            .collect();
        let mut left_open = false;
        for (session, slot) in separate {
            // One that is locked is at work for an outer call of this chain.
            let Ok(mut slot) = slot.try_lock() else {
                continue;
            };
            let Some(chain) = slot.chain.as_mut() else {
                continue;
            };
            let before = entry.separate.iter().find(|(id, _)| *id == session);
            left_open |= chain.depth() > before.map_or(0, |(_, depth)| *depth);
            match (before, entry.cursors) {
                (Some((_, depth)), Some(mark)) => {
                    chain.close_cursors_since(mark).await;
                    chain.unwind_to(*depth).await;
                }
                _ => chain.finish().await,
            }
        }
        // What holds nothing is made anew when it is used again, and takes nobody's place until then.
        self.separate
            .lock()
            .retain(|_, slot| slot.try_lock().map_or(true, |slot| slot.holds_connection()));
        left_open
    }
}

/// Where a call began; given back to [`Scope::leave`].
#[derive(Debug)]
pub(crate) struct Entry {
    position: usize,
    /// Cursors opened later are the call's own, or those of calls that it makes.
    cursors: Option<CursorMark>,
    /// Separate sessions that held a connection, and how many levels they had open.
    separate: Vec<(u64, usize)>,
}

impl Slot {
    fn new(chain: Option<Chain>) -> Self {
        Self {
            chain,
            calls: Vec::new(),
        }
    }

    /// Makes the savepoints of the calls under way that have none yet, so that each can be undone by itself.
    ///
    /// # Errors
    /// Those of every statement: the transaction may be aborted, or lost.
    pub(crate) async fn mark_calls(&mut self) -> Result<(), Error> {
        let Some(chain) = self.chain.as_mut() else {
            return Ok(());
        };
        for call in &mut self.calls {
            if let Savepoint::NotMadeYet = call.savepoint {
                let depth = chain.depth();
                let id = chain.savepoint_around(&call.plugin).await?;
                call.savepoint = Savepoint::Made { depth, id };
            }
        }
        Ok(())
    }

    pub(crate) async fn close_cursor(&mut self, cursor: CursorId) {
        if let Some(chain) = self.chain.as_mut() {
            chain.close_cursor(cursor).await;
        }
    }

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
