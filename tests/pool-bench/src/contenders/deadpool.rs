//! deadpool's managed pool. Its manager checks as deadpool-postgres does by default: by the connection's own flag.

use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleError, RecycleResult, Timeouts};

use crate::backend::Backend;
use crate::contender::{Contender, Settings, Size};

pub(crate) struct Deadpool<B: Backend> {
    pool: Pool<Connections<B>>,
}

impl<B: Backend> Deadpool<B> {
    pub(crate) fn new(backend: B, size: Size, settings: Settings) -> anyhow::Result<Self> {
        let builder = Pool::builder(Connections(backend)).max_size(usize::try_from(size.most)?);
        let builder = match settings {
            Settings::Equal => {
                let limit = Some(Duration::from_secs(30));
                // Recycling makes no round trip, so there is nothing to bound.
                let timeouts = Timeouts {
                    wait: limit,
                    create: limit,
                    recycle: None,
                };
                builder.runtime(Runtime::Tokio1).timeouts(timeouts)
            }
            Settings::Defaults => builder,
        };
        let pool = builder.build()?;
        Ok(Self { pool })
    }
}

impl<B: Backend> Contender for Deadpool<B> {
    type Held<'a> = Object<Connections<B>>;

    async fn acquire(&self) -> anyhow::Result<Self::Held<'_>> {
        Ok(self.pool.get().await?)
    }

    async fn query<'a>(&'a self, held: &mut Self::Held<'a>) -> anyhow::Result<()> {
        Ok(self.pool.manager().0.query(held).await?)
    }
}

pub(crate) struct Connections<B>(B);

impl<B: Backend> Manager for Connections<B> {
    type Type = B::Connection;
    type Error = B::Error;

    async fn create(&self) -> Result<B::Connection, B::Error> {
        self.0.connect().await
    }

    async fn recycle(
        &self,
        connection: &mut B::Connection,
        _: &Metrics,
    ) -> RecycleResult<B::Error> {
        if self.0.is_broken(connection) {
            return Err(RecycleError::message("broken"));
        }
        Ok(())
    }
}
