//! Owns until when a statement may run, and what it answers past that: the call's time, its transaction's, or its own.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, TimeoutKind};
use crate::footprint::StatementKind;

use super::Chain;

/// Until when a statement may run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Until {
    /// None is for ever.
    pub(super) at: Option<Instant>,
    whose: Whose,
}

/// Whose time that is.
#[derive(Clone, Copy, Debug)]
enum Whose {
    Calls,
    Transactions(Duration),
    Statements(Duration),
}

impl Chain {
    /// Until when a statement may run that begins now and may take `limit`, by itself.
    pub(super) fn until_alone(&self, limit: Option<Duration>) -> Until {
        earliest([self.deadline.map(|at| (at, Whose::Calls)), own(limit)])
    }

    /// The same in the transaction that is open.
    pub(super) fn until_joined(&self, limit: Option<Duration>) -> Until {
        let expires = self.levels.iter().filter_map(|level| level.expires).min();
        earliest([
            self.deadline.map(|at| (at, Whose::Calls)),
            expires.map(|(at, limit)| (at, Whose::Transactions(limit))),
            own(limit),
        ])
    }

    /// What a statement in a transaction answers past it, and the transaction from then on.
    pub(super) fn out_of_time(&self, until: Until) -> Error {
        match until.whose {
            Whose::Calls => self.call_timeout(),
            Whose::Transactions(limit) => transaction_timeout(limit),
            Whose::Statements(limit) => {
                statement_timeout(limit, "was cancelled, and its transaction rolled back")
            }
        }
    }

    /// What a statement by itself answers past it: a write may have been done all the same.
    pub(super) fn out_of_time_alone(&self, until: Until, statement: StatementKind) -> Error {
        let mut error = match until.whose {
            Whose::Statements(limit) => statement_timeout(limit, "was cancelled"),
            _ => self.call_timeout(),
        };
        if statement == StatementKind::Write
            && let Error::Timeout { message, .. } = &mut error
        {
            message.push_str("; whether the statement's changes were committed is not known");
        }
        error
    }

    pub(super) fn call_timeout(&self) -> Error {
        let limit = self.deadline.map_or(Duration::ZERO, |deadline| {
            deadline.saturating_duration_since(self.started)
        });
        Error::Timeout {
            kind: TimeoutKind::Call,
            message: format!("the call's time ({limit:?}) is over"),
            limit,
        }
    }
}

/// A limit that no clock reaches is none.
fn own(limit: Option<Duration>) -> Option<(Instant, Whose)> {
    let limit = limit?;
    let at = Instant::now().checked_add(limit)?;
    Some((at, Whose::Statements(limit)))
}

fn earliest(bounds: impl IntoIterator<Item = Option<(Instant, Whose)>>) -> Until {
    let earliest = bounds.into_iter().flatten().min_by_key(|(at, _)| *at);
    Until {
        at: earliest.map(|(at, _)| at),
        whose: earliest.map_or(Whose::Calls, |(_, whose)| whose),
    }
}

fn statement_timeout(limit: Duration, what: &str) -> Error {
    Error::Timeout {
        kind: TimeoutKind::Statement,
        message: format!(
            "the statement took longer than one may ({limit:?}; statement_timeout in [limits], or in the plugin's own limits, in host.toml): it {what}"
        ),
        limit,
    }
}

pub(super) fn transaction_timeout(limit: Duration) -> Error {
    Error::Timeout {
        kind: TimeoutKind::Transaction,
        message: format!(
            "the transaction took longer than it may ({limit:?}; its own timeout, or transaction_timeout in [limits], or in the plugin's own limits, in host.toml): it was rolled back"
        ),
        limit,
    }
}
