//! The trading loop: bars in, signals from strategies, orders through the order manager, each exactly once.

mod desk;
mod history;
mod ledger;
mod orders;
mod parameters;
mod reload;
mod row;
mod summary;

use std::time::Duration;

use anyhow::bail;
use poolhouse_database::{Actor, Grants, Tables};
use poolhouse_runtime::trading::{ConfigLoader, OrderManager, UserService};
use poolhouse_runtime::{Interface, Pinned, Plugins};

pub(crate) use desk::{Desk, Ended};
pub(crate) use orders::client_order_id;
pub(crate) use parameters::check_description;
pub(crate) use reload::{Reload, Reloaded};
pub(crate) use summary::print as print_summary;

/// How long one transaction of the loop, or the seed's, may take in all.
pub(crate) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(60);

/// Characters of an id or symbol: three of them make a client order id, which has to fit into an index.
pub(crate) const LONGEST_ID: usize = 128;

/// Refuses an id that is too long; `what` names it.
///
/// # Errors
/// One sentence with the id's beginning.
pub(crate) fn too_long(what: &str, id: &str) -> anyhow::Result<()> {
    let length = id.chars().count();
    if length > LONGEST_ID {
        let beginning: String = id.chars().take(20).collect();
        bail!(
            "{what} \"{beginning}…\" has {length} characters: {LONGEST_ID} are allowed, shorten it"
        );
    }
    Ok(())
}

/// The three plugins that the loop works with, as they are at one moment: to be found anew for each transaction.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) config_loader: ConfigLoader,
    pub(crate) user_service: UserService,
    pub(crate) order_manager: OrderManager,
}

impl Services {
    /// Finds them by what they export.
    ///
    /// # Errors
    /// Where one is missing or there are two.
    pub(crate) fn find(plugins: &Plugins) -> anyhow::Result<Self> {
        Ok(Self {
            config_loader: only(plugins, Interface::ConfigLoader, ConfigLoader::of)?,
            user_service: only(plugins, Interface::UserService, UserService::of)?,
            order_manager: only(plugins, Interface::OrderManager, OrderManager::of)?,
        })
    }
}

/// The one plugin that exports the interface.
///
/// # Errors
/// Where there is none, or more than one.
pub(crate) fn only<T>(
    plugins: &Plugins,
    interface: Interface,
    client: impl Fn(&Pinned) -> Option<T>,
) -> anyhow::Result<T> {
    let mut exporters = plugins.exporters(interface);
    let first = exporters.next();
    if let (Some(first), Some(second)) = (&first, exporters.next()) {
        bail!(
            "both \"{}\" and \"{}\" export {}: leave one of them in {}",
            first.name(),
            second.name(),
            interface.name(),
            plugins.folder().display()
        );
    }
    match first.as_ref().and_then(client) {
        Some(client) => Ok(client),
        None => {
            let waiting: Vec<_> = plugins.waiting().iter().map(ToString::to_string).collect();
            bail!(
                "no plugin in {} exports {}: {}",
                plugins.folder().display(),
                interface.name(),
                if waiting.is_empty() {
                    "put one there".to_owned()
                } else {
                    waiting.join("; ")
                }
            )
        }
    }
}

/// On whose behalf the host itself begins transactions: it writes nothing, its plugins do.
pub(crate) fn host() -> Actor {
    Actor {
        plugin: "host".into(),
        grants: Grants {
            read: Tables::All,
            write: Tables::None,
            migrate: false,
            ..Grants::default()
        },
        max_rows: 1000,
        max_bytes: 1 << 20,
        statement_timeout: None,
        transaction_timeout: None,
        role: None,
        composes: true,
        tenant: None,
    }
}
