//! Real connections, which are sqlx's own for every contender: SQLite in memory, each its own, and PostgreSQL.

use std::future::Future;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Error, Postgres, Sqlite};

use crate::backend::Backend;

/// A database that sqlx speaks to.
pub(crate) trait Database: sqlx::Database<Connection: Connection<Options: Sync>> {
    /// `SELECT 1`, which sqlx prepares once on each connection.
    fn select(connection: &mut Self::Connection) -> impl Future<Output = Result<(), Error>> + Send;
}

impl Database for Sqlite {
    async fn select(connection: &mut SqliteConnection) -> Result<(), Error> {
        sqlx::query("SELECT 1").fetch_one(connection).await?;
        Ok(())
    }
}

impl Database for Postgres {
    async fn select(connection: &mut PgConnection) -> Result<(), Error> {
        sqlx::query("SELECT 1").fetch_one(connection).await?;
        Ok(())
    }
}

pub(crate) type Options<DB> = <<DB as sqlx::Database>::Connection as Connection>::Options;

/// How each contender but sqlx's own pool opens its connections.
pub(crate) struct Url<DB: Database>(pub(crate) Options<DB>);

impl<DB: Database> Clone for Url<DB> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Url<Sqlite> {
    pub(crate) fn in_memory() -> Self {
        Self(SqliteConnectOptions::new())
    }
}

impl Url<Postgres> {
    pub(crate) fn of(server: &str) -> anyhow::Result<Self> {
        Ok(Self(server.parse::<PgConnectOptions>()?))
    }
}

impl<DB: Database> Backend for Url<DB> {
    type Connection = DB::Connection;
    type Error = Error;

    async fn connect(&self) -> Result<DB::Connection, Error> {
        DB::Connection::connect_with(&self.0).await
    }

    async fn ping(&self, connection: &mut DB::Connection) -> Result<(), Error> {
        connection.ping().await
    }

    async fn query(&self, connection: &mut DB::Connection) -> Result<(), Error> {
        DB::select(connection).await
    }

    fn is_broken(&self, _: &DB::Connection) -> bool {
        false
    }
}
