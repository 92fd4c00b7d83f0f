//! Guests that keep, forge and misuse handles, lie about what they did, or end themselves.

use super::case::{CULPRIT, Case, Ends, alone, is_clean};
use poolhouse_tests::BACKENDS;

#[test]
fn a_guest_that_opens_sessions_without_end() -> anyhow::Result<()> {
    let mut case = Case::of(
        "opens-sessions",
        "",
        Ends::Answering(&["1024: ", "`handles`"]),
    )?;
    case.calls = 10;
    case.play()
}

#[test]
fn a_guest_that_ends_itself() -> anyhow::Result<()> {
    for (how, ends) in [
        ("exit", Ends::Failing(&["exit(1)"])),
        ("panic", Ends::Failing(&["panicked on purpose"])),
        ("abort", Ends::Failing(&["plugin \"culprit\" trapped"])),
    ] {
        let mut case = Case::of("exits", how, ends)?;
        case.calls = 10;
        case.play()?;
    }
    Ok(())
}

#[test]
fn a_guest_that_says_what_is_not() -> anyhow::Result<()> {
    for (how, ends) in [
        ("well", Ends::Answering(&["all is well"])),
        ("done", Ends::Failing(&["with a transaction open"])),
        ("order", Ends::Answering(&["savepoint", "is over"])),
        (
            "cursor",
            Ends::Answering(&["0; ", "ended with the transaction"]),
        ),
    ] {
        let mut case = Case::of("lies", how, ends)?;
        case.calls = 5;
        case.play()?;
    }
    Ok(())
}

#[test]
fn a_guest_that_forges_handles() -> anyhow::Result<()> {
    for function in ["misbehave", "misbehave-by-dropping"] {
        for handle in [0, 1, 7, 1 << 20, u32::MAX] {
            let mut case = Case::of_text(
                "forges-handles",
                Ends::Failing(&["plugin \"culprit\" trapped", "handle index"]),
            )?;
            case.function = function;
            case.arguments = vec![handle.to_string()];
            case.calls = 3;
            case.play()?;
        }
    }
    Ok(())
}

#[test]
fn what_a_guest_keeps_in_globals_is_worth_nothing_later() -> anyhow::Result<()> {
    for backend in BACKENDS {
        for (what, kept, used) in [
            ("session", None, "1 rows by the session"),
            ("transaction", Some("with a transaction open"), "is over"),
            ("cursor", None, "is over"),
        ] {
            let case = Case::of("holds", what, Ends::Answering(&[]))?;
            let _alone = alone();
            let stage = case.stage(backend)?;
            let call = |how: &str| {
                let how = [format!("{how:?}")];
                stage.wait(stage.spawn(CULPRIT, "culprit.misbehave", &how))
            };
            match (kept, call(what)?) {
                (None, Ok(answer)) => assert_eq!(answer.text.as_deref(), Some("ok(\"kept\")")),
                (Some(words), Err(error)) => {
                    assert!(error.to_string().contains(words), "{what}: {error}");
                }
                (_, other) => anyhow::bail!("{what} on {backend:?}: {other:?}"),
            }
            is_clean(&stage)?;
            let answer = call("use")??.text.unwrap_or_default();
            assert!(answer.contains(used), "{what} on {backend:?}: {answer}");
            assert!(answer.contains("1 rows by the session"), "{answer}");
            is_clean(&stage)?;
        }
    }
    Ok(())
}
