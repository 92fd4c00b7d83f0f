//! Starts with the code that an earlier start compiled.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use poolhouse_database::{Database, DatabaseUrl, Settings};
use poolhouse_runtime::{CodeCache, Engine, PluginOptions, Plugins};
use poolhouse_tests::{Backend, House, reference_plugin};

use super::host::rebuilt;

const PLUGINS: u8 = 50;

/// What loading took, and the sum of what compiling or reading the code did.
fn load(house: &House, cache: &Path) -> anyhow::Result<(Duration, Duration)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let cache = CodeCache::open(cache, 1 << 30)?;
        let engine = Engine::new()?.with_code_cache(cache);
        let database = Database::open(Settings::new(DatabaseUrl::parse(house.url())?))?;
        let options = |_: &str| PluginOptions::default();
        let folder = house.path("plugins");
        let begun = Instant::now();
        let plugins = Plugins::load(&engine, &folder, None, &database, options).await?;
        let took = begun.elapsed();
        assert_eq!(plugins.iter().count(), usize::from(PLUGINS));
        let code = plugins
            .iter()
            .map(|plugin| plugin.facts().compile_time)
            .sum();
        plugins.stop().await;
        Ok((took, code))
    })
}

#[test]
fn the_second_start_compiles_nothing() -> anyhow::Result<()> {
    let house = House::sqlite()?;
    house.write("house.db", "")?;
    let guest = fs::read(reference_plugin("moving-average")?)?;
    for number in 0..PLUGINS {
        house.write(&format!("plugins/p{number}.wasm"), rebuilt(&guest, number))?;
    }
    let cache = house.path("cache");
    let first = load(&house, &cache)?;
    let entries = || -> Vec<_> {
        let mut entries: Vec<_> = fs::read_dir(&cache)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        entries
    };
    let written = entries();
    assert_eq!(written.len(), usize::from(PLUGINS));
    let second = load(&house, &cache)?;
    println!(
        "{PLUGINS} plugins: first start {:?} (code {:?}), second start {:?} (code {:?})",
        first.0, first.1, second.0, second.1
    );
    assert!(second.1 < first.1 / 4, "{first:?} {second:?}");
    // Whatever becomes of the entries, the next start is right, and they are whole again.
    for (at, entry) in written.iter().enumerate() {
        match at % 3 {
            0 => fs::write(entry, b"garbage")?,
            1 => fs::remove_file(entry)?,
            _ => {}
        }
    }
    load(&house, &cache)?;
    assert_eq!(entries(), written);
    assert!(
        written
            .iter()
            .all(|entry| fs::metadata(entry).unwrap().len() > 1000)
    );
    Ok(())
}

/// The host's own way: the user's cache folder, and a sentence where it can't be trusted.
#[test]
fn the_cache_is_where_the_settings_say() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    let check = |home: &Path| -> anyhow::Result<_> {
        let mut command = house.host(&["check"])?;
        command.env("XDG_CACHE_HOME", home);
        Ok(poolhouse_tests::run(command)?.succeeded())
    };
    let home = house.path("home");
    check(&home)?;
    assert_eq!(fs::read_dir(home.join("poolhouse"))?.count(), 5);
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(home.join("poolhouse"), fs::Permissions::from_mode(0o777))?;
    let said = check(&home)?.stderr;
    assert!(
        said.contains("others can write to") && said.contains("[cache]"),
        "{said}"
    );
    let settings = fs::read_to_string(house.path("host.toml"))?;
    house.write("host.toml", format!("{settings}\n[cache]\nfolder = \"\"\n"))?;
    assert_eq!(check(&home)?.stderr, "");
    Ok(())
}
