//! Keeps cash accounts and every movement of money between them; who may move it, its callers decide.

mod bindings;
mod schema;

use bindings::exports::local::ledger::ledger::{Guest, Movement};
use bindings::exports::poolhouse::plugin::migrations;
use poolhouse::database::{Decimal, Session, Statements, Timestamp, transaction};
use poolhouse::{Failure, log, params};

/// The plugin.
#[derive(Debug)]
pub struct Ledger;

impl migrations::Guest for Ledger {
    fn migrations(dialect: migrations::Dialect) -> Vec<migrations::Migration> {
        schema::migrations(dialect)
    }
}

impl Guest for Ledger {
    fn deposit(account: String, amount: String) -> Result<String, Failure> {
        let amount = amount_above_zero(&amount)?;
        let after = transaction(|tx| {
            // Makes the account if it is not there, and locks it in any case: nobody else can change it before the commit.
            let before: Decimal = tx.query_scalar(
                "INSERT INTO accounts (name, balance) VALUES ($1, $2) \
                 ON CONFLICT (name) DO UPDATE SET balance = accounts.balance RETURNING balance",
                params![&account, Decimal::default()],
            )?;
            let after = before + &amount;
            write(tx, &account, &after, &amount, "deposit")?;
            Ok::<_, Failure>(after)
        })?;
        Ok(after.to_string())
    }

    fn transfer(source: String, target: String, amount: String) -> Result<(), Failure> {
        let amount = amount_above_zero(&amount)?;
        if source == target {
            return Err(Failure::failed(format!(
                "source and target are both `{source}`; name two accounts"
            )));
        }
        // Both balances and both movements are stored, or nothing is.
        transaction(|tx| {
            // In order of name, so that two transfers never wait for each other.
            let (at_source, at_target);
            if source < target {
                at_source = lock(tx, &source)?;
                at_target = lock(tx, &target)?;
            } else {
                at_target = lock(tx, &target)?;
                at_source = lock(tx, &source)?;
            }
            let at_source = at_source.ok_or_else(|| unknown(&source))?;
            let at_target = at_target.ok_or_else(|| unknown(&target))?;
            if at_source < amount {
                return Err(Failure::failed(format!(
                    "account `{source}` has {at_source}, which is less than {amount}"
                )));
            }
            let (to, from) = (format!("to {target}"), format!("from {source}"));
            write(tx, &source, &(at_source - &amount), &-amount.clone(), &to)?;
            write(tx, &target, &(at_target + &amount), &amount, &from)
        })?;
        log::info!("{amount} went from `{source}` to `{target}`");
        Ok(())
    }

    fn balance(account: String) -> Result<Option<String>, Failure> {
        let balance: Option<Decimal> = Session::open()?.query_scalar_optional(
            "SELECT balance FROM accounts WHERE name = $1",
            params![account],
        )?;
        Ok(balance.map(|balance| balance.to_string()))
    }

    fn statement(account: String, limit: u32) -> Result<Vec<Movement>, Failure> {
        let rows = Session::open()?.query_as::<(i64, Decimal, String, Timestamp)>(
            "SELECT id, amount, note, at FROM movements WHERE account = $1 ORDER BY id DESC LIMIT $2",
            params![account, limit],
        )?;
        let movement = |(id, amount, note, at): (i64, Decimal, String, Timestamp)| Movement {
            id,
            amount: amount.to_string(),
            note,
            at: at.0,
        };
        Ok(rows.into_iter().map(movement).collect())
    }

    fn audit() -> Result<u64, Failure> {
        // One statement, so that balances and movements are of one moment; a cursor, for there may be any number of rows.
        let session = Session::open()?;
        let rows = session.cursor(
            "SELECT name, balance, amount FROM accounts LEFT JOIN movements ON account = name ORDER BY name",
            params![],
        )?;
        let mut count = 0;
        let mut sum: Option<Sum> = None;
        for row in rows.rows::<(String, Decimal, Option<Decimal>)>() {
            let (name, balance, amount) = row?;
            if sum.as_ref().is_none_or(|sum| sum.name != name) {
                check(sum.take())?;
                sum = Some(Sum {
                    name,
                    balance,
                    total: Decimal::default(),
                });
            }
            // None where an account has no movement.
            if let (Some(sum), Some(amount)) = (&mut sum, amount) {
                sum.total = &sum.total + &amount;
                count += 1;
            }
        }
        check(sum)?;
        Ok(count)
    }
}

/// What an account's movements add up to so far, beside its balance.
struct Sum {
    name: String,
    balance: Decimal,
    total: Decimal,
}

fn check(sum: Option<Sum>) -> Result<(), Failure> {
    match sum {
        Some(Sum {
            name,
            balance,
            total,
        }) if total != balance => Err(Failure::failed(format!(
            "account `{name}` has a balance of {balance}, and its movements add up to {total}"
        ))),
        _ => Ok(()),
    }
}

/// The balance, which nobody else can change before the transaction's end; none without such an account.
fn lock(db: &impl Statements, account: &str) -> Result<Option<Decimal>, Failure> {
    Ok(db.query_scalar_optional(
        "UPDATE accounts SET balance = balance WHERE name = $1 RETURNING balance",
        params![account],
    )?)
}

/// Writes the account's new balance, and the movement that led to it.
fn write(
    db: &impl Statements,
    account: &str,
    balance: &Decimal,
    amount: &Decimal,
    note: &str,
) -> Result<(), Failure> {
    db.execute(
        "UPDATE accounts SET balance = $2 WHERE name = $1",
        params![account, balance],
    )?;
    db.execute(
        "INSERT INTO movements (account, amount, note, at) VALUES ($1, $2, $3, $4)",
        params![account, amount, note, Timestamp::now()],
    )?;
    Ok(())
}

fn amount_above_zero(text: &str) -> Result<Decimal, Failure> {
    match text.parse::<Decimal>() {
        Ok(amount) if amount.is_positive() => Ok(amount),
        _ => Err(Failure::failed(format!(
            "amount `{text}` must be a decimal number above 0, such as 12.50"
        ))),
    }
}

fn unknown(account: &str) -> Failure {
    Failure::failed(format!(
        "account `{account}` does not exist; make a deposit first"
    ))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;
    use migrations::Dialect;

    #[test]
    fn amounts_are_above_zero_and_exact() {
        assert_eq!(amount_above_zero("0.10").unwrap().to_string(), "0.10");
        for wrong in ["0", "-1", "1e5", "", "ten"] {
            let message = amount_above_zero(wrong).unwrap_err().message;
            assert!(
                message.contains("must be a decimal number above 0"),
                "{message}"
            );
        }
    }

    #[test]
    fn both_databases_get_the_same_tables() {
        let tables = |dialect| schema::migrations(dialect)[0].tables.clone();
        assert_eq!(tables(Dialect::Sqlite), tables(Dialect::Postgresql));
    }
}
