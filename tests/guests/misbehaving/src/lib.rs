//! What the misbehaving guests share: the world's bindings, the one thing that all of them do right, and the macro that makes
//! a component of a fault.

pub mod bindings;

use std::sync::atomic::{AtomicI64, Ordering};

pub use poolhouse::Failure;
use poolhouse::bindings::imports::poolhouse::database::database as contract;
use poolhouse::database::{Error, Session};
use poolhouse::params;

/// One row for the table of the guests.
pub const INSERT: &str = "INSERT INTO culprit (id) VALUES ($1)";

static NEXT: AtomicI64 = AtomicI64::new(1);

/// Inserts a row and answers how many there are.
///
/// # Errors
/// The host's.
pub fn honest() -> Result<u64, Failure> {
    let session = Session::open()?;
    session.execute(INSERT, params![NEXT.fetch_add(1, Ordering::Relaxed)])?;
    let rows = session.query("SELECT count(*) AS n FROM culprit", &[])?;
    match rows.first() {
        Some(row) => Ok(row.get::<i64>("n")? as u64),
        None => Err(Failure::failed("count(*) has no row")),
    }
}

/// A transaction with a row inserted, its raw handle in hand.
///
/// # Errors
/// The host's.
pub fn open_transaction(session: &contract::Session) -> Result<contract::Transaction, Failure> {
    let tx = session
        .begin(contract::TransactionOptions {
            isolation: contract::Isolation::Default,
            read_only: false,
            timeout: None,
        })
        .map_err(Error::from)?;
    tx.execute(INSERT, params![0_i64]).map_err(Error::from)?;
    Ok(tx)
}

/// A session's raw handle.
///
/// # Errors
/// The host's.
pub fn open_session() -> Result<contract::Session, Failure> {
    Ok(contract::Session::open(contract::Sharing::Shared).map_err(Error::from)?)
}

/// Makes a component of a function from `&str` to `Result<String, Failure>`.
#[macro_export]
macro_rules! misbehaves {
    ($fault:path) => {
        struct Culprit;

        impl $crate::bindings::Guest for Culprit {
            fn misbehave(how: String) -> Result<String, $crate::Failure> {
                $fault(&how)
            }

            fn honest() -> Result<u64, $crate::Failure> {
                $crate::honest()
            }
        }

        // The exports' names mean something to a component only; a native linker refuses them.
        #[cfg(target_family = "wasm")]
        $crate::bindings::export_culprit!(Culprit with_types_in $crate::bindings);
        #[cfg(not(target_family = "wasm"))]
        const _: fn(String) -> Result<String, $crate::Failure> =
            <Culprit as $crate::bindings::Guest>::misbehave;
    };
}
