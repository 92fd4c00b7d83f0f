//! Keeps users and their subscriptions: who trades, how much, on which strategies. What is ordered for them is
//! not its business.

mod bindings;
mod exposure;
mod schema;

use bindings::exports::poolhouse::plugin::migrations;
use bindings::exports::poolhouse::trading::user_service::{
    ExposureOutcome, Guest, NewOrders, Subscriber, Subscription, User,
};
use poolhouse::database::{Decimal, Session};
use poolhouse::{Failure, params};

/// The plugin.
#[derive(Debug)]
pub struct UserService;

impl migrations::Guest for UserService {
    fn migrations(dialect: migrations::Dialect) -> Vec<migrations::Migration> {
        schema::migrations(dialect)
    }
}

impl Guest for UserService {
    fn list_active() -> Result<Vec<User>, Failure> {
        let rows = Session::open()?.read_all(
            "SELECT id, name, active, max_order_value, max_exposure FROM users WHERE active",
            params![],
        )?;
        let mut users: Vec<_> = rows.into_iter().map(user).collect();
        // Sorted here, for the order of texts depends on the database's collation.
        users.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(users)
    }

    fn get(id: String) -> Result<Option<User>, Failure> {
        let row = Session::open()?.query_optional(
            "SELECT id, name, active, max_order_value, max_exposure FROM users WHERE id = $1",
            params![id],
        )?;
        Ok(row.map(user))
    }

    fn save(user: User) -> Result<(), Failure> {
        check_user(&user).map_err(Failure::failed)?;
        let limit = |text: Option<String>| text.map(decimal).transpose();
        let max_order_value = limit(user.max_order_value)?;
        let max_exposure = limit(user.max_exposure)?;
        Session::open()?.execute(
            "INSERT INTO users (id, name, active, max_order_value, max_exposure, exposure) \
             VALUES ($1, $2, $3, $4, $5, 0) \
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, active = excluded.active, \
             max_order_value = excluded.max_order_value, max_exposure = excluded.max_exposure",
            params![
                user.id,
                user.name,
                user.active,
                max_order_value,
                max_exposure
            ],
        )?;
        Ok(())
    }

    fn subscribe(subscription: Subscription) -> Result<(), Failure> {
        check_subscription(&subscription).map_err(Failure::failed)?;
        let quantity = decimal(subscription.quantity)?;
        // One statement, so that the user can't go between the question and the answer.
        let changed = Session::open()?.execute(
            "INSERT INTO subscriptions (strategy_id, quantity, user_id) \
             SELECT $1, $2, id FROM users WHERE id = $3 \
             ON CONFLICT (user_id, strategy_id) DO UPDATE SET quantity = excluded.quantity",
            params![subscription.strategy_id, quantity, &subscription.user_id],
        )?;
        if changed == 0 {
            return Err(Failure::failed(format!(
                "there is no user `{}`; save the user first",
                subscription.user_id
            )));
        }
        Ok(())
    }

    fn unsubscribe(user_id: String, strategy_id: String) -> Result<bool, Failure> {
        let changed = Session::open()?.execute(
            "DELETE FROM subscriptions WHERE user_id = $1 AND strategy_id = $2",
            params![user_id, strategy_id],
        )?;
        Ok(changed > 0)
    }

    fn subscribers() -> Result<Vec<Subscriber>, Failure> {
        let rows = Session::open()?.read_all::<(_, _, Decimal, _)>(
            "SELECT s.user_id, s.strategy_id, s.quantity, u.max_order_value \
             FROM subscriptions s JOIN users u ON u.id = s.user_id WHERE u.active",
            params![],
        )?;
        let mut subscribers: Vec<_> = rows
            .into_iter()
            .map(
                |(user_id, strategy_id, quantity, max_order_value)| Subscriber {
                    user_id,
                    strategy_id,
                    quantity: quantity.to_string(),
                    max_order_value: optional(max_order_value),
                },
            )
            .collect();
        subscribers.sort_unstable_by(|a, b| {
            (&a.strategy_id, &a.user_id).cmp(&(&b.strategy_id, &b.user_id))
        });
        Ok(subscribers)
    }

    fn exposure(user_id: String) -> Result<Option<String>, Failure> {
        let exposure: Option<Decimal> = Session::open()?
            .query_scalar_optional("SELECT exposure FROM users WHERE id = $1", params![user_id])?;
        Ok(exposure.map(|exposure| exposure.to_string()))
    }

    fn take_exposure(orders: Vec<NewOrders>) -> Result<Vec<Vec<ExposureOutcome>>, Failure> {
        exposure::take(orders)
    }
}

/// In the order of [`User`]'s fields.
type UserRow = (String, String, bool, Option<Decimal>, Option<Decimal>);

fn user((id, name, active, max_order_value, max_exposure): UserRow) -> User {
    User {
        id,
        name,
        active,
        max_order_value: optional(max_order_value),
        max_exposure: optional(max_exposure),
    }
}

fn optional(decimal: Option<Decimal>) -> Option<String> {
    decimal.map(|decimal| decimal.to_string())
}

/// The checks are made before, by name of the field; this is for their common tail.
fn decimal(text: String) -> Result<Decimal, Failure> {
    text.parse()
        .map_err(|error| Failure::failed(format!("`{text}` is {error}")))
}

/// Characters of an id: it becomes a part of client order ids, which have to fit into an index.
const LONGEST_ID: usize = 128;

fn check_length(what: &str, id: &str) -> Result<(), String> {
    let length = id.chars().count();
    if length > LONGEST_ID {
        let beginning: String = id.chars().take(20).collect();
        return Err(format!(
            "the {what} id `{beginning}…` has {length} characters; {LONGEST_ID} are allowed, shorten it"
        ));
    }
    Ok(())
}

fn check_user(user: &User) -> Result<(), String> {
    if user.id.trim().is_empty() {
        return Err("the user has no id; give one".to_owned());
    }
    check_length("user", &user.id)?;
    if user.name.trim().is_empty() {
        return Err(format!("user `{}` has no name; give one", user.id));
    }
    for (field, limit) in [
        ("max_order_value", &user.max_order_value),
        ("max_exposure", &user.max_exposure),
    ] {
        let Some(text) = limit else { continue };
        if text
            .parse()
            .map_or(true, |limit: Decimal| limit.is_negative())
        {
            return Err(format!(
                "user `{}` has {field} `{text}`; it must be a decimal of 0 or more, such as 1000.00",
                user.id
            ));
        }
    }
    Ok(())
}

fn check_subscription(subscription: &Subscription) -> Result<(), String> {
    if subscription.user_id.trim().is_empty() {
        return Err("the subscription has no user id; give one".to_owned());
    }
    if subscription.strategy_id.trim().is_empty() {
        return Err("the subscription has no strategy id; give one".to_owned());
    }
    check_length("user", &subscription.user_id)?;
    check_length("strategy", &subscription.strategy_id)?;
    let quantity = &subscription.quantity;
    if !quantity
        .parse()
        .is_ok_and(|quantity: Decimal| quantity.is_positive())
    {
        return Err(format!(
            "the subscription of user `{}` to strategy `{}` has quantity `{quantity}`; it must be a decimal above 0",
            subscription.user_id, subscription.strategy_id
        ));
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    fn alice() -> User {
        User {
            id: "alice".into(),
            name: "Alice".into(),
            active: true,
            max_order_value: Some("100000.00".into()),
            max_exposure: None,
        }
    }

    #[test]
    fn users_are_checked() {
        assert_eq!(check_user(&alice()), Ok(()));
        type Change = fn(&mut User);
        let wrong: [(Change, &str); 7] = [
            (|user| user.id = " ".into(), "no id"),
            (
                |user| user.id = "ä".repeat(129),
                "the user id `ääääääääääääääääääää…` has 129 characters; 128 are allowed",
            ),
            (|user| user.name = String::new(), "`alice` has no name"),
            (
                |user| user.max_order_value = Some("-1".into()),
                "max_order_value `-1`",
            ),
            (
                |user| user.max_order_value = Some("1e9".into()),
                "max_order_value `1e9`",
            ),
            (
                |user| user.max_exposure = Some(String::new()),
                "max_exposure ``",
            ),
            (
                |user| user.max_exposure = Some("NaN".into()),
                "max_exposure `NaN`",
            ),
        ];
        for (change, message) in wrong {
            let mut user = alice();
            change(&mut user);
            let error = check_user(&user).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn subscriptions_are_checked() {
        let check = |user_id: &str, strategy_id: &str, quantity: &str| {
            check_subscription(&Subscription {
                user_id: user_id.into(),
                strategy_id: strategy_id.into(),
                quantity: quantity.into(),
            })
        };
        assert_eq!(check("alice", "ma-aapl", "0.5"), Ok(()));
        assert!(
            check("", "ma-aapl", "1")
                .unwrap_err()
                .contains("no user id")
        );
        assert!(
            check("alice", "", "1")
                .unwrap_err()
                .contains("no strategy id")
        );
        assert_eq!(check(&"u".repeat(128), &"s".repeat(128), "1"), Ok(()));
        assert!(
            check("alice", &"s".repeat(1000), "1")
                .unwrap_err()
                .contains("the strategy id `ssssssssssssssssssss…` has 1000 characters")
        );
        for quantity in ["0", "0.00", "-1", "ten", ""] {
            assert!(
                check("alice", "ma-aapl", quantity)
                    .unwrap_err()
                    .contains("above 0")
            );
        }
    }

    #[test]
    fn every_column_that_is_needed_is_made() {
        for dialect in [migrations::Dialect::Sqlite, migrations::Dialect::Postgresql] {
            let [migration] = &schema::migrations(dialect)[..] else {
                panic!("one migration");
            };
            for (table, statement) in migration.tables.iter().zip(&migration.statements) {
                assert!(statement.contains(&format!("IF NOT EXISTS {} (", table.name)));
                for column in &table.columns {
                    assert!(
                        statement.contains(&format!("        {column} ")),
                        "{column}"
                    );
                }
            }
        }
    }
}
