//! Has the user service take up what new orders are worth, and rejects those that are too much for their user.

use std::collections::HashMap;

use poolhouse::database::{Error, Transaction};
use poolhouse::{Failure, params};

use crate::amount::Amount;
use crate::bindings::exports::poolhouse::trading::order_manager::{Order, Outcome};
use crate::bindings::poolhouse::trading::user_service::{self, ExposureOutcome, NewOrders};

/// What one order takes up, if it is new.
pub(crate) struct Exposure {
    /// Its place among the orders.
    at: usize,
    client_order_id: String,
    user_id: String,
    value: String,
}

/// What the orders that are placed take up.
pub(crate) fn of(orders: &[Order], outcomes: &[Outcome]) -> Result<Vec<Exposure>, Failure> {
    let placed = orders.iter().zip(outcomes).enumerate();
    placed
        .filter(|(_, (_, outcome))| matches!(outcome, Outcome::Placed))
        .map(|(at, (order, _))| {
            let amount = |text: &str| {
                text.parse::<Amount>().map_err(|error| {
                    Failure::failed(format!(
                        "order `{}` has `{text}`, which is {error}",
                        order.client_order_id
                    ))
                })
            };
            let value = Amount::product(&amount(&order.quantity)?, &amount(&order.price)?);
            Ok(Exposure {
                at,
                client_order_id: order.client_order_id.clone(),
                user_id: order.user_id.clone(),
                value: value.to_string(),
            })
        })
        .collect()
}

/// Takes up the exposure of those that were stored now, in the transaction that stored them.
pub(crate) fn take(
    exposures: Vec<Exposure>,
    outcomes: &mut [Outcome],
    tx: &Transaction,
) -> Result<(), Failure> {
    let new = exposures
        .into_iter()
        // A price may be 0 or below: then the order takes up nothing.
        .filter(|exposure| is_placed(outcomes, exposure.at) && is_positive(&exposure.value));
    let users = by_user(new);
    if users.is_empty() {
        return Ok(());
    }
    let asked: Vec<NewOrders> = users.iter().map(|user| new_orders(user)).collect();
    let answered = user_service::take_exposure(&asked)?;
    for (exposure, reason) in refused(&users, &answered)? {
        reject(tx, exposure, reason)?;
        if let Some(outcome) = outcomes.get_mut(exposure.at) {
            *outcome = Outcome::Rejected(reason.to_owned());
        }
    }
    Ok(())
}

fn is_placed(outcomes: &[Outcome], at: usize) -> bool {
    matches!(outcomes.get(at), Some(Outcome::Placed))
}

fn is_positive(value: &str) -> bool {
    !value.starts_with('-') && value.bytes().any(|digit| matches!(digit, b'1'..=b'9'))
}

/// Each user's, in the orders' order.
fn by_user(exposures: impl Iterator<Item = Exposure>) -> Vec<Vec<Exposure>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut users: Vec<Vec<Exposure>> = Vec::new();
    for exposure in exposures {
        match places.get(&exposure.user_id) {
            Some(&place) => users[place].push(exposure),
            None => {
                places.insert(exposure.user_id.clone(), users.len());
                users.push(vec![exposure]);
            }
        }
    }
    users
}

fn new_orders(user: &[Exposure]) -> NewOrders {
    NewOrders {
        user_id: user
            .first()
            .map(|exposure| exposure.user_id.clone())
            .unwrap_or_default(),
        values: user.iter().map(|exposure| exposure.value.clone()).collect(),
    }
}

/// The refused ones with the reasons. An answer of another shape than what was asked is the user service's mistake.
fn refused<'a>(
    users: &'a [Vec<Exposure>],
    answered: &'a [Vec<ExposureOutcome>],
) -> Result<Vec<(&'a Exposure, &'a str)>, Failure> {
    let asked = users.iter().map(Vec::len);
    if !asked.eq(answered.iter().map(Vec::len)) {
        return Err(Failure::failed(
            "the user service answered for other orders than those it was asked about".to_owned(),
        ));
    }
    let pairs = users.iter().flatten().zip(answered.iter().flatten());
    Ok(pairs
        .filter_map(|(exposure, outcome)| match outcome {
            ExposureOutcome::Taken => None,
            ExposureOutcome::Refused(reason) => Some((exposure, reason.as_str())),
        })
        .collect())
}

fn reject(tx: &Transaction, exposure: &Exposure, reason: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE orders SET status = 'rejected', reason = $2 WHERE client_order_id = $1",
        params![&exposure.client_order_id, reason],
    )?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    fn exposure(at: usize, user_id: &str) -> Exposure {
        Exposure {
            at,
            client_order_id: format!("o{at}"),
            user_id: user_id.to_owned(),
            value: "1.50".to_owned(),
        }
    }

    #[test]
    fn a_user_s_orders_stay_in_order() {
        let exposures = ["bob", "alice", "bob"];
        let exposures = exposures.iter().enumerate();
        let users = by_user(exposures.map(|(at, user)| exposure(at, user)));
        let places: Vec<Vec<usize>> = users
            .iter()
            .map(|user| user.iter().map(|exposure| exposure.at).collect())
            .collect();
        assert_eq!(places, [vec![0, 2], vec![1]]);
        assert_eq!(new_orders(&users[0]).values, ["1.50", "1.50"]);
    }

    #[test]
    fn refused_orders_are_found_by_their_place_and_a_wrong_answer_is_an_error() {
        let users = vec![
            vec![exposure(0, "bob"), exposure(2, "bob")],
            vec![exposure(1, "alice")],
        ];
        let taken = ExposureOutcome::Taken;
        let no = ExposureOutcome::Refused("no".to_owned());
        let answered = [vec![taken.clone(), no.clone()], vec![taken.clone()]];
        let refused_ones = refused(&users, &answered).unwrap();
        let refused_ones: Vec<_> = refused_ones
            .iter()
            .map(|(exposure, reason)| (exposure.at, *reason))
            .collect();
        assert_eq!(refused_ones, [(2, "no")]);
        for wrong in [vec![], vec![vec![taken.clone()], vec![taken.clone(), no]]] {
            assert!(refused(&users, &wrong).is_err());
        }
    }

    #[test]
    fn what_is_worth_nothing_takes_up_nothing() {
        for (value, positive) in [
            ("0", false),
            ("0.00", false),
            ("-1.5", false),
            ("0.01", true),
        ] {
            assert_eq!(is_positive(value), positive, "{value}");
        }
    }
}
