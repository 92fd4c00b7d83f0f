//! Owns our own reading of a text's pieces as the databases' lexers cut them, and that the parser's agrees with it; leaves meaning to others.

use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Whitespace};

use crate::error::Error;
use crate::url::Backend;

use super::names::part;

/// What a piece of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceKind {
    Word,
    /// A name in quotes.
    Quoted,
    String,
    LineComment,
    BlockComment,
    Number,
    /// `$1`, and whatever else a database takes for a placeholder.
    Placeholder,
    Operator,
    /// Parentheses, commas, dots, semicolons and the like, one by one.
    Mark,
}

/// One piece of a text, by its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) kind: PieceKind,
    pub(super) start: usize,
    pub(super) text: &'a str,
}

impl Piece<'_> {
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == PieceKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.kind == PieceKind::Mark && self.text == mark
    }

    /// The name that a word or a quoted name is.
    pub(super) fn name(&self, backend: Backend) -> Option<String> {
        match self.kind {
            PieceKind::Word => Some(part(self.text, false, backend)),
            PieceKind::Quoted => {
                let inside = self.text.get(1..self.text.len().checked_sub(1)?)?;
                Some(part(&inside.replace("\"\"", "\""), true, backend))
            }
            _ => None,
        }
    }

    pub(super) fn is_comment(&self) -> bool {
        matches!(self.kind, PieceKind::LineComment | PieceKind::BlockComment)
    }
}

/// Cuts a text into its pieces, without the spaces between them.
pub(super) fn pieces(sql: &str, backend: Backend) -> Result<Vec<Piece<'_>>, Error> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(first) = sql.get(at..).and_then(|rest| rest.chars().next()) {
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let (kind, end) = piece(sql, at, first, backend)?;
        let end = end.max(at + first.len_utf8());
        if kind == PieceKind::String
            && backend == Backend::Postgresql
            && last_of_meaning(&pieces) == Some(PieceKind::String)
        {
            // PostgreSQL takes the second for more of the first, with the first's escapes.
            return Err(Error::invalid(
                "the statement can't be read: write a string in one piece, or put || between two",
            ));
        }
        pieces.push(Piece {
            kind,
            start: at,
            text: sql.get(at..end).unwrap_or_default(),
        });
        at = end;
    }
    Ok(pieces)
}

fn last_of_meaning(pieces: &[Piece<'_>]) -> Option<PieceKind> {
    let mut last = pieces.iter().rev().filter(|piece| !piece.is_comment());
    last.next().map(|piece| piece.kind)
}

/// Refuses a text whose strings, quoted names and comments the parser has found elsewhere than we do: between two readings a
/// table could hide.
pub(super) fn agree(
    sql: &str,
    pieces: &[Piece<'_>],
    tokens: &[TokenWithSpan],
) -> Result<(), Error> {
    let ours = pieces.iter().filter_map(|piece| {
        let end = piece.start + piece.text.len();
        match piece.kind {
            PieceKind::Quoted | PieceKind::String | PieceKind::BlockComment => {
                Some((piece.start, Some(end)))
            }
            // Whether the end of the line belongs to it does not matter.
            PieceKind::LineComment => Some((piece.start, None)),
            _ => None,
        }
    });
    let mut places = Places::new(sql);
    let theirs = tokens
        .iter()
        .filter_map(|token| enclosed(&token.token).map(|has_end| (token.span, has_end)))
        .filter_map(|(span, has_end)| {
            let start = places.byte(span.start);
            let end = has_end.then(|| places.byte(span.end));
            // Numbers such as 0x1F are hexadecimal strings to the parser.
            let is_number = sql.as_bytes().get(start).is_some_and(u8::is_ascii_digit);
            (!is_number).then_some((start, end))
        });
    if ours.eq(theirs) {
        return Ok(());
    }
    Err(Error::invalid(
        "the statement can't be read: where its strings, quoted names and comments begin and end is not beyond doubt; write spaces between them and the words and operators beside them",
    ))
}

/// Whether a token is a string, quoted name or comment, and if so whether its end is told.
fn enclosed(token: &Token) -> Option<bool> {
    match token {
        Token::Whitespace(Whitespace::SingleLineComment { .. }) => Some(false),
        Token::Whitespace(Whitespace::MultiLineComment(_)) => Some(true),
        Token::Word(word) => word.quote_style.map(|_| true),
        Token::Number(..)
        | Token::Char(_)
        | Token::Whitespace(_)
        | Token::Placeholder(_)
        | Token::CustomBinaryOperator(_) => None,
        Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::TripleSingleQuotedString(_)
        | Token::TripleDoubleQuotedString(_)
        | Token::DollarQuotedString(_)
        | Token::SingleQuotedByteStringLiteral(_)
        | Token::DoubleQuotedByteStringLiteral(_)
        | Token::TripleSingleQuotedByteStringLiteral(_)
        | Token::TripleDoubleQuotedByteStringLiteral(_)
        | Token::SingleQuotedRawStringLiteral(_)
        | Token::DoubleQuotedRawStringLiteral(_)
        | Token::TripleSingleQuotedRawStringLiteral(_)
        | Token::TripleDoubleQuotedRawStringLiteral(_)
        | Token::NationalStringLiteral(_)
        | Token::QuoteDelimitedStringLiteral(_)
        | Token::NationalQuoteDelimitedStringLiteral(_)
        | Token::EscapedStringLiteral(_)
        | Token::UnicodeStringLiteral(_)
        | Token::HexStringLiteral(_) => Some(true),
        _ => None,
    }
}

/// Bytes of the parser's lines and columns, asked for in rising order.
struct Places<'a> {
    rest: std::str::CharIndices<'a>,
    here: Location,
    at: usize,
}

impl<'a> Places<'a> {
    fn new(sql: &'a str) -> Self {
        Self {
            rest: sql.char_indices(),
            here: Location { line: 1, column: 1 },
            at: 0,
        }
    }

    fn byte(&mut self, place: Location) -> usize {
        while self.here < place {
            let Some((at, letter)) = self.rest.next() else {
                break;
            };
            self.at = at + letter.len_utf8();
            if letter == '\n' {
                self.here.line += 1;
                self.here.column = 1;
            } else {
                self.here.column += 1;
            }
        }
        self.at
    }
}

fn piece(sql: &str, at: usize, first: char, backend: Backend) -> Result<(PieceKind, usize), Error> {
    let rest = sql.get(at..).unwrap_or_default();
    let is_postgresql = backend == Backend::Postgresql;
    let until = |end: Option<usize>, what: &str| {
        end.map(|end| at + end).ok_or_else(|| {
            Error::invalid(format!("the statement can't be read: {what} has no end"))
        })
    };
    if rest.starts_with("--") {
        let end = rest.find('\n').unwrap_or(rest.len());
        return Ok((PieceKind::LineComment, at + end));
    }
    if rest.starts_with("/*") {
        let end = until(end_of_comment(rest, is_postgresql), "a comment")?;
        return Ok((PieceKind::BlockComment, end));
    }
    match first {
        '\'' => Ok((
            PieceKind::String,
            until(end_of_quotes(rest, 0, '\'', false), "a string")?,
        )),
        '"' => Ok((
            PieceKind::Quoted,
            until(end_of_quotes(rest, 0, '"', false), "a quoted name")?,
        )),
        '`' if !is_postgresql => Ok((
            PieceKind::Quoted,
            until(end_of_quotes(rest, 0, '`', false), "a quoted name")?,
        )),
        '[' if !is_postgresql => Ok((
            PieceKind::Quoted,
            until(rest.find(']').map(|end| end + 1), "a quoted name")?,
        )),
        '$' if is_postgresql => dollar(rest, at),
        '$' | ':' | '@' | '#' | '?' if !is_postgresql => {
            let end = 1 + run(rest, 1, is_in_word);
            // To SQLite `$1::a(…)` is the name of a parameter, to its last parenthesis.
            if rest
                .get(end..)
                .is_some_and(|rest| rest.starts_with([':', '(']))
            {
                return Err(Error::invalid(
                    "the statement can't be read: placeholders are written $1, $2…, and nothing but a space, a comma or an operator follows them",
                ));
            }
            Ok((PieceKind::Placeholder, at + end))
        }
        _ if begins_word(first) => {
            let end = run(rest, 0, is_in_word);
            let word = rest.get(..end).unwrap_or_default();
            prefixed(rest, at, word, is_postgresql)
        }
        _ if first.is_ascii_digit() => Ok((PieceKind::Number, at + number(rest))),
        _ if is_in_operator(first) => Ok((PieceKind::Operator, at + operator(rest))),
        _ => Ok((PieceKind::Mark, at + first.len_utf8())),
    }
}

/// A word, or the string whose kind it tells.
fn prefixed(
    rest: &str,
    at: usize,
    word: &str,
    is_postgresql: bool,
) -> Result<(PieceKind, usize), Error> {
    let string = |begins: usize, escapes: bool| {
        end_of_quotes(rest, begins, '\'', escapes)
            .map(|end| (PieceKind::String, at + end))
            .ok_or_else(|| Error::invalid("the statement can't be read: a string has no end"))
    };
    let after = rest.get(word.len()..).unwrap_or_default();
    let kinds = if is_postgresql { "eEbBxXnN" } else { "xX" };
    if word.len() == 1 && kinds.contains(word) && after.starts_with('\'') {
        return string(1, word.eq_ignore_ascii_case("e"));
    }
    if is_postgresql && word.eq_ignore_ascii_case("u") {
        if after.starts_with("&'") {
            return string(2, false);
        }
        if after.starts_with("&\"") {
            return Err(Error::invalid(
                "names are written as they are, not as U&\"…\" with escapes",
            ));
        }
    }
    Ok((PieceKind::Word, at + word.len()))
}

/// PostgreSQL's `$1` and `$tag$…$tag$`.
fn dollar(rest: &str, at: usize) -> Result<(PieceKind, usize), Error> {
    let digits = run(rest, 1, |letter| letter.is_ascii_digit());
    if digits > 0 {
        return Ok((PieceKind::Placeholder, at + 1 + digits));
    }
    let tag = run(rest, 1, |letter| letter != '$' && is_in_word(letter));
    let open = rest.get(..tag + 2).filter(|open| open.ends_with('$'));
    let Some(open) = open else {
        return Ok((PieceKind::Mark, at + 1));
    };
    let inside = rest.get(open.len()..).unwrap_or_default();
    match inside.find(open) {
        Some(end) => Ok((PieceKind::String, at + open.len() + end + open.len())),
        None => Err(Error::invalid(
            "the statement can't be read: a string has no end",
        )),
    }
}

/// Bytes from `from` on whose letters are so.
fn run(rest: &str, from: usize, is_so: impl Fn(char) -> bool) -> usize {
    let rest = rest.get(from..).unwrap_or_default();
    rest.find(|letter| !is_so(letter)).unwrap_or(rest.len())
}

fn begins_word(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_' || !letter.is_ascii()
}

fn is_in_word(letter: char) -> bool {
    begins_word(letter) || letter.is_ascii_digit() || letter == '$'
}

fn is_in_operator(letter: char) -> bool {
    "+-*/<>=~!@#%^&|`?".contains(letter)
}

/// Digits, with a point and an exponent; what follows is a piece of its own.
fn number(rest: &str) -> usize {
    let is_digit = |letter: char| letter.is_ascii_digit();
    let mut end = run(rest, 0, is_digit);
    if rest.get(end..).is_some_and(|rest| rest.starts_with('.')) {
        end += 1 + run(rest, end + 1, is_digit);
    }
    end
}

/// PostgreSQL's longest operator: it ends before a comment, and in a sign only if it could be no other. None has more than 63
/// letters, so a guest's long run of them is not looked through again at each of its letters.
fn operator(rest: &str) -> usize {
    let letters = rest.char_indices().take(64);
    let mut end = 0;
    for (at, letter) in letters {
        let left = rest.get(at..).unwrap_or_default();
        if !is_in_operator(letter) || left.starts_with("--") || left.starts_with("/*") {
            break;
        }
        end = at + 1;
    }
    let longest = rest.get(..end).unwrap_or_default();
    if longest.contains(['~', '!', '@', '#', '%', '^', '&', '|', '`', '?']) {
        return longest.len();
    }
    longest.trim_end_matches(['+', '-']).len().max(1)
}

/// The end of a string or quoted name whose opening quote is at `begins`.
fn end_of_quotes(rest: &str, begins: usize, quote: char, escapes: bool) -> Option<usize> {
    let mut letters = rest.get(begins + 1..)?.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if escapes && letter == '\\' {
            letters.next();
        } else if letter == quote {
            if letters.peek().is_some_and(|(_, next)| *next == quote) {
                letters.next();
            } else {
                return Some(begins + 1 + at + 1);
            }
        }
    }
    None
}

fn end_of_comment(rest: &str, nesting: bool) -> Option<usize> {
    let mut at = 2;
    let mut depth = 1_usize;
    loop {
        at += rest.get(at..)?.find(['/', '*'])?;
        let inside = rest.get(at..)?;
        if inside.starts_with("*/") {
            at += 2;
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        } else if nesting && inside.starts_with("/*") {
            at += 2;
            depth += 1;
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_pieces() {
        let both = [Backend::Sqlite, Backend::Postgresql];
        let postgresql = [Backend::Postgresql];
        let sqlite = [Backend::Sqlite];
        let cases: &[(&[Backend], &str, &str)] = &[
            (
                &both,
                "SELECT a.b, 'it''s' -- x\n, \"q\"\"\"",
                "SELECT|a|.|b|,|'it''s'|-- x|,|\"q\"\"\"",
            ),
            (&both, "1.5+$12;", "1.5|+|$12|;"),
            (&both, "/* ' */ 'a' /**/", "/* ' */|'a'|/**/"),
            (
                &postgresql,
                "E'\\'', e''  aE'x', n'y'",
                "E'\\''|,|e''|aE|'x'|,|n'y'",
            ),
            (
                &postgresql,
                "$$;$$, $a$ $b$ $a$ x$1 $1a",
                "$$;$$|,|$a$ $b$ $a$|x$1|$1|a",
            ),
            (
                &postgresql,
                "/* /* */ ' */ U&'a' #--x'\n1",
                "/* /* */ ' */|U&'a'|#|--x'|1",
            ),
            (
                &postgresql,
                "a<-1 b@-1 c+-1 d->>'x' e=-1",
                "a|<|-|1|b|@-|1|c|+|-|1|d|->>|'x'|e|=|-|1",
            ),
            (
                &sqlite,
                "/* /* */ [a]]`b`` '` x'00' ?1 :a '\\'",
                "/* /* */|[a]|]|`b`` '`|x'00'|?1|:a|'\\'",
            ),
        ];
        for (backends, sql, expected) in cases {
            for backend in *backends {
                let found: Vec<&str> = pieces(sql, *backend)
                    .unwrap()
                    .iter()
                    .map(|piece| piece.text)
                    .collect();
                assert_eq!(found.join("|"), *expected, "{backend} {sql}");
            }
        }
        for sql in ["'a", "\"a", "/* a", "SELECT 'it''s"] {
            assert!(
                both.iter().all(|backend| pieces(sql, *backend).is_err()),
                "{sql}"
            );
        }
        for sql in ["$a$ $b$", "/* /* */", "E'\\'", "U&\"\\0061\""] {
            assert!(pieces(sql, Backend::Postgresql).is_err(), "{sql}");
        }
    }
}
