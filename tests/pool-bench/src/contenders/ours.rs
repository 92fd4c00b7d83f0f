//! The pool of this project. Its defaults are the equal settings, so it has one row.

use poolhouse_pool::{Connector, Lease, Options, Pool, Quota, Request, Tenant};

use crate::backend::Backend;
use crate::contender::{Contender, Size};

pub(crate) struct Ours<B: Backend> {
    pool: Pool<Connections<B>>,
    tenant: Tenant<Connections<B>>,
}

impl<B: Backend> Ours<B> {
    pub(crate) fn new(backend: B, size: Size) -> anyhow::Result<Self> {
        let overflow = size.most - size.kept;
        let options = Options {
            pool_size: size.kept,
            max_overflow: i32::try_from(overflow).unwrap_or(i32::MAX),
            ..Options::default()
        };
        let pool = Pool::new(Connections(backend), options);
        let tenant = pool.tenant("bench", Quota::default())?;
        Ok(Self { pool, tenant })
    }
}

impl<B: Backend> Contender for Ours<B> {
    type Held<'a> = Lease<Connections<B>>;

    async fn acquire(&self) -> anyhow::Result<Self::Held<'_>> {
        Ok(self.tenant.acquire(&Request::default()).await?)
    }

    async fn query<'a>(&'a self, lease: &mut Self::Held<'a>) -> anyhow::Result<()> {
        let mut operation = lease.operation(None)?;
        let done = self.pool.connector().0.query(&mut operation).await;
        operation.complete();
        match done {
            Ok(()) => Ok(()),
            Err(error) => {
                let told = error.to_string();
                lease.break_off(error);
                Err(anyhow::anyhow!(told))
            }
        }
    }
}

pub(crate) struct Connections<B>(B);

impl<B: Backend> Connector for Connections<B> {
    type Connection = B::Connection;
    type Key = ();
    type Error = B::Error;

    async fn connect(&self) -> Result<(B::Connection, ()), B::Error> {
        Ok((self.0.connect().await?, ()))
    }

    async fn ping(&self, connection: &mut B::Connection) -> Result<(), B::Error> {
        self.0.ping(connection).await
    }

    async fn reset(&self, _: &mut B::Connection) -> Result<(), B::Error> {
        Ok(())
    }

    async fn cancel(&self, (): &()) {}

    async fn close(&self, connection: B::Connection) {
        drop(connection);
    }
}
