//! One instance of a plugin and one call into it: deadline, savepoint, and what is left behind when it fails.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::component::{Instance, InstancePre, ResourceTableError, Val};
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::database::{DatabaseAccess, DatabaseState};
use crate::error::CallError;
use crate::limits::Limits;
use crate::long_running::Considerate;
use crate::sandbox::{Places, Sandbox};
use crate::scope::{Entry, Scope};
use crate::stack;
use crate::state::PluginState;

/// However deep a call is, so much it may hand over, unless its plugin may less.
const LEAST_HANDED_OVER: usize = 1 << 20;

/// What wasmtime says when `call_bytes` are used up.
const OUT_OF_FUEL: &str = "fuel allocated for hostcalls has been exhausted";

/// See [`most_resources`].
const MOST_RESOURCES: usize = 100_000;

/// What wasmtime says when there are so many.
const OUT_OF_HANDLES: &str = "store handle limit exceeded";

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
    /// What of `limit` is gone already, for the instance was made first.
    pub(crate) spent: Duration,
    /// How many calls deep in its chain; 1 for the outermost.
    pub(crate) depth: u32,
}

/// A live instance. After a trap or a timeout it is dead and must be dropped.
pub(crate) struct Running {
    store: Store<PluginState>,
    instance: Instance,
    access: Arc<DatabaseAccess>,
    sandbox: Arc<Sandbox>,
    dead: bool,
    /// Given back when all of the above is gone.
    _places: Places,
}

impl Running {
    /// Makes an instance; a component's own start code runs within the call's limit, and without the database.
    ///
    /// # Errors
    /// Where there are as many instances as may be, a folder can't be opened, or the start code traps or takes too long.
    pub(crate) async fn start(
        pre: &InstancePre<PluginState>,
        access: &Arc<DatabaseAccess>,
        sandbox: &Arc<Sandbox>,
        call: &Call,
    ) -> Result<Self, CallError> {
        let places = sandbox.place(call)?;
        let limits = &sandbox.limits;
        let database = DatabaseState {
            access: Arc::clone(access),
            scope: None,
            handles: 0,
        };
        let pace = sandbox.pace.of_another();
        let cut = Arc::clone(&sandbox.cut);
        let state = PluginState::new(limits, sandbox.wasi()?, pace.clone(), cut, database);
        let mut store = Store::new(pre.engine(), state);
        store.limiter(|state| &mut state.growth);
        store.epoch_deadline_callback(|store| {
            if Instant::now() >= store.data().deadline || store.data().cut.is_cut() {
                Ok(UpdateDeadline::Interrupt)
            } else if store.data().pace.tick() {
                Ok(UpdateDeadline::Yield(1))
            } else {
                Ok(UpdateDeadline::Continue(1))
            }
        });
        let deadline = Instant::now() + call.limit;
        store.data_mut().deadline = deadline;
        store.set_epoch_deadline(1);
        store.set_hostcall_fuel(handed_over_at_once(limits, call.depth));
        store.set_max_component_handles(most_resources(limits));
        let starting = Considerate::new(Box::pin(pre.instantiate_async(&mut store)), pace);
        let started = tokio::select! {
            biased;
            started = tokio::time::timeout_at(deadline, starting) => started,
            () = sandbox.cut.cut_off() => return Err(stopped(sandbox, call)),
        };
        match started {
            Ok(Ok(instance)) => Ok(Self {
                store,
                instance,
                access: Arc::clone(access),
                sandbox: Arc::clone(sandbox),
                dead: false,
                _places: places,
            }),
            Ok(Err(error)) => Err(failure(&mut store, sandbox, call, &error)),
            Err(_) => Err(timed_out(&access.plugin, call, None)),
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
        let left = call.limit.saturating_sub(call.spent);
        let deadline = (Instant::now() + left).min(scope.deadline());
        if scope.timeout() < call.limit {
            call.limit = scope.timeout();
            call.setting = "for the whole call chain";
        }
        let state = self.store.data_mut();
        state.database.scope = Some(Arc::clone(scope));
        state.deadline = deadline;
        state.depth = call.depth;
        state.growth.refused = None;
        let pace = state.pace.clone();
        self.store.set_epoch_deadline(1);
        self.store
            .set_hostcall_fuel(handed_over_at_once(&self.sandbox.limits, call.depth));
        self.dead = true;
        let work = Considerate::new(work(&mut self.store, &self.instance, lent), pace);
        // The work first: a call that does not wait for anything never looks at the rest.
        let ended = tokio::select! {
            biased;
            ended = tokio::time::timeout_at(deadline, work) => Some(ended),
            () = self.sandbox.cut.cut_off() => None,
        };
        let result = match ended {
            Some(Ok(Ok(answer))) => {
                self.dead = false;
                Ok(answer)
            }
            Some(Ok(Err(error))) => Err(failure(&mut self.store, &self.sandbox, &call, &error)),
            Some(Err(_)) => Err(timed_out(&access.plugin, &call, None)),
            None => Err(stopped(&self.sandbox, &call)),
        };
        let counters = &self.sandbox.counters;
        counters.calls.fetch_add(1, Ordering::Relaxed);
        if let Err(CallError::Trapped { .. } | CallError::TimedOut { .. }) = &result {
            counters.traps.fetch_add(1, Ordering::Relaxed);
        }
        if !self.dead {
            let state = self.store.data_mut();
            state.database.scope = None;
            state.wasi.stdout.take_tail();
            state.wasi.stderr.take_tail();
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

fn stopped(sandbox: &Sandbox, call: &Call) -> CallError {
    CallError::Stopped {
        plugin: Arc::clone(&sandbox.plugin),
        function: Arc::clone(&call.function),
        limit: sandbox.limits.drain_timeout,
    }
}

fn timed_out(plugin: &Arc<str>, call: &Call, place: Option<String>) -> CallError {
    CallError::TimedOut {
        plugin: Arc::clone(plugin),
        function: Arc::clone(&call.function),
        limit: call.limit,
        setting: call.setting,
        place,
    }
}

/// Bytes that a guest may hand over in one call to the host or to another plugin, or back to its caller, as the host holds
/// them, which for lists of small things is many times what the guest has. Half as much at each depth, for the callers' are held
/// meanwhile.
fn handed_over_at_once(limits: &Limits, depth: u32) -> usize {
    let most = limits.call_bytes;
    (most >> depth.saturating_sub(1).min(31)).max(LEAST_HANDED_OVER.min(most))
}

/// Resources of any kind that one instance may hold, its own among them, for the host remembers each.
fn most_resources(limits: &Limits) -> usize {
    let handles = usize::try_from(limits.handles).unwrap_or(usize::MAX);
    MOST_RESOURCES.max(handles.saturating_mul(2))
}

/// The reason for a trap in words, with the end of what the guest wrote to stderr.
fn failure(
    store: &mut Store<PluginState>,
    sandbox: &Sandbox,
    call: &Call,
    error: &wasmtime::Error,
) -> CallError {
    if matches!(error.downcast_ref::<Trap>(), Some(Trap::Interrupt)) {
        if sandbox.cut.is_cut() {
            return stopped(sandbox, call);
        }
        return timed_out(&sandbox.plugin, call, stack::with_lines(error));
    }
    let state = store.data_mut();
    let refused = state.growth.refused.take();
    let limit = limit_met(sandbox, call, error);
    let over_limit = limit.is_some() || refused.is_some();
    let mut reason = if let Some(limit) = limit {
        limit
    } else if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        format!("it called exit({})", exit.0)
    } else {
        error.root_cause().to_string()
    };
    if let Some(refused) = refused {
        reason = format!("{reason}, after {}", refused.shown());
    }
    state.wasi.stdout.take_tail();
    let said = state.wasi.stderr.take_tail();
    // What it said may tell where it was; an interpreter's own functions are nobody's business then.
    let place = match said.is_empty() {
        true => stack::of(error),
        false => stack::with_lines(error),
    };
    if let Some(place) = place {
        reason = format!("{reason}, {place}");
    }
    if !said.is_empty() {
        reason = format!("{reason}; it said: {said}");
    }
    CallError::Trapped {
        plugin: Arc::clone(&sandbox.plugin),
        function: Arc::clone(&call.function),
        reason,
        over_limit,
    }
}

/// The limit that wasmtime or WASI stopped the guest at; none for any other trap.
fn limit_met(sandbox: &Sandbox, call: &Call, error: &wasmtime::Error) -> Option<String> {
    let says = |words: &str| error.chain().any(|cause| cause.to_string().contains(words));
    if says(OUT_OF_FUEL) {
        return Some(format!(
            "it handed over more than {} bytes at once, as the host holds them, to the host, its caller or another plugin: hand \
             over less, in parts (limit `call_bytes`, halved for each call of the chain)",
            handed_over_at_once(&sandbox.limits, call.depth)
        ));
    }
    let is_full = error.chain().any(|cause| {
        let cause = cause.downcast_ref::<ResourceTableError>();
        matches!(cause, Some(ResourceTableError::Full))
    });
    if is_full {
        return Some(format!(
            "it held more than {} streams, files and timers of WASI's at once: drop those that it no longer uses (limit `handles`)",
            sandbox.most_wasi_handles()
        ));
    }
    if says(OUT_OF_HANDLES) {
        return Some(format!(
            "it held more than {} resources of its own and others' at once: drop those that it no longer uses",
            most_resources(&sandbox.limits)
        ));
    }
    None
}
