//! The host as a whole: its control socket, its reloads, and a feed that goes on meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use poolhouse_tests::{BACKENDS, Backend, House, Ran, reference_plugin, root, test_guest};
use serde_json::Value;

use super::{LONGEST, version};

/// A host in a process of its own that trades what it is given.
pub(super) struct Process {
    child: Child,
    feed: Option<ChildStdin>,
    said: Receiver<String>,
}

impl Process {
    pub(super) fn start(house: &House, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut child = house
            .host(arguments)?
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let (say, said) = channel();
        let stderr: ChildStderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            feed: child.stdin.take(),
            child,
            said,
        })
    }

    fn feed(&mut self, lines: &[&str]) -> anyhow::Result<()> {
        let feed = self.feed.as_mut().unwrap();
        for line in lines {
            writeln!(feed, "{line}")?;
        }
        Ok(feed.flush()?)
    }

    /// Waits for a line of the log with these words.
    pub(super) fn until_says(&self, words: &str) {
        let begun = Instant::now();
        let mut lines = Vec::new();
        while let Ok(line) = self
            .said
            .recv_timeout(LONGEST.saturating_sub(begun.elapsed()))
        {
            if line.contains(words) {
                return;
            }
            lines.push(line);
        }
        panic!("it did not say {words:?}: {lines:#?}");
    }

    pub(super) fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    pub(super) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    pub(super) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status()?.success());
        Ok(())
    }

    pub(super) fn ends_well(mut self) -> anyhow::Result<()> {
        drop(self.feed.take());
        let ended = self.child.wait()?;
        let lines: Vec<_> = self.said.iter().collect();
        assert!(ended.success(), "{lines:#?}");
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn status(house: &House) -> anyhow::Result<Option<Value>> {
    let ran = house.run(&["status", "--json"])?;
    Ok((ran.code == Some(0)).then(|| serde_json::from_str(&ran.stdout).unwrap()))
}

fn plugin<'a>(status: &'a Value, name: &str) -> Option<&'a Value> {
    let plugins = status["plugins"].as_array().unwrap();
    plugins.iter().find(|plugin| plugin["name"] == name)
}

pub(super) fn until(what: &str, is: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let begun = Instant::now();
    while !is()? {
        assert!(begun.elapsed() < LONGEST, "{what}");
    }
    Ok(())
}

/// The same component with other bytes.
pub(super) fn rebuilt(component: &[u8], mark: u8) -> Vec<u8> {
    let section = [0, 7, 5, b'b', b'u', b'i', b'l', b'd', mark];
    [component, &section].concat()
}

pub(super) const SEED: &str = r#"
[[strategies]]
id = "first"
plugin = "moving-average"
symbols = ["AAPL"]
parameters = { fast = "10", slow = "30" }
enabled = true

[[users]]
id = "alice"
name = "Alice"
active = true
subscriptions = [{ strategy = "first", quantity = "10" }]
"#;

/// The first lines of the sample data, in parts, each of which ends with a bar time.
pub(super) fn feed(parts: usize) -> anyhow::Result<Vec<Vec<String>>> {
    let all = fs::read_to_string(root().join("data/daily-bars.csv"))?;
    let mut lines = all.lines().map(str::to_owned);
    let header = lines.next().unwrap();
    let bars: Vec<_> = lines
        .filter(|line| line.starts_with("AAPL,"))
        .take(parts * 300)
        .collect();
    let mut parts: Vec<Vec<_>> = bars.chunks(300).map(<[_]>::to_vec).collect();
    parts[0].insert(0, header);
    Ok(parts)
}

fn lines(part: &[String]) -> Vec<&str> {
    part.iter().map(String::as_str).collect()
}

/// Orders of a strategy row as symbol, side and time.
fn orders(house: &House, strategy: &str) -> anyhow::Result<BTreeSet<[String; 3]>> {
    let orders = house.orders()?;
    let own = orders.into_iter().filter(|order| order[2] == strategy);
    Ok(own
        .map(|order| [order[3].clone(), order[4].clone(), order[9].clone()])
        .collect())
}

/// The last bar of a part is complete with the first of the next, or at the end; the one before it is when all is committed.
fn until_traded(house: &House, part: &[String]) -> anyhow::Result<()> {
    let line = &part[part.len() - 2];
    let time = line
        .split(',')
        .nth(1)
        .unwrap()
        .trim_end_matches("Z")
        .replace('T', " ");
    until("the part is traded", || {
        let column = match house.server() {
            Some(_) => "to_char(max(bar_time) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')",
            None => "replace(substr(max(bar_time), 1, 19), 'T', ' ')",
        };
        let rows = house.query(&format!("SELECT coalesce({column}, '') FROM progress"));
        Ok(rows.is_ok_and(|rows| rows[0][0] == time))
    })
}

#[test]
fn a_feed_is_traded_as_if_its_plugins_had_not_been_replaced() -> anyhow::Result<()> {
    let parts = feed(3)?;
    let whole = House::new(Backend::Sqlite)?;
    let seed = whole.write("seed.toml", SEED)?;
    let csv = whole.write("feed.csv", parts.concat().join("\n"))?;
    whole
        .run(&["run", "--seed", &seed, "--feed", &csv])?
        .succeeded();

    let house = House::new(Backend::Sqlite)?;
    let seed = house.write("seed.toml", SEED)?;
    let mut host = Process::start(&house, &["run", "--seed", &seed, "--feed", "-"])?;
    for (mark, part) in parts.iter().enumerate() {
        host.feed(&lines(part))?;
        until_traded(&house, part)?;
        let before = status(&house)?.unwrap();
        for name in ["moving-average", "order-manager", "config-loader"] {
            let file = rebuilt(&fs::read(reference_plugin(name)?)?, u8::try_from(mark)?);
            let beside = house.write("beside", file)?;
            fs::rename(beside, house.path(&format!("plugins/{name}.wasm")))?;
            until("it is replaced", || {
                let now = status(&house)?.unwrap();
                let hash = |status: &Value| plugin(status, name).unwrap()["sha256"].clone();
                Ok(hash(&now) != hash(&before))
            })?;
        }
    }
    host.ends_well()?;
    assert_eq!(house.orders()?, whole.orders()?);
    assert!(house.count("orders")? > 10);
    Ok(())
}

#[test]
fn a_strategy_that_is_taken_away_comes_back_with_its_memory() -> anyhow::Result<()> {
    let parts = feed(3)?;
    let whole = House::new(Backend::Sqlite)?;
    let seed = whole.write("seed.toml", SEED)?;
    let csv = whole.write("feed.csv", parts.concat().join("\n"))?;
    whole
        .run(&["run", "--seed", &seed, "--feed", &csv])?
        .succeeded();
    let all = orders(&whole, "first")?;

    let house = House::new(Backend::Sqlite)?;
    let seed = house.write("seed.toml", SEED)?;
    let mut host = Process::start(&house, &["run", "--seed", &seed, "--feed", "-"])?;
    host.feed(&lines(&parts[0]))?;
    until_traded(&house, &parts[0])?;
    let file = house.path("plugins/moving-average.wasm");
    let aside = house.path("aside");
    fs::rename(&file, &aside)?;
    until("it has gone", || {
        Ok(plugin(&status(&house)?.unwrap(), "moving-average").is_none())
    })?;
    host.feed(&lines(&parts[1]))?;
    until_traded(&house, &parts[1])?;
    fs::rename(&aside, &file)?;
    until("it is back", || {
        let now = status(&house)?.unwrap();
        Ok(plugin(&now, "moving-average").is_some_and(|one| one["state"] == "running"))
    })?;
    host.feed(&lines(&parts[2]))?;
    host.ends_well()?;
    let time = |part: &[String]| part[part.len() - 1].split(',').nth(1).unwrap()[..10].to_owned();
    let (gone, back) = (time(&parts[0]), time(&parts[1]));
    let expected: BTreeSet<_> = all
        .into_iter()
        .filter(|[_, _, at]| at[..10] < *gone || at[..10] > *back)
        .collect();
    // The two bars at which it went and came may be on either side.
    let got: BTreeSet<_> = orders(&house, "first")?
        .into_iter()
        .filter(|[_, _, at]| at[..10] != gone && at[..10] != back)
        .collect();
    assert_eq!(got, expected);
    assert!(expected.iter().any(|[_, _, at]| at[..10] > *back));
    Ok(())
}

/// A row that comes with a reload trades from then on as one of the same parameters that was there from the first bar, which itself
/// notices nothing.
#[test]
fn rows_and_subscriptions_come_and_go_with_a_reload() -> anyhow::Result<()> {
    let parts = feed(3)?;
    let whole = House::new(Backend::Sqlite)?;
    let seed = whole.write("seed.toml", SEED)?;
    let csv = whole.write("feed.csv", parts.concat().join("\n"))?;
    whole
        .run(&["run", "--seed", &seed, "--feed", &csv])?
        .succeeded();
    let all = orders(&whole, "first")?;
    for backend in BACKENDS {
        let house = House::new(backend)?;
        let seed = house.write("seed.toml", SEED)?;
        let arguments = ["run", "--seed", &seed, "--feed", "-", "--log", "info"];
        let mut host = Process::start(&house, &arguments)?;
        host.feed(&lines(&parts[0]))?;
        until_traded(&house, &parts[0])?;
        let row = |enabled: bool| {
            format!(
                r#"{{id: "late", plugin: "moving-average", symbols: ["AAPL"], parameters: [{{name: "fast", value: "10"}}, {{name: "slow", value: "30"}}], enabled: {enabled}}}"#
            )
        };
        let save = |row: &str| house.run(&["call", "config-loader", "config-loader.save", row]);
        save(&row(true))?.succeeded();
        let subscription = r#"{user-id: "alice", strategy-id: "late", quantity: "1"}"#;
        house
            .run(&[
                "call",
                "user-service",
                "user-service.subscribe",
                subscription,
            ])?
            .succeeded();
        let reloaded = house.run(&["reload"])?.succeeded();
        assert!(
            reloaded.stdout.contains("strategy rows added: late"),
            "{}",
            reloaded.stdout
        );
        host.feed(&lines(&parts[1]))?;
        until_traded(&house, &parts[1])?;
        // One that can't run changes nothing, and is told of.
        save(
            r#"{id: "bad", plugin: "no-such", symbols: ["AAPL"], parameters: [], enabled: true}"#,
        )?
        .succeeded();
        house
            .run(&["reload"])?
            .failed_with(&["strategy row \"bad\"", "no-such"]);
        save(
            r#"{id: "bad", plugin: "no-such", symbols: ["AAPL"], parameters: [], enabled: false}"#,
        )?
        .succeeded();
        save(&row(false))?.succeeded();
        host.signal("-HUP")?;
        host.until_says("rows_removed=[\"late\"]");
        host.feed(&lines(&parts[2]))?;
        host.ends_well()?;
        assert_eq!(orders(&house, "first")?, all, "{backend:?}");
        let time =
            |part: &[String]| part[part.len() - 1].split(',').nth(1).unwrap()[..10].to_owned();
        let (from, to) = (time(&parts[0]), time(&parts[1]));
        let expected: BTreeSet<_> = all
            .iter()
            .filter(|[_, _, at]| at[..10] >= *from && at[..10] < *to)
            .cloned()
            .collect();
        assert_eq!(orders(&house, "late")?, expected, "{backend:?}");
        assert!(!expected.is_empty());
    }
    Ok(())
}

/// The bars that it failed at are among those that it is to remember.
#[test]
fn a_row_that_was_set_aside_comes_back_with_a_reload() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    house.add_plugin(&test_guest("faulty-strategy")?)?;
    let seed = "[[strategies]]\nid = \"bad\"\nplugin = \"faulty-strategy\"\nsymbols = [\"X\"]\nparameters = { at = \"2 3 4\" }\n";
    let seed = house.write("seed.toml", seed)?;
    let mut host = Process::start(&house, &["run", "--seed", &seed, "--feed", "-"])?;
    let bar = |day: u32| format!("X,2024-01-{day:02},{day},9,1,{day},1");
    host.feed(&["symbol,time,open,high,low,close,volume"])?;
    host.feed(&lines(&(1..=5).map(bar).collect::<Vec<_>>()))?;
    host.until_says("is set aside until reload");
    let reloaded = house.run(&["reload"])?.succeeded();
    assert!(
        reloaded.stdout.contains("strategy rows changed: bad\n"),
        "{}",
        reloaded.stdout
    );
    // A row with as many bad bars that nobody has met before comes, too, but for what is wrong with all of them.
    let row = |id: &str, fault: &str, at: &str| {
        format!(
            r#"{{id: "{id}", plugin: "faulty-strategy", symbols: ["X"], parameters: [{{name: "fault", value: "{fault}"}}, {{name: "at", value: "{at}"}}], enabled: true}}"#
        )
    };
    let save = |row: &str| house.run(&["call", "config-loader", "config-loader.save", row]);
    save(&row("late", "trap", "3 4"))?.succeeded();
    let reloaded = house.run(&["reload"])?.succeeded();
    assert!(
        reloaded.stdout.contains("strategy rows added: late\n"),
        "{}",
        reloaded.stdout
    );
    save(&row("hopeless", "error", "1 2 3 4"))?.succeeded();
    let refused = house.run(&["reload"])?;
    refused.failed_with(&["strategy row \"hopeless\"", "failed on purpose"]);
    host.feed(&lines(&(6..=9).map(bar).collect::<Vec<_>>()))?;
    host.ends_well()
}

#[test]
fn the_status_tells_what_there_is() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    let host = Process::start(&house, &["run"])?;
    host.until_says("host: running");
    let found = status(&house)?.unwrap();
    assert_eq!(found["pid"], host.child.id());
    let manager = plugin(&found, "order-manager").unwrap();
    assert_eq!(manager["state"], "running");
    assert_eq!(manager["connections"], 0);
    assert!(manager["calls"].as_u64().unwrap() > 0, "{manager}");
    house.write("plugins/new.wasm", b"bad")?;
    until("it failed", || {
        let found = status(&house)?.unwrap();
        Ok(plugin(&found, "new")
            .is_some_and(|new| new["state"] == "failed" && new["sha256"].is_string()))
    })?;
    house.write("plugins/v.wasm", version(1))?;
    until("it runs", || {
        let found = status(&house)?.unwrap();
        Ok(plugin(&found, "v").is_some_and(|new| new["state"] == "running"))
    })?;
    let table = house.run(&["status"])?.succeeded().stdout;
    for words in [
        "user-service",
        "running",
        "failed",
        "new: ",
        "does not begin like",
    ] {
        assert!(table.contains(words), "{words} in\n{table}");
    }
    // It is the owner's alone.
    let mode = fs::metadata(house.path("host.sock"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    Ok(())
}

#[test]
fn where_no_host_answers_a_sentence_says_so() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    let absent = |ran: Ran| ran.failed_with(&["no host answers", "host.sock", "host run"]);
    absent(house.run(&["status"])?);
    absent(house.run(&["reload"])?);
    let mut killed = Process::start(&house, &["run"])?;
    killed.until_says("host: running");
    killed.child.kill()?;
    killed.child.wait()?;
    assert!(house.path("host.sock").exists());
    absent(house.run(&["status"])?);
    // The next takes its place, and one more goes on without.
    let host = Process::start(&house, &["run"])?;
    host.until_says("host: running");
    assert!(status(&house)?.is_some());
    let other = Process::start(&house, &["run"])?;
    other.until_says("another host that runs has the control socket");
    other.until_says("host: running");
    drop(other);
    assert_eq!(status(&house)?.unwrap()["pid"], host.child.id());
    host.signal("-TERM")?;
    host.ends_well()?;
    assert!(!house.path("host.sock").exists());
    // What is no socket is left alone.
    house.write("host.sock", "mine")?;
    let host = Process::start(&house, &["run"])?;
    host.until_says("host.sock is no socket");
    drop(host);
    assert_eq!(fs::read_to_string(house.path("host.sock"))?, "mine");
    Ok(())
}

/// What host.toml says anew holds for what is loaded from then on, and loads anew what it concerns.
#[test]
fn a_reload_reads_the_settings_again() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    let host = Process::start(&house, &["run"])?;
    host.until_says("host: running");
    let settings = fs::read_to_string(house.path("host.toml"))?;
    house.write(
        "host.toml",
        format!("{settings}\n[plugins.order-manager.limits]\nconnections = 2\n"),
    )?;
    // Its file comes once more at the same time, as in a deployment.
    let file = house.path("plugins/order-manager.wasm");
    fs::write(&file, fs::read(&file)?)?;
    let reloaded = house.run(&["reload"])?.succeeded();
    assert!(
        reloaded
            .stdout
            .contains("plugins running anew: order-manager\n"),
        "{}",
        reloaded.stdout
    );
    house.write("host.toml", "nonsense")?;
    // The command reads it as well, so this is the host's own answer.
    host.signal("-HUP")?;
    host.until_says("nothing was reloaded: host.toml, line 1");
    Ok(())
}
