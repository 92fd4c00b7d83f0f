//! SQL texts for many rows at once. Their row counts come from a short list, so that the statement caches below
//! know every text after a few calls.

use std::sync::OnceLock;

/// Rows of one statement, largest first. Powers of two: any number below the largest is a sum of them with each used
/// once at most. The text of the largest is short enough for the host to keep (16 KiB).
const SIZES: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];

/// The texts of one kind of statement, made when they are first needed.
pub(crate) struct Statements {
    before: &'static str,
    columns: usize,
    after: &'static str,
    texts: [OnceLock<String>; SIZES.len()],
}

impl Statements {
    /// `before` and `after` stand around the rows, each of `columns` placeholders.
    pub(crate) const fn new(before: &'static str, columns: usize, after: &'static str) -> Self {
        Self {
            before,
            columns,
            after,
            texts: [const { OnceLock::new() }; SIZES.len()],
        }
    }

    /// The text for the first of `rows` rows that are left, and how many it takes; none when none are left.
    pub(crate) fn next(&self, rows: usize) -> Option<(&str, usize)> {
        let (&size, text) = SIZES
            .iter()
            .zip(&self.texts)
            .find(|(size, _)| **size <= rows)?;
        Some((text.get_or_init(|| self.text(size)), size))
    }

    fn text(&self, rows: usize) -> String {
        let mut text = self.before.to_owned();
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 1..=self.columns {
                let comma = if column == 1 { "" } else { ", " };
                text.push_str(&format!("{comma}${}", row * self.columns + column));
            }
            text.push(')');
        }
        text.push_str(self.after);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static PAIRS: Statements = Statements::new("INSERT INTO t VALUES ", 2, " RETURNING a");

    #[test]
    fn placeholders_are_numbered_through() {
        assert_eq!(
            PAIRS.next(4),
            Some((
                "INSERT INTO t VALUES ($1, $2), ($3, $4), ($5, $6), ($7, $8) RETURNING a",
                4
            ))
        );
        assert_eq!(PAIRS.next(0), None);
    }

    #[test]
    fn every_number_of_rows_is_a_sum_of_few() {
        for rows in 0..2_000 {
            let (mut left, mut statements) = (rows, 0);
            while let Some((text, size)) = PAIRS.next(left) {
                assert!(size <= left && text.ends_with(&format!("${}) RETURNING a", 2 * size)));
                left -= size;
                statements += 1;
            }
            assert_eq!(left, 0);
            assert!(statements <= rows / 128 + 7);
        }
    }
}
