//! Guests that want much: memory, table elements, lines of log, and what they hand over.

use std::time::Duration;

use poolhouse_runtime::Limits;

use super::case::{CALL_TIMEOUT, Case, Ends};

const OUT_OF_MEMORY: Ends = Ends::Failing(&[
    "plugin \"culprit\" trapped",
    "bytes of memory were refused",
    "`memory`",
]);

const TOO_MUCH_AT_ONCE: Ends = Ends::Failing(&[
    "plugin \"culprit\" trapped",
    "handed over more than",
    "`call_bytes`",
]);

/// For what is bounded by its amount and not by its time.
const LONG_ENOUGH: Duration = Duration::from_secs(60);

#[test]
fn a_guest_that_allocates() -> anyhow::Result<()> {
    for how in ["at once", "page by page"] {
        let mut case = Case::of("allocates", how, OUT_OF_MEMORY)?;
        case.calls = 5;
        case.play()?;
    }
    Ok(())
}

#[test]
fn a_guest_that_takes_table_elements() -> anyhow::Result<()> {
    let mut case = Case::of_text(
        "allocates-tables",
        Ends::Failing(&[
            "plugin \"culprit\" trapped in misbehave",
            "`table_elements`",
        ]),
    )?;
    case.calls = 5;
    case.play()
}

#[test]
fn a_guest_that_floods_its_log() -> anyhow::Result<()> {
    for how in ["lines", "one line"] {
        Case::of(
            "floods-log",
            how,
            Ends::Failing(&["gave no answer", "`call_timeout`"]),
        )?
        .play()?;
    }
    let mut case = Case::of("floods-log", "10000", Ends::Answering(&["10000"]))?;
    case.calls = 5;
    case.play()
}

#[test]
fn a_guest_that_answers_with_gigabytes() -> anyhow::Result<()> {
    for (function, count) in [("hoard.bytes", 50 << 20), ("hoard.texts", 8 << 20)] {
        answers_with(function, count)?;
    }
    Ok(())
}

#[test]
fn a_guest_that_answers_with_a_million_records() -> anyhow::Result<()> {
    answers_with("hoard.points", 1 << 20)
}

fn answers_with(function: &'static str, count: u32) -> anyhow::Result<()> {
    let mut case = Case::of("hoards", "", TOO_MUCH_AT_ONCE)?;
    case.paired = Some("poolhouse-tests:misbehaving/hoard");
    case.function = function;
    case.arguments = vec![count.to_string()];
    // Enough for the guest to have it all, and to hand it over on a busy machine.
    case.limits.memory = 512 << 20;
    case.limits.call_timeout = LONG_ENOUGH;
    case.play()
}

#[test]
fn a_guest_that_answers_with_the_same_megabyte_again_and_again() -> anyhow::Result<()> {
    let mut case = Case::of_text("returns-the-same", TOO_MUCH_AT_ONCE)?;
    case.arguments = vec!["100000".to_owned()];
    case.play()?;
    let mut case = Case::of_text(
        "returns-the-same",
        Ends::Failing(&["plugin \"culprit\" trapped"]),
    )?;
    case.function = "misbehave-past-the-end";
    case.play()
}

#[test]
fn a_guest_that_hands_gigabytes_to_the_host() -> anyhow::Result<()> {
    for (how, ends) in [
        (
            "text to the host",
            Ends::Answering(&["the SQL text is", "the limit is"]),
        ),
        ("parameter to the host", Ends::Answering(&["it was taken"])),
        ("values to the host", TOO_MUCH_AT_ONCE),
    ] {
        let mut case = Case::of("hoards", how, ends)?;
        case.paired = Some("poolhouse-tests:misbehaving/hoard");
        case.limits.memory = 128 << 20;
        case.limits.call_timeout = LONG_ENOUGH;
        case.play()?;
    }
    Ok(())
}

#[test]
fn a_guest_that_hands_gigabytes_to_another() -> anyhow::Result<()> {
    for how in ["to another", "from another"] {
        let mut case = Case::of("hoards", how, Ends::Failing(&["handed over more than"]))?;
        case.paired = Some("poolhouse-tests:misbehaving/hoard");
        case.limits = Limits {
            call_timeout: CALL_TIMEOUT,
            ..Limits::default()
        };
        case.play()?;
    }
    Ok(())
}
