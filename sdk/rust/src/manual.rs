//! The plugin author's manual, one page to a module; every example in it is compiled, and run where no host is needed.

#[doc = include_str!("../docs/strategy.md")]
pub mod strategy {}

#[doc = include_str!("../docs/service.md")]
pub mod service {}

#[doc = include_str!("../docs/rows.md")]
pub mod rows {}

#[doc = include_str!("../docs/transactions.md")]
pub mod transactions {}

#[doc = include_str!("../docs/cursors.md")]
pub mod cursors {}

#[doc = include_str!("../docs/money.md")]
pub mod money {}

#[doc = include_str!("../docs/errors.md")]
pub mod errors {}

#[doc = include_str!("../docs/limits.md")]
pub mod limits {}

#[doc = include_str!("../docs/imports.md")]
pub mod imports {}

#[doc = include_str!("../docs/testing.md")]
pub mod testing {}
