//! What a pool counts and measures about itself; deciding anything by it belongs to others.

use std::time::Duration;

use hdrhistogram::Histogram;

/// A pool's counts at one instant. `checked_in + checked_out + pinging + resetting + connecting + closing` is
/// [`total`](Stats::total).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// The setting `pool_size`.
    pub size: u32,
    /// Connections open and idle.
    pub checked_in: u32,
    /// Connections lent to callers.
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
    /// The most connections ever lent at once.
    pub most_checked_out: u32,
    /// The most connections ever open beyond `pool_size`.
    pub most_overflow: u32,
    /// Connections handed to callers since the pool began, including callers who had just stopped waiting.
    pub acquired: u64,
    /// Callers who waited in vain, or would not wait and found nothing free.
    pub timed_out: u64,
    /// Connections opened since the pool began.
    pub opened: u64,
    /// Connections closed since the pool began.
    pub closed: u64,
    /// Attempts to open a connection that failed, timed out or panicked.
    pub connect_failures: u64,
    /// How long callers waited for the connections they got.
    pub wait: Quantiles,
    /// How long callers held connections.
    pub hold: Quantiles,
    /// How long connections took to open.
    pub connect: Quantiles,
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

/// How some durations are distributed, to two significant digits, those over an hour counted as an hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// How many were measured.
    pub count: u64,
    /// Half of them were no longer than this.
    pub p50: Duration,
    /// 99 of 100 were no longer than this.
    pub p99: Duration,
    /// The longest.
    pub maximum: Duration,
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

    pub(crate) fn quantiles(&self) -> Quantiles {
        if self.0.is_empty() {
            return Quantiles::default();
        }
        Quantiles {
            count: self.0.len(),
            p50: Duration::from_nanos(self.0.value_at_quantile(0.50)),
            p99: Duration::from_nanos(self.0.value_at_quantile(0.99)),
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
