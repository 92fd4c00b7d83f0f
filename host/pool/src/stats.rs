//! What a pool counts and measures about itself; deciding anything by it belongs to others.

use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::error::Cause;

/// A pool's counts at one instant. `checked_in + checked_out + pinging + resetting + connecting + closing` is
/// [`total`](Stats::total).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// The setting `pool_size`.
    pub size: u32,
    /// Connections open and idle.
    pub checked_in: u32,
    /// Connections lent to callers, revoked ones that their holders have not let go of included.
    pub checked_out: u32,
    /// SQLAlchemy's overflow: total less `pool_size`, negative while fewer are open.
    pub overflow: i32,
    /// Callers in the queue.
    pub waiting: u32,
    /// Connections being opened.
    pub connecting: u32,
    /// Connections pinged just now, before they are lent.
    pub pinging: u32,
    /// Connections being brought back to the state of a new one.
    pub resetting: u32,
    /// Connections being closed.
    pub closing: u32,
    /// Whether the pool is paused.
    pub paused: bool,
    /// Whether connections can be had; [`Pool::health`](crate::Pool::health) has the cause.
    pub condition: Condition,
    /// Since when that is so.
    pub since: Instant,
    /// The most connections ever lent at once.
    pub most_checked_out: u32,
    /// The most connections ever open beyond `pool_size`.
    pub most_overflow: u32,
    /// Connections handed to callers since the pool began, including callers who had just stopped waiting.
    pub acquired: u64,
    /// Callers who waited in vain, or would not wait and found nothing free.
    pub timed_out: u64,
    /// Callers who were told that no connection could be opened.
    pub failed: u64,
    /// Leases revoked because they were held past their deadline.
    pub revoked: u64,
    /// Connections opened since the pool began.
    pub opened: u64,
    /// Connections closed since the pool began.
    pub closed: u64,
    /// Attempts to open a connection that failed, timed out or panicked.
    pub connect_failures: u64,
}

impl Stats {
    /// Every connection that takes up one of `pool_size` + `max_overflow`.
    pub fn total(&self) -> u32 {
        self.checked_in
            + self.checked_out
            + self.pinging
            + self.resetting
            + self.connecting
            + self.closing
    }
}

/// One tenant's counts at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantStats {
    /// Its name.
    pub name: Arc<str>,
    /// The most connections it may hold; `None` is the pool's own maximum.
    pub max: Option<u32>,
    /// Connections that are kept from others for it.
    pub reserved: u32,
    /// Connections it holds, those pinged for it included.
    pub checked_out: u32,
    /// Its callers in the queue.
    pub waiting: u32,
    /// Connections handed to its callers since it began.
    pub acquired: u64,
    /// Its callers who waited in vain, or would not wait and found nothing free.
    pub timed_out: u64,
    /// Its leases revoked because they were held past their deadline.
    pub revoked: u64,
}

/// Whether connections can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The last attempt to open a connection succeeded, or there was none yet.
    Up,
    /// Opening one failed, or one broke, but others are open and sound as far as is known.
    Degraded,
    /// Opening one failed, or one broke, and no other is open.
    Down,
}

/// Whether connections can be had, since when, and why not.
#[derive(Debug, Clone)]
pub struct Health<E> {
    /// Whether they can be had.
    pub condition: Condition,
    /// Since when that is so.
    pub since: Instant,
    /// The latest trouble, if it is not up.
    pub cause: Option<Cause<E>>,
}

/// How long things took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// How long callers waited for the connections they got.
    pub wait: Quantiles,
    /// How long callers held connections.
    pub hold: Quantiles,
    /// How long connections took to open.
    pub connect: Quantiles,
}

/// How some durations are distributed, to two significant digits, those over an hour counted as an hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// How many were measured.
    pub count: u64,
    /// Half of them were no longer than this.
    pub p50: Duration,
    /// 99 of 100 were no longer than this.
    pub p99: Duration,
    /// 999 of 1,000 were no longer than this.
    pub p999: Duration,
    /// The longest.
    pub maximum: Duration,
}

/// The distributions behind [`Timings`], to be summed up once the lock is free.
#[derive(Debug, Clone)]
pub(crate) struct TimingRecords {
    pub(crate) wait: Durations,
    pub(crate) hold: Durations,
    pub(crate) connect: Durations,
}

impl TimingRecords {
    pub(crate) fn timings(&self) -> Timings {
        Timings {
            wait: self.wait.quantiles(),
            hold: self.hold.quantiles(),
            connect: self.connect.quantiles(),
        }
    }
}

/// Durations in nanoseconds, from one to an hour: about 40 KB whatever is recorded.
#[derive(Debug, Clone)]
pub(crate) struct Durations(Histogram<u64>);

impl Durations {
    const LONGEST: u64 = 3_600_000_000_000;

    pub(crate) fn new() -> Self {
        let Ok(histogram) = Histogram::new_with_bounds(1, Self::LONGEST, 2) else {
            unreachable!("1 to an hour of nanoseconds at 2 digits are bounds hdrhistogram accepts")
        };
        Self(histogram)
    }

    pub(crate) fn record(&mut self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(Self::LONGEST);
        self.0.saturating_record(nanoseconds.min(Self::LONGEST));
    }

    pub(crate) fn add(&mut self, other: &Self) {
        if self.0.add(&other.0).is_err() {
            unreachable!("both have the same bounds")
        }
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        if self.0.is_empty() {
            return Quantiles::default();
        }
        let at = |quantile| Duration::from_nanos(self.0.value_at_quantile(quantile));
        Quantiles {
            count: self.0.len(),
            p50: at(0.50),
            p99: at(0.99),
            p999: at(0.999),
            maximum: Duration::from_nanos(self.0.max()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_two_digits_and_saturate_at_an_hour() {
        let mut durations = Durations::new();
        assert_eq!(durations.quantiles(), Quantiles::default());
        for milliseconds in 1..=100 {
            durations.record(Duration::from_millis(milliseconds));
        }
        let quantiles = durations.quantiles();
        assert_eq!(quantiles.count, 100);
        let near = |found: Duration, wanted: f64| (found.as_secs_f64() / wanted - 1.0).abs() < 0.02;
        assert!(near(quantiles.p50, 0.050), "{quantiles:?}");
        assert!(near(quantiles.p99, 0.099), "{quantiles:?}");
        assert!(near(quantiles.maximum, 0.100), "{quantiles:?}");

        durations.record(Duration::MAX);
        assert!(near(durations.quantiles().maximum, 3600.0));
        durations.record(Duration::ZERO);
        assert_eq!(durations.quantiles().count, 102);
    }
}
