//! One instance of a plugin and one call into it: deadline, savepoint, and what is left behind when it fails.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::component::{Instance, InstancePre, Val};
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::database::{DatabaseAccess, DatabaseState};
use crate::error::CallError;
use crate::limits::Limits;
use crate::scope::{Entry, Scope};
use crate::state::PluginState;

/// See [`handed_over_at_once`].
const MOST_HANDED_OVER: usize = 128 << 20;
const LEAST_HANDED_OVER: usize = 1 << 20;

/// What wasmtime says when that is used up.
const OUT_OF_FUEL: &str = "fuel allocated for hostcalls has been exhausted";

/// What a call into a guest gives while it runs.
pub(crate) type Work<'a, R> = Pin<Box<dyn Future<Output = wasmtime::Result<R>> + Send + 'a>>;

/// Whether the guest itself says that it failed: then its work in the caller's transaction is rolled back.
pub(crate) trait Outcome {
    fn failed(&self) -> bool;
}

impl<T, E> Outcome for Result<T, E> {
    fn failed(&self) -> bool {
        self.is_err()
    }
}

impl Outcome for Vec<Val> {
    fn failed(&self) -> bool {
        Answered::of(self).failed
    }
}

/// A plain answer of a function that can't fail.
pub(crate) struct Plain<T>(pub(crate) T);

impl<T> Outcome for Plain<T> {
    fn failed(&self) -> bool {
        false
    }
}

/// That a guest answered, and whether it said that it failed; the values themselves are where the caller wants them.
pub(crate) struct Answered {
    failed: bool,
}

impl Answered {
    pub(crate) fn of(results: &[Val]) -> Self {
        Self {
            failed: matches!(results.first(), Some(Val::Result(Err(_)))),
        }
    }
}

impl Outcome for Answered {
    fn failed(&self) -> bool {
        self.failed
    }
}

/// What is called, and how long it may take.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) function: Arc<str>,
    pub(crate) limit: Duration,
    /// The setting that `limit` comes from.
    pub(crate) setting: &'static str,
    /// How many calls deep in its chain; 1 for the outermost.
    pub(crate) depth: u32,
}

/// A live instance. After a trap or a timeout it is dead and must be dropped.
pub(crate) struct Running {
    store: Store<PluginState>,
    instance: Instance,
    access: Arc<DatabaseAccess>,
    dead: bool,
}

impl Running {
    /// Makes an instance; a component's own start code runs within the call's limit.
    pub(crate) async fn start(
        pre: &InstancePre<PluginState>,
        access: &Arc<DatabaseAccess>,
        limits: &Limits,
        call: &Call,
    ) -> Result<Self, CallError> {
        let database = DatabaseState {
            access: Arc::clone(access),
            scope: None,
            handles: 0,
        };
        let mut store = Store::new(
            pre.engine(),
            PluginState::new(&access.plugin, limits, database),
        );
        store.limiter(|state| &mut state.memory);
        store.epoch_deadline_callback(|store| {
            if Instant::now() >= store.data().deadline {
                Ok(UpdateDeadline::Interrupt)
            } else {
                Ok(UpdateDeadline::Yield(1))
            }
        });
        let deadline = Instant::now() + call.limit;
        store.data_mut().deadline = deadline;
        store.set_epoch_deadline(1);
        let started = tokio::time::timeout_at(deadline, pre.instantiate_async(&mut store)).await;
        match started {
            Ok(Ok(instance)) => Ok(Self {
                store,
                instance,
                access: Arc::clone(access),
                dead: false,
            }),
            Ok(Err(error)) => Err(failure(&mut store, &access.plugin, call, &error)),
            Err(_) => Err(timed_out(&access.plugin, call)),
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead
    }

    /// Calls into the guest as a part of `scope`: inside a savepoint where the scope has a transaction open.
    /// However it ends, what the guest left open is rolled back.
    ///
    /// Cancel safety: dropped midway, the instance must be dropped too, and the scope rolls back.
    pub(crate) async fn call<R: Outcome>(
        &mut self,
        scope: &Arc<Scope>,
        call: &Call,
        work: impl for<'a> FnOnce(&'a mut Store<PluginState>, &'a Instance) -> Work<'a, R>,
    ) -> Result<R, CallError> {
        self.call_with(scope, call, &mut (), move |store, instance, ()| {
            work(store, instance)
        })
        .await
    }

    /// [`Running::call`] for work on what the caller lends.
    pub(crate) async fn call_with<I, R: Outcome>(
        &mut self,
        scope: &Arc<Scope>,
        call: &Call,
        lent: &mut I,
        work: impl for<'a> FnOnce(&'a mut Store<PluginState>, &'a Instance, &'a mut I) -> Work<'a, R>,
    ) -> Result<R, CallError> {
        let access = Arc::clone(&self.access);
        let entry = scope.enter(&access.plugin).await;
        let mut call = call.clone();
        let deadline = (Instant::now() + call.limit).min(scope.deadline());
        if scope.timeout() < call.limit {
            call.limit = scope.timeout();
            call.setting = "for the whole call chain";
        }
        let state = self.store.data_mut();
        state.database.scope = Some(Arc::clone(scope));
        state.deadline = deadline;
        state.depth = call.depth;
        state.memory.refused = None;
        self.store.set_epoch_deadline(1);
        self.store
            .set_hostcall_fuel(handed_over_at_once(call.depth));
        self.dead = true;
        let ended =
            tokio::time::timeout_at(deadline, work(&mut self.store, &self.instance, lent)).await;
        let result = match ended {
            Ok(Ok(answer)) => {
                self.dead = false;
                Ok(answer)
            }
            Ok(Err(error)) => Err(failure(&mut self.store, &access.plugin, &call, &error)),
            Err(_) => Err(timed_out(&access.plugin, &call)),
        };
        if !self.dead {
            let state = self.store.data_mut();
            state.database.scope = None;
            state.stdout.take_tail();
            state.stderr.take_tail();
            self.dead = state.database.handles >= access.max_handles;
        }
        self.leave(scope, entry, &call, result).await
    }

    async fn leave<R: Outcome>(
        &mut self,
        scope: &Scope,
        entry: Entry,
        call: &Call,
        result: Result<R, CallError>,
    ) -> Result<R, CallError> {
        let keep = result.as_ref().is_ok_and(|answer| !answer.failed());
        let left = scope.leave(entry, keep).await;
        let answer = result?;
        // Its work was rolled back, and its own reason says more than what it left.
        if answer.failed() {
            return Ok(answer);
        }
        if left? {
            return Err(CallError::LeftOpen {
                plugin: Arc::clone(&self.access.plugin),
                function: Arc::clone(&call.function),
            });
        }
        Ok(answer)
    }
}

fn timed_out(plugin: &Arc<str>, call: &Call) -> CallError {
    CallError::TimedOut {
        plugin: Arc::clone(plugin),
        function: Arc::clone(&call.function),
        limit: call.limit,
        setting: call.setting,
    }
}

/// Bytes that a guest may hand over in one call to the host or to another plugin, as the host holds them, which for lists of
/// small things is many times what the guest has. Half as much at each depth, for the callers' are held meanwhile.
fn handed_over_at_once(depth: u32) -> usize {
    (MOST_HANDED_OVER >> depth.saturating_sub(1).min(31)).max(LEAST_HANDED_OVER)
}

/// The reason for a trap in words, with the end of what the guest wrote to stderr.
fn failure(
    store: &mut Store<PluginState>,
    plugin: &Arc<str>,
    call: &Call,
    error: &wasmtime::Error,
) -> CallError {
    if matches!(error.downcast_ref::<Trap>(), Some(Trap::Interrupt)) {
        return timed_out(plugin, call);
    }
    let state = store.data_mut();
    let mut reason = if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        format!("it called exit({})", exit.0)
    } else {
        error.root_cause().to_string()
    };
    let refused = state.memory.refused.take();
    let too_much = reason.contains(OUT_OF_FUEL);
    if too_much {
        reason = format!(
            "it handed over more than {} bytes at once, as the host holds them, to the host or another plugin: hand over less, in parts",
            handed_over_at_once(call.depth)
        );
    }
    if let Some(bytes) = refused {
        reason = format!("{reason}, after {bytes} bytes of memory were refused (limit `memory`)");
    }
    state.stdout.take_tail();
    let said = state.stderr.take_tail();
    if !said.is_empty() {
        reason = format!("{reason}; it said: {}", said.replace('\n', " | "));
    }
    CallError::Trapped {
        plugin: Arc::clone(plugin),
        function: Arc::clone(&call.function),
        reason,
        over_limit: too_much || refused.is_some(),
    }
}
