//! Callers that take connections in a loop for a while, and what they saw.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use hdrhistogram::Histogram;
use tokio::sync::Barrier;
use tokio::task::{JoinSet, yield_now};

use crate::contender::{Contender, warm_up};

/// What a caller does while it holds a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nothing: the connection goes back at once.
    Not,
    /// Lets the other tasks run once, so that holders overlap.
    Yield,
    /// Runs the backend's query.
    Query,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) callers: u32,
    pub(crate) hold: Hold,
    pub(crate) lasts: Duration,
}

/// What one round of one contender came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) per_second: f64,
    /// Microseconds from asking to having, that half of the callers had it in.
    pub(crate) p50: f64,
    /// That 99 of 100 had it in.
    pub(crate) p99: f64,
    /// That 999 of 1000 had it in.
    pub(crate) p999: f64,
    /// The p99 of the caller whose own is the longest. Where a few callers get nearly everything, their short waits
    /// are nearly all there is to count, and hide the others' long ones from the figures above.
    pub(crate) worst_p99: f64,
    /// Jain's index over what each caller got: 1 is to each the same, 1/callers is all to one.
    pub(crate) jain: f64,
}

type Outcome<'a, T> = Pin<Box<dyn Future<Output = anyhow::Result<T>> + 'a>>;

/// A contender of any kind. Dispatch is by round; the loop inside is compiled for each kind.
pub(crate) trait Runner {
    fn warm_up(&self, connections: u32) -> Outcome<'_, ()>;
    fn round(&self, load: Load) -> Outcome<'_, Round>;
}

impl<C: Contender> Runner for Arc<C> {
    fn warm_up(&self, connections: u32) -> Outcome<'_, ()> {
        Box::pin(warm_up(&**self, connections))
    }

    fn round(&self, load: Load) -> Outcome<'_, Round> {
        Box::pin(round(self, load))
    }
}

async fn round<C: Contender>(contender: &Arc<C>, load: Load) -> anyhow::Result<Round> {
    let stop = Arc::new(AtomicBool::new(false));
    let start = Arc::new(Barrier::new(usize::try_from(load.callers)? + 1));
    let mut callers = JoinSet::new();
    for number in 1..=load.callers {
        let contender = Arc::clone(contender);
        let (stop, start) = (Arc::clone(&stop), Arc::clone(&start));
        callers.spawn(async move {
            let mut seen = Seen::new(number, load.hold)?;
            start.wait().await;
            call(&*contender, load.hold, &stop, &mut seen).await?;
            anyhow::Ok(seen)
        });
    }
    start.wait().await;
    let started = Instant::now();
    tokio::time::sleep(load.lasts).await;
    stop.store(true, Ordering::Relaxed);
    let lasted = started.elapsed();
    let mut all = Vec::new();
    while let Some(seen) = callers.join_next().await {
        all.push(seen??);
    }
    sum_up(&all, lasted)
}

async fn call<C: Contender>(
    contender: &C,
    hold: Hold,
    stop: &AtomicBool,
    seen: &mut Seen,
) -> anyhow::Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let mut held = if seen.is_timed() {
            let asked = Instant::now();
            let held = contender.acquire().await?;
            let waited = u64::try_from(asked.elapsed().as_nanos())?;
            seen.waits.saturating_record(waited);
            held
        } else {
            contender.acquire().await?
        };
        match hold {
            Hold::Not => {}
            Hold::Yield => yield_now().await,
            Hold::Query => contender.query(&mut held).await?,
        }
        drop(held);
        seen.operations += 1;
    }
    Ok(())
}

/// What one caller saw.
struct Seen {
    operations: u64,
    /// Nanoseconds from asking to having.
    waits: Histogram<u64>,
    times_all: bool,
    random: u64,
}

impl Seen {
    fn new(number: u32, hold: Hold) -> anyhow::Result<Self> {
        Ok(Self {
            operations: 0,
            waits: histogram()?,
            times_all: hold == Hold::Query,
            // Any odd number spreads the callers' bits.
            random: u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15),
        })
    }

    /// Where an operation may take hardly longer than reading the clock twice, one of 8 is timed: at random, so that
    /// no rhythm of the pool's hides from it.
    fn is_timed(&mut self) -> bool {
        if self.times_all {
            return true;
        }
        // Marsaglia's xorshift.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random >> 61 == 0
    }
}

fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000_000, 3)?)
}

fn sum_up(all: &[Seen], lasted: Duration) -> anyhow::Result<Round> {
    let mut waits = histogram()?;
    let (mut sum, mut squares, mut worst_p99) = (0.0, 0.0, 0.0_f64);
    for seen in all {
        waits.add(&seen.waits)?;
        worst_p99 = worst_p99.max(microseconds(&seen.waits, 0.99));
        let operations = seen.operations as f64;
        sum += operations;
        squares += operations * operations;
    }
    ensure!(sum > 0.0, "no caller ever got a connection");
    Ok(Round {
        per_second: sum / lasted.as_secs_f64(),
        p50: microseconds(&waits, 0.5),
        p99: microseconds(&waits, 0.99),
        p999: microseconds(&waits, 0.999),
        worst_p99,
        jain: sum * sum / (all.len() as f64 * squares),
    })
}

fn microseconds(waits: &Histogram<u64>, quantile: f64) -> f64 {
    waits.value_at_quantile(quantile) as f64 / 1000.0
}
