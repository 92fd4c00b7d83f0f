//! Sleeps without end: by the clock, or in a statement of that text.

use std::time::Duration;

use misbehaving::{Failure, misbehaves};
use poolhouse::database::Session;

fn sleep(how: &str) -> Result<String, Failure> {
    if how == "by the clock" {
        loop {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }
    let rows = Session::open()?.query(how, &[])?;
    Ok(format!("{} rows", rows.len()))
}

misbehaves!(sleep);
