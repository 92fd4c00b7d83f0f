//! Owns what to use instead of the statements that do not run.

use sqlparser::ast::Statement;

use super::scanning::Piece;

/// What a statement begins with that never runs, and what to use instead.
const NEVER: &[(&[&str], &str)] = &[
    (
        &["BEGIN", "START"],
        "BEGIN is not a statement of a plugin's: use begin",
    ),
    (
        &["COMMIT", "END"],
        "COMMIT is not a statement of a plugin's: use commit",
    ),
    (
        &["ROLLBACK", "ABORT"],
        "ROLLBACK is not a statement of a plugin's: use rollback",
    ),
    (
        &["SAVEPOINT", "RELEASE"],
        "savepoints are made with savepoint, and ended with commit or rollback",
    ),
    (
        &["DECLARE", "FETCH", "MOVE", "CLOSE"],
        "cursors are opened with open-cursor",
    ),
    (
        &["SET", "RESET", "DISCARD", "USE"],
        "session settings belong to the host: a connection is lent for one statement or transaction",
    ),
    (
        &["SHOW"],
        "SHOW is the host's: use current_setting where it is granted",
    ),
    (
        &["PRAGMA"],
        "PRAGMA belongs to the host: it changes the connection, which is lent for one statement or transaction",
    ),
    (
        &["ATTACH", "DETACH"],
        "ATTACH and DETACH belong to the host: a plugin has the one database that it was given",
    ),
    (
        &[
            "VACUUM",
            "ANALYZE",
            "ANALYSE",
            "REINDEX",
            "CLUSTER",
            "CHECKPOINT",
            "REFRESH",
        ],
        "VACUUM, ANALYZE and other upkeep of the database belong to the host and its owner",
    ),
    (
        &["PREPARE", "EXECUTE", "DEALLOCATE"],
        "the host prepares statements itself: use query or execute with parameters",
    ),
    (
        &["COPY"],
        "COPY is not to be had: use execute-many to load, and open-cursor to read",
    ),
    (
        &["DO"],
        "DO is not to be had: it runs a program that nobody has read; send its statements one by one",
    ),
    (
        &["LISTEN", "UNLISTEN", "NOTIFY"],
        "LISTEN and NOTIFY need a connection of their own, which a plugin does not have",
    ),
    (
        &["LOCK", "UNLOCK"],
        "LOCK is not to be had: use SELECT … FOR UPDATE, or begin with isolation serializable",
    ),
    (
        &["CALL"],
        "CALL is not to be had: a procedure may end the transaction",
    ),
    (&["TRUNCATE"], "TRUNCATE is not to be had: use DELETE"),
    (
        &["LOAD", "IMPORT", "INSTALL"],
        "LOAD and IMPORT belong to whoever runs the database",
    ),
    (
        &["GRANT", "REVOKE", "REASSIGN", "SECURITY"],
        "rights in the database belong to whoever runs it: a plugin's own are in host.toml",
    ),
    (
        &["COMMENT"],
        "COMMENT is not to be had: write it into the migration's text",
    ),
];

/// What to use instead of a statement that never runs; none where its first word is another.
pub(super) fn never(pieces: &[Piece<'_>]) -> Option<&'static str> {
    let first = pieces
        .iter()
        .find(|piece| !piece.is_comment() && !piece.is_mark("("))?;
    NEVER
        .iter()
        .find(|(words, _)| words.iter().any(|word| first.is_word(word)))
        .map(|(_, instead)| *instead)
}

/// Whether a text that can't be read, or does not run, means to change the schema; by its first word.
pub(crate) fn is_ddl(sql: &str) -> bool {
    let mut rest = sql.trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n')
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/")
        } else {
            break;
        };
        rest = after.map_or("", |(_, after)| after.trim_start());
    }
    let word = rest
        .split(|letter: char| !letter.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    ["CREATE", "ALTER", "DROP"]
        .iter()
        .any(|ddl| word.eq_ignore_ascii_case(ddl))
}

/// What to use instead of a statement that was read and does not run.
pub(super) fn refusal(statement: &Statement) -> String {
    let text = match statement {
        Statement::CreateView(_)
        | Statement::CreateTrigger(_)
        | Statement::CreateFunction(_)
        | Statement::CreateSchema { .. }
        | Statement::CreateType { .. }
        | Statement::CreateSequence { .. } => "migrations make tables and indexes only",
        Statement::Drop { .. } => "migrations drop tables and indexes only",
        _ => {
            "the statement is none of SELECT, VALUES, INSERT, UPDATE, DELETE, MERGE, EXPLAIN, and in migrations CREATE, ALTER and DROP of tables and indexes"
        }
    };
    text.to_owned()
}
