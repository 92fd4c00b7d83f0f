//! Components that misbehave while they are made, before any function of theirs is called.

use super::case::{CALL_TIMEOUT, Case, Ends};

#[test]
fn a_start_function_that_spins() -> anyhow::Result<()> {
    Case::of_text(
        "start-spins",
        Ends::Failing(&["plugin \"culprit\" gave no answer", "`call_timeout`"]),
    )?
    .play()
}

#[test]
fn a_start_function_that_allocates() -> anyhow::Result<()> {
    let mut case = Case::of_text(
        "start-allocates",
        Ends::Failing(&["plugin \"culprit\" trapped", "bytes of memory", "`memory`"]),
    )?;
    case.calls = 5;
    case.play()
}

#[test]
fn a_start_function_that_traps() -> anyhow::Result<()> {
    let mut case = Case::of_text(
        "start-traps",
        Ends::Failing(&["plugin \"culprit\" trapped in misbehave", "unreachable"]),
    )?;
    case.calls = 20;
    case.play()
}

#[test]
fn a_start_function_that_uses_the_database() -> anyhow::Result<()> {
    // Start code has no database: for it, that is down.
    let mut case = Case::of_text("start-uses-database", Ends::Answering(&["2"]))?;
    case.limits.call_timeout = CALL_TIMEOUT;
    case.calls = 5;
    case.play()
}
