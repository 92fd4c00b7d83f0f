//! Quantiles of how long calls took, and how they are printed.

use std::fmt;
use std::time::Duration;

/// How long calls took.
#[derive(Clone, Copy)]
pub(crate) struct Latency {
    p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

impl Latency {
    /// Of at least one call.
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
        Self {
            p50: at(50),
            p99: at(99),
            max: at(100),
        }
    }

    pub(crate) fn figure(time: Duration) -> String {
        let micros = time.as_secs_f64() * 1e6;
        match micros {
            0.0..100.0 => format!("{micros:.1} µs"),
            100.0..10_000.0 => format!("{micros:.0} µs"),
            _ => format!("{:.1} ms", micros / 1000.0),
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, max] = [self.p50, self.p99, self.max].map(Self::figure);
        write!(f, "{p50}\t{p99}\t{max}")
    }
}
