//! Guests that take time: by computing, sleeping, recursing, calling each other.

use poolhouse_runtime::Limits;
use poolhouse_tests::Backend;

use super::case::{CALL_TIMEOUT, Case, Ends};

const TOO_LONG: Ends = Ends::Failing(&[
    "plugin \"culprit\"",
    "gave no answer",
    "within 3s",
    "`call_timeout`",
]);

#[test]
fn a_guest_that_spins() -> anyhow::Result<()> {
    Case::of("spins", "", TOO_LONG)?.play()
}

#[test]
fn a_guest_that_spins_in_a_transaction() -> anyhow::Result<()> {
    let mut case = Case::of("spins", "in a transaction", TOO_LONG)?;
    case.writes = true;
    // One alone has SQLite's lock; the others wait for it until their time is over.
    case.play()
}

#[test]
fn a_guest_that_sleeps() -> anyhow::Result<()> {
    Case::of("sleeps", "by the clock", TOO_LONG)?.play()
}

#[test]
fn a_guest_whose_statement_takes_for_ever() -> anyhow::Result<()> {
    for (backend, sql) in [
        (
            Backend::Sqlite,
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS n FROM n",
        ),
        (Backend::Postgresql, "SELECT pg_sleep(3600)"),
    ] {
        let mut case = Case::of("sleeps", sql, TOO_LONG)?;
        case.functions = &["pg_sleep"];
        case.play_on(backend)?;
    }
    Ok(())
}

#[test]
fn a_guest_that_recurses() -> anyhow::Result<()> {
    let mut case = Case::of(
        "recurses",
        "",
        Ends::Failing(&["plugin \"culprit\" trapped", "call stack exhausted"]),
    )?;
    case.calls = 20;
    case.play()
}

#[test]
fn guests_that_call_each_other() -> anyhow::Result<()> {
    for how in ["", "in a transaction"] {
        let mut case = Case::of(
            "reenters",
            how,
            Ends::Answering(&["`call_depth`", "8 calls deep"]),
        )?;
        case.paired = Some("poolhouse-tests:misbehaving/culprit");
        case.limits = Limits {
            call_timeout: CALL_TIMEOUT,
            call_depth: 8,
            ..Limits::default()
        };
        case.writes = true;
        case.calls = 5;
        case.play()?;
    }
    Ok(())
}
