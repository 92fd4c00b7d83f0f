//! A host that is killed at any instant and started again places the orders of one that was not, once each.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use poolhouse_tests::{BACKENDS, Backend, House, root};

const KILLS: u32 = 20;

#[test]
fn killed_at_random_instants_the_orders_are_the_same_on_sqlite() -> anyhow::Result<()> {
    killed(Backend::Sqlite)
}

#[test]
fn killed_at_random_instants_the_orders_are_the_same_on_postgresql() -> anyhow::Result<()> {
    killed(Backend::Postgresql)
}

fn killed(backend: Backend) -> anyhow::Result<()> {
    assert!(BACKENDS.contains(&backend));
    let seed = root().join("seed.toml");
    let feed = root().join("data/daily-bars.csv");
    let (seed, feed) = (
        seed.to_string_lossy().into_owned(),
        feed.to_string_lossy().into_owned(),
    );
    let arguments = ["run", "--seed", &seed, "--feed", &feed];

    // Few bar times in a transaction, so that most of a run's time is in commits.
    let few_at_once = |house: &House| -> anyhow::Result<()> {
        let settings = std::fs::read_to_string(house.path("host.toml"))?;
        house.write("host.toml", format!("{settings}\n[trading]\ngroup = 2\n"))?;
        Ok(())
    };
    let whole = House::new(backend)?;
    few_at_once(&whole)?;
    whole.run(&arguments)?.succeeded();
    let expected = whole.orders()?;
    drop(whole);

    let house = House::new(backend)?;
    few_at_once(&house)?;
    let seed_of_instants = SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos();
    let mut random = Random(u64::from(seed_of_instants) | 1);
    let mut counts = Vec::new();
    for kill in 0..KILLS {
        let mut child = house.start(&arguments)?;
        // Some while the host starts, the others once it is a random part of the rest further.
        let mut after = Duration::from_secs_f64(random.next());
        if kill % 4 != 0 {
            let before = house.count("orders").unwrap_or(0);
            let rest = expected.len() as f64 - before as f64;
            let until = before + (rest * 0.2 * random.next()) as u64;
            while house.count("orders").unwrap_or(0) <= until && child.try_wait()?.is_none() {}
            after /= 100;
        }
        // Waited for rather than slept through: a run that ends by itself is no kill, but no fault either.
        let begun = Instant::now();
        while begun.elapsed() < after && child.try_wait()?.is_none() {
            std::thread::sleep(Duration::from_micros(100));
        }
        child.kill()?;
        child.wait()?;
        counts.push(house.count("orders").unwrap_or(0));
    }
    house.run(&arguments)?.succeeded();
    assert_eq!(
        house.orders()?,
        expected,
        "seed {seed_of_instants}; orders after each kill: {counts:?}"
    );
    assert!(
        counts
            .iter()
            .any(|count| *count > 0 && *count < expected.len() as u64),
        "no kill fell into the trading; orders after each: {counts:?} of {}",
        expected.len()
    );
    Ok(())
}

/// Knuth's linear congruential generator: the instants of a failed run can be had again.
struct Random(u64);

impl Random {
    /// From 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }
}
