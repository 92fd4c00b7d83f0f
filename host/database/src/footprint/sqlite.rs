//! Owns what SQLite's own grammar has beyond the parser's: `x IN t`, shifts, and hints about indexes.

use std::any::TypeId;
use std::collections::BTreeSet;

use sqlparser::ast::{Expr, Query, SetExpr, Statement, TableFactor};
use sqlparser::dialect::{Dialect, SQLiteDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Word};

use super::attempts::Attempts;

/// SQLite's dialect, with the rest of its expressions.
#[derive(Debug)]
pub(super) struct Sqlite(pub(super) Attempts);

const BASE: SQLiteDialect = SQLiteDialect {};

impl Dialect for Sqlite {
    fn dialect(&self) -> TypeId {
        BASE.dialect()
    }

    fn is_delimited_identifier_start(&self, letter: char) -> bool {
        BASE.is_delimited_identifier_start(letter)
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        BASE.identifier_quote_style(identifier)
    }

    fn is_identifier_start(&self, letter: char) -> bool {
        BASE.is_identifier_start(letter)
    }

    fn is_identifier_part(&self, letter: char) -> bool {
        BASE.is_identifier_part(letter)
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        BASE.supports_filter_during_aggregation()
    }

    fn supports_start_transaction_modifier(&self) -> bool {
        BASE.supports_start_transaction_modifier()
    }

    fn supports_in_empty_list(&self) -> bool {
        BASE.supports_in_empty_list()
    }

    fn supports_limit_comma(&self) -> bool {
        BASE.supports_limit_comma()
    }

    fn supports_asc_desc_in_column_definition(&self) -> bool {
        BASE.supports_asc_desc_in_column_definition()
    }

    fn supports_dollar_placeholder(&self) -> bool {
        BASE.supports_dollar_placeholder()
    }

    fn supports_notnull_operator(&self) -> bool {
        BASE.supports_notnull_operator()
    }

    fn supports_comma_separated_trim(&self) -> bool {
        BASE.supports_comma_separated_trim()
    }

    fn supports_numeric_literal_underscores(&self) -> bool {
        BASE.supports_numeric_literal_underscores()
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn parse_statement(&self, parser: &mut Parser) -> Option<Result<Statement, ParserError>> {
        BASE.parse_statement(parser)
    }

    fn parse_prefix(&self, _: &mut Parser) -> Option<Result<Expr, ParserError>> {
        self.0.another().map(Err)
    }

    fn parse_infix(
        &self,
        parser: &mut Parser,
        expression: &Expr,
        precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        if let Some(negated) = is_in_a_table(parser) {
            return Some(in_a_table(parser, expression, negated));
        }
        BASE.parse_infix(parser, expression, precedence)
    }
}

/// Whether `IN` or `NOT IN` comes next, and behind it neither a list nor a query, but a name.
fn is_in_a_table(parser: &Parser) -> Option<bool> {
    let is = |at: usize, keyword: Keyword| match &parser.peek_nth_token_ref(at).token {
        Token::Word(word) => word.keyword == keyword,
        _ => false,
    };
    let negated = is(0, Keyword::NOT);
    let at = usize::from(negated);
    if !is(at, Keyword::IN) {
        return None;
    }
    matches!(
        parser.peek_nth_token_ref(at + 1).token,
        Token::Word(_) | Token::SingleQuotedString(_)
    )
    .then_some(negated)
}

/// `x IN t` means `x IN (SELECT * FROM t)`; `x IN f(…)` calls a table function.
fn in_a_table(parser: &mut Parser, expression: &Expr, negated: bool) -> Result<Expr, ParserError> {
    if negated {
        parser.next_token();
    }
    parser.next_token();
    let mut subquery = query()?;
    let table = parser.parse_object_name(false)?;
    let is_call = parser.peek_token_ref().token == Token::LParen;
    if is_call {
        return Err(ParserError::ParserError(
            "write IN (SELECT * FROM …) for a table function".to_owned(),
        ));
    }
    if let SetExpr::Select(select) = subquery.body.as_mut()
        && let Some(from) = select.from.first_mut()
        && let TableFactor::Table { name, .. } = &mut from.relation
    {
        *name = table;
    }
    Ok(Expr::InSubquery {
        expr: Box::new(expression.clone()),
        subquery: Box::new(subquery),
        negated,
    })
}

fn query() -> Result<Query, ParserError> {
    let tokens = Tokenizer::new(&BASE, "SELECT * FROM t").tokenize()?;
    Ok(*Parser::new(&BASE).with_tokens(tokens).parse_query()?)
}

/// Takes `INDEXED BY name` and `NOT INDEXED` away: which index is used changes nothing of what is read. Where they stand so, SQLite
/// has no other reading: a column of that name has a comma, an operator or a keyword before or behind it.
pub(super) fn without_hints(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let words: Vec<(usize, Option<&Word>)> = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| !matches!(token.token, Token::Whitespace(_)))
        .map(|(at, token)| match &token.token {
            Token::Word(word) => (at, Some(word)),
            _ => (at, None),
        })
        .collect();
    let mut gone = BTreeSet::new();
    for at in 1..words.len() {
        let word = |at: usize| words.get(at).and_then(|(_, word)| *word);
        let end = if !word(at - 1).is_some_and(is_name) {
            at
        } else if is_written(word(at), "indexed")
            && is_written(word(at + 1), "by")
            && word(at + 2).is_some_and(is_name)
        {
            at + 3
        } else if is_written(word(at), "not") && is_written(word(at + 1), "indexed") {
            at + 2
        } else {
            at
        };
        gone.extend((at..end).filter_map(|at| words.get(at).map(|(place, _)| *place)));
    }
    if gone.is_empty() {
        return tokens;
    }
    let mut at = 0;
    let mut tokens = tokens;
    tokens.retain(|_| {
        at += 1;
        !gone.contains(&(at - 1))
    });
    tokens
}

/// A name that is no keyword, or in quotes.
fn is_name(word: &Word) -> bool {
    word.quote_style.is_some() || word.keyword == Keyword::NoKeyword
}

fn is_written(word: Option<&Word>, as_word: &str) -> bool {
    word.is_some_and(|word| word.quote_style.is_none() && word.value.eq_ignore_ascii_case(as_word))
}
