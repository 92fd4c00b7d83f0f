//! What a user's orders are worth together, and how much more there may be.

use poolhouse::database::{Decimal, Session, Transaction};
use poolhouse::{Failure, params};

use crate::bindings::exports::poolhouse::trading::user_service::{ExposureOutcome, NewOrders};

/// How often a user's exposure is read again because somebody else changed it in between.
const TRIES: usize = 100;

/// Adds the values that the users' limits allow, all in one transaction: the caller's, if it has one open.
pub(crate) fn take(orders: Vec<NewOrders>) -> Result<Vec<Vec<ExposureOutcome>>, Failure> {
    let wanted = orders
        .into_iter()
        .map(|user| {
            let values = parse(&user)?;
            Ok((user.user_id, values))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    // In order of id, so that two transactions that want the same users wait for each other and not both for both.
    let mut turns: Vec<usize> = (0..wanted.len()).collect();
    turns.sort_by_key(|&at| &wanted[at].0);
    Session::open()?.transaction(|tx| {
        let mut outcomes = vec![Vec::new(); wanted.len()];
        for at in turns {
            let (user_id, values) = &wanted[at];
            outcomes[at] = take_one(tx, user_id, values)?;
        }
        Ok(outcomes)
    })
}

fn parse(user: &NewOrders) -> Result<Vec<Decimal>, Failure> {
    let parse_one = |text: &String| match text.parse::<Decimal>() {
        Ok(value) if value.is_positive() => Ok(value),
        _ => Err(Failure::failed(format!(
            "the value `{text}` of an order of user `{}` is not a decimal above 0",
            user.user_id
        ))),
    };
    user.values.iter().map(parse_one).collect()
}

fn take_one(
    tx: &Transaction,
    user_id: &str,
    values: &[Decimal],
) -> Result<Vec<ExposureOutcome>, Failure> {
    for _ in 0..TRIES {
        let user: Option<(Decimal, Option<Decimal>)> = tx.query_optional(
            "SELECT exposure, max_exposure FROM users WHERE id = $1",
            params![user_id],
        )?;
        let Some((before, limit)) = user else {
            return Ok(vec![ExposureOutcome::Taken; values.len()]);
        };
        let (after, outcomes) = judge(before.clone(), limit.as_ref(), values);
        if after == before {
            return Ok(outcomes);
        }
        // Where somebody else was faster there is another exposure to start from.
        let changed = tx.execute(
            "UPDATE users SET exposure = $1 WHERE id = $2 AND exposure = $3",
            params![after, user_id, before],
        )?;
        if changed > 0 {
            return Ok(outcomes);
        }
    }
    Err(Failure::failed(format!(
        "the exposure of user `{user_id}` was changed by others {TRIES} times in a row; try again"
    )))
}

/// Which of the values fit, one after the other, and what the exposure is then.
fn judge(
    mut exposure: Decimal,
    limit: Option<&Decimal>,
    values: &[Decimal],
) -> (Decimal, Vec<ExposureOutcome>) {
    let mut outcomes = Vec::with_capacity(values.len());
    for value in values {
        let after = &exposure + value;
        match limit {
            Some(limit) if after > *limit => outcomes.push(ExposureOutcome::Refused(format!(
                "The user's exposure would be {after}, above max_exposure {limit}."
            ))),
            _ => {
                exposure = after;
                outcomes.push(ExposureOutcome::Taken);
            }
        }
    }
    (exposure, outcomes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn each_value_that_fits_is_taken_and_the_limit_itself_is_allowed() {
        let values = ["4.00", "10", "5.5", "0.51", "0.5"].map(decimal);
        let (after, outcomes) = judge(decimal("0"), Some(&decimal("10.00")), &values);
        assert_eq!(after, decimal("10.00"));
        let refused = |text: &str| ExposureOutcome::Refused(text.to_owned());
        assert_eq!(
            outcomes,
            [
                ExposureOutcome::Taken,
                refused("The user's exposure would be 14.00, above max_exposure 10.00."),
                ExposureOutcome::Taken,
                refused("The user's exposure would be 10.01, above max_exposure 10.00."),
                ExposureOutcome::Taken,
            ]
        );
        let (after, outcomes) = judge(decimal("1"), None, &values);
        assert_eq!(after, decimal("21.51"));
        assert!(
            outcomes
                .iter()
                .all(|outcome| *outcome == ExposureOutcome::Taken)
        );
    }

    #[test]
    fn a_value_that_makes_no_sense_is_named() {
        for value in ["0", "-1", "1e3", "", "NaN"] {
            let user = NewOrders {
                user_id: "alice".into(),
                values: vec!["1".into(), value.into()],
            };
            let failure = parse(&user).unwrap_err();
            assert!(
                failure.message.contains(&format!("`{value}`"))
                    && failure.message.contains("`alice`"),
                "{}",
                failure.message
            );
        }
    }
}
