//! Another plugin that goes about its work, and how long its calls take.

use std::time::{Duration, Instant};

use anyhow::ensure;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::conformance::{GUEST, Stage, wave};

/// What a call may take longer than the slowest on a quiet host. One on a stalled host waits for the culprits' own limits,
/// of which the shortest that matters here is [`super::case::CALL_TIMEOUT`].
const BOUND: Duration = Duration::from_secs(2);

/// Calls on the quiet host.
const QUIET: u32 = 20;

/// The other plugin's own table.
pub(crate) const TABLE: &str = "CREATE TABLE bystander (id BIGINT PRIMARY KEY)";

/// Another plugin that makes call after call.
pub(crate) struct Bystander<'stage> {
    stage: &'stage Stage,
    writes: bool,
    calls: u32,
    slowest_quiet: Duration,
    slowest: Duration,
}

impl<'stage> Bystander<'stage> {
    /// One whose table is empty, after some calls on the quiet host. Without `writes` it only reads.
    pub(crate) fn new(stage: &'stage Stage, writes: bool) -> anyhow::Result<Self> {
        stage.sql("DELETE FROM bystander")?;
        let mut bystander = Self {
            stage,
            writes,
            calls: 0,
            slowest_quiet: Duration::ZERO,
            slowest: Duration::ZERO,
        };
        for _ in 0..QUIET {
            let took = bystander.timed()?;
            bystander.slowest_quiet = bystander.slowest_quiet.max(took);
        }
        Ok(bystander)
    }

    /// One call, which must be answered rightly.
    pub(crate) fn call(&mut self) -> anyhow::Result<()> {
        let took = self.timed()?;
        self.slowest = self.slowest.max(took);
        Ok(())
    }

    fn timed(&mut self) -> anyhow::Result<Duration> {
        self.calls += 1;
        let id = self.calls;
        let written = format!("INSERT INTO bystander VALUES ({id})");
        let steps = match self.writes {
            true => vec![
                (open(0), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (execute(1, &written, &[]), "changed(1)"),
                (commit(1), "done"),
                (
                    query(0, "SELECT max(id) AS id FROM bystander", &[]),
                    "table(…)",
                ),
            ],
            false => vec![
                (open(0), "done"),
                (
                    query(0, "SELECT count(*) AS n FROM bystander", &[]),
                    "table(…)",
                ),
            ],
        };
        let script: Vec<_> = steps.iter().map(|(step, _)| step.clone()).collect();
        let begun = Instant::now();
        let call = self
            .stage
            .spawn(GUEST, "script.run", &[format!("[{}]", script.join(", "))]);
        let answer = self.stage.wait(call)??;
        let took = begun.elapsed();
        let outcomes = wave::split(&answer.text.unwrap_or_default())?;
        ensure!(outcomes.len() == steps.len(), "{outcomes:?}");
        for ((step, expected), outcome) in steps.iter().zip(&outcomes) {
            ensure!(
                wave::matches(expected, outcome),
                "the bystander's {step}: {outcome}"
            );
        }
        let last = if self.writes { id } else { 0 };
        let number = format!("int64({last})");
        ensure!(
            outcomes.last().is_some_and(|rows| rows.contains(&number)),
            "the bystander did not read {number}: {outcomes:?}"
        );
        Ok(took)
    }

    /// What it was to see: answers in time, and each of its rows once.
    pub(crate) fn saw_nothing(&self) -> anyhow::Result<()> {
        ensure!(
            self.slowest <= self.slowest_quiet + BOUND,
            "a call of the bystander's took {:?}; on the quiet host {:?} at most",
            self.slowest,
            self.slowest_quiet
        );
        let rows = self
            .stage
            .text("SELECT CAST(count(*) AS TEXT) FROM bystander")?;
        let expected = if self.writes { self.calls } else { 0 };
        ensure!(rows == expected.to_string(), "{rows} rows of {expected}");
        Ok(())
    }
}
