//! Trading while the database, other hosts, the feed or what stands in the tables make trouble.

use std::fs;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use poolhouse_tests::{Backend, House, test_guest};

use super::{SEED, beginning, faulty_seed, numbered, orders, terminate, trade};

/// The name of the house's database on its server.
fn name(house: &House) -> &str {
    house.url().rsplit('/').next().unwrap()
}

/// A house on PostgreSQL whose tables are made, with these lines added to its settings.
fn prepared(settings: &str) -> anyhow::Result<House> {
    let house = House::new(Backend::Postgresql)?;
    let reference = fs::read_to_string(house.path("host.toml"))?;
    house.write("host.toml", format!("{reference}\n{settings}\n"))?;
    house
        .run(&["call", "order-manager", "order-manager.progress"])?
        .succeeded();
    Ok(house)
}

/// Keeps everybody from the table until [`unlock`]; it is locked when this returns.
fn lock<'scope>(
    threads: &'scope std::thread::Scope<'scope, '_>,
    house: &'scope House,
    table: &str,
) -> anyhow::Result<()> {
    let server = house.server().unwrap();
    let sql =
        format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(300); COMMIT");
    threads.spawn(move || server.psql(name(house), &sql));
    wait_for_lock(house, "granted AND mode = 'AccessExclusiveLock'")
}

fn unlock(house: &House) -> anyhow::Result<()> {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE query LIKE '%pg_sleep(300)%' AND datname = current_database() AND pid <> pg_backend_pid()";
    house.server().unwrap().psql(name(house), sql)?;
    Ok(())
}

/// Returns once there is such a lock in the house's database.
fn wait_for_lock(house: &House, which: &str) -> anyhow::Result<()> {
    let until = Instant::now() + Duration::from_secs(60);
    let sql = format!(
        "SELECT count(*) FROM pg_locks WHERE {which} \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    );
    while house.server().unwrap().psql(name(house), &sql)? == "0" {
        assert!(Instant::now() < until, "no lock that is {which}");
    }
    Ok(())
}

/// Starts the host with this database's table locked, does `then` once the host waits for it, and unlocks the table.
fn while_locked(
    house: &House,
    table: &str,
    arguments: &[&str],
    then: impl FnOnce(&mut Child) -> anyhow::Result<()>,
) -> anyhow::Result<Output> {
    std::thread::scope(|threads| {
        lock(threads, house, table)?;
        let begun = || -> anyhow::Result<Child> {
            let mut child = house
                .host(arguments)?
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            wait_for_lock(house, "NOT granted")?;
            then(&mut child)?;
            Ok(child)
        };
        let begun = begun();
        unlock(house)?;
        Ok(begun?.wait_with_output()?)
    })
}

/// Tells the host to stop, and answers its exit code if it has ended within a time that no timeout has.
fn stop(child: &mut Child) -> anyhow::Result<Option<i32>> {
    terminate(child)?;
    let until = Instant::now() + Duration::from_secs(8);
    while Instant::now() < until {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(None)
}

#[test]
fn a_database_that_does_not_answer_for_a_while_is_waited_for() -> anyhow::Result<()> {
    let feed = beginning(2000)?;
    let whole = House::new(Backend::Sqlite)?;
    trade(&whole, SEED, &feed)?.succeeded();
    let house = prepared("[limits]\ncall_timeout = \"500ms\"")?;
    let seed = house.write("seed.toml", SEED)?;
    let file = house.write("feed.csv", &feed)?;
    let arguments = ["run", "--seed", &seed, "--feed", &file];
    let output = while_locked(&house, "orders", &arguments, |_| {
        std::thread::sleep(Duration::from_secs(2));
        Ok(())
    })?;
    let said = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(0), "{said}");
    for words in ["no answer", "lock on its tables", "trying again"] {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(orders(&house)?, orders(&whole)?);
    Ok(())
}

#[test]
fn the_host_stops_while_the_database_does_not_answer() -> anyhow::Result<()> {
    let feed = beginning(2000)?;
    let house = prepared("")?;
    let seed = house.write("seed.toml", SEED)?;
    let file = house.write("feed.csv", &feed)?;
    let arguments = ["run", "--seed", &seed, "--feed", &file];
    let mut code = None;
    let output = while_locked(&house, "orders", &arguments, |child| {
        code = stop(child)?;
        Ok(())
    })?;
    let said = String::from_utf8(output.stderr)?;
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("run again to go on from there"), "{said}");
    assert_eq!(house.count("orders")?, 0);
    trade(&house, SEED, &feed)?.succeeded();
    Ok(())
}

#[test]
fn what_the_database_does_to_a_statement_is_tried_again() -> anyhow::Result<()> {
    let feed = beginning(2000)?;
    let whole = House::new(Backend::Sqlite)?;
    trade(&whole, SEED, &feed)?.succeeded();
    for (fault, again) in [
        ("PERFORM pg_terminate_backend(pg_backend_pid())", true),
        ("RAISE EXCEPTION 'x' USING ERRCODE = '40001'", true),
        ("RAISE EXCEPTION 'x' USING ERRCODE = '53100'", true),
        (
            "RAISE EXCEPTION 'is refused' USING ERRCODE = '23514'",
            false,
        ),
    ] {
        let house = prepared("")?;
        let server = house.server().unwrap();
        // A sequence is what a rolled back transaction leaves behind: the first five tries fail.
        for sql in [
            "CREATE SEQUENCE tries",
            &format!(
                "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF nextval('tries') <= 5 THEN {fault}; END IF; RETURN NULL; END $$"
            ),
            "CREATE TRIGGER fail BEFORE INSERT ON orders FOR EACH STATEMENT EXECUTE FUNCTION fail()",
        ] {
            server.psql(name(&house), sql)?;
        }
        let ran = trade(&house, SEED, &feed)?;
        if again {
            let ran = ran.succeeded();
            assert!(ran.stderr.contains("trying again"), "{}", ran.stderr);
            assert_eq!(orders(&house)?, orders(&whole)?, "{fault}");
        } else {
            ran.failed_with(&["order-manager", "is refused"]);
        }
    }
    Ok(())
}

#[test]
fn hosts_that_start_together_under_a_strict_isolation_agree() -> anyhow::Result<()> {
    let feed = beginning(2000)?;
    let whole = House::new(Backend::Sqlite)?;
    trade(&whole, SEED, &feed)?.succeeded();
    for isolation in ["serializable", "repeatable read"] {
        let house = House::new(Backend::Postgresql)?;
        house.server().unwrap().psql(
            "postgres",
            &format!(
                "ALTER DATABASE {} SET default_transaction_isolation = '{isolation}'",
                name(&house)
            ),
        )?;
        let seed = house.write("seed.toml", SEED)?;
        let file = house.write("feed.csv", &feed)?;
        std::thread::scope(|threads| {
            let runs: Vec<_> = (0..4)
                .map(|_| {
                    threads.spawn(|| {
                        house
                            .run(&["run", "--seed", &seed, "--feed", &file])
                            .unwrap()
                    })
                })
                .collect();
            for run in runs {
                run.join().unwrap().succeeded();
            }
        });
        assert_eq!(orders(&house)?, orders(&whole)?, "{isolation}");
    }
    Ok(())
}

#[test]
fn a_busy_timeout_of_0_is_no_trouble_among_the_host_s_own() -> anyhow::Result<()> {
    let feed = beginning(2000)?;
    for _ in 0..2 {
        let house = House::new(Backend::Sqlite)?;
        let settings = fs::read_to_string(house.path("host.toml"))?;
        house.write(
            "host.toml",
            settings.replace("[database]", "[database]\nbusy_timeout = 0"),
        )?;
        for _ in 0..2 {
            let ran = trade(&house, SEED, &feed)?.succeeded();
            assert_eq!(ran.stderr, "");
        }
    }
    Ok(())
}

#[test]
fn a_host_that_is_starting_can_be_stopped() -> anyhow::Result<()> {
    // While a migration waits, and while the seed does.
    for table in ["poolhouse_migrations", "strategies"] {
        let house = prepared("")?;
        house
            .run(&["call", "config-loader", "config-loader.strategies"])?
            .succeeded();
        let seed = house.write("seed.toml", SEED)?;
        let mut code = None;
        let output = while_locked(&house, table, &["run", "--seed", &seed], |child| {
            code = stop(child)?;
            Ok(())
        })?;
        let said = String::from_utf8(output.stderr)?;
        assert_eq!(code, Some(130), "{table}: {said}");
        assert!(said.contains("stopped before"), "{said}");
        assert_eq!(house.count("strategies")?, 0);
    }
    Ok(())
}

#[test]
fn a_feed_that_begins_behind_the_mark_is_warned_of() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    house.add_plugin(&test_guest("faulty-strategy")?)?;
    trade(&house, &faulty_seed("trap", ""), &numbered(60))?.succeeded();
    let feed = numbered(120);
    let mut lines: Vec<_> = feed.lines().collect();
    lines.drain(1..=80);
    let ran = trade(&house, &faulty_seed("trap", ""), &lines.join("\n"))?.succeeded();
    let warned: Vec<_> = ran.stderr.lines().collect();
    assert_eq!(warned.len(), 2, "{}", ran.stderr);
    for (line, row) in warned.iter().zip(["bad", "good"]) {
        for words in [
            &format!("\"{row}\""),
            "2020-01-01T00:01:00Z",
            "2020-01-01T00:01:21Z",
            "from the first",
        ] {
            assert!(line.contains(words), "{line}");
        }
    }
    let ran = trade(&house, &faulty_seed("trap", ""), &numbered(130))?.succeeded();
    assert_eq!(ran.stderr, "");
    Ok(())
}

#[test]
fn ids_that_don_t_fit_are_refused_before_any_order() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    let long = "x".repeat(1000);
    for (from, words) in [
        ("\"ma-aapl\"", "strategy"),
        ("\"FB\"", "symbol"),
        ("\"alice\"", "user"),
    ] {
        let seed = SEED.replace(from, &format!("\"{long}\""));
        let ran = trade(&house, &seed, &beginning(100)?)?.failed_with(&[words, "128"]);
        assert!(ran.stderr.len() < 500, "{}", ran.stderr);
    }
    let user = format!("{{id: \"{long}\", name: \"A\", active: true}}");
    house
        .run(&["call", "user-service", "user-service.save", &user])?
        .failed_with(&["user id", "1000 characters", "128"]);
    trade(&house, SEED, &beginning(100)?)?.succeeded();
    // What somebody wrote into the tables is looked at, too.
    for (sql, words) in [
        (
            "UPDATE strategies SET symbols = '[\" A \"]' WHERE id = 'one-bar'",
            "blanks",
        ),
        (
            "UPDATE strategies SET id = replace(hex(zeroblob(100)), '00', 'x!') WHERE id = 'one-bar'",
            "200 characters",
        ),
    ] {
        house.query(sql)?;
        house
            .run(&["run", "--feed", &house.write("feed.csv", beginning(100)?)?])?
            .failed_with(&["strategy row", words]);
    }
    Ok(())
}

#[test]
fn data_can_t_forge_a_line_of_the_log() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    house.add_plugin(&test_guest("faulty-strategy")?)?;
    let seed = faulty_seed("error", "20").replace("\"bad\"", "\"bad\\nforged\\u001b[2J\"");
    let ran = trade(&house, &seed, &numbered(60))?.succeeded();
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("bad\\nforged\\u{1b}[2J"),
        "{}",
        ran.stderr
    );
    Ok(())
}
