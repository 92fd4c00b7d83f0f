//! Prints answers to standard output; a reader that has gone away is no failure.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints one line.
///
/// # Errors
/// Where it can't be written, other than because nobody reads it any more.
pub(crate) fn print(line: impl Display) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(io::Error::new(
            error.kind(),
            format!("the answer can't be written to standard output: {error}"),
        )),
        Ok(()) => Ok(()),
    }
}
