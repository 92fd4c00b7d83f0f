//! How work in a transaction ends: kept if it answers `Ok`, undone if `Err`, and run again after a conflict where that
//! was asked for. What begins and ends, the caller says.

use crate::bindings::imports::poolhouse::database::types;
use crate::database::Error;

/// What is begun, worked in, and then kept or undone. Dropped, it is undone.
pub(super) trait Scope: Sized {
    /// Keeps the work.
    fn commit(self) -> Result<(), Error>;

    /// Undoes it.
    fn roll_back(self);

    /// Whether somebody else's work was in the way of one of its statements.
    fn met_conflict(&self) -> bool;
}

/// Runs `work`, and ends the scope as it answers.
pub(super) fn run<S: Scope, T, E: From<Error>>(
    scope: S,
    work: impl FnOnce(&S) -> Result<T, E>,
) -> Result<T, E> {
    attempt(scope, work).map_err(|(error, _)| error)
}

/// [`run`] in scopes that `begin` gives, at most `attempts` times and at least once, as long as conflicts end it.
pub(super) fn run_retrying_conflicts<S: Scope, T, E: From<Error>>(
    attempts: u32,
    mut begin: impl FnMut() -> Result<S, Error>,
    mut work: impl FnMut(&S) -> Result<T, E>,
) -> Result<T, E> {
    let mut left = attempts.max(1);
    let mut conflict: Option<E> = None;
    loop {
        left -= 1;
        let (error, is_conflict) = match (begin(), conflict.take()) {
            (Ok(scope), _) => match attempt(scope, &mut work) {
                Ok(done) => return Ok(done),
                Err(failed) => failed,
            },
            // The conflict has ended the caller's transaction, too: only the caller can run that again.
            (
                Err(Error::Database(types::Error::Closed(_) | types::Error::Invalid(_))),
                Some(conflict),
            ) => {
                return Err(conflict);
            }
            (Err(error), _) => {
                let is_conflict = error.is_conflict();
                (error.into(), is_conflict)
            }
        };
        if left == 0 || !is_conflict {
            return Err(error);
        }
        conflict = Some(error);
    }
}

/// The error, and whether a conflict was met.
fn attempt<S: Scope, T, E: From<Error>>(
    scope: S,
    work: impl FnOnce(&S) -> Result<T, E>,
) -> Result<T, (E, bool)> {
    match work(&scope) {
        Ok(done) => match scope.commit() {
            Ok(()) => Ok(done),
            Err(error) => {
                let is_conflict = error.is_conflict();
                Err((error.into(), is_conflict))
            }
        },
        Err(error) => {
            let met_conflict = scope.met_conflict();
            scope.roll_back();
            Err((error, met_conflict))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Failure;
    use crate::database::{Conflict, ConflictKind, Unavailable, UnavailableReason};
    use std::cell::{Cell, RefCell};

    /// Scopes that write down what becomes of them.
    #[derive(Default)]
    struct Log {
        lines: RefCell<Vec<&'static str>>,
        commit: RefCell<Vec<Error>>,
        begin: RefCell<Vec<Option<Error>>>,
    }

    struct Logged<'l> {
        log: &'l Log,
        met_conflict: Cell<bool>,
    }

    impl Log {
        fn begin(&self) -> Result<Logged<'_>, Error> {
            let error = self.begin.borrow_mut().pop().flatten();
            self.lines
                .borrow_mut()
                .push(if error.is_some() { "refused" } else { "begun" });
            error.map_or_else(
                || {
                    Ok(Logged {
                        log: self,
                        met_conflict: Cell::new(false),
                    })
                },
                Err,
            )
        }

        fn lines(&self) -> Vec<&'static str> {
            self.lines.take()
        }
    }

    impl Scope for Logged<'_> {
        fn commit(self) -> Result<(), Error> {
            self.log.lines.borrow_mut().push("committed");
            self.log.commit.borrow_mut().pop().map_or(Ok(()), Err)
        }

        fn roll_back(self) {
            self.log.lines.borrow_mut().push("rolled back");
        }

        fn met_conflict(&self) -> bool {
            self.met_conflict.get()
        }
    }

    fn conflict() -> Error {
        Error::from(types::Error::Conflict(Conflict {
            kind: ConflictKind::Serialization,
            message: "somebody else was first".into(),
        }))
    }

    fn closed() -> Error {
        Error::from(types::Error::Closed("the transaction is gone".into()))
    }

    fn unknown() -> Error {
        Error::from(types::Error::Unavailable(Unavailable {
            reason: UnavailableReason::Unreachable,
            message: "the outcome is unknown".into(),
            outcome_unknown: true,
        }))
    }

    /// Work that meets a conflict that many times, and answers it as an error of its own.
    fn conflicting(times: u32) -> impl FnMut(&Logged<'_>) -> Result<u32, Failure> {
        let mut runs = 0;
        move |scope| {
            runs += 1;
            if runs <= times {
                scope.met_conflict.set(true);
                return Err(Failure::failed("no luck"));
            }
            Ok(runs)
        }
    }

    #[test]
    fn ok_commits_and_err_rolls_back() {
        let log = Log::default();
        let begin = || log.begin().map_err(Failure::from);
        assert_eq!(
            begin().and_then(|scope| run(scope, |_| Ok::<_, Failure>(7))),
            Ok(7)
        );
        assert_eq!(log.lines(), ["begun", "committed"]);

        let error = begin().and_then(|scope| run(scope, |_| Err::<(), _>(Failure::failed("no"))));
        assert_eq!(error, Err(Failure::failed("no")));
        assert_eq!(log.lines(), ["begun", "rolled back"]);

        log.commit.borrow_mut().push(unknown());
        let error = begin().and_then(|scope| run(scope, |_| Ok::<_, Failure>(7)));
        assert_eq!(error, Err(Failure::failed("the outcome is unknown")));
        assert_eq!(log.lines(), ["begun", "committed"]);
    }

    #[test]
    fn conflicts_run_it_again_until_there_is_none() {
        let log = Log::default();
        let result = run_retrying_conflicts(3, || log.begin(), conflicting(2));
        assert_eq!(result, Ok(3));
        assert_eq!(
            log.lines(),
            [
                "begun",
                "rolled back",
                "begun",
                "rolled back",
                "begun",
                "committed"
            ]
        );
        // At the commit, and at the beginning.
        log.commit.borrow_mut().push(conflict());
        log.begin.borrow_mut().extend([Some(conflict()), None]);
        assert_eq!(
            run_retrying_conflicts(3, || log.begin(), conflicting(0)),
            Ok(2)
        );
        assert_eq!(
            log.lines(),
            ["begun", "committed", "refused", "begun", "committed"]
        );
    }

    #[test]
    fn attempts_are_bounded_and_one_at_least() {
        for (attempts, runs) in [(0, 1), (1, 1), (3, 3)] {
            let log = Log::default();
            let result = run_retrying_conflicts(attempts, || log.begin(), conflicting(9));
            assert_eq!(result, Err(Failure::failed("no luck")));
            assert_eq!(log.lines().len(), 2 * runs);
        }
    }

    #[test]
    fn nothing_but_a_conflict_is_run_again() {
        let log = Log::default();
        let error = run_retrying_conflicts(9, || log.begin(), |_| Err::<(), _>(closed()));
        assert_eq!(error, Err(closed()));
        assert_eq!(log.lines(), ["begun", "rolled back"]);

        log.commit.borrow_mut().push(unknown());
        let error = run_retrying_conflicts(9, || log.begin(), |_| Ok::<_, Error>(()));
        assert_eq!(error, Err(unknown()));
        assert_eq!(log.lines(), ["begun", "committed"]);
    }

    #[test]
    fn a_conflict_that_ended_the_callers_transaction_is_the_callers() {
        let log = Log::default();
        log.begin.borrow_mut().extend([Some(closed()), None]);
        let error = run_retrying_conflicts(9, || log.begin(), conflicting(1));
        assert_eq!(error, Err(Failure::failed("no luck")));
        assert_eq!(log.lines(), ["begun", "rolled back", "refused"]);

        // Without a conflict before it, it is an error like any other.
        log.begin.borrow_mut().push(Some(closed()));
        let error = run_retrying_conflicts(9, || log.begin(), |_| Ok::<_, Error>(()));
        assert_eq!(error, Err(closed()));
    }
}
