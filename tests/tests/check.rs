//! `host check`: five lines that are right when all is well, and each wrong for its own reason.

use std::fs;

use poolhouse_tests::{BACKENDS, Backend, House, PASSWORD, Ran, run, test_guest};

const LINES: [&str; 5] = [
    "basic connection",
    "config loader",
    "user service",
    "order manager",
    "concurrent access",
];

/// Asserts which lines are well, and that the others say why.
fn assert_lines(ran: &Ran, wrong: &[(&str, &[&str])]) {
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), LINES.len(), "{}{}", ran.stdout, ran.stderr);
    for (line, name) in lines.iter().zip(LINES) {
        assert!(line.starts_with(name) && line.contains(" ms "), "{line}");
        match wrong.iter().find(|(wrong, _)| *wrong == name) {
            None => assert!(line.contains(" ok "), "{line}"),
            Some((_, words)) => {
                assert!(line.contains(" FAILED "), "{line}");
                for word in *words {
                    assert!(line.contains(word), "no \"{word}\" in {line}");
                }
            }
        }
    }
    assert_eq!(
        ran.code,
        Some(i32::from(!wrong.is_empty())),
        "{}",
        ran.stdout
    );
    let last = if wrong.is_empty() {
        String::new()
    } else {
        format!("host: {} of 5 checks failed\n", wrong.len())
    };
    assert_eq!(ran.stderr, last);
}

#[test]
fn all_is_well_on_both_databases_and_nothing_is_left_behind() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let house = House::new(backend)?;
        for _ in 0..2 {
            assert_lines(&house.run(&["check"])?, &[]);
        }
        for table in ["strategies", "users", "subscriptions", "orders", "progress"] {
            assert_eq!(house.count(table)?, 0, "{backend:?}: {table}");
        }
    }
    Ok(())
}

#[test]
fn each_line_fails_for_its_own_reason() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let house = House::new(backend)?;
        house.run(&["check"])?.succeeded();

        for (plugin, line) in [
            ("config-loader", "config loader"),
            ("user-service", "user service"),
            ("order-manager", "order manager"),
        ] {
            let file = house.path(&format!("plugins/{plugin}.wasm"));
            let component = fs::read(&file)?;
            fs::remove_file(&file)?;
            let absent: &[&str] = &["not there", "plugins", "exports poolhouse:trading/"];
            // The order manager works with the user service, and says for whom it waits.
            let waits: (&str, &[&str]) = (
                "order manager",
                &[
                    "\"order-manager\" waits",
                    "exports poolhouse:trading/user-service",
                ],
            );
            let wrong = |own| match plugin {
                "user-service" => vec![own, waits],
                _ => vec![own],
            };
            assert_lines(&house.run(&["check"])?, &wrong((line, absent)));

            fs::write(&file, "no component")?;
            let file_name = format!("{plugin}.wasm");
            let damaged: &[&str] = &[
                "not loaded",
                &file_name,
                "does not begin like a WebAssembly component",
            ];
            assert_lines(&house.run(&["check"])?, &wrong((line, damaged)));
            fs::write(&file, &component)?;
        }

        for (table, line) in [
            ("strategies", "config loader"),
            ("users", "user service"),
            ("orders", "order manager"),
        ] {
            house.query(&format!("ALTER TABLE {table} RENAME TO hidden"))?;
            let ran = house.run(&["check"])?;
            // The concurrent check and the order manager work with the user service, so they go with the users.
            let own: (&str, &[&str]) = (line, &[table]);
            let wrong = if table == "users" {
                vec![own, ("order manager", own.1), ("concurrent access", own.1)]
            } else {
                vec![own]
            };
            assert_lines(&ran, &wrong);
            house.query(&format!("ALTER TABLE hidden RENAME TO {table}"))?;
        }
        house.run(&["check"])?.succeeded();
    }
    Ok(())
}

#[test]
fn without_a_connection_the_first_line_says_why() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    let mut command = house.host(&["check"])?;
    command.env("DATABASE_URL", "sqlite:///proc/house.db");
    let untried: &[&str] = &["not tried"];
    let wrong: Vec<_> = LINES
        .iter()
        .map(|line| {
            (
                *line,
                if *line == "basic connection" {
                    &["/proc/house.db"][..]
                } else {
                    untried
                },
            )
        })
        .collect();
    assert_lines(&run(command)?, &wrong);
    Ok(())
}

#[test]
fn a_server_with_too_few_connections_fails_concurrent_access() -> anyhow::Result<()> {
    let house = House::new(Backend::Postgresql)?;
    // Enough for one piece of work after the other, not for many at once.
    house.query("DROP ROLE IF EXISTS few")?;
    house.query("CREATE ROLE few LOGIN PASSWORD 'few' CONNECTION LIMIT 3")?;
    house.query("GRANT CREATE ON SCHEMA public TO few")?;
    let mut command = house.host(&["check"])?;
    command.env(
        "DATABASE_URL",
        house
            .url()
            .replace(&format!("postgres:{PASSWORD}@"), "few:few@"),
    );
    let too_many: &[&str] = &["too many connections", "pool_size"];
    assert_lines(&run(command)?, &[("concurrent access", too_many)]);
    Ok(())
}

#[test]
fn plugins_of_other_kinds_are_no_trouble() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    house.add_plugin(&test_guest("faulty-strategy")?)?;
    house.run(&["check"])?.succeeded();
    Ok(())
}
