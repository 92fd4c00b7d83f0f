//! bb8's pool.

use std::time::Duration;

use bb8::{ManageConnection, Pool, PooledConnection};

use crate::backend::Backend;
use crate::contender::{Contender, Settings, Size};

pub(crate) struct Bb8<B: Backend> {
    pool: Pool<Connections<B>>,
    backend: B,
}

impl<B: Backend> Bb8<B> {
    pub(crate) async fn new(backend: B, size: Size, settings: Settings) -> anyhow::Result<Self> {
        let builder = Pool::builder().max_size(size.most);
        let builder = match settings {
            Settings::Equal => builder
                .connection_timeout(Duration::from_secs(30))
                .test_on_check_out(false),
            Settings::Defaults => builder,
        };
        let pool = builder.build(Connections(backend.clone())).await?;
        Ok(Self { pool, backend })
    }
}

impl<B: Backend> Contender for Bb8<B> {
    type Held<'a> = PooledConnection<'a, Connections<B>>;

    async fn acquire(&self) -> anyhow::Result<Self::Held<'_>> {
        Ok(self.pool.get().await?)
    }

    async fn query<'a>(&'a self, held: &mut Self::Held<'a>) -> anyhow::Result<()> {
        Ok(self.backend.query(held).await?)
    }
}

pub(crate) struct Connections<B>(B);

impl<B: Backend> ManageConnection for Connections<B> {
    type Connection = B::Connection;
    type Error = B::Error;

    async fn connect(&self) -> Result<B::Connection, B::Error> {
        self.0.connect().await
    }

    async fn is_valid(&self, connection: &mut B::Connection) -> Result<(), B::Error> {
        self.0.ping(connection).await
    }

    fn has_broken(&self, connection: &mut B::Connection) -> bool {
        self.0.is_broken(connection)
    }
}
