//! The error of a call from plugin to plugin; which kinds the host itself uses, the contract says.

pub use crate::bindings::imports::poolhouse::plugin::types::{Failure, FailureKind};
use crate::database::Error;

impl Failure {
    /// The plugin's own failure: one sentence for a person, what happened and what to do.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::Failed,
            message: message.into(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::failed(message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Self::failed(message)
    }
}
