//! A server that is gone for some seconds, under callers who keep asking: how soon after its return the first of them
//! is served, and how hard the pool knocks meanwhile and right after.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::future::try_join_all;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::contender::{Contender, Entrant, Library, Size, warm_up};
use crate::contenders::{bb8::Bb8, deadpool::Deadpool, ours::Ours, sqlx::ScriptedSqlx};
use crate::report::{Column, Report, Row, greatest, median};
use crate::script::Script;

const CALLERS: u32 = 8;
const SIZE: Size = Size::fixed(16);
/// How long a caller who met an error waits before it asks again.
const PAUSE: Duration = Duration::from_millis(10);
/// Served as usual before the outage.
const BEFORE: Duration = Duration::from_millis(200);
/// For how long after the outage the attempts to connect are counted.
const AFTER: Duration = Duration::from_secs(1);
/// A pool that takes longer than this to serve again is put down as having taken as long as this.
const GIVE_UP: Duration = Duration::from_secs(10);

const COLUMNS: [Column; 5] = [
    Column {
        heading: "first served after ms",
        decimals: 1,
    },
    Column {
        heading: "at worst ms",
        decimals: 1,
    },
    Column {
        heading: "connects/s while down",
        decimals: 0,
    },
    Column {
        heading: "connects in 1 s after",
        decimals: 0,
    },
    Column {
        heading: "errors/s while down",
        decimals: 0,
    },
];
const GOAL_MILLISECONDS: f64 = 100.0;

struct Outage {
    first_served_milliseconds: f64,
    connects_per_second: f64,
    connects_after: f64,
    errors_per_second: f64,
}

/// All contenders at the same time, each with a server and callers of its own: they sleep nearly all the time.
pub(crate) async fn outage(lengths: &[Duration], report: &mut Report) -> anyhow::Result<()> {
    let mut all: Vec<(Entrant, Vec<Outage>)> =
        Entrant::POOLS.map(|entrant| (entrant, Vec::new())).into();
    for length in lengths {
        let outages = try_join_all(Entrant::POOLS.map(|entrant| run(entrant, *length))).await?;
        for ((_, seen), outage) in all.iter_mut().zip(outages) {
            seen.push(outage);
        }
    }
    let rows: Vec<Row> = all
        .iter()
        .map(|(entrant, seen)| row(*entrant, seen))
        .collect();
    let seconds: Vec<String> = lengths
        .iter()
        .map(|length| length.as_secs_f64().to_string())
        .collect();
    let measure = format!("outages of {} s: 8 callers", seconds.join(", "));
    report.add(&measure, &COLUMNS, &rows);
    for row in rows.iter().filter(|row| row.entrant == Entrant::OURS) {
        let worst = row.figures[1];
        let found = format!("first served after {worst:.1} ms at worst");
        let wanted = format!("{GOAL_MILLISECONDS} ms or sooner");
        report.goal(&measure, &found, &wanted, worst <= GOAL_MILLISECONDS);
    }
    Ok(())
}

fn row(entrant: Entrant, seen: &[Outage]) -> Row {
    let first = || seen.iter().map(|outage| outage.first_served_milliseconds);
    Row {
        entrant,
        figures: vec![
            median(first()),
            greatest(first()),
            median(seen.iter().map(|outage| outage.connects_per_second)),
            greatest(seen.iter().map(|outage| outage.connects_after)),
            median(seen.iter().map(|outage| outage.errors_per_second)),
        ],
    }
}

async fn run(entrant: Entrant, length: Duration) -> anyhow::Result<Outage> {
    let (script, settings) = (Script::default(), entrant.settings);
    let outage = match entrant.library {
        Library::NoPool => bail!("without a pool every caller connects"),
        Library::Ours => once(Ours::new(script.clone(), SIZE)?, script, length).await,
        Library::Deadpool => {
            let pool = Deadpool::new(script.clone(), SIZE, settings)?;
            once(pool, script, length).await
        }
        Library::Bb8 => {
            let pool = Bb8::new(script.clone(), SIZE, settings).await?;
            once(pool, script, length).await
        }
        Library::Sqlx => {
            let pool = ScriptedSqlx::new(&script, SIZE, settings);
            once(pool, script, length).await
        }
    };
    outage.with_context(|| format!("outage: {} {}", entrant.name(), entrant.settings()))
}

async fn once<C: Contender>(
    contender: C,
    script: Script,
    length: Duration,
) -> anyhow::Result<Outage> {
    warm_up(&contender, CALLERS).await?;
    let (contender, seen) = (Arc::new(contender), Arc::new(Seen::default()));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(ask(Arc::clone(&contender), Arc::clone(&seen)));
    }
    sleep(BEFORE).await;

    let (connects, errors) = (script.connects(), seen.errors());
    script.go_down();
    sleep(length).await;
    let (while_down, errors) = (script.connects() - connects, seen.errors() - errors);
    let connects = script.connects();
    let served = seen.served();
    script.come_back();
    let back = Instant::now();

    // Nobody was served by a server that was down, so whoever is from here on is served by the new one.
    let first_served = loop {
        if seen.served() > served || back.elapsed() > GIVE_UP {
            break back.elapsed();
        }
        sleep(Duration::from_millis(1)).await;
    };
    sleep(AFTER.saturating_sub(back.elapsed())).await;
    let connects_after = script.connects() - connects;
    callers.shutdown().await;
    Ok(Outage {
        first_served_milliseconds: first_served.as_secs_f64() * 1000.0,
        connects_per_second: while_down as f64 / length.as_secs_f64(),
        connects_after: connects_after as f64,
        errors_per_second: errors as f64 / length.as_secs_f64(),
    })
}

/// What all callers of one pool saw.
#[derive(Default)]
struct Seen {
    served: AtomicU64,
    errors: AtomicU64,
}

impl Seen {
    fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
    }

    fn errors(&self) -> u64 {
        self.errors.load(Ordering::SeqCst)
    }
}

async fn ask<C: Contender>(contender: Arc<C>, seen: Arc<Seen>) {
    loop {
        let answered = match contender.acquire().await {
            Ok(mut held) => contender.query(&mut held).await,
            Err(error) => Err(error),
        };
        if answered.is_ok() {
            seen.served.fetch_add(1, Ordering::SeqCst);
        } else {
            seen.errors.fetch_add(1, Ordering::SeqCst);
            sleep(PAUSE).await;
        }
    }
}
