//! Lends connections: `pool_size`, `max_overflow`, timeouts, pre-ping and recycle as SQLAlchemy's QueuePool means them,
//! to many tenants within their quotas; knows nothing of SQL or Wasm, or of what a connection is.
//!
//! Connections are reused last in, first out, so that those not needed age; a tenant's callers wait first in, first
//! out, tenants take turns, and nobody passes the queue. Connecting, cancelling, closing and resetting a dropped lease
//! happen in tasks of their own, and every place a connection takes up, down to the end of its close, counts towards
//! `pool_size` + `max_overflow`. One more task, the keeper, sleeps until the earliest of what time brings is due.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//! use poolhouse_pool::{Connector, Options, Pool, Quota, Request};
//!
//! struct Numbers;
//!
//! impl Connector for Numbers {
//!     type Connection = u64;
//!     type Key = ();
//!     type Error = Infallible;
//!     async fn connect(&self) -> Result<(u64, ()), Infallible> { Ok((40, ())) }
//!     async fn ping(&self, _: &mut u64) -> Result<(), Infallible> { Ok(()) }
//!     async fn reset(&self, number: &mut u64) -> Result<(), Infallible> { *number = 40; Ok(()) }
//!     async fn cancel(&self, _: &()) {}
//!     async fn close(&self, _: u64) {}
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = Pool::new(Numbers, Options::default());
//! let tenant = pool.tenant("example", Quota { max: Some(3), reserved: 1 })?;
//!
//! let mut lease = tenant.acquire(&Request::default()).await?;
//! let mut operation = lease.operation(Some(&Arc::from("add")))?;
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
mod tenant;

mod acquire;
mod keeper;
mod loan;
mod shared;
mod slot;
mod state;

pub use connector::Connector;
pub use error::{AcquireError, Cause, Exhausted, Revoked};
pub use lease::{Lease, Operation, Revocation};
pub use options::Options;
pub use pool::Pool;
pub use stats::{Condition, Health, Quantiles, Stats, TenantStats, Timings};
pub use tenant::{Quota, QuotaError, Request, Tenant};
