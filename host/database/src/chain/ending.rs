//! Owns ending a chain's levels: commit, rollback, and whatever a guest left open.

use tokio::time::Instant;
use tracing::warn;

use crate::error::Error;
use crate::statement::Failed;
use crate::transaction::{State, TransactionId};

use super::Chain;
use super::cursors::CursorEnd;
use super::levels::savepoint_name;

impl Chain {
    /// Ok means committed; for a savepoint, merged into its parent.
    ///
    /// # Errors
    /// `Invalid` where it has an open savepoint (nothing changes then), `Closed` where it has ended. `Unavailable` with
    /// `outcome_unknown` means that nobody knows; on any other error it was rolled back.
    pub async fn commit(&mut self, id: TransactionId) -> Result<(), Error> {
        let position = self.position_of_innermost(id)?;
        self.expire().await;
        let Some(level) = self.levels.get(position) else {
            return Err(super::lost_connection());
        };
        let plugin = level.plugin.clone();
        match &level.state {
            State::Lost(error) => {
                let error = error.clone();
                self.end_levels(position, CursorEnd::RolledBack);
                return Err(error);
            }
            State::Aborted => {
                let _ = self.rollback(id).await;
                return Err(Error::Statement {
                    code: "25P02".to_owned(),
                    message: "the transaction was rolled back, not committed: a statement in it had failed".to_owned(),
                    detail: None,
                    hint: None,
                    position: None,
                });
            }
            State::Open => {}
        }
        let started = Instant::now();
        let sql = if position == 0 {
            "COMMIT".to_owned()
        } else {
            format!("RELEASE SAVEPOINT {}", savepoint_name(position))
        };
        let result = match self.close_cursors_of(position).await {
            Ok(()) => {
                let begun_as = self.begun_as.clone();
                self.on_lease(&sql, async |connection| match position {
                    0 => {
                        // What is put off to the end runs in the role of whoever ends it.
                        connection.act_as(begun_as.as_ref()).await?;
                        connection.commit().await
                    }
                    _ => connection.batch(&sql).await,
                })
                .await
            }
            Err(failed) => Err(failed),
        };
        self.echo_control(
            &plugin,
            if position == 0 {
                "COMMIT"
            } else {
                "RELEASE SAVEPOINT"
            },
            started.elapsed(),
            result.as_ref().err().map(|failed| &failed.error),
        );
        match result {
            Ok(()) => {
                self.end_levels(position, CursorEnd::Committed);
                if position == 0 {
                    self.give_back(true).await;
                }
                Ok(())
            }
            Err(failed) => Err(self.after_failed_commit(position, failed).await),
        }
    }

    /// Ok means rolled back. Open savepoints in it end with it.
    ///
    /// # Errors
    /// `Closed` where it has ended; otherwise the connection is lost, and the work with it.
    pub async fn rollback(&mut self, id: TransactionId) -> Result<(), Error> {
        let position = self.position(id)?;
        self.expire().await;
        let Some(level) = self.levels.get(position) else {
            return Err(super::lost_connection());
        };
        let plugin = level.plugin.clone();
        if let State::Lost(error) = &level.state {
            let error = error.clone();
            self.end_levels(position, CursorEnd::RolledBack);
            return match error {
                Error::Unavailable { .. } => Err(error),
                _ => Ok(()),
            };
        }
        let started = Instant::now();
        let result = if position == 0 {
            self.on_lease("ROLLBACK", async |connection| connection.rollback().await)
                .await
        } else {
            self.roll_back_to(position).await
        };
        self.echo_control(
            &plugin,
            if position == 0 {
                "ROLLBACK"
            } else {
                "ROLLBACK TO SAVEPOINT"
            },
            started.elapsed(),
            result.as_ref().err().map(|failed| &failed.error),
        );
        match result {
            Ok(()) => {
                self.end_levels(position, CursorEnd::RolledBack);
                if position == 0 {
                    self.give_back(true).await;
                }
                Ok(())
            }
            Err(failed) => {
                self.lose(&failed.error);
                self.end_levels(position, CursorEnd::RolledBack);
                Err(failed.error)
            }
        }
    }

    /// Rolls back every level above `depth`, which whoever began them left open.
    pub async fn unwind_to(&mut self, depth: usize) {
        let Some(level) = self.levels.get(depth) else {
            return;
        };
        let (id, plugin) = (level.id, level.plugin.clone());
        if !matches!(level.state, State::Lost(_)) {
            let what = if depth == 0 {
                "a transaction"
            } else {
                "a savepoint"
            };
            warn!(target: "poolhouse::database", plugin = &*plugin, chain = self.chain, "plugin {plugin} left {what} open; rolled back");
        }
        if self.rollback(id).await.is_err() {
            self.end_levels(depth, CursorEnd::RolledBack);
        }
    }

    /// Ends every cursor, rolls everything back and gives the connections back; after it the server shows no
    /// transaction of this chain.
    pub async fn finish(&mut self) {
        self.close_all_cursors().await;
        self.unwind_to(0).await;
        self.give_back(false).await;
    }

    async fn after_failed_commit(&mut self, position: usize, failed: Failed) -> Error {
        let mut error = failed.error;
        if failed.broken {
            if position == 0 {
                error = error.with_unknown_outcome();
            }
            self.lose(&error);
        } else if position == 0 {
            // The database rolled it back; a reset makes sure.
            self.give_back(false).await;
        } else if self.roll_back_to(position).await.is_err() {
            self.lose(&error);
        }
        self.end_levels(position, CursorEnd::RolledBack);
        error
    }

    /// Levels from `position` on have ended, and with them the cursors that were opened in them.
    fn end_levels(&mut self, position: usize, how: CursorEnd) {
        self.levels.truncate(position);
        self.cursors.end_outside(&self.levels, how);
    }
}
