//! The pools under measure, a file each: how each is set up, and nothing of what is measured.

pub(crate) mod bb8;
pub(crate) mod deadpool;
pub(crate) mod none;
pub(crate) mod ours;
pub(crate) mod sqlx;
