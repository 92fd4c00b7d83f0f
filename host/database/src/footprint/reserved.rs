//! Owns the words that neither database takes for a name unless it is in quotes, and finding out where the parser did: then it has
//! read the text as another than the database will.

use std::fmt::{self, Write};

use sqlparser::ast::Statement;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::url::Backend;

/// Reserved in both. Neither here nor below are words that the parser keeps beside a statement for their place: SELECT, WITH, CASE,
/// WHEN, END, and those that a statement begins with; nor those that are functions and values in one of them.
const BOTH: &str = "ALL AND AS CHECK COLLATE CONSTRAINT CREATE DISTINCT ELSE EXCEPT FOREIGN FROM GROUP HAVING IN INTERSECT INTO \
    IS JOIN LIMIT NOT ON OR ORDER PRIMARY REFERENCES TABLE THEN UNION UNIQUE USING WHERE";

/// SQLite's.
const SQLITE: &str = "ADD ALTER BETWEEN COMMIT DROP ESCAPE EXISTS SET TRANSACTION VALUES";

/// PostgreSQL's.
const POSTGRESQL: &str = "ANALYSE ANALYZE ASC ASYMMETRIC BOTH COLUMN CROSS DESC FETCH FOR FULL GRANT INNER LATERAL LEADING \
    NATURAL OFFSET OUTER PLACING SYMMETRIC TABLESAMPLE TO TRAILING VARIADIC WINDOW";

/// No text has it: control characters are refused.
const MARK: char = '\u{1}';

/// The mark as Rust writes it at the beginning of a string; a guest's own text begins with no mark, and `\u{1}` in it with two
/// backslashes.
const WRITTEN: &str = "\"\\u{1}";

/// Marks the reserved words: the parser knows them by their keywords, and would keep their text only as that of a name.
pub(super) fn marked(mut tokens: Vec<TokenWithSpan>, backend: Backend) -> Vec<TokenWithSpan> {
    for token in &mut tokens {
        if let Token::Word(word) = &mut token.token
            && word.quote_style.is_none()
            && is_reserved(&word.value, backend)
        {
            word.value.insert(0, MARK);
        }
    }
    tokens
}

/// A message of the parser's about marked words.
pub(super) fn unmarked(message: &str) -> String {
    message.replace(MARK, "")
}

/// The reserved word that was taken for a name.
pub(super) fn taken_for_a_name(statement: &Statement) -> Option<String> {
    let mut search = Search::default();
    // It ends with an error where it has found one.
    let _ = write!(search, "{statement:?}");
    search.found
}

fn is_reserved(word: &str, backend: Backend) -> bool {
    let own = match backend {
        Backend::Sqlite => SQLITE,
        Backend::Postgresql => POSTGRESQL,
    };
    [BOTH, own]
        .into_iter()
        .flat_map(str::split_ascii_whitespace)
        .any(|reserved| word.eq_ignore_ascii_case(reserved))
}

/// Looks for the mark in what is written, piece by piece.
#[derive(Default)]
struct Search {
    /// The end of what was written before, as long as the mark could begin in it.
    before: String,
    found: Option<String>,
}

impl Write for Search {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.before.push_str(text);
        if let Some((_, after)) = self.before.split_once(WRITTEN) {
            let Some((word, _)) = after.split_once('"') else {
                return Ok(());
            };
            self.found = Some(word.to_owned());
            return Err(fmt::Error);
        }
        let mut keep = self.before.len().saturating_sub(WRITTEN.len());
        while !self.before.is_char_boundary(keep) {
            keep -= 1;
        }
        self.before.drain(..keep);
        Ok(())
    }
}
