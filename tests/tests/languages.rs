//! What an author meets in each language: from an empty folder to orders, a service that keeps money, and every mistake with what is
//! said of it. A language whose toolchain this machine does not have is skipped, and that is printed.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

#[path = "languages/author.rs"]
mod author;
#[path = "languages/dev.rs"]
mod dev;
#[path = "languages/ledger.rs"]
mod ledger;
#[path = "languages/mistakes.rs"]
mod mistakes;
#[path = "languages/orders.rs"]
mod orders;
