//! Runs the records of one file, one after the other: through the guest what a plugin may run, beside it what is a
//! migration's, and both by the driver alone as well; judges what came of it by the table of causes.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use anyhow::{Context, ensure};
use poolhouse_runtime::Limits;
use poolhouse_tests::Backend;
use poolhouse_tests::conformance::script::{execute, open, query};
use poolhouse_tests::conformance::{Setup, Stage};
use tokio::runtime::Runtime;

use crate::causes::{Failed, cause};
use crate::driver::Driver;
use crate::outcome::Outcome;
use crate::records::{Expected, Record, Script};

/// So many records go to the guest in one call.
const BATCH: usize = 200;

/// Compiling queries of a few rows, or seeking the best order of many small tables, takes far longer than running them.
/// For the connections that come.
const PLAN_FAST: &str = "DO $$ DECLARE setting text; BEGIN FOREACH setting IN ARRAY \
    ARRAY['jit = off', 'geqo_threshold = 2', 'geqo_pool_size = 6', 'geqo_generations = 4'] LOOP \
    EXECUTE format('ALTER DATABASE %I SET ', current_database()) || setting; END LOOP; END $$";

/// One empty database with its host, its guest and its second opinion.
pub(crate) struct Course {
    stage: Stage,
    driver: Driver,
    /// The driver's.
    runtime: Runtime,
    tally: Tally,
}

/// What came of the records.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Through the guest, and as expected.
    pub(crate) passed: usize,
    /// By a plain connection, and as expected: what changes the schema.
    pub(crate) beside: usize,
    /// For other databases only.
    pub(crate) skipped: usize,
    /// For each cause so many failures.
    pub(crate) failed: BTreeMap<&'static str, usize>,
    /// What no cause explains.
    pub(crate) unexplained: Vec<String>,
}

impl Tally {
    /// Adds another file's.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.beside += other.beside;
        self.skipped += other.skipped;
        for (cause, count) in other.failed {
            *self.failed.entry(cause).or_default() += count;
        }
        self.unexplained.extend(other.unexplained);
    }
}

impl Course {
    pub(crate) fn start(backend: Backend) -> anyhow::Result<Self> {
        let setup = Setup {
            limits: Limits {
                // A batch of many statements is one call.
                call_timeout: Duration::from_secs(60),
                ..Limits::default()
            },
            ..Setup::default()
        };
        // The tables are the connection's that stands beside; what it does need not survive a crash.
        let settings = match backend {
            Backend::Sqlite => "PRAGMA synchronous = OFF",
            Backend::Postgresql => PLAN_FAST,
        };
        let stage = Stage::start_with(backend, settings, setup)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            stage,
            driver: runtime.block_on(Driver::start(backend))?,
            runtime,
            tally: Tally::default(),
        })
    }

    /// Runs a file, and answers what came of its records.
    pub(crate) fn run(mut self, file: &str, script: &Script) -> anyhow::Result<Tally> {
        let mut batch = Vec::new();
        for record in &script.records {
            if is_schema_change(&record.sql) {
                self.through_guest(file, mem::take(&mut batch))?;
                self.beside(file, record)?;
                continue;
            }
            batch.push(record);
            if batch.len() == BATCH {
                self.through_guest(file, mem::take(&mut batch))?;
            }
        }
        self.through_guest(file, batch)?;
        self.stage.is_clean().context(file.to_owned())?;
        let left = self.stage.close();
        ensure!(left == 0, "{file}: {left} connections were still lent");
        self.tally.skipped = script.skipped;
        Ok(self.tally)
    }

    fn beside(&mut self, file: &str, record: &Record) -> anyhow::Result<()> {
        let done = self.stage.sql(&record.sql);
        let alone = self.alone(record, false)?;
        ensure!(
            done.is_ok() != matches!(alone, Outcome::Failed(_)),
            "{file}:{}: {done:?} on one database, {alone:?} on the other",
            record.line
        );
        match alone.meets(&record.expected) {
            Ok(()) => self.tally.beside += 1,
            Err(how) => self.failed(file, record, &alone, &alone, &how),
        }
        Ok(())
    }

    fn through_guest(&mut self, file: &str, batch: Vec<&Record>) -> anyhow::Result<()> {
        let mut steps = vec![open(0)];
        steps.extend(batch.iter().map(|record| match record.expected {
            Expected::Answer(_) => query(0, &record.sql, &[]),
            Expected::Success | Expected::Failure => execute(0, &record.sql, &[]),
        }));
        let outcomes = self.stage.call(&steps);
        let place = || {
            let first = batch.first().map_or(0, |record| record.line);
            format!("{file}: the {} records from line {first}", batch.len())
        };
        let outcomes = outcomes.with_context(place)?;
        ensure!(outcomes.len() == steps.len(), "{}: {outcomes:?}", place());
        for (record, outcome) in batch.into_iter().zip(&outcomes[1..]) {
            let outcome = Outcome::of_guest(outcome)?;
            self.judge(file, record, &outcome)?;
        }
        Ok(())
    }

    fn judge(&mut self, file: &str, record: &Record, outcome: &Outcome) -> anyhow::Result<()> {
        let met = outcome.meets(&record.expected);
        let is_query = matches!(record.expected, Expected::Answer(_));
        if met.is_ok() && is_query {
            self.tally.passed += 1;
            return Ok(());
        }
        // A statement always runs in the driver's database too, so that both hold the same.
        let alone = self.alone(record, is_query)?;
        match met {
            Err(how) => self.failed(file, record, outcome, &alone, &how),
            Ok(()) => match (outcome, &alone) {
                (Outcome::Changed(changed), Outcome::Changed(other)) if changed != other => {
                    let how = format!("{changed} rows changed, {other} by the driver alone");
                    self.failed(file, record, outcome, &alone, &how);
                }
                _ => self.tally.passed += 1,
            },
        }
        Ok(())
    }

    /// What the driver alone makes of it, on the second database.
    fn alone(&mut self, record: &Record, is_query: bool) -> anyhow::Result<Outcome> {
        let running = self.driver.run(&record.sql, is_query);
        self.runtime.block_on(running)
    }

    fn failed(
        &mut self,
        file: &str,
        record: &Record,
        outcome: &Outcome,
        alone: &Outcome,
        how: &str,
    ) {
        let alone_met = alone.meets(&record.expected);
        let is_databases = match (outcome, alone) {
            // The host refuses some of it before the database does, and then there is no code.
            (Outcome::Failed(one), Outcome::Failed(other)) => {
                one.code.is_empty() || one.code == other.code
            }
            _ => alone_met.as_ref().err().is_some_and(|other| other == how),
        };
        let failed = Failed {
            file,
            sql: &record.sql,
            outcome,
            is_hosts: alone_met.is_ok(),
            is_databases,
        };
        if let Some(cause) = cause(self.stage.backend(), &failed) {
            *self.tally.failed.entry(cause.name).or_default() += 1;
            return;
        }
        let alone = alone_met.err().unwrap_or_else(|| "as expected".to_owned());
        self.tally.unexplained.push(format!(
            "{file}:{}: {how} (the driver alone: {alone}): {}",
            record.line, record.sql
        ));
    }
}

/// Whether it is a migration's: a plugin's own statements read and write rows.
fn is_schema_change(sql: &str) -> bool {
    let word = sql.split_whitespace().next().unwrap_or_default();
    ["CREATE", "DROP", "REINDEX"]
        .iter()
        .any(|change| word.eq_ignore_ascii_case(change))
}
