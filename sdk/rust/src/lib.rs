//! Writes Poolhouse plugins in Rust: strategies without any WIT, and typed rows over the host's database;
//! what the host does with them is not here.
//!
//! # A strategy from nothing
//!
//! `Cargo.toml`:
//!
//! ```toml
//! [package]
//! name = "cross"
//! version = "0.1.0"
//! edition = "2024"
//!
//! [lib]
//! crate-type = ["cdylib", "rlib"]
//!
//! [dependencies]
//! poolhouse = { path = "../sdk/rust" }
//! ```
//!
//! `src/lib.rs`:
//!
//! ```
//! use poolhouse::strategy::{Bar, Description, Parameters, PerSymbol, Signal, Strategy, Window};
//!
//! /// Buys when the close rises above the average of the last `bars` closes, sells when it falls below.
//! struct Cross {
//!     bars: usize,
//!     seen: PerSymbol<(Window, f64)>,
//! }
//!
//! impl Strategy for Cross {
//!     fn describe() -> Description {
//!         Description::new("Trades when the close crosses its average.")
//!             .integer("bars", "Bars of the average").range(1, 500).default(20)
//!     }
//!
//!     fn new(parameters: &Parameters) -> Result<Self, String> {
//!         Ok(Self { bars: parameters.integer("bars")?, seen: PerSymbol::default() })
//!     }
//!
//!     fn warm_up_bars(&self) -> u32 {
//!         self.bars as u32
//!     }
//!
//!     fn on_bar(&mut self, bar: &Bar) -> Result<Vec<Signal>, String> {
//!         let (closes, before) = self.seen.of(&bar.symbol, || (Window::new(self.bars), 0.0));
//!         closes.push(bar.close);
//!         if !closes.is_full() {
//!             return Ok(Vec::new());
//!         }
//!         let above = bar.close - closes.sum() / self.bars as f64;
//!         Ok(match std::mem::replace(before, above) {
//!             before if before < 0.0 && above > 0.0 => vec![Signal::buy()],
//!             before if before > 0.0 && above < 0.0 => vec![Signal::sell()],
//!             _ => Vec::new(),
//!         })
//!     }
//! }
//!
//! poolhouse::export_strategy!(Cross);
//! #
//! # fn main() {
//! #     let mut cross = Cross::new(&Parameters::from_iter([("bars", "2")])).unwrap();
//! #     let mut close = |close| cross.on_bar(&Bar {
//! #         symbol: "AAPL".into(), time: 0, open: close, high: close, low: close, close, volume: 0.0,
//! #     }).unwrap();
//! #     assert_eq!([close(3.0), close(2.0)], [vec![], vec![]]);
//! #     assert_eq!([close(4.0), close(1.0)], [vec![Signal::buy()], vec![Signal::sell()]]);
//! # }
//! ```
//!
//! `cargo build --release --target wasm32-wasip2` makes a component of it; copied into the plugin folder it is
//! loaded, and a strategy row that names it runs it. `cargo test` runs its tests natively. A crate inside this
//! repository's folders is also named in the workspace's `members`, and takes `poolhouse.workspace = true`.
//!
//! # Rows
//!
//! A plugin that uses [`database`] imports it by that alone, and then needs a grant in `host.toml`. Its
//! functions are there only inside the host: a native test that calls one panics.
//!
//! ```no_run
//! use poolhouse::database::{Decimal, Session, Error};
//! use poolhouse::params;
//!
//! fn raise(user: &str, by: &Decimal) -> Result<Option<Decimal>, Error> {
//!     Session::open()?.transaction(|tx| {
//!         tx.execute("UPDATE users SET exposure = exposure + $2 WHERE id = $1", params![user, by])?;
//!         let rows = tx.query("SELECT exposure FROM users WHERE id = $1", params![user])?;
//!         rows.first().map(|row| row.get("exposure")).transpose()
//!     })
//! }
//! ```
//!
//! # Other worlds
//!
//! A plugin that exports something else than a strategy generates its own world with `wit_bindgen::generate!`
//! and maps the packages `poolhouse:database` and `poolhouse:plugin` onto [`bindings::imports`] with the
//! option `with`, so that there is one set of types; the reference plugins show how.

pub mod strategy;

pub mod database;

mod failure;

pub mod bindings;

pub use failure::{Failure, FailureKind};

// The strategy in the README is compiled with the documentation's examples.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
