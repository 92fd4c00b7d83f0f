//! Owns the echo: one line in the log for each statement, with its SQL and never its parameters' values.

use std::time::Duration;

use tracing::info;

use crate::error::Error;

use super::Chain;

impl Chain {
    /// A statement that gave or changed so many rows.
    pub(super) fn echo_statement(
        &self,
        plugin: &str,
        sql: &str,
        elapsed: Duration,
        result: &Result<u64, Error>,
    ) {
        if !self.database.echo() {
            return;
        }
        match result {
            Ok(rows) => {
                info!(target: "poolhouse::echo", plugin, chain = self.chain, ?elapsed, rows, sql);
            }
            Err(error) => {
                info!(target: "poolhouse::echo", plugin, chain = self.chain, ?elapsed, %error, sql)
            }
        }
    }

    pub(super) fn echo_control(
        &self,
        plugin: &str,
        sql: &str,
        elapsed: Duration,
        error: Option<&Error>,
    ) {
        if !self.database.echo() {
            return;
        }
        match error {
            None => info!(target: "poolhouse::echo", plugin, chain = self.chain, ?elapsed, sql),
            Some(error) => {
                info!(target: "poolhouse::echo", plugin, chain = self.chain, ?elapsed, %error, sql)
            }
        }
    }
}
