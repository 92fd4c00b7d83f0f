//! sqlx's own pool, which lends sqlx's connections only: where the others run on a script, its hooks follow the script.

use std::time::Duration;

use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Pool, Sqlite};

use crate::contender::{Contender, Settings, Size};
use crate::database::{Database, Url};
use crate::script::Script;

fn options<DB: Database>(size: Size, settings: Settings) -> PoolOptions<DB> {
    let options = PoolOptions::new().max_connections(size.most);
    match settings {
        Settings::Equal => options
            .acquire_timeout(Duration::from_secs(30))
            .test_before_acquire(false),
        Settings::Defaults => options,
    }
}

pub(crate) struct Sqlx<DB: Database> {
    pool: Pool<DB>,
}

impl<DB: Database> Sqlx<DB> {
    pub(crate) fn new(url: Url<DB>, size: Size, settings: Settings) -> Self {
        Self {
            pool: options(size, settings).connect_lazy_with(url.0),
        }
    }
}

impl<DB: Database> Contender for Sqlx<DB> {
    type Held<'a> = PoolConnection<DB>;

    async fn acquire(&self) -> anyhow::Result<Self::Held<'_>> {
        Ok(self.pool.acquire().await?)
    }

    async fn query<'a>(&'a self, held: &mut Self::Held<'a>) -> anyhow::Result<()> {
        Ok(DB::select(held).await?)
    }
}

/// On SQLite in memory, where opening takes well under a millisecond. What the script does to connecting happens in
/// `after_connect`, whose error sends sqlx down the same path as a refused connection; what it does to pings happens
/// in `before_acquire` where sqlx would ping and in `after_release`, where it always does.
pub(crate) struct ScriptedSqlx {
    pool: Pool<Sqlite>,
    script: Script,
}

impl ScriptedSqlx {
    pub(crate) fn new(script: &Script, size: Size, settings: Settings) -> Self {
        let options = options::<Sqlite>(size, settings);
        let opening = script.clone();
        let options = options.after_connect(move |connection, _| {
            let script = opening.clone();
            Box::pin(async move {
                let era = script.open().await?;
                sign(connection, era).await
            })
        });
        let returning = script.clone();
        let options = options.after_release(move |connection, _| {
            let script = returning.clone();
            Box::pin(async move { Ok(script.check(era(connection).await?).is_ok()) })
        });
        let lending = script.clone();
        let options = match settings {
            Settings::Equal => options,
            Settings::Defaults => options.before_acquire(move |connection, _| {
                let script = lending.clone();
                Box::pin(async move { Ok(script.check(era(connection).await?).is_ok()) })
            }),
        };
        Self {
            pool: options.connect_lazy_with(SqliteConnectOptions::new()),
            script: script.clone(),
        }
    }
}

impl Contender for ScriptedSqlx {
    type Held<'a> = PoolConnection<Sqlite>;

    async fn acquire(&self) -> anyhow::Result<Self::Held<'_>> {
        Ok(self.pool.acquire().await?)
    }

    async fn query<'a>(&'a self, held: &mut Self::Held<'a>) -> anyhow::Result<()> {
        let era = era(held).await?;
        Ok(self.script.answer(era).await?)
    }
}

/// Keeps the era a connection was opened in where its own database has room for a number.
async fn sign(connection: &mut SqliteConnection, era: u64) -> Result<(), sqlx::Error> {
    let pragma = AssertSqlSafe(format!("PRAGMA user_version = {era}"));
    sqlx::query(pragma).execute(connection).await?;
    Ok(())
}

async fn era(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let era: u32 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(connection)
        .await?;
    Ok(u64::from(era))
}
