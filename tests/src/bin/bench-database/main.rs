//! What the sandbox costs: statements by a guest against the same by native code on sqlx, and a call from plugin to plugin
//! against wasmtime's own, side by side in one run; also into `bench-database.tsv`.

mod calls;
mod instances;
mod native;
mod ours;

use std::time::{Duration, Instant};

use poolhouse_tests::measure::{Goal, Measure, report};
use poolhouse_tests::{BACKENDS, Backend, House};

use native::Native;
use ours::Ours;

/// Rows of the table that is read.
const ROWS: u32 = 100_000;
/// Point statements in one round.
const POINTS: u32 = 2_000;
/// Rows that are inserted at once.
const MANY: u32 = 10_000;
/// Rounds of each measure; the two sides take turns, and the median of each counts.
const ROUNDS: usize = 9;

/// The table, empty.
const TABLE: &str = "CREATE TABLE ticks (id BIGINT PRIMARY KEY, symbol TEXT NOT NULL, price DOUBLE PRECISION NOT NULL, \
     volume BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL, open BOOLEAN NOT NULL)";

/// With an argument (`sqlite`, `postgresql` or `calls`), that part alone.
fn main() -> anyhow::Result<()> {
    let only = std::env::args().nth(1);
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    let mut measures = Vec::new();
    for backend in BACKENDS {
        if wanted(&format!("{backend:?}").to_lowercase()) {
            statements(backend, &mut measures)?;
        }
    }
    if wanted("calls") {
        measures.push(calls::plugin_to_plugin()?);
        measures.extend(instances::measures()?);
    }
    report("bench-database.tsv", &measures)
}

fn statements(backend: Backend, measures: &mut Vec<Measure>) -> anyhow::Result<()> {
    let house = House::empty(backend)?;
    if backend == Backend::Sqlite {
        house.write("house.db", "")?;
    }
    house.query(TABLE)?;
    let native = Native::connect(&house)?;
    native.insert_loop(0, ROWS)?;
    if backend == Backend::Postgresql {
        house.query("ANALYZE ticks")?;
    }
    let ours = Ours::start(house)?;
    let goals = match backend {
        Backend::Sqlite => [0.90, 0.95, 1.0, 1.0],
        Backend::Postgresql => [0.95, 0.95, 1.0, 1.0],
    };
    let mut add = |what: &str, count: u32, goal: f64, [mine, theirs]: [Duration; 2]| {
        let per_second = |took: Duration| f64::from(count) / took.as_secs_f64();
        measures.push(Measure {
            name: format!("{backend:?}: {what}"),
            ours: per_second(mine),
            peer: per_second(theirs),
            unit: "/s",
            goal: Goal::Ratio(goal),
        });
    };
    let took = take_turns(
        || ours.select_points(POINTS, ROWS),
        || native.select_points(POINTS, ROWS),
    )?;
    add("point select", POINTS, goals[0], took);
    let mut next = i64::from(ROWS);
    let mut ids = |count: u32| {
        next += i64::from(count);
        next - i64::from(count)
    };
    let mut mine = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..ROUNDS {
        mine.push(timed(|| ours.insert_points(ids(POINTS), POINTS))?);
        theirs.push(timed(|| native.insert_points(ids(POINTS), POINTS))?);
    }
    add("insert", POINTS, goals[1], [median(mine), median(theirs)]);
    // The scan is of what was there at first.
    native.delete_from(ROWS)?;
    let took = take_turns(|| ours.scan(), || native.scan())?;
    add("scan of 100,000 rows, rows", ROWS, goals[2], took);
    let (mut mine, mut by_loop, mut by_unnest) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        mine.push(timed(|| ours.insert_many(ids(MANY), MANY))?);
        by_loop.push(timed(|| native.insert_loop(ids(MANY), MANY))?);
        if backend == Backend::Postgresql {
            by_unnest.push(timed(|| native.insert_unnest(ids(MANY), MANY))?);
        }
        native.delete_from(ROWS)?;
    }
    let mine = median(mine);
    add(
        "insert of 10,000 rows in one call, rows, against a loop of prepared statements",
        MANY,
        goals[3],
        [mine, median(by_loop)],
    );
    if backend == Backend::Postgresql {
        add(
            "the same against UNNEST written by hand",
            MANY,
            goals[3],
            [mine, median(by_unnest)],
        );
    }
    Ok(())
}

/// The median of each side's rounds; both must answer the same.
fn take_turns(
    mine: impl Fn() -> anyhow::Result<i64>,
    theirs: impl Fn() -> anyhow::Result<i64>,
) -> anyhow::Result<[Duration; 2]> {
    anyhow::ensure!(mine()? == theirs()?, "the two sides do not answer the same");
    let (mut took_mine, mut took_theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        took_mine.push(timed(|| mine().map(drop))?);
        took_theirs.push(timed(|| theirs().map(drop))?);
    }
    Ok([median(took_mine), median(took_theirs)])
}

fn timed(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
