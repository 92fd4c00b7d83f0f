//! Writes Poolhouse plugins in Rust: strategies without any WIT, and typed rows over the host's database;
//! what the host does with them is not here.
//!
//! A plugin is a WebAssembly component in a folder. It has no connection, no socket and no file: it imports the host's
//! database, and the host lends it a connection for as long as it needs one.
//!
//! ```no_run
//! use poolhouse::database::{self, Decimal, FromRow};
//! use poolhouse::{Failure, params};
//!
//! #[derive(FromRow)]
//! struct User {
//!     active: bool,
//!     exposure: Decimal,
//! }
//!
//! /// All of it or nothing: the closure's `Err` rolls back.
//! fn raise(id: &str, by: &Decimal) -> Result<Decimal, Failure> {
//!     database::transaction(|tx| {
//!         let user: User = tx.query_one("SELECT active, exposure FROM users WHERE id = $1", params![id])?;
//!         if !user.active {
//!             return Err(Failure::failed(format!("user `{id}` is not active")));
//!         }
//!         let exposure = user.exposure + by;
//!         tx.execute("UPDATE users SET exposure = $2 WHERE id = $1", params![id, &exposure])?;
//!         Ok(exposure)
//!     })
//! }
//! ```
//!
//! # The manual
//!
//! 1. [A strategy from nothing](manual::strategy)
//! 2. [A service plugin from nothing](manual::service): world, bindings, migrations, grant
//! 3. [Statements and rows](manual::rows): structs, tuples, parameters, which type reads what
//! 4. [Transactions](manual::transactions): savepoints, composition across plugins, conflicts
//! 5. [Large results, and many rows to write](manual::cursors)
//! 6. [Decimals, money and time](manual::money)
//! 7. [Errors, and what to do about each](manual::errors)
//! 8. [Limits](manual::limits)
//! 9. [Calling other plugins](manual::imports)
//! 10. [Testing a plugin](manual::testing)
//!
//! A plugin that uses [`database`] imports it by that alone, and then needs a grant in `host.toml`. Its functions are
//! there only inside the host: a native test that calls one panics.

pub mod strategy;

pub mod database;

pub mod log;

mod failure;

pub mod bindings;

#[cfg(any(doc, doctest))]
pub mod manual;

pub use failure::{Failure, FailureKind};

// The strategy in the README is compiled with the documentation's examples.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
