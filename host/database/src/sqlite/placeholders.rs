//! Writes `$1, $2, …` as `?, ?, …` where that means the same; the order of parameters is all it looks at.

use sqlparser::dialect::SQLiteDialect;
use sqlparser::tokenizer::{Location, Token, Tokenizer};

/// The text with nameless placeholders, if each `$N` stands once and in order. To SQLite `$N` is a name, which it
/// looks for among all others at every use: binding thousands of parameters by name takes time in their square.
pub(super) fn nameless(sql: &str) -> Option<String> {
    let tokens = Tokenizer::new(&SQLiteDialect {}, sql)
        .tokenize_with_location()
        .ok()?;
    let mut spans = Vec::new();
    for token in &tokens {
        if let Token::Placeholder(name) = &token.token {
            let number: usize = name.strip_prefix('$')?.parse().ok()?;
            if number != spans.len() + 1 {
                return None;
            }
            spans.push(token.span);
        }
    }
    let mut spans = spans.into_iter().peekable();
    spans.peek()?;
    let mut text = String::with_capacity(sql.len());
    let mut here = Location { line: 1, column: 1 };
    for character in sql.chars() {
        if spans.peek().is_some_and(|span| span.end <= here) {
            spans.next();
        }
        match spans.peek() {
            Some(span) if span.start == here => text.push('?'),
            Some(span) if span.start < here => {}
            _ => text.push(character),
        }
        if character == '\n' {
            here.line += 1;
            here.column = 1;
        } else {
            here.column += 1;
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::nameless;

    #[test]
    fn only_placeholders_in_order_lose_their_names() {
        for (sql, text) in [
            ("SELECT $1", Some("SELECT ?")),
            ("SELECT $1,$2\n,$3 FROM t", Some("SELECT ?,?\n,? FROM t")),
            (
                "INSERT INTO t VALUES ($1, '$9 é', $2) -- $3",
                Some("INSERT INTO t VALUES (?, '$9 é', ?) -- $3"),
            ),
            (
                "SELECT \"$7\" /* $8 */ WHERE a=$1",
                Some("SELECT \"$7\" /* $8 */ WHERE a=?"),
            ),
            ("SELECT 'ü\nß', $1, 'x'", Some("SELECT 'ü\nß', ?, 'x'")),
            ("SELECT $2, $1", None),
            ("SELECT $1, $1", None),
            ("SELECT $2", None),
            ("SELECT 1", None),
        ] {
            assert_eq!(nameless(sql).as_deref(), text, "{sql}");
        }
        let many: Vec<_> = (1..=12).map(|number| format!("${number}")).collect();
        let marks = ["?"; 12].join(", ");
        assert_eq!(nameless(&many.join(", ")), Some(marks));
    }
}
