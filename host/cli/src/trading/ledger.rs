//! Commits orders and high-water marks together, and knows what to do when that fails.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use poolhouse_database::{Database, Error, TransactionOptions};
use poolhouse_runtime::trading::{Mark, Order, OrderManager, Outcome};
use poolhouse_runtime::{CallError, Scope};
use tokio::sync::watch;

use super::{TRANSACTION_TIMEOUT, host};

/// Orders in one call of the order manager.
const ORDERS_A_CALL: usize = 2048;
/// For how long a transaction is tried again while the database is away or somebody else's work is in its way: as
/// long as a server takes to restart.
const PATIENCE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Tries of a transaction that the order manager itself refuses: it may have met a conflict, which it can't tell.
const REFUSALS: u32 = 3;

/// The way to the orders table.
pub(crate) struct Ledger {
    pub(crate) database: Database,
    pub(crate) order_manager: OrderManager,
}

/// How one try ended, if not well.
enum Failed {
    /// It did not happen, and may go well another time.
    Passing(anyhow::Error),
    /// It did not happen: the order manager refused.
    Refused(anyhow::Error),
    /// It did not happen, and never will.
    Final(anyhow::Error),
    /// The connection broke during COMMIT: it may have happened, with these outcomes.
    Perhaps(Error, Vec<Outcome>),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        match error {
            Error::Conflict { .. }
            | Error::Unavailable { .. }
            | Error::PoolExhausted { .. }
            | Error::Timeout { .. } => Self::Passing(error.into()),
            _ => Self::Final(error.into()),
        }
    }
}

impl From<CallError> for Failed {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Database(error) => (*error).into(),
            CallError::Failed { .. } => Self::Refused(error.into()),
            _ => Self::Final(error.into()),
        }
    }
}

impl Ledger {
    /// Places the orders and moves the marks in one transaction, and answers each order's outcome. It is tried again
    /// while it surely did not happen; where nobody knows, the marks are asked, since they move in the same transaction.
    ///
    /// # Errors
    /// The last try's. Nothing of it is stored then, unless the error says that nobody knows; a new run goes on
    /// correctly in either case.
    pub(crate) async fn commit(
        &self,
        orders: &[Order],
        marks: &[Mark],
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<Vec<Outcome>> {
        let until = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        let mut refusals = 0;
        // The outcomes of a COMMIT that broke off, until it is known whether it happened.
        let mut perhaps: Option<Vec<Outcome>> = None;
        loop {
            let tried = match perhaps.take() {
                None => self.try_commit(orders, marks).await,
                Some(outcomes) => match self.has_happened(marks).await {
                    Ok(true) => return Ok(outcomes),
                    Ok(false) => self.try_commit(orders, marks).await,
                    Err(error) => {
                        perhaps = Some(outcomes);
                        Err(Failed::Passing(error.context(
                            "whether the last orders were stored is not known",
                        )))
                    }
                },
            };
            let error = match tried {
                Ok(outcomes) => return Ok(outcomes),
                Err(Failed::Final(error)) => return Err(error),
                Err(Failed::Refused(error)) => {
                    refusals += 1;
                    if refusals == REFUSALS {
                        return Err(error);
                    }
                    error
                }
                Err(Failed::Passing(error)) => error,
                Err(Failed::Perhaps(error, outcomes)) => {
                    perhaps = Some(outcomes);
                    error.into()
                }
            };
            let time = marks
                .iter()
                .map(|mark| mark.bar_time)
                .max()
                .map_or_else(String::new, super::row::shown);
            if Instant::now() + pause > until {
                return Err(error.context(format!(
                    "the orders up to {time} could not be stored within {PATIENCE:?}; run again to go on from there"
                )));
            }
            tracing::warn!(
                "the orders up to {time} are not stored yet, trying again in {pause:?}: {error:#}"
            );
            let mut stop = stop.clone();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => {
                    bail!("stopped while the orders up to {time} could not be stored ({error:#}); run again to go on from there");
                }
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_commit(&self, orders: &[Order], marks: &[Mark]) -> Result<Vec<Outcome>, Failed> {
        let scope = Scope::new(Some(self.database.clone()), TRANSACTION_TIMEOUT);
        let done = self.try_commit_in(&scope, orders, marks).await;
        scope.finish().await;
        done
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
        let mut outcomes = Vec::with_capacity(orders.len());
        for orders in orders.chunks(ORDERS_A_CALL) {
            let placed = self.order_manager.place(scope, orders.to_vec()).await?;
            if placed.len() != orders.len() {
                return Err(Failed::Final(anyhow!(
                    "plugin \"{}\" answered {} outcomes to {} orders",
                    self.order_manager.plugin().name(),
                    placed.len(),
                    orders.len()
                )));
            }
            outcomes.extend(placed);
        }
        self.order_manager.advance(scope, marks.to_vec()).await?;
        Ok(outcomes)
    }

    /// Whether the stored marks are as far as these.
    async fn has_happened(&self, marks: &[Mark]) -> anyhow::Result<bool> {
        let scope = Scope::new(Some(self.database.clone()), TRANSACTION_TIMEOUT);
        let stored = self.order_manager.progress(&scope).await;
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
