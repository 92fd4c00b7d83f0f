//! The WIT interface's functions, each a few lines over `view`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use poolhouse_database::{Database, Error, Refusal, Tenant};
use wasmtime::component::Resource;

use super::{Cursor, DatabaseView, Session, Transaction, convert};
use crate::bindings::poolhouse::database::{database as wit, types as wit_types};

static NEXT_SESSION: AtomicU64 = AtomicU64::new(1);

impl wit_types::Host for DatabaseView<'_> {}

impl wit::Host for DatabaseView<'_> {
    async fn health(&mut self) -> wasmtime::Result<wit::HealthStatus> {
        self.asked("database.health")?;
        Ok(match &self.state.access.database {
            Some(database) if self.state.access.actor.is_some() && self.state.scope.is_some() => {
                let database = database.clone();
                // Over the chain's own connection if it holds one: a second could be what it keeps others from.
                let asked = self
                    .on_chain(None, async |chain, actor| Ok(chain.health(actor).await))
                    .await;
                match asked {
                    Ok(health) => convert::health(health),
                    Err(_) => convert::health(database.health().await),
                }
            }
            _ => wit::HealthStatus {
                state: wit::HealthState::Down,
                since: convert::since(SystemTime::now()),
                backend: String::new(),
                version: String::new(),
                latency: 0,
                message: match (self.state.access.actor(), self.scope()) {
                    (Err(error), _) | (Ok(_), Err(error)) => error.to_string(),
                    (Ok(_), Ok(_)) => "the host runs without a database".to_owned(),
                },
            },
        })
    }

    async fn stats(&mut self) -> wasmtime::Result<wit::PoolStats> {
        self.asked("database.stats")?;
        let access = &self.state.access;
        let pool = access.database.as_ref().map(Database::stats);
        let health = access.database.as_ref().map(Database::pool_health);
        let used = access.tenant.as_ref().map(Tenant::stats);
        Ok(wit::PoolStats {
            size: pool.as_ref().map_or(0, |pool| pool.size),
            checked_in: pool.as_ref().map_or(0, |pool| pool.checked_in),
            checked_out: pool.as_ref().map_or(0, |pool| pool.checked_out),
            overflow: pool.as_ref().map_or(0, |pool| pool.overflow),
            waiting: pool.as_ref().map_or(0, |pool| pool.waiting),
            state: health.as_ref().map_or(wit::HealthState::Down, |health| {
                convert::condition(health.condition)
            }),
            since: convert::since(
                health
                    .as_ref()
                    .map_or_else(SystemTime::now, |health| health.since),
            ),
            message: health.map_or_else(
                || "the host runs without a database".to_owned(),
                |health| health.message,
            ),
            quota: access.quota.max.unwrap_or(u32::MAX),
            reserved: access.quota.reserved,
            used: used.map_or(0, |used| used.checked_out),
        })
    }
}

impl wit::HostSession for DatabaseView<'_> {
    async fn open(
        &mut self,
        sharing: wit::Sharing,
    ) -> wasmtime::Result<Result<Resource<Session>, wit::Error>> {
        self.asked("session.open")?;
        let actor = match self.state.access.actor() {
            Ok(actor) => actor,
            Err(error) => return Ok(Err(convert::error(error))),
        };
        if matches!(sharing, wit::Sharing::Separate) && !actor.grants.separate {
            let message = Refusal::Separate.message(&actor.plugin);
            return Ok(Err(convert::error(Error::Denied(message))));
        }
        let separate = match sharing {
            wit::Sharing::Shared => None,
            wit::Sharing::Separate => Some(NEXT_SESSION.fetch_add(1, Ordering::Relaxed)),
        };
        Ok(self.push(Session { separate })?.map_err(convert::error))
    }

    async fn query(
        &mut self,
        session: Resource<Session>,
        sql: String,
        params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<wit::Answer, wit::Error>> {
        self.asked("session.query")?;
        let place = self.place_of_session(&session)?;
        Ok(DatabaseView::query(self, place, sql, params)
            .await
            .map_err(convert::error))
    }

    async fn execute(
        &mut self,
        session: Resource<Session>,
        sql: String,
        params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        self.asked("session.execute")?;
        let place = self.place_of_session(&session)?;
        Ok(DatabaseView::execute(self, place, sql, params)
            .await
            .map_err(convert::error))
    }

    async fn execute_many(
        &mut self,
        session: Resource<Session>,
        sql: String,
        columns: Vec<wit::Column>,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        self.asked("session.execute-many")?;
        let place = self.place_of_session(&session)?;
        Ok(DatabaseView::execute_many(self, place, sql, columns)
            .await
            .map_err(convert::error))
    }

    async fn begin(
        &mut self,
        session: Resource<Session>,
        options: wit::TransactionOptions,
    ) -> wasmtime::Result<Result<Resource<Transaction>, wit::Error>> {
        self.asked("session.begin")?;
        let separate = self.table.get(&session)?.separate;
        let options = convert::options(options);
        let begun = self
            .on_chain(separate, async |chain, actor| {
                chain.begin(actor, options).await
            })
            .await;
        self.hand_out(separate, begun).await
    }

    async fn open_cursor(
        &mut self,
        session: Resource<Session>,
        sql: String,
        params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<Resource<Cursor>, wit::Error>> {
        self.asked("session.open-cursor")?;
        let place = self.place_of_session(&session)?;
        DatabaseView::open_cursor(self, place, sql, params).await
    }

    async fn drop(&mut self, session: Resource<Session>) -> wasmtime::Result<()> {
        let session = self.delete(session)?;
        if let (Some(session), Some(scope)) = (session.separate, &self.state.scope) {
            scope.forget_separate(session);
        }
        Ok(())
    }
}

impl wit::HostTransaction for DatabaseView<'_> {
    async fn query(
        &mut self,
        transaction: Resource<Transaction>,
        sql: String,
        params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<wit::Answer, wit::Error>> {
        self.asked("transaction.query")?;
        Ok(match self.place_of_transaction(&transaction)? {
            Ok(place) => DatabaseView::query(self, place, sql, params)
                .await
                .map_err(convert::error),
            Err(error) => Err(convert::error(error)),
        })
    }

    async fn execute(
        &mut self,
        transaction: Resource<Transaction>,
        sql: String,
        params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        self.asked("transaction.execute")?;
        Ok(match self.place_of_transaction(&transaction)? {
            Ok(place) => DatabaseView::execute(self, place, sql, params)
                .await
                .map_err(convert::error),
            Err(error) => Err(convert::error(error)),
        })
    }

    async fn execute_many(
        &mut self,
        transaction: Resource<Transaction>,
        sql: String,
        columns: Vec<wit::Column>,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        self.asked("transaction.execute-many")?;
        Ok(match self.place_of_transaction(&transaction)? {
            Ok(place) => DatabaseView::execute_many(self, place, sql, columns)
                .await
                .map_err(convert::error),
            Err(error) => Err(convert::error(error)),
        })
    }

    async fn savepoint(
        &mut self,
        transaction: Resource<Transaction>,
    ) -> wasmtime::Result<Result<Resource<Transaction>, wit::Error>> {
        self.asked("transaction.savepoint")?;
        let parent = match self.place_of_transaction(&transaction)? {
            Ok(_) => self.table.get(&transaction)?,
            Err(error) => return Ok(Err(convert::error(error))),
        };
        let (separate, id) = (parent.separate, parent.id);
        let begun = self
            .on_chain(separate, async |chain, actor| {
                chain.savepoint(actor, id).await
            })
            .await;
        self.hand_out(separate, begun).await
    }

    async fn open_cursor(
        &mut self,
        transaction: Resource<Transaction>,
        sql: String,
        params: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<Resource<Cursor>, wit::Error>> {
        self.asked("transaction.open-cursor")?;
        match self.place_of_transaction(&transaction)? {
            Ok(place) => DatabaseView::open_cursor(self, place, sql, params).await,
            Err(error) => Ok(Err(convert::error(error))),
        }
    }

    async fn commit(
        &mut self,
        transaction: Resource<Transaction>,
    ) -> wasmtime::Result<Result<(), wit::Error>> {
        self.asked("transaction.commit")?;
        Ok(self.end(transaction, true).await?.map_err(convert::error))
    }

    async fn rollback(
        &mut self,
        transaction: Resource<Transaction>,
    ) -> wasmtime::Result<Result<(), wit::Error>> {
        self.asked("transaction.rollback")?;
        Ok(self.end(transaction, false).await?.map_err(convert::error))
    }

    async fn drop(&mut self, transaction: Resource<Transaction>) -> wasmtime::Result<()> {
        // Nobody hears of an error here, and the scope's end makes sure of the rollback anyway.
        let _ = self.end(transaction, false).await?;
        Ok(())
    }
}

impl wit::HostCursor for DatabaseView<'_> {
    async fn columns(
        &mut self,
        cursor: Resource<Cursor>,
    ) -> wasmtime::Result<Vec<wit::ColumnInfo>> {
        self.asked("cursor.columns")?;
        Ok(self.table.get(&cursor)?.columns.clone())
    }

    async fn next(
        &mut self,
        cursor: Resource<Cursor>,
    ) -> wasmtime::Result<Result<Option<wit::Batch>, wit::Error>> {
        self.asked("cursor.next")?;
        let (separate, id) = match self.place_of_cursor(&cursor)? {
            Ok(place) => place,
            Err(error) => return Ok(Err(convert::error(error))),
        };
        let batch = self
            .on_chain(separate, async |chain, _| chain.fetch(id).await)
            .await;
        Ok(match batch {
            Ok(batch) => Ok(batch.map(convert::batch)),
            Err(error) => Err(convert::error(error)),
        })
    }

    async fn drop(&mut self, cursor: Resource<Cursor>) -> wasmtime::Result<()> {
        let place = self.place_of_cursor(&cursor)?;
        self.delete(cursor)?;
        if let Ok((separate, id)) = place {
            self.close_cursor(separate, id).await;
        }
        Ok(())
    }
}
