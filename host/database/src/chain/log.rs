//! Owns the echo: one line in the log for each statement, with its SQL and never its parameters' values.

use std::time::Duration;

use tracing::info;

use crate::actor::Actor;
use crate::error::Error;
use crate::statement::Ran;

use super::Chain;

impl Chain {
    pub(super) fn echo_statement(
        &self,
        actor: &Actor,
        sql: &str,
        elapsed: Duration,
        result: &Result<Ran, Error>,
    ) {
        if !self.database.echo() {
            return;
        }
        let plugin = &*actor.plugin;
        match result {
            Ok(ran) => {
                let rows = u64::from(ran.answer.batch.rows).max(ran.changed);
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
