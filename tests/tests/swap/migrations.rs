//! Migrations of plugins that come while the host runs, or while it is killed.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use poolhouse_database::{Database, DatabaseUrl, Grants, Settings, Tables};
use poolhouse_runtime::{Engine, Pinned, PluginOptions, Plugins, Scope};
use poolhouse_tests::{BACKENDS, House, test_guest};

use super::host::{Process, rebuilt, until};

const PLUGIN: &str = "faulty-service";

/// Each plugin's migrations, as they are recorded.
fn migrations(house: &House) -> anyhow::Result<Vec<Vec<String>>> {
    house.query(
        "SELECT plugin, CAST(number AS TEXT) FROM poolhouse_migrations ORDER BY plugin, number",
    )
}

/// The newer version's migration is applied while calls are in the older one, which goes on working.
#[test]
fn the_old_version_works_on_the_new_schema_while_it_drains() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let house = House::empty(backend)?;
        if house.server().is_none() {
            house.write("house.db", "")?;
        }
        house.add_plugin(&test_guest(PLUGIN)?)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let engine = Engine::new()?;
        let is_newer = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_newer);
        let options = move |_: &str| {
            let tables = || Tables::Some(["faults".to_owned()].into());
            let newer = told.load(Ordering::Acquire);
            PluginOptions {
                grants: Some(Grants {
                    read: tables(),
                    write: tables(),
                    migrate: true,
                    separate: true,
                    ..Grants::default()
                }),
                environment: newer
                    .then(|| ("SCHEMA".to_owned(), "2".to_owned()))
                    .into_iter()
                    .collect(),
                ..PluginOptions::default()
            }
        };
        let (database, plugins) = runtime.block_on(async {
            let database = Database::open(Settings::new(DatabaseUrl::parse(house.url())?))?;
            let folder = house.path("plugins");
            let plugins = Plugins::load(&engine, &folder, None, &database, &options).await?;
            anyhow::Ok((database, plugins))
        })?;
        let insert = |plugin: &Pinned, scope: &Arc<Scope>| {
            let inserting = plugin.call_by_name(&engine, scope, "faults.insert", &[]);
            let answer = runtime.block_on(inserting).unwrap();
            assert_eq!(answer.failure, None, "{backend:?}");
        };
        let old = plugins.get(PLUGIN).unwrap();
        let scope = old.scope();
        insert(&old, &scope);
        is_newer.store(true, Ordering::Release);
        let file = rebuilt(&fs::read(test_guest(PLUGIN)?)?, 2);
        let beside = house.write("beside", file)?;
        fs::rename(beside, house.path("plugins/faulty-service.wasm"))?;
        let begun = Instant::now();
        while plugins.get(PLUGIN).unwrap().facts().sha256 == old.facts().sha256 {
            let looked = plugins.update(None, &options);
            let changed = runtime.block_on(looked)?;
            assert!(changed.failed.is_empty(), "{changed:?}");
            assert!(begun.elapsed() < super::LONGEST);
        }
        assert_eq!(migrations(&house)?, [[PLUGIN, "1"], [PLUGIN, "2"]]);
        insert(&old, &scope);
        let new = plugins.get(PLUGIN).unwrap();
        insert(&new, &new.scope());
        insert(&old, &scope);
        runtime.block_on(scope.finish());
        assert_eq!(house.count("faults WHERE note = 'new'")?, 4, "{backend:?}");
        drop((old, new, scope));
        runtime.block_on(async {
            plugins.stop().await;
            database.close(Duration::from_secs(5)).await;
        });
    }
    Ok(())
}

#[test]
fn two_hosts_that_start_on_one_database_migrate_once() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let house = House::new(backend)?;
        let hosts = [
            Process::start(&house, &["run"])?,
            Process::start(&house, &["run"])?,
        ];
        for host in &hosts {
            host.until_says("host: running");
        }
        let recorded = migrations(&house)?;
        let mut once = recorded.clone();
        once.dedup();
        assert_eq!(recorded, once);
        assert!(recorded.len() >= 3, "{recorded:?}");
        // A plugin that comes to both at once is migrated once as well.
        let settings = fs::read_to_string(house.path("host.toml"))?;
        let grant = "[plugins.faulty-service]\ndatabase = { migrate = true, read = [\"faults\"], write = [\"faults\"] }\n";
        house.write("host.toml", format!("{settings}\n{grant}"))?;
        for host in &hosts {
            host.signal("-HUP")?;
        }
        house.add_plugin(&test_guest(PLUGIN)?)?;
        until("it is migrated", || {
            Ok(migrations(&house)?.len() > recorded.len())
        })?;
        for host in hosts {
            host.signal("-TERM")?;
            host.ends_well()?;
        }
        assert_eq!(migrations(&house)?.len(), recorded.len() + 1);
        house.run(&["check"])?.succeeded();
    }
    Ok(())
}

/// At whatever instant of its start, its migrations or a swap a host is killed, the next start is right.
#[test]
fn after_a_kill_the_next_start_is_right() -> anyhow::Result<()> {
    for backend in BACKENDS {
        for kill in 0..8 {
            let house = House::new(backend)?;
            let mut host = Process::start(&house, &["run", "--log", "info"])?;
            // The first half while it starts, at ever later instants; the second once it runs and its plugins are being replaced.
            if kill < 4 {
                let begun = Instant::now();
                let until = Duration::from_millis(150 * (kill + 1));
                while begun.elapsed() < until && !host.has_ended()? {
                    std::thread::yield_now();
                }
            } else {
                host.until_says("host: running");
                for name in poolhouse_tests::PLUGINS {
                    let path = house.path(&format!("plugins/{name}.wasm"));
                    let file = rebuilt(&fs::read(&path)?, u8::try_from(kill)?);
                    let beside = house.write("beside", file)?;
                    fs::rename(beside, path)?;
                }
                host.until_says(if kill % 2 == 0 { "loaded" } else { "running" });
            }
            host.kill()?;
            house.run(&["check"])?.succeeded();
            let recorded = migrations(&house)?;
            let mut once = recorded.clone();
            once.dedup();
            assert_eq!(recorded, once, "{backend:?}, kill {kill}");
            let seed = house.write("seed.toml", super::host::SEED)?;
            let feed = super::host::feed(1)?.concat().join("\n");
            let feed = house.write("feed.csv", feed)?;
            house
                .run(&["run", "--seed", &seed, "--feed", &feed])?
                .succeeded();
            assert!(house.count("orders")? > 0, "{backend:?}, kill {kill}");
        }
    }
    Ok(())
}
