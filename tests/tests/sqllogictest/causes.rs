//! Why records fail, and how many for each reason: what fails for no reason given here, or more or less often, is a bug.

use poolhouse_tests::Backend;

use crate::outcome::{Failure, Outcome};

/// One reason for failures on one database.
#[derive(Debug)]
pub(crate) struct Cause {
    /// For the reader of the table: what fails, and why.
    pub(crate) name: &'static str,
    pub(crate) backend: Backend,
    pub(crate) whose: Whose,
    /// How many records fail for it.
    pub(crate) count: usize,
    /// Whether a failure is this one's; the first that says so has it.
    explains: fn(&Failed<'_>) -> bool,
}

/// Who makes a record fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The database: the driver alone fails in the same way.
    Database,
    /// The host refuses what the database would do.
    Host,
    /// Nobody: an earlier record failed, and the rows are other ones for it.
    Earlier,
}

/// A record that failed.
#[derive(Debug)]
pub(crate) struct Failed<'f> {
    pub(crate) file: &'f str,
    pub(crate) sql: &'f str,
    pub(crate) outcome: &'f Outcome,
    /// The driver alone did what was expected.
    pub(crate) is_hosts: bool,
    /// The driver alone failed in the same way.
    pub(crate) is_databases: bool,
}

impl Failed<'_> {
    fn code(&self) -> &str {
        self.failure().map_or("", |failure| &failure.code)
    }

    /// Refused by the host before the database saw it, with these words.
    fn is_refused_with(&self, words: &str) -> bool {
        self.failure()
            .is_some_and(|failure| failure.case == "invalid" && failure.message.contains(words))
    }

    fn failure(&self) -> Option<&Failure> {
        match self.outcome {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    fn has_other_rows(&self) -> bool {
        matches!(self.outcome, Outcome::Rows(_))
    }
}

/// The cause of a failure; none is a bug.
pub(crate) fn cause(backend: Backend, failed: &Failed<'_>) -> Option<&'static Cause> {
    CAUSES.iter().find(|cause| {
        let is_theirs = match cause.whose {
            Whose::Database => failed.is_databases,
            Whose::Host => failed.is_hosts,
            Whose::Earlier => failed.has_other_rows(),
        };
        cause.backend == backend && is_theirs && (cause.explains)(failed)
    })
}

pub(crate) const CAUSES: &[Cause] = &[
    Cause {
        name: "two statements in one text, which the contract forbids",
        backend: Backend::Sqlite,
        whose: Whose::Host,
        count: 1,
        explains: |failed| failed.is_refused_with("several statements"),
    },
    Cause {
        name: "a sum past 64 bits is an error of SQLite's, for which the file has an empty answer",
        backend: Backend::Sqlite,
        whose: Whose::Database,
        count: 1,
        explains: |failed| {
            failed
                .failure()
                .is_some_and(|failure| failure.message.contains("integer overflow"))
        },
    },
    Cause {
        name: "triggers, which PostgreSQL writes otherwise (CREATE TRIGGER … EXECUTE FUNCTION, DROP TRIGGER … ON t)",
        backend: Backend::Postgresql,
        whose: Whose::Database,
        count: 23,
        explains: |failed| failed.code() == "42601" && failed.sql.contains(" TRIGGER "),
    },
    Cause {
        name: "a view can't be dropped while another view reads it",
        backend: Backend::Postgresql,
        whose: Whose::Database,
        count: 305,
        explains: |failed| failed.code() == "2BP01" && failed.sql.starts_with("DROP VIEW"),
    },
    Cause {
        name: "`IN ()`: PostgreSQL wants one element at least",
        backend: Backend::Postgresql,
        whose: Whose::Database,
        count: 8,
        explains: |failed| failed.is_refused_with("found: )") && failed.sql.contains("IN ()"),
    },
    Cause {
        name: "INSERT OR REPLACE and REPLACE INTO: not PostgreSQL's",
        backend: Backend::Postgresql,
        whose: Whose::Database,
        count: 4,
        explains: |failed| {
            failed.file == "evidence/slt_lang_replace.test" && failed.sql.contains("REPLACE INTO")
        },
    },
    Cause {
        name: "rows that were so not replaced",
        backend: Backend::Postgresql,
        whose: Whose::Earlier,
        count: 4,
        explains: |failed| failed.is_databases && failed.file == "evidence/slt_lang_replace.test",
    },
    Cause {
        name: "a text or a bit string compared with integers: PostgreSQL converts neither",
        backend: Backend::Postgresql,
        whose: Whose::Database,
        count: 4,
        explains: |failed| {
            ["22P02", "42883"].contains(&failed.code())
                && failed.sql.contains("IN (SELECT * FROM t1)")
        },
    },
    Cause {
        name: "`+ text`: PostgreSQL has a plus sign before numbers only",
        backend: Backend::Postgresql,
        whose: Whose::Database,
        count: 30,
        explains: |failed| {
            failed
                .failure()
                .is_some_and(|failure| failure.message.ends_with("operator does not exist: + text"))
        },
    },
    Cause {
        name: "a view can be written to: a simple one is updatable in PostgreSQL",
        backend: Backend::Postgresql,
        whose: Whose::Database,
        count: 2,
        explains: |failed| {
            matches!(failed.outcome, Outcome::Changed(_)) && failed.sql.contains(" view1 ")
        },
    },
    Cause {
        name: "one column set twice in an UPDATE",
        backend: Backend::Postgresql,
        whose: Whose::Database,
        count: 1,
        explains: |failed| failed.code() == "42601" && failed.sql.contains("SET x=3, x=4, x=5"),
    },
    Cause {
        name: "rows that were so not updated",
        backend: Backend::Postgresql,
        whose: Whose::Earlier,
        count: 2,
        explains: |failed| failed.is_databases && failed.file == "evidence/slt_lang_update.test",
    },
    Cause {
        name: "REINDEX without the word INDEX",
        backend: Backend::Postgresql,
        whose: Whose::Database,
        count: 1,
        explains: |failed| failed.code() == "42601" && failed.sql.starts_with("REINDEX"),
    },
];
