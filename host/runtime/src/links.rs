//! Interfaces that one plugin has from another: offering them to the importer, and finding who exports them.

mod call;
mod resolve;

use std::sync::Arc;

use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{ComponentExportIndex, Linker};

use crate::component::{OfferedInterface, WantedInterface};
use crate::interface_name::InterfaceName;
use crate::plain_data::signature;
use crate::plugin::{Plugin, PluginId};
use crate::state::PluginState;
use crate::wasm_file::quoted;

pub(crate) use call::Caller;
use call::FailureForm;
pub use resolve::Waiting;
pub(crate) use resolve::{Resolved, providers, resolve, source};

/// One interface that a plugin imports from whichever plugin exports it. Who that is, the generation says that a call chain
/// works in.
pub(crate) struct Link {
    pub(crate) importer: Arc<str>,
    importer_id: PluginId,
    /// Its place among the importer's links.
    at: usize,
    pub(crate) interface: InterfaceName,
    functions: Vec<LinkedFunction>,
}

struct LinkedFunction {
    name: String,
    /// With the interface, for messages.
    shown: Arc<str>,
    ty: ComponentFunc,
    failure: FailureForm,
}

/// Who answers.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) plugin: Arc<Plugin>,
    /// In the order of the link's functions.
    functions: Arc<[ComponentExportIndex]>,
}

impl Link {
    pub(crate) fn new(
        importer: &Arc<str>,
        importer_id: PluginId,
        at: usize,
        wanted: WantedInterface,
    ) -> Arc<Self> {
        let functions = wanted
            .functions
            .into_iter()
            .map(|(name, ty)| LinkedFunction {
                shown: format!("{}.{}", wanted.name.short(), quoted(&name)).into(),
                failure: FailureForm::of(&ty),
                name,
                ty,
            })
            .collect();
        Arc::new(Self {
            importer: Arc::clone(importer),
            importer_id,
            at,
            interface: wanted.name,
            functions,
        })
    }

    /// Offers the interface to the importer.
    pub(crate) fn add_to_linker(
        self: &Arc<Self>,
        linker: &mut Linker<PluginState>,
    ) -> wasmtime::Result<()> {
        let mut instance = linker.instance(self.interface.full())?;
        for (at, function) in self.functions.iter().enumerate() {
            let link = Arc::clone(self);
            instance.func_new_async(&function.name, move |store, _, params, results| {
                let link = Arc::clone(&link);
                Box::new(async move { link.call(at, store, params, results).await })
            })?;
        }
        Ok(())
    }

    /// How `plugin` would answer.
    ///
    /// # Errors
    /// Which function it has not, or has with other types.
    pub(crate) fn bind(
        &self,
        plugin: &Arc<Plugin>,
        offered: &OfferedInterface,
    ) -> Result<Provider, String> {
        let functions = self
            .functions
            .iter()
            .map(|wanted| {
                let offer = offered
                    .functions
                    .iter()
                    .find(|(name, ..)| *name == wanted.name);
                let Some((_, ty, index)) = offer else {
                    return Err(format!(
                        "plugin \"{}\" exports {} without the function `{}`; build both against the same WIT",
                        plugin.name(),
                        offered.name,
                        quoted(&wanted.name)
                    ));
                };
                if !is_same(&wanted.ty, ty) {
                    return Err(format!(
                        "its function `{}` is wanted as {} and plugin \"{}\" has it as {}; build both against the same WIT",
                        quoted(&wanted.name),
                        quoted(&signature(&wanted.ty)),
                        plugin.name(),
                        quoted(&signature(ty))
                    ));
                }
                Ok(*index)
            })
            .collect::<Result<_, _>>()?;
        Ok(Provider {
            plugin: Arc::clone(plugin),
            functions,
        })
    }
}

/// Whether parameters and results are the same, in name and type.
fn is_same(wanted: &ComponentFunc, offered: &ComponentFunc) -> bool {
    wanted.params().eq(offered.params()) && wanted.results().eq(offered.results())
}
