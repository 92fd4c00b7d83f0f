//! Lends connections: `pool_size`, `max_overflow`, timeouts, pre-ping and recycle as SQLAlchemy's QueuePool means them;
//! knows nothing of SQL or Wasm, or of what a connection is.
//!
//! Connections are reused last in, first out, so that those not needed age; callers wait first in, first out, and
//! nobody passes the queue. Connecting, closing and resetting a dropped lease happen in tasks of their own, and every
//! place a connection takes up, down to the end of its close, counts towards `pool_size` + `max_overflow`.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//! use poolhouse_pool::{Connector, Holder, Options, Pool};
//!
//! struct Numbers;
//!
//! impl Connector for Numbers {
//!     type Connection = u64;
//!     type Error = Infallible;
//!     async fn connect(&self) -> Result<u64, Infallible> { Ok(40) }
//!     async fn ping(&self, _: &mut u64) -> Result<(), Infallible> { Ok(()) }
//!     async fn reset(&self, number: &mut u64) -> Result<(), Infallible> { *number = 40; Ok(()) }
//!     async fn close(&self, _: u64) {}
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = Pool::new(Numbers, Options::default());
//! let holder = Holder { name: Arc::from("example"), chain: 1 };
//!
//! let mut lease = pool.acquire(&holder, None).await?;
//! let mut operation = lease.operation();
//! *operation += 2;
//! assert_eq!(*operation, 42);
//! operation.complete(); // without this the connection is closed instead of reused
//! lease.touch(); // and with this it is reset first
//! lease.release().await;
//!
//! assert_eq!(pool.stats().checked_in, 1);
//! assert_eq!(pool.close(std::time::Duration::from_secs(5)).await, 0);
//! # Ok(())
//! # }
//! ```

mod connector;
mod options;

mod error;
mod lease;
mod pool;
mod stats;

mod loan;
mod shared;
mod state;
mod work;

pub use connector::Connector;
pub use error::AcquireError;
pub use lease::{Holder, Lease, Operation};
pub use options::Options;
pub use pool::Pool;
pub use stats::{Quantiles, Stats};
