//! The host side of `poolhouse:database`: sessions and transactions of a guest over the connections of its
//! call chain. What a statement means to a database is the database crate's.

mod convert;
mod host;
mod view;

use std::sync::Arc;

use poolhouse_database::{Actor, CursorId, Database, Quota, Tenant, TransactionId};
use wasmtime::component::{HasData, Linker, ResourceTable};

use crate::bindings::poolhouse::database::database as wit;
use crate::scope::Scope;
use crate::state::PluginState;

/// What one instance knows of the database.
pub(crate) struct DatabaseState {
    pub(crate) access: Arc<DatabaseAccess>,
    /// The call chain that the instance works in now; none between calls and while it starts.
    pub(crate) scope: Option<Arc<Scope>>,
    /// Live session, transaction and cursor handles.
    pub(crate) handles: u32,
}

/// What one plugin may do with the database, the same for all its instances.
pub(crate) struct DatabaseAccess {
    pub(crate) plugin: Arc<str>,
    pub(crate) database: Option<Database>,
    /// On whose behalf statements run; none without a grant.
    pub(crate) actor: Option<Actor>,
    /// In whose name the plugin's connections are asked for; none without a grant or a database.
    pub(crate) tenant: Option<Tenant>,
    pub(crate) quota: Quota,
    pub(crate) max_handles: u32,
}

/// A guest's session: which connection its statements use. It holds none itself.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Session {
    /// The session's own number where it is separate.
    separate: Option<u64>,
}

/// A guest's transaction. Once its scope or its level has ended it answers `closed`.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Transaction {
    scope: u64,
    separate: Option<u64>,
    id: TransactionId,
}

/// A guest's cursor. Once its scope has ended it answers `closed`.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Cursor {
    scope: u64,
    separate: Option<u64>,
    id: CursorId,
    columns: Vec<wit::ColumnInfo>,
}

/// The capability's borrowed view of a store.
pub(crate) struct DatabaseView<'a> {
    state: &'a mut DatabaseState,
    table: &'a mut ResourceTable,
}

struct HasDatabase;

impl HasData for HasDatabase {
    type Data<'a> = DatabaseView<'a>;
}

/// Offers `poolhouse:database/database` to every component linked with `linker`.
pub(crate) fn add_to_linker(linker: &mut Linker<PluginState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<PluginState, HasDatabase>(linker, |state| DatabaseView {
        state: &mut state.database,
        table: &mut state.table,
    })
}
