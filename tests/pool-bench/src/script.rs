//! A server of no kind that takes its time and goes down as a measure says, and counts who knocks.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::backend::Backend;

/// Connecting takes so long that a pool's choice between opening and waiting shows.
const CONNECT_TAKES: Duration = Duration::from_millis(150);
const QUERY_TAKES: Duration = Duration::from_millis(2);

#[derive(Debug, Clone, Default)]
pub(crate) struct Script(Arc<Server>);

#[derive(Debug, Default)]
struct Server {
    /// Odd while the server is down. A connection lives as long as the era it was opened in.
    era: AtomicU64,
    connect_milliseconds: AtomicU64,
    connects: AtomicU64,
}

/// A connection, dead once the server has been down.
#[derive(Debug)]
pub(crate) struct Link {
    era: u64,
    broken: bool,
}

impl Script {
    /// From now on connecting takes its time; until then it takes none.
    pub(crate) fn slow_down(&self) {
        let milliseconds = u64::try_from(CONNECT_TAKES.as_millis()).unwrap_or(u64::MAX);
        self.0
            .connect_milliseconds
            .store(milliseconds, Ordering::SeqCst);
    }

    /// From now on connecting and pinging fail at once, and every connection is dead.
    pub(crate) fn go_down(&self) {
        self.0.era.fetch_or(1, Ordering::SeqCst);
    }

    pub(crate) fn come_back(&self) {
        self.0.era.fetch_add(1, Ordering::SeqCst);
    }

    /// Attempts to connect so far, those that failed included.
    pub(crate) fn connects(&self) -> u64 {
        self.0.connects.load(Ordering::SeqCst)
    }

    /// Opens a connection, known by the era.
    pub(crate) async fn open(&self) -> io::Result<u64> {
        self.0.connects.fetch_add(1, Ordering::SeqCst);
        let milliseconds = self.0.connect_milliseconds.load(Ordering::SeqCst);
        if milliseconds > 0 {
            sleep(Duration::from_millis(milliseconds)).await;
        }
        let era = self.0.era.load(Ordering::SeqCst);
        if era % 2 == 1 {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        Ok(era)
    }

    /// Says at once whether a connection of that era lives.
    pub(crate) fn check(&self, era: u64) -> io::Result<()> {
        if self.0.era.load(Ordering::SeqCst) == era {
            Ok(())
        } else {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }

    /// Runs a query on a connection of that era.
    pub(crate) async fn answer(&self, era: u64) -> io::Result<()> {
        self.check(era)?;
        sleep(QUERY_TAKES).await;
        self.check(era)
    }
}

impl Backend for Script {
    type Connection = Link;
    type Error = io::Error;

    async fn connect(&self) -> io::Result<Link> {
        let era = self.open().await?;
        Ok(Link { era, broken: false })
    }

    async fn ping(&self, link: &mut Link) -> io::Result<()> {
        let lives = self.check(link.era);
        link.broken = lives.is_err();
        lives
    }

    async fn query(&self, link: &mut Link) -> io::Result<()> {
        let answered = self.answer(link.era).await;
        link.broken = answered.is_err();
        answered
    }

    fn is_broken(&self, link: &Link) -> bool {
        link.broken
    }
}
