//! Owns what to use instead of the statements that do not run.

use sqlparser::ast::Statement;

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

/// What to use instead of a statement that does not run.
pub(super) fn refusal(statement: &Statement) -> String {
    let text = match statement {
        Statement::StartTransaction { .. } => "BEGIN is not a statement of a plugin's: use begin",
        Statement::Commit { .. } => "COMMIT is not a statement of a plugin's: use commit",
        Statement::Rollback { .. } => "ROLLBACK is not a statement of a plugin's: use rollback",
        Statement::Savepoint { .. } | Statement::ReleaseSavepoint { .. } => {
            "savepoints are made with savepoint, and ended with commit or rollback"
        }
        Statement::Declare { .. }
        | Statement::Fetch { .. }
        | Statement::Open(_)
        | Statement::Close { .. } => "cursors are opened with open-cursor",
        Statement::Set(_)
        | Statement::Reset(_)
        | Statement::Discard { .. }
        | Statement::AlterSession { .. }
        | Statement::Use(_) => {
            "session settings belong to the host: a connection is lent for one statement or transaction"
        }
        Statement::ShowVariable { .. } | Statement::ShowVariables { .. } => {
            "SHOW is the host's: use current_setting where it is granted"
        }
        Statement::Pragma { .. }
        | Statement::AttachDatabase { .. }
        | Statement::Vacuum(_)
        | Statement::Analyze(_) => "PRAGMA, ATTACH, VACUUM and ANALYZE belong to the host",
        Statement::Prepare { .. } | Statement::Execute { .. } | Statement::Deallocate { .. } => {
            "the host prepares statements itself: use query or execute with parameters"
        }
        Statement::Copy { .. } => {
            "COPY is not to be had: use execute-many to load, and open-cursor to read"
        }
        Statement::LISTEN { .. } | Statement::UNLISTEN { .. } | Statement::NOTIFY { .. } => {
            "LISTEN and NOTIFY need a connection of their own, which a plugin does not have"
        }
        Statement::Lock(_) | Statement::LockTables { .. } => {
            "LOCK is not to be had: use SELECT … FOR UPDATE, or begin with isolation serializable"
        }
        Statement::Call(_) => "CALL is not to be had: a procedure may end the transaction",
        Statement::Truncate(_) => "TRUNCATE is not to be had: use DELETE",
        Statement::CreateView(_)
        | Statement::CreateTrigger(_)
        | Statement::CreateFunction(_)
        | Statement::CreateSchema { .. }
        | Statement::CreateType { .. }
        | Statement::CreateSequence { .. } => "migrations make tables and indexes only",
        Statement::Drop { .. } => "migrations drop tables and indexes only",
        _ => "",
    };
    if text.is_empty() {
        "the statement is none of SELECT, VALUES, INSERT, UPDATE, DELETE, MERGE, EXPLAIN, and in migrations CREATE, ALTER and DROP of tables and indexes".to_owned()
    } else {
        text.to_owned()
    }
}
