//! Keeps sessions, transactions and cursors in globals over its calls, and uses them later.

use std::cell::RefCell;

use misbehaving::{Failure, INSERT, misbehaves, open_session, open_transaction};
use poolhouse::bindings::imports::poolhouse::database::database as contract;
use poolhouse::database::Error;
use poolhouse::params;

/// What is kept. Fields are dropped in order.
struct Kept {
    cursor: Option<contract::Cursor>,
    transaction: Option<contract::Transaction>,
    session: contract::Session,
}

thread_local! {
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

fn hold(how: &str) -> Result<String, Failure> {
    if how == "use" {
        return Ok(use_kept());
    }
    let session = open_session()?;
    let mut kept = Kept {
        cursor: None,
        transaction: None,
        session,
    };
    match how {
        "session" => {}
        "transaction" => kept.transaction = Some(open_transaction(&kept.session)?),
        _ => {
            let cursor = kept.session.open_cursor("SELECT id FROM culprit", &[]);
            kept.cursor = Some(cursor.map_err(Error::from)?);
        }
    }
    KEPT.with_borrow_mut(|all| all.push(kept));
    Ok("kept".to_owned())
}

/// What the host says to each use of what was kept last.
fn use_kept() -> String {
    KEPT.with_borrow_mut(|all| {
        let Some(kept) = all.pop() else {
            return "nothing was kept".to_owned();
        };
        let told = |error| Error::from(error).to_string();
        let cursor = kept.cursor.as_ref().map(|cursor| match cursor.next() {
            Ok(batch) => format!("a batch: {}", batch.is_some()),
            Err(error) => told(error),
        });
        let transaction = kept.transaction.as_ref().map(|tx| {
            let used = tx.execute(INSERT, params![0_i64]);
            used.map_or_else(told, |rows| format!("{rows} rows by the transaction"))
        });
        let session = kept.session.execute(INSERT, params![0_i64]);
        let session = session.map_or_else(told, |rows| format!("{rows} rows by the session"));
        [cursor, transaction, Some(session)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; ")
    })
}

misbehaves!(hold);
