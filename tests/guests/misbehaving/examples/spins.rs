//! Computes without end: by itself, or with a transaction open.

use std::hint::black_box;

use misbehaving::{Failure, misbehaves, open_session, open_transaction};

fn spin(how: &str) -> Result<String, Failure> {
    let session = open_session()?;
    let _tx = match how {
        "in a transaction" => Some(open_transaction(&session)?),
        _ => None,
    };
    loop {
        black_box(());
    }
}

misbehaves!(spin);
