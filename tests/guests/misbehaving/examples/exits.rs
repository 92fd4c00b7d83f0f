//! Ends itself as a program would, or aborts, with a transaction open.

use misbehaving::{Failure, misbehaves, open_session, open_transaction};

fn exit(how: &str) -> Result<String, Failure> {
    let session = open_session()?;
    let _tx = open_transaction(&session)?;
    match how {
        "exit" => std::process::exit(3),
        "panic" => panic!("panicked on purpose"),
        _ => std::process::abort(),
    }
}

misbehaves!(exit);
