//! HikariCP's spike: 50 callers at once on a pool of 5 idle connections, where a query takes 2 ms and connecting takes
//! 150 ms. Whoever waits for a query to end is served long before a new connection would have been open.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::contender::{Contender, Entrant, Library, Size, warm_up};
use crate::contenders::{bb8::Bb8, deadpool::Deadpool, ours::Ours, sqlx::ScriptedSqlx};
use crate::report::{Column, Report, Row, greatest, median};
use crate::script::Script;

const CALLERS: usize = 50;
const IDLE: u32 = 5;
const SIZE: Size = Size {
    kept: IDLE,
    most: 20,
};
/// By then whatever a pool had begun to open is open.
const AFTERMATH: Duration = Duration::from_millis(200);

const COLUMNS: [Column; 3] = [
    Column {
        heading: "opened",
        decimals: 0,
    },
    Column {
        heading: "most opened",
        decimals: 0,
    },
    Column {
        heading: "all served ms",
        decimals: 1,
    },
];
/// The 5 and one more.
const GOAL: f64 = 6.0;

struct Spike {
    /// Connections, the idle ones of the beginning included.
    opened: f64,
    milliseconds: f64,
}

pub(crate) async fn spike(repeats: u32, report: &mut Report) -> anyhow::Result<()> {
    let mut all: Vec<(Entrant, Vec<Spike>)> =
        Entrant::POOLS.map(|entrant| (entrant, Vec::new())).into();
    for _ in 0..repeats {
        for (entrant, spikes) in &mut all {
            spikes.push(run(*entrant).await?);
        }
    }
    let rows: Vec<Row> = all
        .iter()
        .map(|(entrant, spikes)| row(*entrant, spikes))
        .collect();
    let measure = "spike: 50 callers, 5 idle connections, 20 at most";
    report.add(measure, &COLUMNS, &rows);
    for row in rows.iter().filter(|row| row.entrant == Entrant::OURS) {
        let most = row.figures[1];
        let found = format!("{most} connections opened at most");
        report.goal(measure, &found, &format!("{GOAL} or fewer"), most <= GOAL);
    }
    Ok(())
}

fn row(entrant: Entrant, spikes: &[Spike]) -> Row {
    let opened = || spikes.iter().map(|spike| spike.opened);
    let milliseconds = median(spikes.iter().map(|spike| spike.milliseconds));
    Row {
        entrant,
        figures: vec![median(opened()), greatest(opened()), milliseconds],
    }
}

async fn run(entrant: Entrant) -> anyhow::Result<Spike> {
    let (script, settings) = (Script::default(), entrant.settings);
    match entrant.library {
        Library::NoPool => bail!("without a pool nothing is idle"),
        Library::Ours => once(Ours::new(script.clone(), SIZE)?, &script).await,
        Library::Deadpool => once(Deadpool::new(script.clone(), SIZE, settings)?, &script).await,
        Library::Bb8 => once(Bb8::new(script.clone(), SIZE, settings).await?, &script).await,
        Library::Sqlx => once(ScriptedSqlx::new(&script, SIZE, settings), &script).await,
    }
}

async fn once<C: Contender>(contender: C, script: &Script) -> anyhow::Result<Spike> {
    warm_up(&contender, IDLE).await?;
    script.slow_down();
    let contender = Arc::new(contender);
    let start = Arc::new(Barrier::new(CALLERS + 1));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (contender, start) = (Arc::clone(&contender), Arc::clone(&start));
        callers.spawn(async move {
            start.wait().await;
            let mut held = contender.acquire().await?;
            contender.query(&mut held).await
        });
    }
    start.wait().await;
    let started = Instant::now();
    while let Some(served) = callers.join_next().await {
        served??;
    }
    let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
    sleep(AFTERMATH).await;
    Ok(Spike {
        opened: script.connects() as f64,
        milliseconds,
    })
}
