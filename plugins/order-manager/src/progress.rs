//! High-water marks of strategy rows; they only ever move forward.

use std::collections::BTreeMap;

use poolhouse::database::{Error, Value};

use crate::bindings::exports::poolhouse::trading::order_manager::Mark;
use crate::statements::Statements;

static UPSERT: Statements = Statements::new(
    "INSERT INTO progress (strategy_id, bar_time) VALUES ",
    2,
    " ON CONFLICT (strategy_id) DO UPDATE SET bar_time = excluded.bar_time \
     WHERE excluded.bar_time > progress.bar_time",
);

/// One mark for each strategy row, the furthest, in order of id: a statement must not change a row twice, and two
/// calls that lock rows in the same order can't wait for each other.
pub(crate) fn merge(marks: Vec<Mark>) -> BTreeMap<String, i64> {
    let mut merged = BTreeMap::new();
    for Mark {
        strategy_id,
        bar_time,
    } in marks
    {
        merged
            .entry(strategy_id)
            .and_modify(|furthest: &mut i64| *furthest = bar_time.max(*furthest))
            .or_insert(bar_time);
    }
    merged
}

/// Whether one statement moves that many marks, so that no transaction is needed to make it all or nothing.
pub(crate) fn is_one_statement(marks: usize) -> bool {
    UPSERT.next(marks).is_none_or(|(_, rows)| rows == marks)
}

/// Moves merged marks through `execute`.
pub(crate) fn advance(
    marks: BTreeMap<String, i64>,
    execute: impl Fn(&str, &[Value]) -> Result<u64, Error>,
) -> Result<(), Error> {
    let mut params: Vec<Value> = Vec::with_capacity(2 * marks.len());
    for (strategy_id, bar_time) in marks {
        params.push(Value::Text(strategy_id));
        params.push(Value::Timestamp(bar_time));
    }
    let mut left = &params[..];
    while let Some((sql, rows)) = UPSERT.next(left.len() / 2) {
        let (now, rest) = left.split_at(2 * rows);
        execute(sql, now)?;
        left = rest;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn mark(strategy_id: &str, bar_time: i64) -> Mark {
        Mark {
            strategy_id: strategy_id.into(),
            bar_time,
        }
    }

    #[test]
    fn the_furthest_mark_of_a_row_counts() {
        let merged = merge(vec![mark("b", 3), mark("a", 1), mark("b", 9), mark("b", 5)]);
        assert_eq!(merged, BTreeMap::from([("a".into(), 1), ("b".into(), 9)]));
    }

    #[test]
    fn every_mark_is_moved_once() {
        let marks: BTreeMap<_, _> = (0..87).map(|i| (format!("s{i:02}"), i)).collect();
        let seen = RefCell::new(Vec::new());
        let sizes = RefCell::new(Vec::new());
        advance(marks.clone(), |_, params| {
            sizes.borrow_mut().push(params.len() / 2);
            seen.borrow_mut().extend_from_slice(params);
            Ok(0)
        })
        .unwrap();
        assert_eq!(*sizes.borrow(), [64, 16, 4, 2, 1]);
        let expected: Vec<_> = marks
            .into_iter()
            .flat_map(|(id, time)| [Value::Text(id), Value::Timestamp(time)])
            .collect();
        assert_eq!(*seen.borrow(), expected);
    }
}
