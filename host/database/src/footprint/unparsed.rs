//! Owns what can be said of a text that the parser can't read, by its pieces alone: for plugins whose grant says `unparsed`.

use crate::error::Error;
use crate::grants::HOST_PREFIX;
use crate::url::Backend;

use super::lexing::placeholder;
use super::scanning::{Piece, PieceKind};
use super::{Footprint, StatementKind};

const ROWS: [&str; 8] = [
    "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE",
];

/// A text with one of these words may write.
const WRITES: [&str; 6] = ["INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "SHARE"];

/// What lives in a connection.
const SESSION: [&str; 4] = ["lastval", "currval", "last_insert_rowid", "changes"];

/// The footprint of a statement that the parser refused for `reason`: it reads or changes rows of tables that nobody knows.
/// None where it could be anything else.
pub(super) fn read(
    pieces: &[Piece<'_>],
    backend: Backend,
    reason: &str,
) -> Result<Option<Footprint>, Error> {
    let pieces: Vec<Piece<'_>> = pieces
        .iter()
        .filter(|piece| !piece.is_comment())
        .copied()
        .collect();
    if !is_one_statement_of_rows(&pieces, backend) || names_the_hosts_own(&pieces) {
        return Ok(None);
    }
    let mut parameters = 0;
    for piece in &pieces {
        if piece.kind == PieceKind::Placeholder {
            parameters = parameters.max(placeholder(piece.text)?);
        }
    }
    let mut footprint = Footprint::nothing(parameters);
    footprint.unparsed = Some(reason.to_owned());
    footprint.touches_session = true;
    if has_any(&pieces, &WRITES) {
        footprint.kind = StatementKind::Write;
    }
    footprint.functions = SESSION
        .into_iter()
        .filter(|function| has_any(&pieces, &[function]))
        .map(str::to_owned)
        .collect();
    footprint.needs_transaction = !footprint.functions.is_empty();
    Ok(Some(footprint))
}

fn has_any(pieces: &[Piece<'_>], words: &[&str]) -> bool {
    pieces.iter().any(|piece| {
        matches!(piece.kind, PieceKind::Word | PieceKind::Quoted)
            && words
                .iter()
                .any(|word| piece.text.trim_matches('"').eq_ignore_ascii_case(word))
    })
}

fn is_one_statement_of_rows(pieces: &[Piece<'_>], backend: Backend) -> bool {
    let first = pieces.iter().find(|piece| !piece.is_mark("("));
    let begins = first.is_some_and(|first| {
        ROWS.iter().any(|word| first.is_word(word))
            || (backend == Backend::Sqlite && first.is_word("REPLACE"))
    });
    let end = pieces.iter().position(|piece| piece.is_mark(";"));
    let is_alone = end.is_none_or(|end| pieces.iter().skip(end).all(|piece| piece.is_mark(";")));
    begins && is_alone && makes_no_table(pieces) && ends_no_transaction(pieces)
}

/// `SELECT … INTO t` makes a table. Where INTO may stand is behind INSERT and the like, before which in the same
/// parentheses no query has begun.
fn makes_no_table(pieces: &[Piece<'_>]) -> bool {
    let mut has_query = vec![false];
    for (at, piece) in pieces.iter().enumerate() {
        if piece.is_mark("(") {
            has_query.push(false);
        } else if piece.is_mark(")") {
            has_query.pop();
        } else if ["SELECT", "VALUES", "TABLE"]
            .iter()
            .any(|word| piece.is_word(word))
        {
            if let Some(innermost) = has_query.last_mut() {
                *innermost = true;
            }
        } else if piece.is_word("INTO") {
            let before = at.checked_sub(1).and_then(|at| pieces.get(at));
            let inserts = before.is_some_and(|before| {
                ["INSERT", "MERGE", "REPLACE", "IGNORE", "ABORT", "FAIL"]
                    .iter()
                    .any(|word| before.is_word(word))
            });
            if !inserts || has_query.last() != Some(&false) {
                return false;
            }
        }
    }
    true
}

/// SQLite's `OR ROLLBACK`.
fn ends_no_transaction(pieces: &[Piece<'_>]) -> bool {
    !pieces.windows(2).any(|pair| match pair {
        [or, rollback] => or.is_word("OR") && rollback.is_word("ROLLBACK"),
        _ => false,
    })
}

/// Also in a string, which SQLite takes for a name where one is wanted.
fn names_the_hosts_own(pieces: &[Piece<'_>]) -> bool {
    pieces
        .iter()
        .any(|piece| piece.text.to_ascii_lowercase().contains(HOST_PREFIX))
}
