//! Judges orders and stores them, each exactly once; the transaction around it is the caller's.

use std::collections::BTreeSet;

use poolhouse::Failure;
use poolhouse::database::{Decimal, Error, Rows, Value};

use crate::amount::Amount;
use crate::bindings::exports::poolhouse::trading::order_manager::{Order, Outcome};
use crate::bindings::poolhouse::trading::types::Side;
use crate::statements::Statements;

/// Parameters of one order.
const COLUMNS: usize = 10;

static INSERT: Statements = Statements::new(
    "INSERT INTO orders (client_order_id, user_id, strategy_id, symbol, side, quantity, price, status, reason, bar_time) \
     VALUES ",
    COLUMNS,
    " ON CONFLICT (client_order_id) DO NOTHING RETURNING client_order_id",
);

/// What becomes of each order if it is not there already. An order that makes no sense fails them all.
pub(crate) fn judge(orders: &[Order]) -> Result<Vec<Outcome>, Failure> {
    orders
        .iter()
        .map(|order| {
            judge_one(order).map_err(|problem| {
                Failure::failed(format!("order `{}` {problem}", order.client_order_id))
            })
        })
        .collect()
}

fn judge_one(order: &Order) -> Result<Outcome, String> {
    for (field, text) in [
        ("client order id", &order.client_order_id),
        ("user id", &order.user_id),
        ("strategy id", &order.strategy_id),
        ("symbol", &order.symbol),
    ] {
        if text.is_empty() {
            return Err(format!("has no {field}; give one"));
        }
    }
    let amount = |field: &str, text: &str| {
        text.parse::<Amount>()
            .map_err(|error| format!("has {field} `{text}`, which is {error}"))
    };
    let quantity = amount("quantity", &order.quantity)?;
    if !quantity.is_positive() {
        return Err(format!(
            "has quantity {}; it must be above 0",
            order.quantity
        ));
    }
    let price = amount("price", &order.price)?;
    let Some(text) = &order.max_order_value else {
        return Ok(Outcome::Placed);
    };
    let limit = amount("max order value", text)?;
    if !Amount::product_exceeds(&quantity, &price, &limit) {
        return Ok(Outcome::Placed);
    }
    let exact = |text: &str| text.parse::<Decimal>().map_err(|error| error.to_string());
    let value = &exact(&order.quantity)? * &exact(&order.price)?;
    Ok(Outcome::Rejected(format!(
        "The order's value {value} is above the user's max_order_value {text}."
    )))
}

/// Stores judged orders through `query`; one that is there already becomes a duplicate.
pub(crate) fn store(
    orders: Vec<Order>,
    outcomes: &mut [Outcome],
    query: impl Fn(&str, &[Value]) -> Result<Rows, Error>,
) -> Result<(), Error> {
    let mut orders = orders.into_iter();
    let mut left = outcomes;
    let mut params = Vec::new();
    while let Some((sql, rows)) = INSERT.next(left.len()) {
        let (chunk, rest) = left.split_at_mut(rows);
        left = rest;
        params.clear();
        params.reserve(rows * COLUMNS);
        // In this order, for `zip` asks its first side first and drops what that gave when the second has ended.
        for (outcome, order) in chunk.iter().zip(orders.by_ref()) {
            push_params(&mut params, order, outcome);
        }
        let stored = query(sql, &params)?;
        mark_duplicates(&params, &stored, chunk)?;
    }
    Ok(())
}

fn push_params(params: &mut Vec<Value>, order: Order, outcome: &Outcome) {
    let (status, reason) = match outcome {
        Outcome::Rejected(reason) => ("rejected", Value::Text(reason.clone())),
        Outcome::Placed | Outcome::Duplicate => ("placed", Value::Null),
    };
    let side = match order.side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    };
    // Texts move: nothing of an order is copied but these words. The first is what `mark_duplicates` looks for.
    params.extend([
        Value::Text(order.client_order_id),
        Value::Text(order.user_id),
        Value::Text(order.strategy_id),
        Value::Text(order.symbol),
        Value::Text(side.to_owned()),
        Value::Decimal(order.quantity),
        Value::Decimal(order.price),
        Value::Text(status.to_owned()),
        reason,
        Value::Timestamp(order.bar_time),
    ]);
}

/// What was not stored was there before: in the table, or earlier in the same call.
fn mark_duplicates(params: &[Value], stored: &Rows, chunk: &mut [Outcome]) -> Result<(), Error> {
    if stored.len() == chunk.len() {
        return Ok(());
    }
    let mut stored = stored
        .iter()
        .map(|row| row.get::<&str>(0))
        .collect::<Result<BTreeSet<_>, _>>()?;
    for (order, outcome) in params.chunks_exact(COLUMNS).zip(chunk) {
        // Taken out, for of two orders with one id in a statement the first was stored.
        if !matches!(order, [Value::Text(id), ..] if stored.remove(id.as_str())) {
            *outcome = Outcome::Duplicate;
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;
    use poolhouse::bindings::imports::poolhouse::database::types::{Answer, Values};
    use poolhouse::database::{Batch, Column, ColumnInfo, Kind};
    use std::cell::RefCell;
    use std::collections::HashSet;

    fn order(id: &str) -> Order {
        Order {
            client_order_id: id.into(),
            user_id: "alice".into(),
            strategy_id: "ma-aapl".into(),
            symbol: "AAPL".into(),
            side: Side::Buy,
            quantity: "10".into(),
            price: "101.50".into(),
            max_order_value: Some("1015".into()),
            bar_time: 1_000_000,
        }
    }

    #[test]
    fn values_above_the_limit_are_rejected_with_the_reason() {
        assert_eq!(judge(&[order("a")]), Ok(vec![Outcome::Placed]));
        let mut unlimited = order("b");
        unlimited.max_order_value = None;
        assert_eq!(judge(&[unlimited]), Ok(vec![Outcome::Placed]));
        let mut above = order("c");
        above.price = "101.51".into();
        assert_eq!(
            judge(&[above]),
            Ok(vec![Outcome::Rejected(
                "The order's value 1015.10 is above the user's max_order_value 1015.".into()
            )])
        );
    }

    #[test]
    fn an_order_that_makes_no_sense_fails_all() {
        type Change = fn(&mut Order);
        let wrong: [(Change, &str); 8] = [
            (
                |order| order.client_order_id.clear(),
                "has no client order id",
            ),
            (|order| order.user_id.clear(), "order `b` has no user id"),
            (
                |order| order.strategy_id.clear(),
                "order `b` has no strategy id",
            ),
            (|order| order.symbol.clear(), "order `b` has no symbol"),
            (
                |order| order.quantity = "0.00".into(),
                "has quantity 0.00; it must be above 0",
            ),
            (
                |order| order.quantity = "-1".into(),
                "has quantity -1; it must be above 0",
            ),
            (
                |order| order.price = "1e3".into(),
                "has price `1e3`, which is not a decimal",
            ),
            (
                |order| order.max_order_value = Some("lots".into()),
                "has max order value `lots`",
            ),
        ];
        for (change, message) in wrong {
            let mut second = order("b");
            change(&mut second);
            let failure = judge(&[order("a"), second]).unwrap_err();
            assert!(failure.message.contains(message), "{}", failure.message);
        }
    }

    /// A table that stores ids once, and answers those it stored in an order of its own.
    fn table(ids: &RefCell<HashSet<String>>, params: &[Value]) -> Rows {
        let mut stored = Vec::new();
        for order in params.chunks_exact(COLUMNS) {
            let Value::Text(id) = &order[0] else {
                panic!("{order:?}");
            };
            if ids.borrow_mut().insert(id.clone()) {
                stored.push(id.clone());
            }
        }
        stored.reverse();
        let rows = stored.len() as u32;
        let column = Column::of(stored);
        assert!(matches!(column.values, Values::Text(_)));
        Rows::from(Answer {
            columns: vec![ColumnInfo {
                name: "client_order_id".into(),
                kind: Kind::Text,
                database_type: "text".into(),
            }],
            batch: Batch {
                rows,
                columns: vec![column],
            },
        })
    }

    #[test]
    fn duplicates_are_found_in_the_table_and_in_the_call() {
        let there = RefCell::new(HashSet::from(["o3".to_owned(), "o70".to_owned()]));
        // 100 orders, then the first 20 of them again.
        let ids: Vec<_> = (0..100).chain(0..20).map(|i| format!("o{i}")).collect();
        let orders: Vec<_> = ids.iter().map(|id| order(id)).collect();
        let mut outcomes = judge(&orders).unwrap();
        let statements = RefCell::new(Vec::new());
        store(orders, &mut outcomes, |_, params| {
            statements.borrow_mut().push(params.len() / COLUMNS);
            Ok(table(&there, params))
        })
        .unwrap();
        assert_eq!(*statements.borrow(), [64, 32, 16, 8]);
        for (i, outcome) in outcomes.iter().enumerate() {
            let expected = if i == 3 || i == 70 || i >= 100 {
                Outcome::Duplicate
            } else {
                Outcome::Placed
            };
            assert_eq!(*outcome, expected, "{i}");
        }
    }

    #[test]
    fn of_two_orders_with_one_id_in_a_statement_the_first_is_stored() {
        let there = RefCell::default();
        let orders: Vec<_> = ["a", "b", "a", "c"].map(order).to_vec();
        let mut outcomes = judge(&orders).unwrap();
        store(orders, &mut outcomes, |_, params| Ok(table(&there, params))).unwrap();
        assert_eq!(
            outcomes,
            [
                Outcome::Placed,
                Outcome::Placed,
                Outcome::Duplicate,
                Outcome::Placed
            ]
        );
    }

    #[test]
    fn parameters_are_in_the_columns_order() {
        let mut params = Vec::new();
        push_params(
            &mut params,
            order("a"),
            &Outcome::Rejected("Too much.".into()),
        );
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(
            params,
            [
                text("a"),
                text("alice"),
                text("ma-aapl"),
                text("AAPL"),
                text("buy"),
                Value::Decimal("10".into()),
                Value::Decimal("101.50".into()),
                text("rejected"),
                text("Too much."),
                Value::Timestamp(1_000_000),
            ]
        );
    }
}
