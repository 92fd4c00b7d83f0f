//! The main job: the same feed gives the same orders on both databases, once each, whatever goes wrong.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

#[path = "trading/troubles.rs"]
mod troubles;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use poolhouse_tests::reference::{self, Rule, Strategy, Subscription};
use poolhouse_tests::{BACKENDS, Backend, House, Ran, root, test_guest};

const STRATEGIES: [Strategy; 4] = [
    Strategy {
        id: "breakout-20",
        symbols: &["FB", "GOOG"],
        rule: Rule::ChannelBreakout(20),
    },
    Strategy {
        id: "ma-aapl",
        symbols: &["AAPL"],
        rule: Rule::MovingAverage(10, 30),
    },
    Strategy {
        id: "ma-all",
        symbols: &["AAPL", "FB", "GOOG", "IBM", "MSFT"],
        rule: Rule::MovingAverage(5, 20),
    },
    Strategy {
        id: "one-bar",
        symbols: &["IBM"],
        rule: Rule::ChannelBreakout(1),
    },
];

/// User, strategy row, quantity, largest order value.
const SUBSCRIPTIONS: [Subscription; 6] = [
    ("alice", "ma-aapl", 10, 100_000),
    ("alice", "ma-all", 3, 100_000),
    ("alice", "one-bar", 1, 100_000),
    ("bob", "ma-all", 7, 1500),
    ("bob", "breakout-20", 2, 1500),
    ("bob", "one-bar", 100, 1500),
];

/// The seed of the above, with an inactive user and a disabled row that must get nothing.
const SEED: &str = r#"
strategies = [
    { id = "breakout-20", plugin = "channel-breakout", symbols = ["FB", "GOOG"], parameters = { lookback = "20" }, enabled = true },
    { id = "ma-aapl", plugin = "moving-average", symbols = ["AAPL"], parameters = { fast = "10", slow = "30" }, enabled = true },
    { id = "ma-all", plugin = "moving-average", symbols = ["AAPL", "FB", "GOOG", "IBM", "MSFT"], parameters = { fast = "5", slow = "20" }, enabled = true },
    { id = "one-bar", plugin = "channel-breakout", symbols = ["IBM"], parameters = { lookback = "1" }, enabled = true },
    { id = "off", plugin = "moving-average", symbols = ["AAPL"], parameters = { fast = "5", slow = "10" }, enabled = false },
]
[[users]]
id = "alice"
name = "Alice"
active = true
max_order_value = "100000"
subscriptions = [{ strategy = "ma-aapl", quantity = "10" }, { strategy = "ma-all", quantity = "3" }, { strategy = "one-bar", quantity = "1" }, { strategy = "off", quantity = "1" }]
[[users]]
id = "bob"
name = "Bob"
active = true
max_order_value = "1500"
subscriptions = [{ strategy = "ma-all", quantity = "7" }, { strategy = "breakout-20", quantity = "2" }, { strategy = "one-bar", quantity = "100" }]
[[users]]
id = "carol"
name = "Carol"
active = false
max_order_value = "100000"
subscriptions = [{ strategy = "ma-all", quantity = "1" }]
"#;

fn sample() -> anyhow::Result<String> {
    Ok(fs::read_to_string(root().join("data/daily-bars.csv"))?)
}

fn trade(house: &House, seed: &str, feed: &str) -> anyhow::Result<Ran> {
    let seed = house.write("seed.toml", seed)?;
    let feed = house.write("feed.csv", feed)?;
    house.run(&["run", "--seed", &seed, "--feed", &feed])
}

/// The orders with the reasons of rejections, which the reference does not know, blotted out.
fn orders(house: &House) -> anyhow::Result<Vec<Vec<String>>> {
    let mut orders = house.orders()?;
    for order in &mut orders {
        let rejected = order[7] == "rejected";
        assert_eq!(rejected, !order[8].is_empty(), "{order:?}");
        if rejected {
            order[8] = "?".to_owned();
        }
    }
    Ok(orders)
}

#[test]
fn orders_are_the_reference_s_on_both_databases_and_once_each() -> anyhow::Result<()> {
    let feed = sample()?;
    let expected = reference::orders(&reference::bars(&feed), &STRATEGIES, &SUBSCRIPTIONS);
    let rejected = expected
        .iter()
        .filter(|order| order[7] == "rejected")
        .count();
    assert!(
        expected.len() > 3000 && rejected > 100,
        "{} {rejected}",
        expected.len()
    );
    for backend in BACKENDS {
        let house = House::new(backend)?;
        let first = trade(&house, SEED, &feed)?.succeeded();
        assert_eq!(orders(&house)?, expected, "{backend:?}");
        for words in [
            "ma-all",
            "moving-average",
            "pool:",
            "acquires",
            "overflow",
            "connections opened",
        ] {
            assert!(first.stdout.contains(words), "{}", first.stdout);
        }
        trade(&house, SEED, &feed)?.succeeded();
        assert_eq!(
            orders(&house)?,
            expected,
            "{backend:?}: a second run changed something"
        );
        assert_eq!(house.count("orders")?, expected.len() as u64);
        assert_eq!(house.count("users")?, 3);
        assert_eq!(house.count("strategies")?, 5);
    }
    Ok(())
}

#[test]
fn a_feed_may_come_in_pieces_by_standard_input_in_any_column_order() -> anyhow::Result<()> {
    let feed = sample()?;
    let expected = reference::orders(&reference::bars(&feed), &STRATEGIES, &SUBSCRIPTIONS);
    let house = House::new(Backend::Sqlite)?;
    let turned: String = feed
        .lines()
        .map(|line| {
            let mut fields: Vec<_> = line.split(',').collect();
            fields.rotate_left(3);
            fields.join(",") + "\n"
        })
        .collect();
    let seed = house.write("seed.toml", SEED)?;
    // Half of it first, as if the host had been stopped there; then all of it again.
    let half: String = turned
        .lines()
        .take(6000)
        .map(|line| format!("{line}\n"))
        .collect();
    for text in [&half, &turned] {
        let mut child = house
            .host(&["run", "--seed", &seed, "--feed", "-"])?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes())?;
        let output = child.wait_with_output()?;
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(orders(&house)?, expected);
    Ok(())
}

#[test]
fn a_subscription_made_later_is_not_backfilled() -> anyhow::Result<()> {
    let feed = sample()?;
    let house = House::new(Backend::Sqlite)?;
    trade(&house, SEED, &feed)?.succeeded();
    let before = orders(&house)?;
    let later = format!(
        "{SEED}\n[[users]]\nid = \"dave\"\nname = \"Dave\"\nsubscriptions = [{{ strategy = \"ma-all\", quantity = \"1\" }}]\n"
    );
    trade(&house, &later, &feed)?.succeeded();
    assert_eq!(orders(&house)?, before);
    Ok(())
}

/// A seed of one row of the moving average, to be changed in one place.
const ROW: &str = r#"
[[strategies]]
id = "row"
plugin = "moving-average"
symbols = ["AAPL"]
parameters = { fast = "10", slow = "30" }
"#;

#[test]
fn a_wrong_seed_or_row_is_named_and_nothing_is_stored() -> anyhow::Result<()> {
    let feed = sample()?;
    let house = House::new(Backend::Sqlite)?;
    for (from, to, words) in [
        (
            "moving-average",
            "absent",
            &["\"row\"", "absent", "moving-average"][..],
        ),
        (
            "moving-average",
            "user-service",
            &["\"row\"", "user-service", "not a strategy"],
        ),
        ("\"10\"", "\"30\"", &["\"row\"", "fast"]),
        (
            "\"10\"",
            "\"ten\"",
            &["\"row\"", "fast", "ten", "whole number"],
        ),
        ("fast = \"10\", ", "", &["\"row\"", "fast", "missing"]),
        (
            "fast =",
            "fats = \"1\", fast =",
            &["\"row\"", "fats", "unknown", "fast, slow"],
        ),
        ("\"10\"", "\"0\"", &["\"row\"", "fast", "\"0\""]),
        ("[\"AAPL\"]", "[]", &["row", "symbol"]),
        ("symbols", "symbol", &["seed.toml", "line 5", "symbol"]),
        ("id =", "id = 5 #", &["seed.toml", "line 3"]),
        ("[[strategies]]", "[[strategies]", &["seed.toml", "line 2"]),
    ] {
        let seed = ROW.replacen(from, to, 1);
        assert_ne!(seed, ROW);
        trade(&house, &seed, &feed)?.failed_with(words);
        assert_eq!(house.count("strategies").unwrap_or(0), 0, "{seed}");
        assert_eq!(house.count("orders").unwrap_or(0), 0, "{seed}");
    }
    let user = |quantity: &str, strategy: &str, limit: &str| {
        format!(
            "{ROW}\n[[users]]\nid = \"u\"\nname = \"U\"\nmax_order_value = \"{limit}\"\nsubscriptions = [{{ strategy = \"{strategy}\", quantity = \"{quantity}\" }}]\n"
        )
    };
    for (seed, words) in [
        (user("0", "row", "5"), &["\"u\"", "quantity"][..]),
        (user("-1", "row", "5"), &["\"u\"", "quantity"]),
        (user("many", "row", "5"), &["\"u\"", "many"]),
        (
            user("1", "other", "5"),
            &["\"u\"", "other", "does not exist"],
        ),
        (user("1", "row", "much"), &["\"u\"", "much"]),
    ] {
        trade(&house, &seed, &feed)?.failed_with(words);
        assert_eq!(house.count("users")?, 0, "{seed}");
        assert_eq!(house.count("strategies")?, 0, "{seed}");
    }
    house
        .run(&["run", "--seed", "none.toml"])?
        .failed_with(&["none.toml"]);
    trade(&house, ROW, &feed)?.succeeded();
    Ok(())
}

#[test]
fn a_wrong_feed_is_named_with_its_line_and_nothing_is_traded() -> anyhow::Result<()> {
    let feed = sample()?;
    let house = House::new(Backend::Sqlite)?;
    let lines: Vec<&str> = feed.lines().collect();
    let with = |line: usize, text: &str| {
        let mut lines = lines.clone();
        lines[line - 1] = text;
        lines.join("\n")
    };
    for (feed, words) in [
        (
            with(5000, "AAPL,2005-01-01T00:00:00Z,1,2,1,x,5"),
            &["feed.csv", "line 5000", "close", "\"x\""][..],
        ),
        (
            with(5000, "AAPL,2005-01-01T00:00:00Z,1,2"),
            &["line 5000", "4 fields"],
        ),
        (
            with(5000, "AAPL,2000-03-01T00:00:00Z,1,2,1,2,5"),
            &["line 5000", "sort the feed"],
        ),
        (with(5000, "AAPL,noon,1,2,1,2,5"), &["line 5000", "noon"]),
        (
            with(1, "symbol,time,open,high,low,volume,x"),
            &["line 1", "close"],
        ),
    ] {
        trade(&house, SEED, &feed)?.failed_with(words);
        assert_eq!(house.count("orders").unwrap_or(0), 0);
    }
    house
        .run(&["run", "--feed", "none.csv"])?
        .failed_with(&["none.csv"]);
    Ok(())
}

/// The sample's first lines.
fn beginning(lines: usize) -> anyhow::Result<String> {
    Ok(sample()?
        .lines()
        .take(lines)
        .map(|line| format!("{line}\n"))
        .collect())
}

/// A feed of one symbol whose opens are the bars' numbers, from 1, and whose closes go up and down.
fn numbered(bars: u32) -> String {
    let mut feed = "symbol,time,open,high,low,close,volume\n".to_owned();
    for number in 1..=bars {
        let close = 100.0 + f64::from(number * number % 17);
        feed += &format!(
            "X,2020-01-01T00:{:02}:{:02}Z,{number},1000,1,{close},5\n",
            number / 60,
            number % 60
        );
    }
    feed
}

fn faulty_seed(fault: &str, at: &str) -> String {
    let row = |id: &str, at: &str| {
        format!(
            "[[strategies]]\nid = \"{id}\"\nplugin = \"faulty-strategy\"\nsymbols = [\"X\"]\nparameters = {{ fault = \"{fault}\", at = \"{at}\" }}\n"
        )
    };
    format!(
        "{}{}[[users]]\nid = \"u\"\nname = \"U\"\nsubscriptions = [{{ strategy = \"bad\", quantity = \"1\" }}, {{ strategy = \"good\", quantity = \"1\" }}]\n",
        row("bad", at),
        row("good", "")
    )
}

/// The bars' numbers at which a row bought.
fn bought(house: &House, row: &str) -> anyhow::Result<Vec<u32>> {
    let mut numbers: Vec<u32> = house
        .orders()?
        .iter()
        .filter(|order| order[2] == row)
        .map(|order| {
            let time = &order[9];
            time[14..16].parse::<u32>().unwrap() * 60 + time[17..19].parse::<u32>().unwrap()
        })
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The faulty strategy's definition: higher than three bars ago, the bars that failed left out; three failures in
/// a row end it.
fn expected(bars: u32, at: &[u32]) -> Vec<u32> {
    let mut closes: Vec<u32> = Vec::new();
    let (mut buys, mut failures) = (Vec::new(), 0);
    for number in 1..=bars {
        if at.contains(&number) {
            failures += 1;
            if failures == 3 {
                break;
            }
            continue;
        }
        failures = 0;
        let close = number * number % 17;
        if closes.len() >= 3 && close > closes[closes.len() - 3] {
            buys.push(number);
        }
        closes.push(close);
    }
    buys
}

#[test]
fn a_strategy_that_fails_fails_alone_and_is_rebuilt() -> anyhow::Result<()> {
    const BARS: u32 = 120;
    let good = expected(BARS, &[]);
    for (fault, at, reason) in [
        ("trap", &[20, 22, 23, 60][..], "trapped on purpose at 20"),
        ("trap", &[30, 31, 32, 33], "trapped on purpose at 32"),
        ("error", &[20, 22, 23, 60], "failed on purpose at 20"),
        ("error", &[30, 31, 32], "failed on purpose at 32"),
        ("spin", &[30, 31, 32], "bar_timeout"),
    ] {
        for backend in BACKENDS {
            let house = House::new(backend)?;
            house.add_plugin(&test_guest("faulty-strategy")?)?;
            let settings = fs::read_to_string(house.path("host.toml"))?;
            house.write(
                "host.toml",
                format!("{settings}\n[trading]\nbar_timeout = \"500ms\"\n"),
            )?;
            let text = at
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ");
            let ran = trade(&house, &faulty_seed(fault, &text), &numbered(BARS))?.succeeded();
            assert_eq!(bought(&house, "good")?, good, "{fault} {at:?}");
            assert_eq!(bought(&house, "bad")?, expected(BARS, at), "{fault} {at:?}");
            assert!(ran.stderr.contains(reason), "{}", ran.stderr);
            let set_aside = at.windows(3).any(|three| three[0] + 2 == three[2]);
            assert_eq!(
                ran.stdout.contains("set aside: bad"),
                set_aside,
                "{}",
                ran.stdout
            );
            let orders = house.orders()?;
            trade(&house, &faulty_seed(fault, &text), &numbered(BARS))?.succeeded();
            assert_eq!(house.orders()?, orders, "a second run changed something");
        }
    }
    Ok(())
}

#[test]
fn a_row_set_aside_is_not_backfilled_once_it_is_mended() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    house.add_plugin(&test_guest("faulty-strategy")?)?;
    trade(&house, &faulty_seed("trap", "30 31 32"), &numbered(60))?.succeeded();
    let before = bought(&house, "bad")?;
    trade(&house, &faulty_seed("trap", ""), &numbered(60))?.succeeded();
    assert_eq!(bought(&house, "bad")?, before);
    trade(&house, &faulty_seed("trap", ""), &numbered(120))?.succeeded();
    let later: Vec<_> = expected(120, &[])
        .into_iter()
        .filter(|number| *number > 60)
        .collect();
    assert_eq!(bought(&house, "bad")?, [before, later].concat());
    Ok(())
}

#[test]
fn a_feed_that_does_not_begin_can_be_stopped_and_leaves_nothing() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    let seed = house.write("seed.toml", SEED)?;
    let mut child = house
        .host(&["run", "--seed", &seed, "--feed", "-", "--log", "info"])?
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let input = child.stdin.take();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // The last migration is the last thing before the feed is waited for.
    assert!(lines.any(|line| {
        let line = line.unwrap();
        line.contains("user-service") && line.contains("migrations applied")
    }));
    terminate(&child)?;
    assert_eq!(child.wait()?.code(), Some(130));
    drop(input);
    assert_eq!(house.count("strategies")?, 0);

    let wrong = house.write("wrong.csv", "symbol,time\n")?;
    let mut command = house.host(&["run", "--seed", &seed, "--feed", "-"])?;
    command.stdin(fs::File::open(wrong)?);
    poolhouse_tests::run(command)?.failed_with(&["standard input, line 1", "close"]);
    assert_eq!(house.count("strategies")?, 0);
    Ok(())
}

#[test]
fn a_live_feed_is_committed_as_it_comes() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let house = House::new(backend)?;
        house.add_plugin(&test_guest("faulty-strategy")?)?;
        let seed = house.write("seed.toml", faulty_seed("trap", ""))?;
        let mut child = house
            .host(&["run", "--seed", &seed, "--feed", "-"])?
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let mut input = child.stdin.take().unwrap();
        let feed = numbered(120);
        let lines: Vec<&str> = feed.lines().collect();
        let all = expected(120, &[]);
        // A bar time is complete once the next one begins; then its orders are there, with the feed still open.
        for sent in [40, 41, 80] {
            let from = if sent == 40 {
                0
            } else if sent == 41 {
                41
            } else {
                42
            };
            for line in &lines[from..=sent] {
                writeln!(input, "{line}")?;
            }
            input.flush()?;
            let due: Vec<_> = all
                .iter()
                .copied()
                .filter(|number| *number < sent as u32)
                .collect();
            let until = Instant::now() + Duration::from_secs(20);
            while bought(&house, "good").unwrap_or_default() != due {
                assert!(
                    Instant::now() < until,
                    "{:?} instead of {due:?}",
                    bought(&house, "good")
                );
            }
        }
        terminate(&child)?;
        assert_eq!(child.wait()?.code(), Some(130));
        // Stopped in the middle, and run again over the whole feed.
        trade(&house, &faulty_seed("trap", ""), &feed)?.succeeded();
        assert_eq!(bought(&house, "good")?, all);
    }
    Ok(())
}

#[test]
fn a_silent_live_feed_closes_its_bar_time_and_counts_what_is_late() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    house.add_plugin(&test_guest("faulty-strategy")?)?;
    let settings = fs::read_to_string(house.path("host.toml"))?;
    house.write(
        "host.toml",
        format!("{settings}\n[trading]\nbar_close = \"100ms\"\n"),
    )?;
    let seed = faulty_seed("trap", "").replace("[\"X\"]", "[\"X\", \"Y\"]");
    let seed = house.write("seed.toml", seed)?;
    let mut child = house
        .host(&["run", "--seed", &seed, "--feed", "-"])?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().unwrap();
    let feed = numbered(60);
    let lines: Vec<&str> = feed.lines().collect();
    let all = expected(60, &[]);
    let last = *all.iter().rfind(|number| **number <= 50).unwrap();
    for line in &lines[..=last as usize] {
        writeln!(input, "{line}")?;
    }
    // Nothing follows, and its orders are there all the same.
    let until = Instant::now() + Duration::from_secs(20);
    while bought(&house, "good").unwrap_or_default().last() != Some(&last) {
        assert!(Instant::now() < until, "{:?}", bought(&house, "good"));
    }
    writeln!(input, "{}", lines[last as usize].replacen('X', "Y", 1))?;
    for line in &lines[last as usize + 1..] {
        writeln!(input, "{line}")?;
    }
    drop(input);
    let output = child.wait_with_output()?;
    assert!(output.status.success());
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(
        warned.contains("symbol=Y") && warned.contains("bar_close"),
        "{warned}"
    );
    assert_eq!(bought(&house, "good")?, all);
    Ok(())
}

fn terminate(child: &Child) -> anyhow::Result<()> {
    let killed = std::process::Command::new("kill")
        .arg(child.id().to_string())
        .status()?;
    assert!(killed.success());
    Ok(())
}

#[test]
fn without_a_feed_the_host_stays_until_it_is_told_to_stop() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    let mut child = house.host(&["run"])?.stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.next().unwrap()?;
    assert!(
        line.contains("running") && line.contains("order-manager"),
        "{line}"
    );
    // A limit of the system's that is lower than the host's own is told of at once.
    let maps: usize = std::fs::read_to_string("/proc/sys/vm/max_map_count")?
        .trim()
        .parse()?;
    assert_eq!(line.contains("vm.max_map_count"), maps < 74_096, "{line}");
    assert!(child.try_wait()?.is_none());
    terminate(&child)?;
    assert_eq!(child.wait()?.code(), Some(0));
    Ok(())
}
