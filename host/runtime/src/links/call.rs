//! One call from plugin to plugin: as a part of its caller's chain, and with a failure handed to the caller as its function's
//! own error where it has one.

use std::sync::Arc;

use tokio::time::Instant;
use wasmtime::StoreContextMut;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{Type, Val};

use crate::error::CallError;
use crate::scope::Scope;
use crate::state::PluginState;

use super::Link;

/// Fields and cases of `poolhouse:plugin/types.failure`.
const FAILURE_FIELDS: [&str; 2] = ["kind", "message"];
const FAILURE_KINDS: [&str; 6] = ["missing", "trapped", "timeout", "limit", "depth", "failed"];

/// Where a call from plugin to plugin comes from.
pub(crate) struct Caller {
    pub(crate) plugin: Arc<str>,
    pub(crate) scope: Arc<Scope>,
    /// How many calls deep the caller is; 1 for the outermost.
    pub(crate) depth: u32,
    /// When the caller must have answered.
    pub(crate) deadline: Instant,
}

/// How a function can tell its caller of a failure that is the host's to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureForm {
    /// Its error is a string.
    Text,
    /// Its error is `poolhouse:plugin/types.failure`.
    Failure,
    /// Not at all: the caller traps.
    None,
}

impl FailureForm {
    pub(super) fn of(ty: &ComponentFunc) -> Self {
        let Some(Type::Result(result)) = ty.results().next() else {
            return Self::None;
        };
        match result.err() {
            Some(Type::String) => Self::Text,
            Some(Type::Record(record)) => {
                let fields: Vec<_> = record.fields().collect();
                match fields.as_slice() {
                    [kind, message]
                        if [kind.name, message.name] == FAILURE_FIELDS
                            && matches!(&kind.ty, Type::Enum(kinds) if kinds.names().eq(FAILURE_KINDS))
                            && message.ty == Type::String =>
                    {
                        Self::Failure
                    }
                    _ => Self::None,
                }
            }
            _ => Self::None,
        }
    }

    /// The function's own error.
    fn value(self, error: &CallError) -> Option<Val> {
        let message = Val::String(error.to_string());
        let value = match self {
            Self::Text => message,
            Self::Failure => Val::Record(vec![
                (
                    "kind".to_owned(),
                    Val::Enum(error.failure_kind().to_owned()),
                ),
                ("message".to_owned(), message),
            ]),
            Self::None => return None,
        };
        Some(Val::Result(Err(Some(Box::new(value)))))
    }
}

impl Link {
    /// Calls the function of that index.
    ///
    /// # Errors
    /// The failure's sentence, which traps the caller, for a function that has no error to put it into.
    pub(super) async fn call(
        &self,
        at: usize,
        store: StoreContextMut<'_, PluginState>,
        params: &[Val],
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        let Some(function) = self.functions.get(at) else {
            return Err(wasmtime::format_err!("there is no such function"));
        };
        let called = match store.data().caller() {
            Some(caller) => {
                caller
                    .scope
                    .host_call(&caller.plugin, &function.shown)
                    .map_err(wasmtime::Error::msg)?;
                self.call_provider(at, &function.shown, &caller, params, results)
                    .await
            }
            None => Err(CallError::Refused(format!(
                "plugin \"{}\" called {} while it started: other plugins can be called only within a call",
                self.importer, function.shown
            ))),
        };
        let Err(error) = called else {
            return Ok(());
        };
        match (function.failure.value(&error), results.first_mut()) {
            (Some(value), Some(result)) => {
                *result = value;
                Ok(())
            }
            _ => Err(wasmtime::Error::msg(error.to_string())),
        }
    }

    async fn call_provider(
        &self,
        at: usize,
        function: &Arc<str>,
        caller: &Caller,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<(), CallError> {
        let generation = caller.scope.generation();
        let found = generation.and_then(|generation| {
            let provider = generation.provider(self.importer_id, self.at)?;
            Some((&provider.plugin, *provider.functions.get(at)?))
        });
        match found {
            Some((plugin, index)) => {
                plugin
                    .call_linked(caller, function, index, params, results)
                    .await
            }
            None => Err(CallError::Missing {
                importer: Arc::clone(&self.importer),
                interface: self.interface.full().into(),
            }),
        }
    }
}
