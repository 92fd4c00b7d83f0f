//! Which names a plugin may have: its file's, its WIT package's and its crate's at once.

use crate::error::Error;

/// Characters at most: the name stands in file names, messages and tables.
const LONGEST: usize = 64;

/// What a crate, module or package of that name would hide or clash with.
const RESERVED: [&str; 9] = [
    "alloc",
    "core",
    "plugin",
    "poolhouse",
    "poolhouse-derive",
    "proc-macro",
    "std",
    "target",
    "test",
];

/// Refuses what can't be a plugin's name in every language.
///
/// # Errors
/// Anything but lower-case words of letters and digits, each beginning with a letter, with single hyphens between.
pub(crate) fn check(name: &str) -> Result<(), Error> {
    let refuse = |reason: &str| {
        Err(Error::Name {
            name: name.chars().take(LONGEST).collect(),
            reason: reason.to_owned(),
        })
    };
    if name.len() > LONGEST {
        return refuse("it has more than 64 characters");
    }
    if !name.split('-').all(is_word) {
        return refuse(
            "it is not made of lower-case letters, digits and single hyphens, with a letter first in each word",
        );
    }
    let package = format!("package local:{name};\n");
    if wit_parser::UnresolvedPackageGroup::parse("world.wit", &package).is_err() {
        return refuse("it is a word of WIT itself");
    }
    if syn::parse_str::<syn::Ident>(&name.replace('-', "_")).is_err() {
        return refuse("it is a word of Rust itself");
    }
    if RESERVED.contains(&name) {
        return refuse("the name is taken by something that every plugin has");
    }
    Ok(())
}

fn is_word(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_with_hyphens() {
        for good in ["cross", "my-strategy", "ma2", "a-b-c"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-",
            "My",
            "a_b",
            "a--b",
            "2a",
            "a-2",
            "a b",
            "ä",
            "../x",
            "std",
            "poolhouse",
            "match",
            "self",
            "struct",
            "yield",
            "stream",
            "type",
            "a.",
            "a/b",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check(&"a".repeat(65)).is_err());
    }
}
