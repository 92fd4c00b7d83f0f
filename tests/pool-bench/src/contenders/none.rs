//! No pool at all: what a measure's own loop costs, which every other row includes.

use crate::contender::Contender;

pub(crate) struct NoPool;

impl Contender for NoPool {
    type Held<'a> = ();

    async fn acquire(&self) -> anyhow::Result<()> {
        Ok(())
    }

    async fn query(&self, (): &mut ()) -> anyhow::Result<()> {
        Ok(())
    }
}
