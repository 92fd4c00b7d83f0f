//! What the settings accept, and the sentences for what they don't.

use std::time::Duration;

use super::*;

fn file(text: &str) -> anyhow::Result<File> {
    parse(text, Path::new("host.toml"))
}

#[test]
fn the_design_s_example_is_read() -> anyhow::Result<()> {
    let file = file(
        r#"
        [database]
        url = "sqlite://poolhouse.db"
        pool_size = 5
        max_overflow = 10
        pool_timeout = "30s"
        pool_pre_ping = true
        pool_recycle = "1h"
        echo = false

        [limits]
        memory = "64MiB"
        call_timeout = "10s"
        connections = 5

        [plugins.order-manager]
        database = { migrate = true, write = ["orders"], read = ["orders"] }
        limits = { connections = 8, reserved_connections = 2 }
        config = { venue = "paper" }
        "#,
    )?;
    let settings = file.database.settings()?;
    assert_eq!(settings.pool.pool_recycle, Some(Duration::from_secs(3600)));
    assert_eq!(file.limits.over(&Limits::default()).memory, 64 << 20);
    let section = &file.plugins["order-manager"];
    let limits = section
        .limits
        .as_ref()
        .map(|limits| limits.over(&Limits::default()));
    assert_eq!(limits.as_ref().map(|limits| limits.connections), Some(8));
    assert_eq!(limits.map(|limits| limits.reserved_connections), Some(2));
    Ok(())
}

#[test]
fn mistakes_name_the_line_and_what_is_allowed() {
    for (text, line, words) in [
        ("[database]\npool_sise = 5", 2, "unknown field `pool_sise`"),
        ("\n\n[databas]\n", 3, "unknown field `databas`"),
        ("[database]\npool_timeout = \"soon\"", 2, "a time such as"),
        ("[database]\npool_size = -1", 2, "u32"),
        ("[limits]\nmemory = \"much\"", 2, "a size such as"),
        (
            "[plugins.x]\ndatabase = { reed = [\"a\"] }",
            2,
            "unknown field `reed`",
        ),
        (
            "[plugins.x.limits]\nconnexions = 1",
            2,
            "unknown field `connexions`",
        ),
        ("[database", 1, ""),
        (
            "database = \"postgres://u:s3cret@h/d\"",
            1,
            "expected a table of settings",
        ),
        (
            "[database]\npool_size = \"postgres://u:s3cret@h/d\"",
            2,
            "u32",
        ),
        (
            "[limits]\ncall_timeout = 9223372036854775807",
            2,
            "a year at most",
        ),
        (
            "[limits]\ncall_timeout = \"10000 years\"",
            2,
            "a year at most",
        ),
    ] {
        let error = file(text).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("host.toml, line {line}: ")),
            "{text:?}: {error}"
        );
        assert!(error.contains(words), "{text:?}: {error}");
        assert!(
            !error.contains('\n') && !error.contains("s3cret"),
            "{error}"
        );
    }
}

#[test]
fn the_later_source_wins() -> anyhow::Result<()> {
    let variables = [
        ("DATABASE_URL", "postgres://u:secret@h/d"),
        ("POOLHOUSE_DATABASE_POOL_SIZE", "7"),
        ("POOLHOUSE_DATABASE_POOL_RECYCLE", "-1"),
        ("POOLHOUSE_WASM_ROUTE", "debian"),
    ];
    let environment = environment(
        variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter(),
    )?;
    let flags = DatabaseSection {
        echo: Some(true),
        ..DatabaseSection::default()
    };
    let settings = flags
        .over(environment)
        .over(file("[database]\nurl = \"sqlite://x.db\"\npool_size = 1")?.database)
        .settings()?;
    assert_eq!(settings.pool.pool_size, 7);
    assert_eq!(settings.pool.pool_recycle, None);
    assert!(settings.echo);
    let shown = format!("{} {:?}", settings.url, settings.url);
    assert!(
        shown.contains("postgres") && !shown.contains("secret"),
        "{shown}"
    );
    Ok(())
}

#[test]
fn a_wrong_variable_is_named() {
    for (name, value) in [
        ("POOLHOUSE_DATABASE_POOL_SISE", "7"),
        ("POOLHOUSE_DATABASE_POOL_SIZE", "many"),
        ("POOLHOUSE_DATABASE_POOL_SIZE", "postgres://u:s3cret@h/d"),
    ] {
        let error = environment([(name.to_owned(), value.to_owned())].into_iter())
            .unwrap_err()
            .to_string();
        assert!(error.contains(name) && !error.contains("s3cret"), "{error}");
    }
}

#[test]
fn values_that_allow_nothing_are_refused_with_file_and_key() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("host.toml");
    for (text, words) in [
        ("[limits]\nconnections = 0", "[limits]: connections is 0"),
        ("[limits]\ninstances = 0", "[limits]: instances is 0"),
        ("[limits]\nrows = 0", "[limits]: rows is 0"),
        ("[limits]\nmemory = 0", "[limits]: memory is 0"),
        (
            "[limits]\ncall_timeout = -1",
            "[limits]: call_timeout can't be endless",
        ),
        (
            "[plugins.x]\nlimits = { connections = 0 }",
            "[plugins.x]: limits: connections is 0",
        ),
        ("[trading]\nbar_timeout = 0", "[trading]: bar_timeout is 0"),
        (
            "[trading]\nbar_timeout = -1",
            "[trading]: bar_timeout can't be endless",
        ),
        ("[trading]\nbar_close = \"0s\"", "[trading]: bar_close is 0"),
        ("[trading]\ngroup = 0", "[trading]: group is 0"),
        (
            "[database]\npool_timeout = \"0s\"",
            "[database]: pool_timeout is 0",
        ),
        (
            "[database]\nconnect_timeout = 0",
            "[database]: connect_timeout is 0",
        ),
        (
            "[database]\nlease_timeout = 0",
            "[database]: lease_timeout is 0",
        ),
        (
            "[database]\nlong_lease_warning = \"0s\"",
            "[database]: long_lease_warning is 0",
        ),
        (
            "[database]\nbusy_timeout = -1",
            "[database]: busy_timeout can't be endless",
        ),
        (
            "[database]\nmax_overflow = -2",
            "[database]: max_overflow is -2",
        ),
    ] {
        std::fs::write(&path, text)?;
        let error = format!("{:#}", read(&path).unwrap_err());
        assert!(
            error.starts_with(&format!("{}: {words}", path.display())),
            "{text}: {error}"
        );
    }
    std::fs::write(
        &path,
        "[database]\nbusy_timeout = 0\npool_pre_ping_idle = 0\npool_size = 0\n[trading]\nbar_close = -1",
    )?;
    read(&path)?;
    Ok(())
}

#[test]
fn variables_may_be_empty_and_booleans_in_the_usual_words() -> anyhow::Result<()> {
    let read =
        |name: &str, value: &str| environment([(name.to_owned(), value.to_owned())].into_iter());
    for name in ["DATABASE_URL", "POOLHOUSE_DATABASE_URL"] {
        assert_eq!(read(name, "")?.url, None, "{name}");
        assert_eq!(read(name, "sqlite://x")?.url.as_deref(), Some("sqlite://x"));
    }
    for (value, expected) in [
        ("1", true),
        ("Yes", true),
        ("on", true),
        ("true", true),
        ("0", false),
        ("no", false),
        ("OFF", false),
        ("false", false),
    ] {
        assert_eq!(
            read("POOLHOUSE_DATABASE_ECHO", value)?.echo,
            Some(expected),
            "{value}"
        );
    }
    for (name, value, words) in [
        ("POOLHOUSE_DATABASE_ECHO", "2", "give 1, true, yes or on"),
        ("POOLHOUSE_DATABASE_POOL_TIMEOUT", "0", "pool_timeout is 0"),
    ] {
        let error = format!("{:#}", read(name, value).unwrap_err());
        assert!(error.contains(words) && error.contains(name), "{error}");
    }
    Ok(())
}

#[test]
fn a_url_s_connect_timeout_goes_behind_the_setting() -> anyhow::Result<()> {
    let url = "[database]\nurl = \"postgresql://u@h/d?connect_timeout=3\"";
    for (text, seconds) in [
        (url.to_owned(), 3),
        (format!("{url}\nconnect_timeout = 7"), 7),
    ] {
        let settings = file(&text)?.database.settings()?;
        assert_eq!(settings.pool.connect_timeout, Duration::from_secs(seconds));
    }
    Ok(())
}
