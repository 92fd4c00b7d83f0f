//! Owns how much the parser may try: where two readings are possible it tries one and then the other, and a text of nested such
//! places would take it twice as long with each.

use std::cell::Cell;

use sqlparser::parser::ParserError;

/// How often an expression may begin for each token of a text. Texts that somebody means need hardly more than one.
const EACH_TOKEN: usize = 8;

/// And besides, for all.
const MORE: usize = 1_000;

/// What is left to try.
#[derive(Debug)]
pub(super) struct Attempts(Cell<usize>);

impl Attempts {
    pub(super) fn of(tokens: usize) -> Self {
        Self(Cell::new(
            tokens.saturating_mul(EACH_TOKEN).saturating_add(MORE),
        ))
    }

    /// Takes one, before each expression that is read; an error where none is left.
    pub(super) fn another(&self) -> Option<ParserError> {
        match self.0.get().checked_sub(1) {
            Some(left) => {
                self.0.set(left);
                None
            }
            None => Some(ParserError::ParserError(
                "it can be read in too many ways; use fewer parentheses within each other"
                    .to_owned(),
            )),
        }
    }
}
