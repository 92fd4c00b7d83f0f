//! One misbehaviour, done by more callers at once than there are processors, beside a bystander, on both databases; and what
//! must be so afterwards.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use poolhouse_database::{Grants, PoolOptions, Tables};
use poolhouse_runtime::{Answer, CallError, Limits, PluginOptions};
use poolhouse_tests::conformance::{Other, Setup, Stage};
use poolhouse_tests::{BACKENDS, Backend, test_guest};

use super::bystander::{Bystander, TABLE};

/// What a culprit's call may take; a host that it stalls is stalled for so long.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(3);

/// The culprit, as a plugin.
pub(crate) const CULPRIT: &str = "culprit";

/// The pool that all share.
const POOL_SIZE: u32 = 4;
const MAX_OVERFLOW: i32 = 4;

/// How often it misbehaves before the host's memory is looked at.
const WARMING: u32 = 2;

/// How long the host works for others before its memory is looked at: the allocator gives back what it has kept while it works.
const AT_REST: Duration = Duration::from_millis(500);

/// Longer than the allocator keeps pages that nobody uses, which is ten seconds.
const GIVING_BACK: Duration = Duration::from_secs(20);

/// How long what was cancelled may take to be gone.
const ENDING: Duration = Duration::from_secs(5);

/// One at a time: they measure time and this process's memory.
static ALONE: Mutex<()> = Mutex::new(());

/// What comes of a call.
#[derive(Clone, Copy)]
pub(crate) enum Ends {
    /// The call fails and says all these words.
    Failing(&'static [&'static str]),
    /// The call answers, and its answer has all these words.
    Answering(&'static [&'static str]),
}

/// One misbehaviour.
pub(crate) struct Case {
    pub(crate) component: Vec<u8>,
    pub(crate) function: &'static str,
    /// As WAVE.
    pub(crate) arguments: Vec<String>,
    pub(crate) ends: Ends,
    pub(crate) limits: Limits,
    /// Functions beyond those that everybody may call.
    pub(crate) functions: &'static [&'static str],
    /// Calls one after the other by each caller.
    pub(crate) calls: u32,
    /// A transaction that has written is open meanwhile: on SQLite nobody else can write.
    pub(crate) writes: bool,
    /// A second copy, which each of the two imports from.
    pub(crate) paired: Option<&'static str>,
    /// It can do right too.
    pub(crate) repents: bool,
}

impl Case {
    /// A guest of `tests/guests/misbehaving/examples` that misbehaves in that way.
    pub(crate) fn of(guest: &str, how: &str, ends: Ends) -> anyhow::Result<Self> {
        let component = std::fs::read(test_guest(guest)?)?;
        Ok(Self {
            arguments: vec![format!("{how:?}")],
            function: "culprit.misbehave",
            repents: true,
            ..Self::of_component(component, ends)
        })
    }

    /// A guest of `tests/guests/misbehaving/wat`.
    pub(crate) fn of_text(guest: &str, ends: Ends) -> anyhow::Result<Self> {
        let file =
            poolhouse_tests::root().join(format!("tests/guests/misbehaving/wat/{guest}.wat"));
        Ok(Self::of_component(wat::parse_file(file)?, ends))
    }

    fn of_component(component: Vec<u8>, ends: Ends) -> Self {
        Self {
            component,
            function: "misbehave",
            arguments: Vec::new(),
            ends,
            limits: Limits {
                call_timeout: CALL_TIMEOUT,
                ..Limits::default()
            },
            functions: &[],
            calls: 1,
            writes: false,
            paired: None,
            repents: false,
        }
    }

    /// Plays it on both databases.
    pub(crate) fn play(&self) -> anyhow::Result<()> {
        for backend in BACKENDS {
            self.play_on(backend)?;
        }
        Ok(())
    }

    /// Plays it on one.
    pub(crate) fn play_on(&self, backend: Backend) -> anyhow::Result<()> {
        let _alone = alone();
        let place = format!("{} {:?} on {backend:?}", self.function, self.arguments);
        self.play_alone(backend).context(place)
    }

    fn play_alone(&self, backend: Backend) -> anyhow::Result<()> {
        let stage = self.stage(backend)?;
        let writes = !(self.writes && backend == Backend::Sqlite);
        // Before anything is measured: threads, caches and connections come with the first.
        for _ in 0..WARMING {
            self.round(&stage, writes)?;
        }
        let before = at_rest(&stage, None)?;
        self.round(&stage, writes)?;
        let most = before + before / 10;
        let after = at_rest(&stage, Some(most))?;
        ensure!(
            after <= most,
            "the host's memory went from {before} to {after} KiB"
        );
        if self.repents {
            for honest in 1..=3 {
                let answer = stage.wait(stage.spawn(CULPRIT, "culprit.honest", &[]))??;
                ensure!(
                    answer.text == Some(format!("ok({honest})")),
                    "the culprit's honest call {honest}: {answer:?}"
                );
            }
        }
        is_clean(&stage)?;
        ensure!(stage.close() == 0, "connections were left at the end");
        Ok(())
    }

    pub(crate) fn stage(&self, backend: Backend) -> anyhow::Result<Stage> {
        let other = |name, uses: &'static str| Other {
            name,
            component: self.component.clone(),
            options: PluginOptions {
                grants: Some(Grants {
                    read: Tables::Some(["culprit".to_owned()].into()),
                    write: Tables::Some(["culprit".to_owned()].into()),
                    functions: self.functions.iter().map(|&name| name.to_owned()).collect(),
                    ..Grants::default()
                }),
                limits: self.limits.clone(),
                uses: self
                    .paired
                    .map(|interface| (interface.to_owned(), uses.to_owned()))
                    .into_iter()
                    .collect(),
                ..PluginOptions::default()
            },
        };
        let mut others = vec![other(CULPRIT, "accomplice")];
        if self.paired.is_some() {
            others.push(other("accomplice", CULPRIT));
        }
        let setup = Setup {
            pool: PoolOptions {
                pool_size: POOL_SIZE,
                max_overflow: MAX_OVERFLOW,
                ..PoolOptions::default()
            },
            busy_timeout: Duration::from_secs(5),
            others,
            ..Setup::default()
        };
        let tables = format!("CREATE TABLE culprit (id BIGINT); {TABLE}");
        Stage::start_with(backend, &tables, setup)
    }

    /// Misbehaves by one caller more than there are processors, while the bystander works.
    fn round(&self, stage: &Stage, writes: bool) -> anyhow::Result<()> {
        let mut bystander = Bystander::new(stage, writes)?;
        let callers = std::thread::available_parallelism()?.get() + 1;
        for _ in 0..self.calls {
            let calls: Vec<_> = (0..callers)
                .map(|_| stage.spawn(CULPRIT, self.function, &self.arguments))
                .collect();
            // Those that end at once too are to be beside at least one.
            bystander.call()?;
            while !calls.iter().all(tokio::task::JoinHandle::is_finished) {
                bystander.call()?;
            }
            for call in calls {
                self.ended_rightly(stage.wait(call)?)?;
            }
        }
        bystander.call()?;
        bystander.saw_nothing()?;
        is_clean(stage)?;
        let rows = stage.text("SELECT CAST(count(*) AS TEXT) FROM culprit")?;
        ensure!(rows == "0", "{rows} rows of the culprit's were kept");
        Ok(())
    }

    fn ended_rightly(&self, result: Result<Answer, CallError>) -> anyhow::Result<()> {
        let (said, words) = match (self.ends, result) {
            (Ends::Failing(words), Err(error)) => (error.to_string(), words),
            (Ends::Answering(words), Ok(answer)) => {
                (answer.failure.or(answer.text).unwrap_or_default(), words)
            }
            (Ends::Failing(_), Ok(answer)) => anyhow::bail!("it answered {answer:?}"),
            (Ends::Answering(_), Err(error)) => anyhow::bail!("it failed: {error}"),
        };
        for word in words {
            ensure!(said.contains(word), "no \"{word}\" in: {said}");
        }
        Ok(())
    }
}

pub(crate) fn alone() -> MutexGuard<'static, ()> {
    // A test that failed has said so by itself.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nothing is lent, nobody waits, the pool is within its bounds, and the database shows nothing of the host's.
pub(crate) fn is_clean(stage: &Stage) -> anyhow::Result<()> {
    let until = Instant::now() + ENDING;
    let stats = loop {
        let stats = stage.database().stats();
        let busy = stats.checked_out + stats.waiting + stats.connecting + stats.closing;
        if busy == 0 {
            break stats;
        }
        ensure!(Instant::now() < until, "the pool is still busy: {stats:?}");
        std::thread::yield_now();
    };
    ensure!(
        stats.total() == stats.checked_in
            && stats.total() <= POOL_SIZE + MAX_OVERFLOW.unsigned_abs(),
        "{stats:?}"
    );
    stage.is_clean()
}

/// The least memory, in KiB, that the host had while it did little; as long as it is above what is hoped for, the allocator is
/// waited for.
fn at_rest(stage: &Stage, hoped: Option<u64>) -> anyhow::Result<u64> {
    let begun = Instant::now();
    let mut least = u64::MAX;
    while begun.elapsed() < AT_REST
        || hoped.is_some_and(|hoped| least > hoped) && begun.elapsed() < GIVING_BACK
    {
        stage.text("SELECT CAST(count(*) AS TEXT) FROM culprit")?;
        least = least.min(resident()?);
    }
    Ok(least)
}

/// KiB of memory that this process has.
pub(crate) fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let figure = line.context("a process has memory")?;
    Ok(figure.trim().trim_end_matches(" kB").parse()?)
}
