//! Commits orders and high-water marks together, and knows what to do when that fails.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, anyhow};
use poolhouse_database::{Database, Error, TransactionOptions};
use poolhouse_runtime::Scope;
use poolhouse_runtime::trading::{Mark, Order, OrderManager, Outcome};

use super::{TRANSACTION_TIMEOUT, host};

/// Orders in one call of the order manager.
const ORDERS_A_CALL: usize = 2000;
/// Tries of one transaction, with a growing pause between them, before the run ends.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The way to the orders table.
pub(crate) struct Ledger {
    pub(crate) database: Database,
    pub(crate) order_manager: OrderManager,
}

/// How one try ended, if not well.
enum Failed {
    /// It did not happen.
    Not(anyhow::Error),
    /// The connection broke during COMMIT: it may have happened.
    Perhaps(Error),
}

impl Ledger {
    /// Places the orders and moves the marks in one transaction. Tried again while it surely did not happen: a
    /// locked database or a server that restarts is no reason to end a run.
    ///
    /// # Errors
    /// The last try's; then nothing of it is stored, unless the error says that nobody knows.
    pub(crate) async fn commit(&self, orders: &[Order], marks: &[Mark]) -> anyhow::Result<Vec<Outcome>> {
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            let error = match self.try_commit(orders, marks).await {
                Ok(outcomes) => return Ok(outcomes),
                Err(Failed::Not(error)) => error,
                Err(Failed::Perhaps(error)) => {
                    // The marks moved in the same transaction, so they tell.
                    if self.has_happened(marks).await.with_context(|| error.to_string())? {
                        return Ok(Vec::new());
                    }
                    anyhow!(error)
                }
            };
            if tries == TRIES {
                return Err(error.context(format!(
                    "the orders up to {} could not be stored in {TRIES} tries; run again to go on from there",
                    marks.iter().map(|mark| mark.bar_time).max().map_or_else(String::new, super::row::shown)
                )));
            }
            tracing::warn!("orders not stored, trying again in {pause:?}: {error:#}");
            tokio::time::sleep(pause).await;
            pause *= 2;
            tries += 1;
        }
    }

    async fn try_commit(&self, orders: &[Order], marks: &[Mark]) -> Result<Vec<Outcome>, Failed> {
        let scope = Scope::new(Some(self.database.clone()), TRANSACTION_TIMEOUT);
        let done = async {
            let transaction = scope
                .begin(&host(), TransactionOptions::default())
                .await
                .map_err(|error| Failed::Not(error.into()))?;
            let mut outcomes = Vec::with_capacity(orders.len());
            for orders in orders.chunks(ORDERS_A_CALL) {
                let placed = self.order_manager.place(&scope, orders.to_vec()).await;
                outcomes.extend(placed.map_err(|error| Failed::Not(error.into()))?);
            }
            self.order_manager
                .advance(&scope, marks.to_vec())
                .await
                .map_err(|error| Failed::Not(error.into()))?;
            scope.commit(transaction).await.map_err(|error| match error {
                Error::Unavailable {
                    outcome_unknown: true, ..
                } => Failed::Perhaps(error),
                error => Failed::Not(error.into()),
            })?;
            Ok(outcomes)
        }
        .await;
        scope.finish().await;
        done
    }

    /// Every strategy row's mark.
    async fn has_happened(&self, marks: &[Mark]) -> anyhow::Result<bool> {
        let scope = Scope::new(Some(self.database.clone()), TRANSACTION_TIMEOUT);
        let stored = self.order_manager.progress(&scope).await;
        scope.finish().await;
        let stored: HashMap<_, _> = stored?.into_iter().map(|mark| (mark.strategy_id, mark.bar_time)).collect();
        Ok(marks
            .iter()
            .all(|mark| stored.get(&mark.strategy_id).is_some_and(|time| *time >= mark.bar_time)))
    }
}
