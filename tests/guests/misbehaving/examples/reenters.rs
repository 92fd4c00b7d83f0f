//! Calls the next plugin of its kind, which calls it back, and so on; in a transaction if told so.

use misbehaving::{Failure, bindings::peer, misbehaves, open_session, open_transaction};

fn reenter(how: &str) -> Result<String, Failure> {
    let session = open_session()?;
    let _tx = match how {
        "in a transaction" => Some(open_transaction(&session)?),
        _ => None,
    };
    peer::misbehave(how)
}

misbehaves!(reenter);
