//! Writes to its log without end: lines, one line that never ends, or so many lines and then comes back.

use std::io::Write;

use misbehaving::{Failure, misbehaves};

fn flood(how: &str) -> Result<String, Failure> {
    match how {
        "lines" => loop {
            println!("nothing that anybody wants to read");
        },
        "one line" => loop {
            // A log that takes no more is no reason to stop.
            let _ = std::io::stderr().write_all(&[b'x'; 4096]);
        },
        _ => {
            let lines: u32 = how.parse().map_err(|_| "how many lines?")?;
            for line in 0..lines {
                println!("line {line}");
            }
            Ok(lines.to_string())
        }
    }
}

misbehaves!(flood);
