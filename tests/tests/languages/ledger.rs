//! The service that `host new --kind service` writes: the same calls have the same answers in every language, on both databases.

use std::fs;

use poolhouse_tests::{BACKENDS, House};

use super::author::{Author, in_house};

const GRANT: &str = r#"
[plugins.my-books]
database = { migrate = true, read = ["accounts", "movements"], write = ["accounts", "movements"] }
"#;

/// Function, arguments, and what it answers or, after `!`, what the error says.
const CALLS: [(&str, &[&str], &str); 18] = [
    ("balance", &["\"ann\""], "ok(none)"),
    ("deposit", &["\"ann\"", "\"12.50\""], "ok(\"12.50\")"),
    ("deposit", &["\"ann\"", "\"0.1\""], "ok(\"12.60\")"),
    ("deposit", &["\"böb\"", "\"1\""], "ok(\"1\")"),
    ("transfer", &["\"ann\"", "\"böb\"", "\"3.125\""], "ok"),
    ("balance", &["\"ann\""], "ok(some(\"9.475\"))"),
    ("balance", &["\"böb\""], "ok(some(\"4.125\"))"),
    (
        "transfer",
        &["\"ann\"", "\"böb\"", "\"9.4750001\""],
        "!account `ann` has 9.475, which is less than 9.4750001",
    ),
    (
        "transfer",
        &["\"eve\"", "\"ann\"", "\"1\""],
        "!account `eve` does not exist; make a deposit first",
    ),
    (
        "transfer",
        &["\"ann\"", "\"eve\"", "\"1\""],
        "!account `eve` does not exist; make a deposit first",
    ),
    (
        "transfer",
        &["\"ann\"", "\"ann\"", "\"1\""],
        "!source and target are both `ann`; name two accounts",
    ),
    (
        "deposit",
        &["\"ann\"", "\"-1\""],
        "!amount `-1` must be a decimal number above 0, such as 12.50",
    ),
    (
        "deposit",
        &["\"ann\"", "\"0.00\""],
        "!amount `0.00` must be a decimal number above 0, such as 12.50",
    ),
    (
        "deposit",
        &["\"ann\"", "\"1e3\""],
        "!amount `1e3` must be a decimal number above 0, such as 12.50",
    ),
    (
        "deposit",
        &["\"ann\"", "\"ten\""],
        "!amount `ten` must be a decimal number above 0, such as 12.50",
    ),
    // Nothing of what was refused is there, and a float would have lost these digits.
    (
        "deposit",
        &["\"big\"", "\"12345678901234567890123456789012.345678\""],
        "ok(\"12345678901234567890123456789012.345678\")",
    ),
    (
        "deposit",
        &["\"big\"", "\"0.000001\""],
        "ok(\"12345678901234567890123456789012.345679\")",
    ),
    ("audit", &[], "ok(7)"),
];

fn keeps_money(language: &str) -> anyhow::Result<()> {
    let author = Author::new()?;
    author
        .host(&["new", "my-books", "--lang", language, "--kind", "service"])?
        .succeeded();
    if !author.builds(language, &["my-books"])? {
        return Ok(());
    }
    for backend in BACKENDS {
        let house = House::empty(backend)?;
        house.add_plugin(&author.path("plugins/my-books.wasm"))?;
        fs::write(house.path("host.toml"), GRANT)?;
        let call = |function: &str, arguments: &[&str]| {
            let function = format!("ledger.{function}");
            in_house(
                &house,
                &[&["call", "my-books", &function], arguments].concat(),
            )
        };
        for (function, arguments, expected) in CALLS {
            let ran = call(function, arguments)?;
            match expected.strip_prefix('!') {
                Some(message) => {
                    ran.failed_with(&["my-books", message]);
                }
                None => assert_eq!(
                    ran.succeeded().stdout.trim_end(),
                    expected,
                    "{function} {arguments:?} in {language} on {backend:?}"
                ),
            }
        }
        let statement = call("statement", &["\"ann\"", "2"])?.succeeded().stdout;
        assert!(
            statement.contains("amount: \"-3.125\", note: \"to böb\""),
            "{statement}"
        );
        assert!(
            statement.contains("amount: \"0.1\", note: \"deposit\"")
                && !statement.contains("12.50"),
            "{statement}"
        );
        assert!(statement.contains("at: 1"), "{statement}");
        let broken = "UPDATE accounts SET balance = '5' WHERE name = 'ann'";
        house.query(&format!("{broken} RETURNING name"))?;
        call("audit", &[])?
            .failed_with(&["account `ann` has a balance of 5, and its movements add up to 9.475"]);
    }
    Ok(())
}

macro_rules! in_each_language {
    ($($language:ident)*) => {$(
        #[test]
        fn $language() -> anyhow::Result<()> {
            keeps_money(stringify!($language))
        }
    )*};
}

in_each_language! { rust typescript javascript python c }
