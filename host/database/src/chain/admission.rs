//! Owns finding out whether a statement may run, and where, before any connection is asked for; leaves running it to `chain`.

use std::sync::Arc;

use crate::actor::{Actor, Within};
use crate::connection::Connection;
use crate::error::{ConflictKind, Error, LimitKind};
use crate::footprint::{Footprint, MAX_PARAMETERS, StatementKind, is_ddl};
use crate::grants::Refusal;
use crate::statement::Failed;
use crate::url::Backend;

use super::Chain;
use super::cursors::names_cursor;
use crate::migrate::no_roles;

/// A statement that may run.
pub(super) struct Admitted {
    pub(super) sql: Arc<str>,
    pub(super) footprint: Arc<Footprint>,
    /// In the transaction that is open, not by itself.
    pub(super) joined: bool,
}

impl Chain {
    /// Finds out what a statement does, whether the actor may do it, and where it runs.
    pub(super) async fn admit(
        &mut self,
        actor: &Actor,
        within: Within,
        sql: &str,
        parameters: usize,
    ) -> Result<Admitted, Error> {
        let (sql, footprint) = match self.database.footprints().of(sql).await {
            Err(Error::Invalid(reason)) if is_ddl(sql) => {
                let refusal = Refusal::Ddl.message(&actor.plugin);
                return Err(Error::Denied(format!(
                    "{refusal}; as it stands it would be refused there too: {reason}"
                )));
            }
            read => read?,
        };
        // Before the grants: no grant of a table makes it a statement.
        if footprint.kind == StatementKind::Ddl {
            return Err(Error::Denied(Refusal::Ddl.message(&actor.plugin)));
        }
        if self.database.backend() == Backend::Sqlite
            && names_cursor(footprint.reads.iter().chain(&footprint.writes))
        {
            return Err(Error::invalid(
                "tables whose names begin with poolhouse_cursor_ are the host's own",
            ));
        }
        check_parameters(&footprint, parameters)?;
        self.check_role(actor)?;
        actor
            .grants
            .allow(&footprint)
            .map_err(|refusal| denied(actor, &refusal))?;
        let joined = self.enter(within).await?;
        if footprint.needs_transaction && !joined {
            return Err(Error::invalid(
                "lastval, currval, last_insert_rowid() and changes() ask for what an earlier statement left in its connection, and outside a transaction each has its own: use RETURNING",
            ));
        }
        if footprint.needs_transaction && self.database.backend() == Backend::Sqlite {
            self.check_asks_of_itself(&footprint)?;
        }
        if footprint.kind == StatementKind::Write {
            self.check_write()?;
        }
        Ok(Admitted {
            sql,
            footprint,
            joined,
        })
    }

    /// SQLite has no roles, and a lock that is not there must not be taken for one.
    pub(super) fn check_role(&self, actor: &Actor) -> Result<(), Error> {
        match (&actor.role, self.database.backend()) {
            (Some(role), Backend::Sqlite) => Err(Error::Denied(no_roles(&actor.plugin, role))),
            _ => Ok(()),
        }
    }

    /// SQLite can't be made to forget what a connection's last borrower inserted and changed: it is asked only after the
    /// transaction has done so itself.
    fn check_asks_of_itself(&self, footprint: &Footprint) -> Result<(), Error> {
        let asks = |function: &str| footprint.functions.contains(function);
        if asks("last_insert_rowid") && !self.inserted {
            return Err(Error::invalid(
                "last_insert_rowid() is known in a transaction after an INSERT of its own that inserted a row (one with ON CONFLICT DO UPDATE does not count): use RETURNING",
            ));
        }
        if asks("changes") && !self.wrote {
            return Err(Error::invalid(
                "changes() is known in a transaction after a write of its own: use what `execute` answers, or RETURNING",
            ));
        }
        Ok(())
    }

    fn check_write(&self) -> Result<(), Error> {
        if let Some(reason) = &self.refuse_writes {
            return Err(Error::Conflict {
                kind: ConflictKind::Busy,
                message: reason.clone(),
            });
        }
        if self.levels.last().is_some_and(|level| level.read_only) {
            return Err(Error::invalid(
                "the transaction is read-only: begin one that may write",
            ));
        }
        Ok(())
    }
}

impl Admitted {
    /// Finds out, now that there is a connection, whether the statement calls what somebody has added to this database.
    pub(super) fn check_added(&self, actor: &Actor, connection: &Connection) -> Result<(), Failed> {
        actor
            .grants
            .allow_added(&self.footprint, connection.added_functions())
            .map_err(|refusal| Failed::ours(denied(actor, &refusal)))
    }
}

fn denied(actor: &Actor, refusal: &Refusal) -> Error {
    let message = refusal.message(&actor.plugin);
    match refusal {
        // More often a mistake in it than a want of rights.
        Refusal::Unparsed(_) => Error::Invalid(message),
        _ => Error::Denied(message),
    }
}

fn check_parameters(footprint: &Footprint, given: usize) -> Result<(), Error> {
    if given > MAX_PARAMETERS {
        return Err(Error::Limit {
            kind: LimitKind::Parameters,
            message: format!("{given} parameters were given, the limit is {MAX_PARAMETERS}"),
            maximum: MAX_PARAMETERS as u64,
        });
    }
    let wanted = usize::try_from(footprint.parameters).unwrap_or(usize::MAX);
    if given != wanted {
        return Err(Error::invalid(format!(
            "the statement takes {wanted} parameters and was given {given}"
        )));
    }
    Ok(())
}
