//! What each language costs its author and the machine: time from `host new` to the first order, size, time of a bar, memory of an
//! instance. Prints a line for each; a language whose toolchain is not there is said to be skipped. There is no peer but Rust.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use poolhouse_tests::{Backend, House, host_program, root};

const LANGUAGES: [&str; 5] = ["rust", "typescript", "javascript", "python", "c"];

/// Strategy rows of the larger of two runs, between which the memory of an instance is found.
const ROWS: u64 = 33;

fn main() -> anyhow::Result<()> {
    println!(
        "language\tcold, s\twarm, s\tcomponent, KiB\tbars/s, 10/30\tbars/s, 50/200\tbars/s, breakout 20\tmemory of an instance, KiB"
    );
    for language in LANGUAGES {
        match measure(language)? {
            Some(line) => println!("{language}\t{line}"),
            None => println!("{language}\tSKIPPED: its toolchain is not there"),
        }
    }
    Ok(())
}

fn measure(language: &str) -> anyhow::Result<Option<String>> {
    let work = tempfile::tempdir()?;
    let Some(cold) = first_order(work.path(), language, "cold")? else {
        return Ok(None);
    };
    let warm = first_order(work.path(), language, "warm")?.context("it was built before")?;
    let plugin = work.path().join("plugins/warm.wasm");
    let size = fs::metadata(&plugin)?.len() / 1024;

    let house = house(work.path())?;
    let fast = bars_in_a_second(&house, "warm", "fast = \"10\", slow = \"30\"")?;
    let slow = bars_in_a_second(&house, "warm", "fast = \"50\", slow = \"200\"")?;
    let breakout = match language {
        "rust" => bars_in_a_second(&house, "channel-breakout", "lookback = \"20\"")?,
        _ => {
            let folder = root()
                .join("examples")
                .join(language)
                .join("channel-breakout");
            let folder = folder.canonicalize()?;
            run(work.path(), &["build", &folder.to_string_lossy()])?
                .context("it was built before")?;
            fs::copy(
                work.path().join("plugins/channel-breakout.wasm"),
                house.path("plugins/channel-breakout.wasm"),
            )?;
            bars_in_a_second(&house, "channel-breakout", "lookback = \"20\"")?
        }
    };
    let memory = (peak(&house, ROWS)?.saturating_sub(peak(&house, 1)?)) / (ROWS - 1);
    Ok(Some(format!(
        "{:.1}\t{:.1}\t{size}\t{fast:.0}\t{slow:.0}\t{breakout:.0}\t{memory}",
        cold.as_secs_f64(),
        warm.as_secs_f64()
    )))
}

/// The host in that folder with a cache of its own there; none where it is said that a toolchain is missing.
fn run(folder: &Path, arguments: &[&str]) -> anyhow::Result<Option<String>> {
    let output = Command::new(host_program()?)
        .args(arguments)
        .current_dir(folder)
        .env_remove("DATABASE_URL")
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("can't be built without") {
        return Ok(None);
    }
    ensure!(output.status.success(), "{arguments:?}: {said}");
    Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// A house whose host shares that folder's cache.
fn house(work: &Path) -> anyhow::Result<House> {
    let house = House::new(Backend::Sqlite)?;
    for file in fs::read_dir(work.join("plugins"))? {
        house.add_plugin(&file?.path())?;
    }
    let settings = fs::read_to_string(house.path("host.toml"))?;
    let cache = work.join("cache/poolhouse");
    house.write(
        "host.toml",
        format!("{settings}\n[cache]\nfolder = \"{}\"\n", cache.display()),
    )?;
    Ok(house)
}

fn seed(plugin: &str, parameters: &str, rows: u64) -> String {
    let rows = (0..rows).map(|row| {
        format!(
            "[[strategies]]\nid = \"{plugin}-{row}\"\nplugin = \"{plugin}\"\nsymbols = [\"AAPL\", \"FB\", \"GOOG\", \"IBM\", \"MSFT\"]\nparameters = {{ {parameters} }}\nenabled = true\n"
        )
    });
    let user = format!(
        "[[users]]\nid = \"ann\"\nname = \"Ann\"\nactive = true\nsubscriptions = [{{ strategy = \"{plugin}-0\", quantity = \"1\" }}]\n"
    );
    rows.collect::<String>() + &user
}

/// From `host new` to the first order in the database.
fn first_order(work: &Path, language: &str, name: &str) -> anyhow::Result<Option<Duration>> {
    let begun = Instant::now();
    run(work, &["new", name, "--lang", language])?;
    if run(work, &["build", name])?.is_none() {
        return Ok(None);
    }
    let taken = begun.elapsed();
    // The other plugins are there before anybody thinks of a new one.
    let house = house(work)?;
    let seed = house.write("seed.toml", seed(name, "fast = \"1\", slow = \"2\"", 1))?;
    let bars = fs::read_to_string(root().join("data/daily-bars.csv"))?;
    let few: Vec<_> = bars.lines().take(40).collect();
    let feed = house.write("few.csv", few.join("\n"))?;
    let begun = Instant::now();
    house
        .run(&["run", "--seed", &seed, "--feed", &feed])?
        .succeeded();
    let taken = taken + begun.elapsed();
    ensure!(house.count("orders")? > 0, "no order in {language}");
    Ok(Some(taken))
}

/// Over the sample bars, by the time in the strategy that the summary tells.
fn bars_in_a_second(house: &House, plugin: &str, parameters: &str) -> anyhow::Result<f64> {
    clear(house)?;
    let seed = house.write("seed.toml", seed(plugin, parameters, 1))?;
    let feed = root().join("data/daily-bars.csv");
    let ran = house
        .run(&["run", "--seed", &seed, "--feed", &feed.to_string_lossy()])?
        .succeeded();
    let row = ran
        .stdout
        .lines()
        .find(|line| line.contains(&format!("{plugin}-0")));
    let time = row
        .and_then(|row| row.split_whitespace().rev().nth(2)?.parse::<f64>().ok())
        .with_context(|| format!("no time per bar in {}", ran.stdout))?;
    Ok(1e6 / time)
}

/// KiB of the host's memory at the most.
fn peak(house: &House, rows: u64) -> anyhow::Result<u64> {
    clear(house)?;
    let seed = house.write(
        "seed.toml",
        seed("warm", "fast = \"10\", slow = \"30\"", rows),
    )?;
    let feed = root().join("data/daily-bars.csv");
    let mut child = house.start(&["run", "--seed", &seed, "--feed", &feed.to_string_lossy()])?;
    let mut most = 0;
    while child.try_wait()?.is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        });
        most = most.max(peak.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(most)
}

/// Begins anew with an empty database.
fn clear(house: &House) -> anyhow::Result<()> {
    for end in ["", "-wal", "-shm"] {
        let file = house.path(&format!("house.db{end}"));
        if file.exists() {
            fs::remove_file(file)?;
        }
    }
    Ok(())
}
