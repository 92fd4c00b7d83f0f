//! How many connections a second each pool lends, how long callers wait for one, and how evenly they are served.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::backend::Backend;
use crate::contender::{Entrant, Library, Settings, Size};
use crate::contenders::{bb8::Bb8, deadpool::Deadpool, none::NoPool, ours::Ours, sqlx::Sqlx};
use crate::database::{Database, Url};
use crate::load::{Hold, Load, Round, Runner};
use crate::report::{Column, Report, Row, greatest, least, median};
use crate::stub::Stub;

const CONNECTIONS: u32 = 16;
const CALLERS: u32 = 32;
const SIZE: Size = Size::fixed(CONNECTIONS);

/// How long each contender runs, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) number: u32,
    pub(crate) lasts: Duration,
}

const COLUMNS: [Column; 7] = [
    Column {
        heading: "ops/s",
        decimals: 0,
    },
    Column {
        heading: "ours ÷ theirs",
        decimals: 2,
    },
    Column {
        heading: "p50 µs",
        decimals: 2,
    },
    Column {
        heading: "p99 µs",
        decimals: 2,
    },
    Column {
        heading: "p99.9 µs",
        decimals: 2,
    },
    Column {
        heading: "worst caller's p99 µs",
        decimals: 2,
    },
    Column {
        heading: "Jain",
        decimals: 4,
    },
];

type Figure = fn(&Round) -> f64;
const PER_SECOND: Figure = |round| round.per_second;
const P99: Figure = |round| round.p99;
const WORST_P99: Figure = |round| round.worst_p99;

/// One contender and what its rounds came to.
struct Lane {
    entrant: Entrant,
    runner: Box<dyn Runner>,
    rounds: Vec<Round>,
}

impl Lane {
    fn new(entrant: Entrant, runner: impl Runner + 'static) -> Self {
        Self {
            entrant,
            runner: Box::new(runner),
            rounds: Vec::new(),
        }
    }

    fn row(&self, ours_per_second: f64) -> Row {
        let per_second = self.median(PER_SECOND);
        Row {
            entrant: self.entrant,
            figures: vec![
                per_second,
                ours_per_second / per_second,
                self.median(|round| round.p50),
                self.median(P99),
                self.median(|round| round.p999),
                self.median(WORST_P99),
                self.median(|round| round.jain),
            ],
        }
    }

    fn median(&self, figure: Figure) -> f64 {
        median(self.rounds.iter().map(figure))
    }
}

/// On connections that do nothing, so that all of the time is the pool's. sqlx's pool can't lend such connections.
pub(crate) async fn stub(rounds: Rounds, report: &mut Report) -> anyhow::Result<()> {
    for (name, callers, hold) in [
        ("stub, 1 caller", 1, Hold::Not),
        ("stub, 32 callers on 16 connections", CALLERS, Hold::Yield),
    ] {
        let no_pool = Entrant::new(Library::NoPool, Settings::Equal);
        let mut lanes = vec![Lane::new(no_pool, Arc::new(NoPool))];
        for entrant in Entrant::POOLS {
            if entrant.library != Library::Sqlx {
                lanes.push(lane(entrant, Stub).await?);
            }
        }
        compare(name, lanes, callers, hold, rounds, report).await?;
    }
    Ok(())
}

/// On a real database's connections: lent and returned only, and with a query in between.
pub(crate) async fn database<DB: Database>(
    url: &Url<DB>,
    measures: &[(&str, u32, Hold)],
    rounds: Rounds,
    report: &mut Report,
) -> anyhow::Result<()> {
    for &(name, callers, hold) in measures {
        let mut lanes = Vec::new();
        for entrant in Entrant::POOLS {
            lanes.push(if entrant.library == Library::Sqlx {
                let pool = Sqlx::new(url.clone(), SIZE, entrant.settings);
                Lane::new(entrant, Arc::new(pool))
            } else {
                lane(entrant, url.clone()).await?
            });
        }
        compare(name, lanes, callers, hold, rounds, report).await?;
    }
    Ok(())
}

pub(crate) const ON_SQLITE: [(&str, u32, Hold); 4] = [
    ("SQLite, 1 caller", 1, Hold::Not),
    ("SQLite, 1 caller, SELECT 1", 1, Hold::Query),
    ("SQLite, 32 callers on 16 connections", CALLERS, Hold::Yield),
    (
        "SQLite, 32 callers on 16 connections, SELECT 1",
        CALLERS,
        Hold::Query,
    ),
];

pub(crate) const ON_POSTGRESQL: [(&str, u32, Hold); 1] = [(
    "PostgreSQL, 32 callers on 16 connections, SELECT 1",
    CALLERS,
    Hold::Query,
)];

async fn lane<B: Backend>(entrant: Entrant, backend: B) -> anyhow::Result<Lane> {
    let settings = entrant.settings;
    Ok(match entrant.library {
        Library::Ours => Lane::new(entrant, Arc::new(Ours::new(backend, SIZE)?)),
        Library::Deadpool => {
            let pool = Deadpool::new(backend, SIZE, settings)?;
            Lane::new(entrant, Arc::new(pool))
        }
        Library::Bb8 => {
            let pool = Bb8::new(backend, SIZE, settings).await?;
            Lane::new(entrant, Arc::new(pool))
        }
        Library::NoPool | Library::Sqlx => bail!("{} has no connector to be given", entrant.name()),
    })
}

/// Lets all take turns, round by round, so that whatever else the machine does falls on all.
async fn compare(
    measure: &str,
    mut lanes: Vec<Lane>,
    callers: u32,
    hold: Hold,
    rounds: Rounds,
    report: &mut Report,
) -> anyhow::Result<()> {
    let load = Load {
        callers,
        hold,
        lasts: rounds.lasts,
    };
    for lane in &lanes {
        lane.runner.warm_up(CONNECTIONS).await?;
    }
    for _ in 0..rounds.number {
        for lane in &mut lanes {
            let round = lane.runner.round(load).await;
            lane.rounds
                .push(round.with_context(|| format!("{measure}: {}", lane.entrant.name()))?);
        }
    }
    let ours = lanes
        .iter()
        .find(|lane| lane.entrant == Entrant::OURS)
        .context("our pool takes part in every measure")?
        .median(PER_SECOND);
    let rows: Vec<Row> = lanes.iter().map(|lane| lane.row(ours)).collect();
    report.add(measure, &COLUMNS, &rows);
    if callers > 1 {
        judge(measure, &lanes, report);
    }
    Ok(())
}

/// Our goals under contention, each against those with equal settings.
fn judge(measure: &str, lanes: &[Lane], report: &mut Report) {
    let others = |figure: Figure| {
        let others = lanes.iter().filter(|lane| lane.entrant.is_equal_peer());
        others.map(move |lane| lane.median(figure))
    };
    let ours = |figure: Figure| {
        let ours = lanes.iter().find(|lane| lane.entrant == Entrant::OURS);
        ours.map_or(f64::NAN, |lane| lane.median(figure))
    };
    let sqlx = Entrant::new(Library::Sqlx, Settings::Equal);
    if let Some(sqlx) = lanes.iter().find(|lane| lane.entrant == sqlx) {
        let ratio = ours(PER_SECOND) / sqlx.median(PER_SECOND);
        let found = format!("{ratio:.2} × sqlx");
        report.goal(measure, &found, "2.00 × or more", ratio >= 2.0);
    }
    let ratio = ours(PER_SECOND) / greatest(others(PER_SECOND));
    let found = format!("{ratio:.2} × the best of the others");
    report.goal(measure, &found, "1.00 × or more", ratio >= 1.0);
    for (name, wait) in [("p99", P99), ("worst caller's p99", WORST_P99)] {
        let (ours, shortest) = (ours(wait), least(others(wait)));
        let found = format!("{name} {ours:.2} µs");
        let wanted = format!("no longer than the others' shortest, {shortest:.2} µs");
        report.goal(measure, &found, &wanted, ours <= shortest);
    }
}
