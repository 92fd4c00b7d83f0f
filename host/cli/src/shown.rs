//! What may be shown to a person: texts without passwords, and on one line. It is the last thing between any message and
//! the screen; whoever knows that a text may hold a password does not put it into a message in the first place.

use poolhouse_runtime::{is_unprintable, shortened};

/// What [`DatabaseUrl`](poolhouse_database::DatabaseUrl)'s advice has in a password's place.
const EXAMPLE: &str = "postgresql://user:password@";

/// Bytes of one text that is shown.
const LONGEST: usize = 64 << 10;

/// The text with `***` for everything that looks like a URL with user and password, or like `password=…`. Rather too much
/// goes than too little: of a URL that can't be read nobody knows where its password ends.
///
/// No longer than [`LONGEST`], for what finds passwords takes time by the square of the length.
pub(crate) fn without_passwords(text: &str) -> String {
    shortened(text.to_owned(), LONGEST)
        .split(EXAMPLE)
        .map(|part| without_assignments(&without_urls(part)))
        .collect::<Vec<_>>()
        .join(EXAMPLE)
}

/// The text with its control characters written out, so that data can't forge lines or steer a terminal.
pub(crate) fn on_one_line(text: &str) -> String {
    escaped(text, |_| false)
}

/// [`on_one_line`] for a text that a terminal colours: the escape sequences stay.
pub(crate) fn on_one_coloured_line(text: &str) -> String {
    escaped(text, |character| character == '\u{1b}')
}

/// An error on one line, without passwords.
pub(crate) fn error(error: &anyhow::Error) -> String {
    on_one_line(&without_passwords(&format!("{error:#}").replace('\n', " ")))
}

fn escaped(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_kept(character) || !is_unprintable(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

fn without_urls(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(behind) = rest.contains('@').then(|| scheme_end(rest)).flatten() {
        let (before, after) = rest.split_at(behind);
        shown.push_str(before);
        // The last one: a password may have an @, a space, a quote or a line break in it.
        let secret = match after.rfind('@') {
            Some(at) => at + word(&after[at..]),
            None => 0,
        };
        if secret > 0 {
            shown.push_str("***");
        }
        rest = &after[secret..];
    }
    shown + rest
}

/// Behind the next `scheme://`, `//` with a user and password, or scheme of a database in whatever spelling.
fn scheme_end(text: &str) -> Option<usize> {
    let slashes = text.match_indices("//").find_map(|(at, slashes)| {
        let behind = at + slashes.len();
        let is_url = text[..at].ends_with(':');
        let is_place = text[behind..]
            .split_once('@')
            .is_some_and(|(user, _)| user.contains(':') && !user.contains(char::is_whitespace));
        (is_url || is_place).then_some(behind)
    });
    let lower = text.to_ascii_lowercase();
    let database = ["postgres", "sqlite", "mysql"]
        .iter()
        .flat_map(|scheme| lower.match_indices(scheme))
        .filter_map(|(at, scheme)| {
            let name = at + scheme.len();
            let length = text[name..]
                .find(|character: char| !character.is_ascii_alphanumeric() && character != '+')?;
            let behind = name + length + 1;
            text[name + length..].starts_with(':').then_some(behind)
        })
        .min();
    match (slashes, database) {
        (Some(slashes), Some(database)) if database + 2 == slashes => Some(slashes),
        (slashes, database) => slashes.into_iter().chain(database).min(),
    }
}

fn without_assignments(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut names: Vec<usize> = ["password", "passwd", "passphrase", "pwd"]
        .iter()
        .flat_map(|name| lower.match_indices(name))
        .map(|(at, name)| at + name.len())
        .collect();
    names.sort_unstable();
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for name in names {
        let after = text[name..].trim_start_matches(' ');
        let Some(value) = after
            .strip_prefix('=')
            .or_else(|| after.strip_prefix("%3d"))
            .or_else(|| after.strip_prefix("%3D"))
        else {
            continue;
        };
        let value = value.trim_start_matches(' ');
        let length = match value.chars().next() {
            Some(quote @ ('\'' | '"')) => value[1..].find(quote).map_or(value.len(), |end| end + 2),
            _ => word(value).min(value.find('&').unwrap_or(value.len())),
        };
        let at = text.len() - value.len();
        if at >= from && length > 0 {
            shown.push_str(&text[from..at]);
            shown.push_str("***");
            from = at + length;
        }
    }
    shown + &text[from..]
}

/// The length of what stands before a blank or a quote.
fn word(text: &str) -> usize {
    text.find(|character: char| {
        character.is_whitespace() || matches!(character, '"' | '\'' | '`' | '<' | '>')
    })
    .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown_wherever_they_stand() {
        for text in [
            "there is no plugin \"postgresql://ann:hunter2@host/shop\" in plugins (there are a, b)",
            "feed postgresql://ann:p@hunter2/hunter2@host/shop: can't be opened: No such file",
            "unknown field `postgres://ann:hun hunter2@host`, expected one of `url`",
            "feed postgresql+psycopg2://ann:x\"hunter2@host/shop: can't be opened",
            "feed postgresql://ann:x\nhunter2@host/shop: can't be opened",
            "feed postgresql://host/shop?user=ann&password=hunter2: can't be opened",
            "feed postgresql://host/shop?sslpassword=hunter2&x=1: can't be opened",
            "feed postgresql:ann:hunter2@host: can't be opened",
            "feed Postgres:/ann:hunter2@host: can't be opened",
            "feed //ann:hunter2@host: can't be opened",
            "feed sqlite://ann:hunter2@host: can't be opened",
            "feed https://hunter2@host: can't be opened",
            "the settings file host=h user=u password='hun hunter2' can't be read",
            "the settings file password=\"hunter2\" can't be read",
            "the settings file Password = hunter2 can't be read",
            "the settings file password%3Dhunter2 can't be read",
            "x postgresql://ann:hunter2@h and postgresql://bob:hunter2@h",
        ] {
            let shown = without_passwords(text);
            assert!(!shown.contains("hunter2"), "{text}: {shown}");
            assert!(shown.contains("***"), "{text}: {shown}");
            let first = text.split(' ').next().unwrap();
            assert!(shown.starts_with(first), "{text}: {shown}");
        }
        assert_eq!(
            without_passwords(
                "there is no plugin \"postgresql://ann:hunter2@host/shop\" in plugins"
            ),
            "there is no plugin \"postgresql://***\" in plugins"
        );
    }

    #[test]
    fn what_is_no_password_stays() {
        for text in [
            "for example sqlite://poolhouse.db or postgresql://user:password@host:5432/name",
            "it is postgresql://user:password@host:port/name; for example postgresql://user:password@host:5432/name",
            "the database URL does not begin with sqlite:// or postgresql://",
            "PostgreSQL at 127.0.0.1:5432 refused the password of user \"ann@corp\": check user and password in `url`",
            "see https://example.com/a",
            "order `ma-aapl:ann@example.com:AAPL:5:1` has quantity -1",
            "[database] url = \"x\", password: none",
            "/srv//plugins/a@b",
            "täglich //",
        ] {
            assert_eq!(without_passwords(text), text);
        }
    }

    #[test]
    fn a_text_without_end_takes_no_time() {
        let begun = std::time::Instant::now();
        let shown = without_passwords(&format!("failed {}@", "/".repeat(10 << 20)));
        assert!(begun.elapsed().as_secs() < 10);
        assert_eq!(shown, "failed … (10485768 bytes in all)");
        without_passwords(&format!("{}@", "/".repeat(LONGEST - 1)));
        assert!(begun.elapsed().as_secs() < 10);
    }

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(
            on_one_line("a\nWARN b\r\u{1b}[2J\u{9b}\u{202e}ä"),
            "a\\nWARN b\\r\\u{1b}[2J\\u{9b}\\u{202e}ä"
        );
        assert_eq!(on_one_coloured_line("\u{1b}[33ma\nb"), "\u{1b}[33ma\\nb");
    }
}
