//! Orders per second: ours and a peer's side by side in one run, also into `bench.tsv`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};
use poolhouse_test_postgres::{PASSWORD, PostgresServer};
use poolhouse_tests::measure::{Goal, Measure, report};
use poolhouse_tests::{House, root, run, target};
use serde::Deserialize;

/// The strategy rows of the order measure: fast, slow.
const AVERAGES: [(u32, u32); 4] = [(5, 20), (10, 30), (20, 50), (50, 200)];
const SYMBOLS: [&str; 5] = ["AAPL", "FB", "GOOG", "IBM", "MSFT"];
const USERS: u32 = 20;

/// What the peer prints.
#[derive(Deserialize)]
struct Peer {
    orders: u64,
    seconds: f64,
}

fn main() -> anyhow::Result<()> {
    let mut measures = Vec::new();
    // As durable as people run it: unlike the tests' server, this one waits for its disk.
    let server = PostgresServer::start(&["fsync=on"])?;
    let sqlite = House::sqlite()?.with_plugins()?;
    let postgresql = House::on(server.url("postgres", PASSWORD, "postgres"))?.with_plugins()?;
    for (database, house) in [("SQLite", &sqlite), ("PostgreSQL", &postgresql)] {
        measures.push(orders_per_second(database, house)?);
    }
    report("bench.tsv", &measures)
}

/// The whole sample feed, 4 averages on 5 symbols, 20 users; the time in the loop alone, on both sides.
fn orders_per_second(database: &str, house: &House) -> anyhow::Result<Measure> {
    let seed = house.write("seed.toml", seed())?;
    let feed = root().join("data/daily-bars.csv");
    let feed = feed.to_string_lossy();

    eprintln!("orders on {database}: the peer, which takes a minute …");
    let mut peer = Command::new(peer_python()?);
    peer.arg(root().join("tests/peer/peer.py"))
        .arg(peer_url(house.url()))
        .args([&feed, seed.as_str()]);
    let ran = run(peer)?;
    ensure!(ran.code == Some(0), "the peer failed: {}", ran.stderr);
    let peer: Peer = serde_json::from_str(ran.stdout.trim())?;

    eprintln!("orders on {database}: ours …");
    let ran = house.run(&["run", "--seed", &seed, "--feed", &feed])?;
    ensure!(ran.code == Some(0), "the host failed: {}", ran.stderr);
    let (orders, seconds) = ran
        .stdout
        .lines()
        .find_map(|line| line.strip_suffix(" s")?.split_once(" orders in "))
        .context("the summary has no line `… orders in … s`")?;
    let (orders, seconds): (u64, f64) = (orders.parse()?, seconds.parse()?);
    ensure!(
        orders == peer.orders && house.count("orders")? == orders,
        "ours placed {orders} orders, the peer {}",
        peer.orders
    );
    Ok(Measure {
        name: format!("orders per second, {database}, {orders} orders"),
        ours: orders as f64 / seconds,
        peer: peer.orders as f64 / peer.seconds,
        unit: "/s",
        goal: Goal::Ratio(20.0),
    })
}

fn seed() -> String {
    let mut seed = String::new();
    let mut subscriptions = String::new();
    for (fast, slow) in AVERAGES {
        let id = format!("ma-{fast}-{slow}");
        // Writing to a String can't fail.
        let _ = writeln!(
            seed,
            "[[strategies]]\nid = \"{id}\"\nplugin = \"moving-average\"\nsymbols = {SYMBOLS:?}\n\
             parameters = {{ fast = \"{fast}\", slow = \"{slow}\" }}\nenabled = true"
        );
        let _ = write!(
            subscriptions,
            "{{ strategy = \"{id}\", quantity = \"10\" }}, "
        );
    }
    for user in 0..USERS {
        let _ = writeln!(
            seed,
            "[[users]]\nid = \"user-{user:02}\"\nname = \"User {user}\"\nactive = true\n\
             max_order_value = \"5000\"\nsubscriptions = [{subscriptions}]"
        );
    }
    seed
}

/// The same database, as SQLAlchemy names it.
fn peer_url(url: &str) -> String {
    match url.strip_prefix("sqlite://") {
        Some(path) => format!("sqlite:///{}", path.replace("house.db", "peer.db")),
        None => url.replace("postgresql://", "postgresql+psycopg2://"),
    }
}

fn peer_python() -> anyhow::Result<PathBuf> {
    let python = target()?.join("peer/bin/python");
    ensure!(
        python.exists(),
        "{} is missing: run `make bench`",
        python.display()
    );
    Ok(python)
}
