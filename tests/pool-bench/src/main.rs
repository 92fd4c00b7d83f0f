//! Measures Poolhouse's pool beside deadpool, bb8 and sqlx's own pool, all in one run, and says which goals are met.
//!
//! # Fair to all
//!
//! - All run in this process on one tokio runtime of two workers, and take turns: each runs for a fraction of a second,
//!   then the next, round after round. The table shows the median of the rounds for every figure by itself.
//! - All lend the same connections: [`backend::Backend`] is written once per kind, and what differs per library is how
//!   it is told to use them. Only sqlx's pool must be given sqlx's own connections, which the others then get too.
//! - Connections go back by dropping the guard, which is what each library's users write. sqlx's pool then pings the
//!   connection in a task of its own; no setting turns that off.
//! - The loops are generic, so no pool is called through a pointer. The row "no pool" is such a loop around nothing.
//! - The clock of a round is read outside the loops. How long `acquire` takes is measured at every call where a query
//!   follows, and at one of 8 at random where none does: there, reading the clock would be a large part of the loop.
//!
//! # Settings
//!
//! Each pool has 16 connections at most, open before the first round, but for the spike and the outages.
//!
//! - *equal*: a caller waits 30 s at most, and a connection that was used just now is lent without a ping. For ours
//!   these are the defaults, and it does more than the others: it pings what was idle for half a second, and replaces
//!   what is an hour old. deadpool: `wait` and `create` timeouts of 30 s. bb8: `test_on_check_out(false)`.
//!   sqlx: `test_before_acquire(false)`. Goals are set against these.
//! - *defaults*: what the library's `Default` says, but for the number of connections. deadpool waits without limit;
//!   bb8 and sqlx ping before each loan. deadpool leaves checking to the manager, and ours does as deadpool-postgres
//!   does by default: it looks whether the connection is known to be broken.
//!
//! # Measures
//!
//! - `stub`: lending and returning connections that do nothing. One caller alone; then 32 callers on 16 connections,
//!   each in a loop of acquiring, letting the other tasks run once (`yield_now`), and returning.
//! - `sqlite`: both again on SQLite in memory, and then with a prepared `SELECT 1` instead of the yield.
//! - `postgresql`: 32 callers on 16 connections with `SELECT 1`, on a server that is started for it.
//! - `spike`: 50 callers at once on 5 idle connections of 20 at most; connecting takes 150 ms, the query 2 ms. Counted
//!   are all attempts to connect from the beginning to 200 ms after the last caller was served.
//! - `outage`: the server refuses everything at once for some seconds, and all connections of before are dead. 8
//!   callers go on asking, and pause for 10 ms after an error. Timed from the end of the outage to the end of the first
//!   query. On a pool that tries again by itself with growing pauses the time depends on when the outage ends, hence
//!   several lengths.
//!
//! sqlx's pool takes part in the last two with in-memory SQLite connections and hooks: see [`contenders::sqlx`].
//!
//! # Reading it
//!
//! A pool that hands connections over in the order of asking makes every one of 32 callers wait for 16 others. One that
//! lets a caller who returns a connection take it again at once looks better in p50 to p99.9, for most loans are such,
//! while other callers starve. So there is also the p99 of the caller who fared worst, and Jain's index of how evenly
//! the loans were spread: 1 is evenly, 0.5 is all to half of them.

mod backend;
mod contender;
mod contenders;

mod database;
mod script;
mod stub;

mod load;
mod outage;
mod report;
mod spike;
mod throughput;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use poolhouse_test_postgres::{PASSWORD, PostgresServer};

use database::Url;
use report::Report;
use throughput::Rounds;

/// Measures the pool beside its peers.
#[derive(Debug, Parser)]
struct Arguments {
    /// See whether everything runs, in ten seconds: the figures mean little.
    #[arg(long)]
    quick: bool,
    /// What to measure [default: all of it].
    measures: Vec<Measure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measure {
    /// Lending and returning connections that do nothing.
    Stub,
    /// The same on SQLite in memory, and with a query.
    Sqlite,
    /// A query on PostgreSQL, under contention.
    Postgresql,
    /// Many callers at once, where connecting is slow.
    Spike,
    /// A server that goes away and comes back.
    Outage,
}

/// How much of everything.
struct Plan {
    rounds: Rounds,
    spikes: u32,
    outages: &'static [Duration],
}

const FULL: Plan = Plan {
    rounds: Rounds {
        number: 7,
        lasts: Duration::from_millis(350),
    },
    spikes: 3,
    outages: &[
        Duration::from_secs(5),
        Duration::from_secs(3),
        Duration::from_secs(5),
        Duration::from_secs(2),
    ],
};

const QUICK: Plan = Plan {
    rounds: Rounds {
        number: 1,
        lasts: Duration::from_millis(50),
    },
    spikes: 1,
    outages: &[Duration::from_millis(500)],
};

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let plan = if arguments.quick { QUICK } else { FULL };
    let wanted = |measure| arguments.measures.is_empty() || arguments.measures.contains(&measure);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut report = Report::default();
    if wanted(Measure::Stub) {
        runtime.block_on(throughput::stub(plan.rounds, &mut report))?;
    }
    if wanted(Measure::Sqlite) {
        let url = Url::in_memory();
        let run = throughput::database(&url, &throughput::ON_SQLITE, plan.rounds, &mut report);
        runtime.block_on(run)?;
    }
    if wanted(Measure::Postgresql) {
        // Room for every contender's connections.
        let server = PostgresServer::start(&["max_connections=160"])?;
        let url = Url::of(&server.url("postgres", PASSWORD, "postgres"))?;
        let run = throughput::database(&url, &throughput::ON_POSTGRESQL, plan.rounds, &mut report);
        runtime.block_on(run)?;
    }
    if wanted(Measure::Spike) {
        runtime.block_on(spike::spike(plan.spikes, &mut report))?;
    }
    if wanted(Measure::Outage) {
        runtime.block_on(outage::outage(plan.outages, &mut report))?;
    }
    report.write(&target()?.join("bench-pool.tsv"))
}

/// The folder that cargo built this program into.
fn target() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2);
    Ok(target
        .context("cargo puts programs into target/release")?
        .to_owned())
}
