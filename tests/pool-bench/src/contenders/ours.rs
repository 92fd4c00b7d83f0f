//! The pool of this project. Its defaults are the equal settings, so it has one row.

use std::sync::Arc;

use poolhouse_pool::{Connector, Holder, Lease, Options, Pool};

use crate::backend::Backend;
use crate::contender::{Contender, Size};

pub(crate) struct Ours<B: Backend> {
    pool: Pool<Connections<B>>,
    holder: Holder,
}

impl<B: Backend> Ours<B> {
    pub(crate) fn new(backend: B, size: Size) -> Self {
        let overflow = size.most - size.kept;
        let options = Options {
            pool_size: size.kept,
            max_overflow: i32::try_from(overflow).unwrap_or(i32::MAX),
            ..Options::default()
        };
        Self {
            pool: Pool::new(Connections(backend), options),
            holder: Holder {
                name: Arc::from("bench"),
                chain: 1,
            },
        }
    }
}

impl<B: Backend> Contender for Ours<B> {
    type Held<'a> = Lease<Connections<B>>;

    async fn acquire(&self) -> anyhow::Result<Self::Held<'_>> {
        Ok(self.pool.acquire(&self.holder, None).await?)
    }

    async fn query<'a>(&'a self, lease: &mut Self::Held<'a>) -> anyhow::Result<()> {
        let mut operation = lease.operation();
        let done = self.pool.connector().0.query(&mut operation).await;
        operation.complete();
        if done.is_err() {
            lease.break_off();
        }
        Ok(done?)
    }
}

pub(crate) struct Connections<B>(B);

impl<B: Backend> Connector for Connections<B> {
    type Connection = B::Connection;
    type Error = B::Error;

    async fn connect(&self) -> Result<B::Connection, B::Error> {
        self.0.connect().await
    }

    async fn ping(&self, connection: &mut B::Connection) -> Result<(), B::Error> {
        self.0.ping(connection).await
    }

    async fn reset(&self, _: &mut B::Connection) -> Result<(), B::Error> {
        Ok(())
    }

    async fn close(&self, connection: B::Connection) {
        drop(connection);
    }
}
