//! Owns a cursor outside a transaction on SQLite: the task that holds its connection and steps on while rows are asked
//! for; leaves reading them to the connection.

use std::sync::Arc;

use poolhouse_pool::Lease;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::builder::Limits;
use crate::column::{Batch, ColumnInfo};
use crate::connection::{Connection, DatabaseConnector};
use crate::error::Error;
use crate::footprint::StatementKind;
use crate::session::Session;
use crate::sqlite::{Demand, Opened};
use crate::statement::{Author, Failed, Request};
use crate::value::Value;

use super::{taken_back, within};

/// A query whose rows are read one batch at a time, by a task of its own: the driver's rows borrow their connection.
/// Dropped, the task cancels the query and gives the connection back.
#[derive(Debug)]
pub(super) struct Streaming {
    demands: mpsc::Sender<Demand>,
    /// Whether the connection was taken back.
    task: JoinHandle<bool>,
}

/// What the task needs.
pub(super) struct Stream {
    pub(super) lease: Lease<DatabaseConnector>,
    pub(super) sql: Arc<str>,
    pub(super) parameters: Vec<Value>,
    pub(super) limits: Limits,
    pub(super) touches_session: bool,
    pub(super) session: Session,
}

impl Streaming {
    /// Starts the query, and answers with its first rows at hand. Dropped midway, the query is cancelled.
    pub(super) async fn open(stream: Stream) -> Result<(Self, Vec<ColumnInfo>), Error> {
        let (opened, columns) = oneshot::channel();
        let (demands, demanded) = mpsc::channel(1);
        let task = tokio::spawn(stream.run(opened, demanded));
        let streaming = Self { demands, task };
        match columns.await {
            Ok(Ok(columns)) => Ok((streaming, columns)),
            Ok(Err(failed)) => Err(streaming.after(Some(failed.error)).await),
            Err(_) => Err(streaming.after(None).await),
        }
    }

    /// The next batch; none at the end. After that, or an error, only [`Self::close`] makes sense.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>, Option<Error>> {
        let (demand, batch) = oneshot::channel();
        if self.demands.send(demand).await.is_err() {
            return Err(None);
        }
        match batch.await {
            Ok(Ok(batch)) => Ok(batch),
            Ok(Err(failed)) => Err(Some(failed.error)),
            Err(_) => Err(None),
        }
    }

    /// Cancels what still runs and waits until the connection went back.
    pub(super) async fn close(self) {
        let Self { demands, task } = self;
        drop(demands);
        // The task ends by itself; that it panicked is in the log, and its connection closed.
        let _ = task.await;
    }

    /// What a failure was, when the connection went back.
    pub(super) async fn after(self, error: Option<Error>) -> Error {
        let Self { demands, task } = self;
        drop(demands);
        match (task.await, error) {
            (Ok(true), _) | (_, None) => taken_back("a cursor"),
            (_, Some(error)) => error,
        }
    }
}

impl Stream {
    async fn run(mut self, opened: Opened, mut demanded: mpsc::Receiver<Demand>) -> bool {
        if self.touches_session {
            self.lease.touch();
        }
        let revocation = self.lease.revocation();
        let Ok(mut operation) = self.lease.operation(Some(&self.sql)) else {
            return true;
        };
        let request = Request {
            sql: &self.sql,
            parameters: &self.parameters,
            kind: StatementKind::Query,
            author: Author::Plugin,
            limits: self.limits,
            rows: true,
        };
        let before = operation.setting();
        let result = match &mut *operation {
            Connection::Sqlite(connection) => {
                let work = async {
                    connection.set_for(&self.session).await?;
                    connection.stream(request, opened, &mut demanded).await
                };
                within(&revocation, None, work).await
            }
            Connection::Postgresql(_) => Some(Err(Failed::ours(Error::invalid(
                "PostgreSQL has cursors of its own",
            )))),
        };
        let broken = match result {
            Some(Ok(())) => None,
            Some(Err(failed)) => Some(failed.error),
            None => {
                drop(operation);
                return true;
            }
        };
        let setting = operation.setting();
        operation.complete();
        if setting != before {
            self.lease.set_for(setting);
        }
        if let Some(error) = broken {
            self.lease.break_off(error);
        }
        let revoked = self.lease.is_revoked();
        self.lease.release().await;
        revoked
    }
}
