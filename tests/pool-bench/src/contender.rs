//! A pool as the measures see it: something that lends connections, with a name for its row.

use std::future::Future;

/// Whose pool it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Library {
    NoPool,
    Ours,
    Deadpool,
    Bb8,
    Sqlx,
}

/// With which settings it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settings {
    /// The same safety for all: a caller waits for 30 s at most, and a connection used just now is lent unchecked.
    Equal,
    /// What the library's own `Default` says, but for the number of connections.
    Defaults,
}

/// One row of every table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entrant {
    pub(crate) library: Library,
    pub(crate) settings: Settings,
}

impl Entrant {
    /// Our defaults are the equal settings.
    pub(crate) const OURS: Self = Self::new(Library::Ours, Settings::Equal);

    /// All pools, in the order in which they take turns.
    pub(crate) const POOLS: [Self; 7] = [
        Self::OURS,
        Self::new(Library::Deadpool, Settings::Equal),
        Self::new(Library::Bb8, Settings::Equal),
        Self::new(Library::Sqlx, Settings::Equal),
        Self::new(Library::Deadpool, Settings::Defaults),
        Self::new(Library::Bb8, Settings::Defaults),
        Self::new(Library::Sqlx, Settings::Defaults),
    ];

    pub(crate) const fn new(library: Library, settings: Settings) -> Self {
        Self { library, settings }
    }

    /// Whether our goals are set against it.
    pub(crate) fn is_equal_peer(self) -> bool {
        let is_peer = !matches!(self.library, Library::NoPool | Library::Ours);
        is_peer && self.settings == Settings::Equal
    }

    pub(crate) fn name(self) -> &'static str {
        match self.library {
            Library::NoPool => "no pool",
            Library::Ours => "poolhouse",
            Library::Deadpool => "deadpool",
            Library::Bb8 => "bb8",
            Library::Sqlx => "sqlx",
        }
    }

    pub(crate) fn settings(self) -> &'static str {
        match (self.library, self.settings) {
            (Library::NoPool, _) => "",
            (Library::Ours, _) => "equal, defaults",
            (_, Settings::Equal) => "equal",
            (_, Settings::Defaults) => "defaults",
        }
    }
}

/// How many connections a pool may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Kept open once they are.
    pub(crate) kept: u32,
    /// Ever open at once.
    pub(crate) most: u32,
}

impl Size {
    /// As many kept as there can be.
    pub(crate) const fn fixed(connections: u32) -> Self {
        Self {
            kept: connections,
            most: connections,
        }
    }
}

/// One pool under measure. What it lends goes back when that is dropped, as each library's users do it.
pub(crate) trait Contender: Send + Sync + 'static {
    type Held<'a>: Send
    where
        Self: 'a;

    fn acquire(&self) -> impl Future<Output = anyhow::Result<Self::Held<'_>>> + Send;

    /// What the caller does with the connection; where it fails, what the library's users do with a broken one.
    fn query<'a>(
        &'a self,
        held: &mut Self::Held<'a>,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Has that many connections open, each used once and idle again.
pub(crate) async fn warm_up<C: Contender>(contender: &C, connections: u32) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for _ in 0..connections {
        let mut held = contender.acquire().await?;
        contender.query(&mut held).await?;
        all.push(held);
    }
    drop(all);
    // sqlx takes them back in tasks of their own.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    Ok(())
}
