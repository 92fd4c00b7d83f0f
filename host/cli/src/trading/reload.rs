//! Takes in what has changed of strategy rows, users and subscriptions while a feed is traded. Rows that have not changed go on with
//! their memory; no bar is lost.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use poolhouse_database::TransactionOptions;
use poolhouse_runtime::Scope;
use poolhouse_runtime::trading::{StrategyRow, Subscriber};
use tokio::sync::{oneshot, watch};

use super::desk::{Desk, marks, subscribers};
use super::row::Row;
use super::{Services, TRANSACTION_TIMEOUT, host};

/// A wish that the desk take in what has changed, and where the answer goes.
pub(crate) type Reload = oneshot::Sender<Result<Reloaded, String>>;

/// What a reload changed, by the rows' ids.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reloaded {
    pub(crate) added: Vec<String>,
    pub(crate) changed: Vec<String>,
    pub(crate) removed: Vec<String>,
    /// Sentences; a row that has changed and can't run goes on as it was.
    pub(crate) failed: Vec<String>,
}

/// What is stored now.
struct Stored {
    rows: Vec<StrategyRow>,
    subscribers: HashMap<String, Vec<Subscriber>>,
    marks: HashMap<String, i64>,
}

impl Desk {
    /// Reloads between two bar times, and answers who asked.
    ///
    /// # Errors
    /// Only where what was traded before can't be stored.
    pub(super) async fn reload(
        &mut self,
        reload: Reload,
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        // By the old rows and subscriptions.
        self.commit(stop).await?;
        let reloaded = self.try_reload().await;
        let answer = reloaded.map_err(|error| format!("nothing was reloaded: {error:#}"));
        match &answer {
            Ok(done) => tracing::info!(
                added = ?done.added, changed = ?done.changed, removed = ?done.removed, failed = ?done.failed,
                "reloaded"
            ),
            Err(error) => tracing::warn!("{error}"),
        }
        // Who asked may not have waited.
        let _ = reload.send(answer);
        Ok(())
    }

    async fn try_reload(&mut self) -> anyhow::Result<Reloaded> {
        let plugins = self.ledger.plugins.clone();
        let scope = Scope::new(Some(self.ledger.database.clone()), TRANSACTION_TIMEOUT);
        let read = async {
            let options = TransactionOptions {
                read_only: true,
                ..TransactionOptions::default()
            };
            let transaction = scope.begin(&host(), options).await?;
            let read = read(&Services::find(&plugins)?, &scope).await;
            // It only read: what comes of its end changes nothing.
            let _ = scope.rollback(transaction).await;
            read
        }
        .await;
        scope.finish().await;
        let stored = read?;
        let mut done = Reloaded::default();
        let mut before: HashMap<_, _> = std::mem::take(&mut self.rows)
            .into_iter()
            .map(|row| (row.id.clone(), row))
            .collect();
        let mut rows = Vec::new();
        for row in stored.rows.into_iter().filter(|row| row.enabled) {
            let id = row.id.clone();
            let old = before.remove(&id);
            let mark = stored.marks.get(&id).copied();
            match old {
                Some(old) if is_same(old.stored(), &row) && old.set_aside().is_none() => {
                    rows.push(old);
                }
                old => match self.begin(row, mark, old.as_ref()).await {
                    Ok(mut new) => {
                        match old {
                            Some(old) => {
                                new.statistics = old.statistics;
                                done.changed.push(id);
                            }
                            None => done.added.push(id),
                        }
                        rows.push(new);
                    }
                    Err(error) => {
                        done.failed.push(format!("{error:#}"));
                        rows.extend(old);
                    }
                },
            }
        }
        done.removed = before.into_keys().collect();
        done.removed.sort();
        self.subscribers = stored.subscribers;
        self.set_rows(rows);
        Ok(done)
    }

    /// A row that begins in the middle of a feed, perhaps in the place of one before: it remembers the last bars, and trades on those
    /// that come from now on.
    async fn begin(
        &self,
        row: StrategyRow,
        mark: Option<i64>,
        before: Option<&Row>,
    ) -> anyhow::Result<Row> {
        let id = row.id.clone();
        let scope = Scope::new(Some(self.ledger.database.clone()), TRANSACTION_TIMEOUT);
        let plugins = &self.ledger.plugins;
        let started = Row::start(row, plugins, &scope, mark, self.settings.bar_timeout).await;
        scope.finish().await;
        let mut row = started?;
        if let Some(closed) = self.closed {
            let warmed = row.warm(before, &self.history, closed).await;
            warmed.with_context(|| format!("strategy row \"{id}\""))?;
        }
        Ok(row)
    }
}

async fn read(services: &Services, scope: &Arc<Scope>) -> anyhow::Result<Stored> {
    Ok(Stored {
        rows: services.config_loader.strategies(scope).await?,
        subscribers: subscribers(services, scope).await?,
        marks: marks(services, scope).await?,
    })
}

fn is_same(one: &StrategyRow, other: &StrategyRow) -> bool {
    let parameters = |row: &StrategyRow| -> Vec<_> {
        let parameters = row.parameters.iter();
        parameters
            .map(|parameter| (parameter.name.clone(), parameter.value.clone()))
            .collect()
    };
    one.plugin == other.plugin
        && one.symbols == other.symbols
        && parameters(one) == parameters(other)
}
