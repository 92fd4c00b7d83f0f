//! Calls into a plugin: from the host and from other plugins, each in an instance of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, Instance, Val};

use crate::error::{CallError, LONGEST_MESSAGE, Wait, shortened};
use crate::instance::{Answered, Call, Outcome, Running, Work};
use crate::links::Caller;
use crate::scope::Scope;
use crate::state::PluginState;

use super::Plugin;

/// Of its caller's time, the most that is kept for putting away what a callee leaves when its own is over.
const LONGEST_TIDYING: Duration = Duration::from_millis(100);

impl Plugin {
    pub(crate) fn call_of(&self, function: &str) -> Call {
        self.call_from_host(function.into())
    }

    fn call_from_host(&self, function: Arc<str>) -> Call {
        Call {
            function,
            limit: self.sandbox.limits.call_timeout,
            setting: "limit `call_timeout`",
            spent: Duration::ZERO,
            depth: 1,
        }
    }

    pub(crate) fn failed(&self, call: &Call, message: String) -> CallError {
        CallError::Failed {
            plugin: Arc::clone(&self.name),
            function: Arc::clone(&call.function),
            message: shortened(message, LONGEST_MESSAGE),
        }
    }

    /// An instance of one's own, not taken from the warm ones and not given back. One of those makes room for it where there
    /// are as many as may be. The time it took is `call`'s.
    pub(crate) async fn instance(&self, call: &mut Call) -> Result<Running, CallError> {
        let begun = Instant::now();
        loop {
            let started = Running::start(&self.pre, &self.access, &self.sandbox, call).await;
            call.spent = begun.elapsed();
            let is_full = matches!(started, Err(CallError::TooManyInstances { .. }));
            if !is_full {
                return started;
            }
            if self.warm.take().is_none() {
                return started;
            }
        }
    }

    /// Calls into a warm instance, or a new one. The instance is kept unless it is dead. Where the plugin is busy, the call
    /// waits its turn, no longer than it may take.
    ///
    /// Cancel safety: dropped midway, the instance is dropped and the scope rolls back.
    pub(crate) async fn call<R: Outcome>(
        &self,
        scope: &Arc<Scope>,
        call: &Call,
        work: impl for<'a> FnOnce(&'a mut Store<PluginState>, &'a Instance) -> Work<'a, R>,
    ) -> Result<R, CallError> {
        let until = (Instant::now() + call.limit).min(scope.deadline());
        let place = self.admission.in_turn(until).await;
        let _place = place.map_err(|wait| self.busy(call, wait))?;
        self.call_with(scope, call, &mut (), move |store, instance, ()| {
            work(store, instance)
        })
        .await
    }

    fn busy(&self, call: &Call, wait: Wait) -> CallError {
        CallError::Busy {
            plugin: Arc::clone(&self.name),
            function: Arc::clone(&call.function),
            calls: self.sandbox.limits.concurrent_calls,
            wait,
        }
    }

    /// [`Plugin::call`] for work on what the caller lends, with a place of its own already.
    async fn call_with<I, R: Outcome>(
        &self,
        scope: &Arc<Scope>,
        call: &Call,
        lent: &mut I,
        work: impl for<'a> FnOnce(&'a mut Store<PluginState>, &'a Instance, &'a mut I) -> Work<'a, R>,
    ) -> Result<R, CallError> {
        let warm = self.warm.take();
        let mut cold = None;
        let mut running = match warm {
            Some(running) => running,
            // Boxed, for it is much of the call's state and hardly ever needed.
            None => Box::pin(self.instance(cold.insert(call.clone()))).await?,
        };
        let call = cold.as_ref().unwrap_or(call);
        let result = running.call_with(scope, call, lent, work).await;
        if running.is_dead() {
            drop(running);
        } else {
            self.warm.keep(running, &self.sandbox.limits);
        }
        result
    }

    /// A call from another plugin, as a part of its call chain and no longer than the caller itself has.
    ///
    /// # Errors
    /// Those of every call, and that calls are nested too deep, the plugin has not started yet, or as many calls as may be are in it:
    /// its caller's chain may hold what those wait for, so it does not wait for them.
    pub(crate) async fn call_linked(
        &self,
        caller: &Caller,
        function: &Arc<str>,
        index: ComponentExportIndex,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<(), CallError> {
        let depth = caller.depth.saturating_add(1);
        if depth > self.sandbox.limits.call_depth {
            return Err(CallError::TooDeep {
                plugin: Arc::clone(&self.name),
                function: Arc::clone(function),
                limit: self.sandbox.limits.call_depth,
            });
        }
        if !self.has_started() {
            return Err(CallError::NotStarted {
                plugin: Arc::clone(&self.name),
                function: Arc::clone(function),
            });
        }
        // A little less than the caller has, which is the time in which what it leaves is put away: were both over at once,
        // the caller's end would cut that off, and with it the connection of whoever called the caller.
        let left = caller.deadline.saturating_duration_since(Instant::now());
        let left = left - (left / 10).min(LONGEST_TIDYING);
        let mut call = self.call_from_host(Arc::clone(function));
        call.depth = depth;
        if left < call.limit {
            call.limit = left;
            call.setting = "what its caller had left";
        }
        let place = self.admission.at_once();
        let _place = place.map_err(|wait| self.busy(&call, wait))?;
        let begun = Instant::now();
        let mut lent = (params, results);
        let answered = self
            .call_with(
                &caller.scope,
                &call,
                &mut lent,
                move |store, instance, (params, results)| {
                    Box::pin(async move {
                        let function = instance
                            .get_func(&mut *store, index)
                            .ok_or_else(|| wasmtime::format_err!("the export has gone"))?;
                        function.call_async(store, params, results).await?;
                        Ok(Answered::of(results))
                    })
                },
            )
            .await;
        tracing::debug!(
            chain = caller.scope.id(),
            depth,
            caller = %caller.plugin,
            plugin = %self.name,
            %function,
            took = ?begun.elapsed(),
            failed = answered.as_ref().map_or(true, Outcome::failed),
            "called"
        );
        answered.map(|_| ())
    }
}
