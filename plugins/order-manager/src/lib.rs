//! Accepts or rejects orders and keeps each exactly once, and keeps how far every strategy row has come. Which
//! orders are asked for, the host's trading loop decides; what a user may have in all, the user service.

mod amount;
mod bindings;
mod exposure;
mod place;
mod progress;
mod schema;
mod statements;

use bindings::exports::poolhouse::plugin::migrations;
use bindings::exports::poolhouse::trading::order_manager::{
    Guest, Mark, Order, Outcome, Status, StoredOrder,
};
use bindings::poolhouse::trading::types::Side;
use poolhouse::database::{Decimal, Row, Session, Timestamp};
use poolhouse::{Failure, params};

/// The plugin.
#[derive(Debug)]
pub struct OrderManager;

impl migrations::Guest for OrderManager {
    fn migrations(dialect: migrations::Dialect) -> Vec<migrations::Migration> {
        schema::migrations(dialect)
    }
}

impl Guest for OrderManager {
    fn place(orders: Vec<Order>) -> Result<Vec<Outcome>, Failure> {
        let mut outcomes = place::judge(&orders)?;
        let exposures = exposure::of(&orders, &outcomes)?;
        Session::open()?.transaction(|tx| {
            place::store(orders, &mut outcomes, |sql, params| tx.query(sql, params))?;
            exposure::take(exposures, &mut outcomes, tx)
        })?;
        Ok(outcomes)
    }

    fn advance(marks: Vec<Mark>) -> Result<(), Failure> {
        let marks = progress::merge(marks);
        let session = Session::open()?;
        if progress::is_one_statement(marks.len()) {
            progress::advance(marks, |sql, params| session.execute(sql, params))?;
        } else {
            session.transaction(|tx| {
                progress::advance(marks, |sql, params| tx.execute(sql, params))
            })?;
        }
        Ok(())
    }

    fn progress() -> Result<Vec<Mark>, Failure> {
        let rows = Session::open()?
            .read_all::<(_, Timestamp)>("SELECT strategy_id, bar_time FROM progress", params![])?;
        let mut marks: Vec<_> = rows
            .into_iter()
            .map(|(strategy_id, Timestamp(bar_time))| Mark {
                strategy_id,
                bar_time,
            })
            .collect();
        // Sorted here, for the order of texts depends on the database's collation.
        marks.sort_unstable_by(|a, b| a.strategy_id.cmp(&b.strategy_id));
        Ok(marks)
    }

    fn recent(limit: u32) -> Result<Vec<StoredOrder>, Failure> {
        let mut orders = Vec::new();
        Session::open()?.each(
            "SELECT client_order_id, user_id, strategy_id, symbol, side, quantity, price, status, reason, bar_time \
             FROM orders ORDER BY id DESC LIMIT $1",
            params![limit],
            |row| {
                orders.push(stored_order(row)?);
                Ok::<_, Failure>(())
            },
        )?;
        Ok(orders)
    }
}

fn stored_order(row: Row<'_>) -> Result<StoredOrder, Failure> {
    let client_order_id: String = row.get(0)?;
    let unknown = |column: &str, word: &str| {
        Failure::failed(format!(
            "order `{client_order_id}` is stored with {column} `{word}`, which this plugin never writes"
        ))
    };
    let side = match row.get::<&str>(4)? {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        word => return Err(unknown("side", word)),
    };
    let status = match row.get::<&str>(7)? {
        "placed" => Status::Placed,
        "rejected" => Status::Rejected,
        word => return Err(unknown("status", word)),
    };
    let Timestamp(bar_time) = row.get(9)?;
    Ok(StoredOrder {
        user_id: row.get(1)?,
        strategy_id: row.get(2)?,
        symbol: row.get(3)?,
        side,
        quantity: row.get::<Decimal>(5)?.to_string(),
        price: row.get::<Decimal>(6)?.to_string(),
        status,
        reason: row.get(8)?,
        bar_time,
        client_order_id,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    #[test]
    fn every_column_that_is_needed_is_made() {
        for dialect in [migrations::Dialect::Sqlite, migrations::Dialect::Postgresql] {
            for migration in schema::migrations(dialect) {
                for table in &migration.tables {
                    let beginning = format!("CREATE TABLE IF NOT EXISTS {} (", table.name);
                    let statement = migration
                        .statements
                        .iter()
                        .find(|statement| statement.starts_with(&beginning))
                        .unwrap();
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
}
