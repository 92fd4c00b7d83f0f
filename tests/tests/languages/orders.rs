//! From an empty folder to orders: what `host new` writes and `host build` makes trades the real bars as the Rust strategies do.

use std::fmt::Write;
use std::fs;

use poolhouse_tests::{Backend, House, PLUGINS, reference_plugin, root};

use super::author::{Author, LANGUAGES, example, in_house};

/// Plugin of the new language, the reference plugin that it must agree with, and parameters.
const ROWS: [(&str, &str, &str); 4] = [
    (
        "my-cross",
        "moving-average",
        r#"{ fast = "10", slow = "30" }"#,
    ),
    (
        "my-cross",
        "moving-average",
        r#"{ fast = "5", slow = "20" }"#,
    ),
    (
        "channel-breakout",
        "channel-breakout",
        r#"{ lookback = "20" }"#,
    ),
    (
        "channel-breakout",
        "channel-breakout",
        r#"{ lookback = "1" }"#,
    ),
];

/// Every row, and a user who subscribes to all.
fn seed(plugin: impl Fn(usize) -> &'static str) -> String {
    let mut seed = String::from("strategies = [\n");
    let mut subscriptions = String::new();
    for (at, (_, _, parameters)) in ROWS.iter().enumerate() {
        let plugin = plugin(at);
        writeln!(
            seed,
            "  {{ id = \"row-{at}\", plugin = \"{plugin}\", symbols = [\"AAPL\", \"FB\", \"GOOG\", \"IBM\", \"MSFT\"], parameters = {parameters}, enabled = true }},"
        )
        .unwrap();
        write!(
            subscriptions,
            "{{ strategy = \"row-{at}\", quantity = \"{}\" }}, ",
            at + 1
        )
        .unwrap();
    }
    format!(
        "{seed}]\n[[users]]\nid = \"ann\"\nname = \"Ann\"\nactive = true\nmax_order_value = \"1000\"\nsubscriptions = [{subscriptions}]\n"
    )
}

/// The orders of a house whose plugins are all there.
fn orders(house: &House, seed: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let seed = house.write("seed.toml", seed)?;
    let feed = root().join("data/daily-bars.csv");
    in_house(
        house,
        &["run", "--seed", &seed, "--feed", &feed.to_string_lossy()],
    )?
    .succeeded();
    house.orders()
}

fn equal_the_rust_strategies(language: &str) -> anyhow::Result<()> {
    let author = Author::new()?;
    author
        .host(&["new", "my-cross", "--lang", language])?
        .succeeded();
    let breakout = match language {
        "rust" => None,
        _ => Some(example(language, "channel-breakout")),
    };
    let folders: Vec<_> = std::iter::once("my-cross")
        .chain(breakout.as_deref())
        .collect();
    if !author.builds(language, &folders)? {
        return Ok(());
    }

    let reference = House::new(Backend::Sqlite)?;
    let expected = orders(&reference, &seed(|at| ROWS[at].1))?;
    assert!(expected.len() > 500, "{}", expected.len());

    let house = House::empty(Backend::Sqlite)?;
    fs::copy(root().join("host.toml"), house.path("host.toml"))?;
    for plugin in PLUGINS {
        house.add_plugin(&reference_plugin(plugin)?)?;
    }
    // The file of that name that was built takes the place of the reference plugin's.
    for file in fs::read_dir(author.path("plugins"))? {
        house.add_plugin(&file?.path())?;
    }
    let found = orders(&house, &seed(|at| ROWS[at].0))?;
    assert_eq!(found.len(), expected.len());
    assert!(found == expected, "the orders of {language} are others");
    Ok(())
}

macro_rules! in_each_language {
    ($($language:ident)*) => {$(
        #[test]
        fn $language() -> anyhow::Result<()> {
            let language = stringify!($language);
            assert!(LANGUAGES.contains(&language));
            equal_the_rust_strategies(language)
        }
    )*};
}

in_each_language! { rust typescript javascript python c }
