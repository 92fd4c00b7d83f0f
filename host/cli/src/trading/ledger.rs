//! Commits orders and high-water marks together, and knows what to do when that fails.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use poolhouse_database::{Database, Error, TransactionOptions};
use poolhouse_runtime::trading::{Mark, Order, OrderManager, Outcome};
use poolhouse_runtime::{CallError, Interface, Plugins, Scope};
use tokio::sync::watch;

use super::{TRANSACTION_TIMEOUT, host};

/// Orders in one call of the order manager.
const ORDERS_A_CALL: usize = 2048;
/// For how long a transaction is tried again while the database is away or somebody else's work is in its way: as
/// long as a server takes to restart.
const PATIENCE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What a try may still take once the host is to stop.
const LAST_TRY: Duration = Duration::from_secs(3);

/// The way to the orders table.
pub(crate) struct Ledger {
    pub(crate) database: Database,
    pub(crate) plugins: Plugins,
}

/// How one try ended, if not well.
enum Failed {
    /// It did not happen, and may go well another time.
    Passing(anyhow::Error),
    /// It did not happen, and never will.
    Final(anyhow::Error),
    /// The connection broke during COMMIT: it may have happened, with these outcomes.
    Perhaps(Error, Vec<Outcome>),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        if error.is_passing() {
            Self::Passing(error.into())
        } else {
            Self::Final(error.into())
        }
    }
}

impl From<CallError> for Failed {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Database(error) => (*error).into(),
            // The order manager only waits for the database. What it began is rolled back.
            CallError::Gone { .. } | CallError::Stopped { .. } => Self::Passing(error.into()),
            CallError::TimedOut { .. } | CallError::Busy { .. } => Self::Passing(anyhow!(
                "{error}: the database hangs, is overloaded, or somebody holds a lock on its tables"
            )),
            _ => Self::Final(error.into()),
        }
    }
}

impl Failed {
    /// The order manager, or the host's own transaction, may fail in whatever way after the database gave it `trouble`:
    /// then that is the cause, and may pass.
    fn because_of(self, trouble: Option<Error>) -> Self {
        match (self, trouble) {
            (Self::Final(error), Some(trouble)) => {
                let (said, cause) = (format!("{error:#}"), trouble.to_string());
                Self::Passing(if said.contains(&cause) {
                    error
                } else {
                    anyhow!("{said}: {cause}")
                })
            }
            (failed, _) => failed,
        }
    }
}

impl Ledger {
    /// Places the orders and moves the marks in one transaction, and answers each order's outcome; none where the host was
    /// to stop before they were stored. It is tried again while it surely did not happen; where nobody knows, the marks
    /// are asked, since they move in the same transaction.
    ///
    /// # Errors
    /// The last try's. Nothing of it is stored then, unless the error says that nobody knows; a new run goes on
    /// correctly in either case.
    pub(crate) async fn commit(
        &self,
        orders: &[Order],
        marks: &[Mark],
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<Option<Vec<Outcome>>> {
        let time = marks
            .iter()
            .map(|mark| mark.bar_time)
            .max()
            .map_or_else(String::new, super::row::shown);
        let until = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        // The outcomes of a COMMIT that broke off, until it is known whether it happened.
        let mut perhaps: Option<Vec<Outcome>> = None;
        loop {
            let tried = tokio::select! {
                tried = self.try_once(orders, marks, &mut perhaps) => tried,
                () = out_of_time(stop.clone()) => {
                    tracing::warn!("stopped while the database did not answer: the orders up to {time} may not be stored");
                    return Ok(None);
                }
            };
            let error = match tried {
                Ok(outcomes) => return Ok(Some(outcomes)),
                Err(Failed::Final(error)) => return Err(error),
                Err(Failed::Passing(error)) => error,
                Err(Failed::Perhaps(error, outcomes)) => {
                    perhaps = Some(outcomes);
                    error.into()
                }
            };
            if Instant::now() + pause > until {
                return Err(error.context(format!(
                    "the orders up to {time} could not be stored within {PATIENCE:?}; mend the database and run again to go on from there"
                )));
            }
            let mut stop = stop.clone();
            if *stop.borrow_and_update() {
                tracing::warn!(
                    "stopped while the orders up to {time} could not be stored: {error:#}"
                );
                return Ok(None);
            }
            tracing::warn!(
                "the orders up to {time} are not stored yet, trying again in {pause:?}: {error:#}"
            );
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One try; where an earlier one may have happened, that is asked first.
    async fn try_once(
        &self,
        orders: &[Order],
        marks: &[Mark],
        perhaps: &mut Option<Vec<Outcome>>,
    ) -> Result<Vec<Outcome>, Failed> {
        if let Some(outcomes) = perhaps.take() {
            match self.has_happened(marks).await {
                Ok(true) => return Ok(outcomes),
                Ok(false) => {}
                Err(error) => {
                    *perhaps = Some(outcomes);
                    return Err(Failed::Passing(
                        error.context("whether the last orders were stored is not known"),
                    ));
                }
            }
        }
        self.try_commit(orders, marks).await
    }

    async fn try_commit(&self, orders: &[Order], marks: &[Mark]) -> Result<Vec<Outcome>, Failed> {
        let scope = Scope::new(Some(self.database.clone()), TRANSACTION_TIMEOUT);
        let done = self.try_commit_in(&scope, orders, marks).await;
        scope.finish().await;
        done.map_err(|failed| failed.because_of(scope.trouble()))
    }

    async fn try_commit_in(
        &self,
        scope: &Arc<Scope>,
        orders: &[Order],
        marks: &[Mark],
    ) -> Result<Vec<Outcome>, Failed> {
        let transaction = scope.begin(&host(), TransactionOptions::default()).await?;
        let outcomes = match self.store(scope, orders, marks).await {
            Ok(outcomes) => outcomes,
            Err(failed) => {
                // An error here has lost the connection and the work with it: the first one says more.
                let _ = scope.rollback(transaction).await;
                return Err(failed);
            }
        };
        match scope.commit(transaction).await {
            Ok(()) => Ok(outcomes),
            Err(
                error @ Error::Unavailable {
                    outcome_unknown: true,
                    ..
                },
            ) => Err(Failed::Perhaps(error, outcomes)),
            Err(error) => Err(error.into()),
        }
    }

    async fn store(
        &self,
        scope: &Arc<Scope>,
        orders: &[Order],
        marks: &[Mark],
    ) -> Result<Vec<Outcome>, Failed> {
        let order_manager = self.order_manager().map_err(Failed::Passing)?;
        let mut outcomes = Vec::with_capacity(orders.len());
        for orders in orders.chunks(ORDERS_A_CALL) {
            let placed = order_manager.place(scope, orders.to_vec()).await?;
            if placed.len() != orders.len() {
                return Err(Failed::Final(anyhow!(
                    "plugin \"{}\" answered {} outcomes to {} orders",
                    order_manager.plugin().name(),
                    placed.len(),
                    orders.len()
                )));
            }
            outcomes.extend(placed);
        }
        order_manager.advance(scope, marks.to_vec()).await?;
        Ok(outcomes)
    }

    /// The one of this moment: it may be replaced between two transactions, and where it was taken away it may come back.
    fn order_manager(&self) -> anyhow::Result<OrderManager> {
        super::only(&self.plugins, Interface::OrderManager, OrderManager::of)
    }

    /// Whether the stored marks are as far as these.
    async fn has_happened(&self, marks: &[Mark]) -> anyhow::Result<bool> {
        let scope = Scope::new(Some(self.database.clone()), TRANSACTION_TIMEOUT);
        let stored = self.order_manager()?.progress(&scope).await;
        scope.finish().await;
        let stored: HashMap<_, _> = stored?
            .into_iter()
            .map(|mark| (mark.strategy_id, mark.bar_time))
            .collect();
        Ok(marks.iter().all(|mark| {
            stored
                .get(&mark.strategy_id)
                .is_some_and(|time| *time >= mark.bar_time)
        }))
    }
}

/// Resolves when the host has been told to stop and the last try has had its time.
async fn out_of_time(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could say it.
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(LAST_TRY).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unavailable() -> Error {
        Error::Unavailable {
            reason: poolhouse_database::UnavailableReason::File,
            message: "disk I/O error".to_owned(),
            outcome_unknown: false,
        }
    }

    fn said(failed: Failed) -> Result<String, String> {
        match failed {
            Failed::Passing(error) => Ok(error.to_string()),
            Failed::Final(error) => Err(error.to_string()),
            Failed::Perhaps(error, _) => panic!("{error}"),
        }
    }

    #[test]
    fn what_the_database_caused_may_pass() {
        let failed = |message: &str| CallError::Failed {
            plugin: "order-manager".into(),
            function: "place".into(),
            message: message.to_owned(),
        };
        let because = |error: CallError, trouble| said(Failed::from(error).because_of(trouble));
        assert_eq!(
            because(failed("disk I/O error"), Some(unavailable())).as_deref(),
            Ok("plugin \"order-manager\" failed in place: disk I/O error")
        );
        assert_eq!(
            because(failed("oh"), Some(unavailable())).as_deref(),
            Ok("plugin \"order-manager\" failed in place: oh: disk I/O error")
        );
        assert!(because(failed("disk I/O error"), None).is_err());
        let timed_out = CallError::TimedOut {
            plugin: "order-manager".into(),
            function: "place".into(),
            limit: Duration::from_secs(10),
            setting: "limit `call_timeout`",
            place: None,
        };
        let text = because(timed_out, None).unwrap();
        assert!(text.contains("the database hangs"), "{text}");
        assert!(because(unavailable().into(), None).is_ok());
        assert!(because(Error::Closed("over".to_owned()).into(), None).is_err());
    }
}
