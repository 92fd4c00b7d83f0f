//! Says that all is well when it is not, and ends things in the wrong order.

use misbehaving::{Failure, INSERT, misbehaves, open_session, open_transaction};
use poolhouse::bindings::imports::poolhouse::database::database::Transaction;
use poolhouse::bindings::imports::poolhouse::database::types;
use poolhouse::database::Error;
use poolhouse::params;

fn lie(how: &str) -> Result<String, Failure> {
    let session = open_session()?;
    match how {
        // A statement failed, the commit too, and nobody hears of it.
        "well" => {
            let tx = open_transaction(&session)?;
            let _ = tx.execute("INSERT INTO culprit (nothing) VALUES (1)", &[]);
            let _ = Transaction::rollback(tx);
            Ok("all is well".to_owned())
        }
        // The answer says that it was done; the transaction is still open.
        "done" => {
            std::mem::forget(open_transaction(&session)?);
            Ok("done".to_owned())
        }
        // Its parent while the savepoint is open, then the parent dropped before it, and the savepoint after that.
        "order" => {
            let parent = open_transaction(&session)?;
            let child = parent.savepoint().map_err(Error::from)?;
            let first = told(parent.execute(INSERT, params![1_i64]));
            drop(parent);
            let second = told(child.execute(INSERT, params![2_i64]));
            let third = told(Transaction::commit(child).map(|()| 0));
            drop(session);
            Ok([first, second, third].join("; "))
        }
        // A cursor after the transaction that it was opened in.
        _ => {
            let tx = open_transaction(&session)?;
            let cursor = tx.open_cursor("SELECT id FROM culprit", &[]);
            let cursor = cursor.map_err(Error::from)?;
            let first = told(Transaction::rollback(tx).map(|()| 0));
            let second = told(cursor.next().map(|_| 0));
            Ok([first, second].join("; "))
        }
    }
}

fn told(result: Result<u64, types::Error>) -> String {
    result.map_or_else(
        |error| Error::from(error).to_string(),
        |rows| rows.to_string(),
    )
}

misbehaves!(lie);
