//! Opens sessions until the host refuses, and keeps them all for ever.

use misbehaving::{Failure, misbehaves, open_session};

fn open_all(_: &str) -> Result<String, Failure> {
    let mut opened = 0;
    loop {
        match open_session() {
            Ok(session) => {
                std::mem::forget(session);
                opened += 1;
            }
            Err(failure) => return Ok(format!("{opened}: {}", failure.message)),
        }
    }
}

misbehaves!(open_all);
