//! Owns the tokens of a guest's SQL text and refusing what two lexers could read differently; leaves meaning to `walk`.

use sqlparser::dialect::Dialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::error::{Error, LimitKind};
use crate::url::Backend;

use super::attempts::Attempts;
use super::postgresql::Postgresql;
use super::scanning::{Piece, PieceKind, agree, pieces};
use super::sqlite::{Sqlite, without_hints};
use super::{MAX_PARAMETERS, MAX_SQL};

/// Operators and keywords of one statement. A chain of them becomes a tree that deep, so this bounds recursion.
const MAX_OPERATORS: usize = 8_192;

/// Of SQLite's operators that the parser reads in the square of their number.
const MAX_SLOW_OPERATORS: usize = 256;

/// Up to so many the caller's own stack is enough.
const SIMPLE_OPERATORS: usize = 96;

/// Bytes of stack for the others: address space, of which a statement uses what its depth needs.
pub(super) const STACK: usize = 256 * 1024 * 1024;

/// A text, its pieces as we see them, and its tokens as the parser does.
pub(super) struct Text<'a> {
    pub(super) pieces: Vec<Piece<'a>>,
    /// Or why there are none.
    pub(super) tokens: Result<Vec<TokenWithSpan>, String>,
    /// The largest `$N`.
    pub(super) parameters: u32,
    operators: usize,
}

/// Whether a text can be read on the caller's own stack.
pub(crate) fn is_simple(sql: &str, backend: Backend) -> bool {
    Text::new(sql, backend).is_ok_and(|text| text.is_simple())
}

/// The text before its semicolon, so that it can stand inside another: there is one statement, so that behind it are only
/// remarks. None where it can't be read.
pub(crate) fn before_semicolon(sql: &str, backend: Backend) -> Option<&str> {
    let pieces = pieces(sql, backend).ok()?;
    match pieces.iter().find(|piece| piece.is_mark(";")) {
        Some(semicolon) => sql.get(..semicolon.start),
        None => Some(sql),
    }
}

impl<'a> Text<'a> {
    pub(super) fn new(sql: &'a str, backend: Backend) -> Result<Self, Error> {
        if sql.len() > MAX_SQL {
            return Err(Error::Limit {
                kind: LimitKind::SqlLength,
                message: format!(
                    "the SQL text is {} bytes long, the limit is {MAX_SQL}: use parameters for values",
                    sql.len()
                ),
                maximum: MAX_SQL as u64,
            });
        }
        refuse_odd_spaces(sql)?;
        let mut text = Self {
            pieces: pieces(sql, backend)?,
            tokens: Ok(Vec::new()),
            parameters: 0,
            operators: 0,
        };
        let dialect = dialect(backend, 0);
        let tokens = match Tokenizer::new(dialect.as_ref(), sql).tokenize_with_location() {
            Ok(tokens) => tokens,
            Err(error) => {
                text.tokens = Err(error.to_string());
                return Ok(text);
            }
        };
        agree(sql, &text.pieces, &tokens)?;
        text.count(&tokens)?;
        text.tokens = Ok(match backend {
            Backend::Sqlite => without_hints(tokens),
            Backend::Postgresql => tokens,
        });
        Ok(text)
    }

    fn count(&mut self, tokens: &[TokenWithSpan]) -> Result<(), Error> {
        // A minus after these is a sign, as in a long list of numbers.
        let mut after_opening = false;
        let (mut slow, mut after_in) = (0, false);
        for token in tokens {
            match &token.token {
                Token::Whitespace(_) => continue,
                Token::Placeholder(name) => {
                    self.parameters = self.parameters.max(placeholder(name)?);
                }
                Token::CustomBinaryOperator(operator)
                    if operator.contains("--") || operator.contains("/*") =>
                {
                    return Err(Error::invalid(format!(
                        "the statement can't be read: put a space before the comment in {operator:?}"
                    )));
                }
                Token::Minus if after_opening => {}
                other if is_operator(other) => self.operators += 1,
                _ => {}
            }
            let in_a_table = after_in && token.token != Token::LParen;
            slow += usize::from(in_a_table || is_slow(&token.token));
            after_in = matches!(&token.token, Token::Word(word) if word.keyword == Keyword::IN);
            after_opening = matches!(token.token, Token::Comma | Token::LParen);
        }
        for (count, most) in [(self.operators, MAX_OPERATORS), (slow, MAX_SLOW_OPERATORS)] {
            if count > most {
                return Err(Error::Limit {
                    kind: LimitKind::Depth,
                    message: format!(
                        "the statement has more than {most} operators and keywords{}: use parameters, or several statements",
                        if most == MAX_OPERATORS {
                            ""
                        } else {
                            " of the kind of GLOB, MATCH, REGEXP and IN without parentheses"
                        }
                    ),
                    maximum: most as u64,
                });
            }
        }
        Ok(())
    }

    /// The words before its strings: `t 'x'` is a cast to `t`, which the parser takes for a column by another name.
    pub(super) fn typed_strings(&self) -> impl Iterator<Item = String> {
        let pieces: Vec<&Piece<'a>> = self
            .pieces
            .iter()
            .filter(|piece| !piece.is_comment())
            .collect();
        let pairs = pieces.windows(2).filter_map(|pair| match pair {
            [name, string] if string.kind == PieceKind::String => name.name(Backend::Postgresql),
            _ => None,
        });
        pairs.collect::<Vec<_>>().into_iter()
    }

    /// The operators that stand in it.
    pub(super) fn operator_names(&self) -> impl Iterator<Item = &'a str> {
        self.pieces
            .iter()
            .filter(|piece| piece.kind == PieceKind::Operator)
            .map(|piece| piece.text)
    }

    pub(super) fn is_simple(&self) -> bool {
        self.operators <= SIMPLE_OPERATORS
    }
}

/// A database's dialect, for reading a text of so many tokens.
pub(super) fn dialect(backend: Backend, tokens: usize) -> Box<dyn Dialect> {
    let attempts = Attempts::of(tokens);
    match backend {
        Backend::Sqlite => Box::new(Sqlite(attempts)),
        Backend::Postgresql => Box::new(Postgresql(attempts)),
    }
}

fn is_slow(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::GLOB | Keyword::MATCH | Keyword::REGEXP
        ),
        _ => false,
    }
}

/// Spaces, line ends and control characters that our lexer and a database's own could take differently: where one sees
/// a space and the other a part of a name, or the end of a comment, a table could hide.
fn refuse_odd_spaces(sql: &str) -> Result<(), Error> {
    let mut characters = sql.chars().peekable();
    while let Some(character) = characters.next() {
        let odd = match character {
            '\n' | '\t' | ' ' => false,
            '\r' => characters.peek() != Some(&'\n'),
            other => other.is_control() || other.is_whitespace() || other == '\u{feff}',
        };
        if odd {
            return Err(Error::invalid(format!(
                "the SQL text holds the character U+{:04X}; write it without, or pass it in a parameter",
                u32::from(character)
            )));
        }
    }
    Ok(())
}

/// The number of a placeholder, which is `$` and that number.
pub(super) fn placeholder(name: &str) -> Result<u32, Error> {
    let number = name
        .strip_prefix('$')
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse::<u32>().ok());
    match number {
        Some(number) if number as usize > MAX_PARAMETERS => Err(Error::Limit {
            kind: LimitKind::Parameters,
            message: format!(
                "the statement has a placeholder ${number}, the limit is ${MAX_PARAMETERS}"
            ),
            maximum: MAX_PARAMETERS as u64,
        }),
        Some(number) if number > 0 => Ok(number),
        _ => Err(Error::invalid(format!(
            "the placeholder {name:?} is not one of $1, $2…: placeholders are written so on both databases"
        ))),
    }
}

fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => word.keyword != Keyword::NoKeyword,
        Token::Comma
        | Token::LParen
        | Token::RParen
        | Token::Period
        | Token::SemiColon
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::EscapedStringLiteral(_)
        | Token::UnicodeStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::DollarQuotedString(_)
        | Token::EOF => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_before_its_semicolon() {
        for (sql, before) in [
            ("SELECT 1", "SELECT 1"),
            ("SELECT 1;", "SELECT 1"),
            ("SELECT 'é;',\n 2 ; -- that; is all", "SELECT 'é;',\n 2 "),
            (
                "SELECT ';é',\n \"a;\" -- ;\n, 2 ; -- more;",
                "SELECT ';é',\n \"a;\" -- ;\n, 2 ",
            ),
            ("SELECT /* ; */ 1;;", "SELECT /* ; */ 1"),
        ] {
            for backend in [Backend::Sqlite, Backend::Postgresql] {
                assert_eq!(before_semicolon(sql, backend), Some(before), "{sql}");
            }
        }
        for sql in [
            "SELECT 1 /* ; /* ; */ */",
            "SELECT $$;$$, E'\\';', \";\" -- ;",
        ] {
            assert_eq!(
                before_semicolon(sql, Backend::Postgresql),
                Some(sql),
                "{sql}"
            );
        }
    }
}
