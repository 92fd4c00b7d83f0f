//! One component file that was read and compiled: what it imports and exports, before it is linked to anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex};

use crate::engine::Engine;
use crate::error::LoadError;
use crate::facts::Facts;
use crate::interface_name::InterfaceName;
use crate::plain_data::takes_or_gives_resource;
use crate::plugin::PluginOptions;
use crate::wasm_file::{WasmFile, quoted};

/// Bytes of an interface's name. WIT has no bound; people do.
const LONGEST_NAME: usize = 200;

/// A component that is not linked yet. Nothing of it has run.
pub(crate) struct ComponentFile {
    /// The file's name without `.wasm`.
    pub(crate) name: Arc<str>,
    pub(crate) file: PathBuf,
    pub(crate) component: Component,
    pub(crate) facts: Facts,
    /// What it wants of other plugins.
    pub(crate) wanted: Vec<WantedInterface>,
    /// What other plugins can have of it.
    pub(crate) offered: Vec<OfferedInterface>,
}

/// An interface of plain data that a component imports and the host itself has not.
pub(crate) struct WantedInterface {
    pub(crate) name: InterfaceName,
    pub(crate) functions: Vec<(String, ComponentFunc)>,
}

/// An interface that a component exports.
pub(crate) struct OfferedInterface {
    pub(crate) name: InterfaceName,
    pub(crate) functions: Vec<(String, ComponentFunc, ComponentExportIndex)>,
}

impl ComponentFile {
    /// Reads and compiles one file, if it is the one that it is pinned to.
    ///
    /// # Errors
    /// Where it is another, is not a component, or imports what nobody can give it; the error names the file and what to do.
    pub(crate) fn read(
        engine: &Engine,
        path: &Path,
        options: &PluginOptions,
    ) -> Result<Self, LoadError> {
        let file = WasmFile::read(path)?;
        Self::compile(engine, &file, options)
    }

    /// Compiles a file that was read, if it is the one that it is pinned to.
    ///
    /// # Errors
    /// Those of [`ComponentFile::read`].
    pub(crate) fn compile(
        engine: &Engine,
        file: &WasmFile,
        options: &PluginOptions,
    ) -> Result<Self, LoadError> {
        file.check_pin(options)?;
        let (component, compile_time) = file.compile(engine)?;
        let facts = Facts::of(engine, file, &component, compile_time)?;
        Self::of(engine, component, facts)
    }

    /// # Errors
    /// Where it imports what nobody can give it.
    pub(crate) fn of(
        engine: &Engine,
        component: Component,
        facts: Facts,
    ) -> Result<Self, LoadError> {
        let ty = component.component_type();
        let mut wanted = Vec::new();
        for (name, item) in ty.imports(engine.wasmtime()) {
            match origin(engine, name, item.ty) {
                Origin::Host => {}
                Origin::Plugin(interface) => wanted.push(interface),
                Origin::Nobody(reason) => {
                    return Err(LoadError::Import {
                        file: facts.file,
                        import: quoted(name),
                        reason,
                    });
                }
            }
        }
        Ok(Self {
            name: Arc::clone(&facts.plugin),
            file: facts.file.clone(),
            wanted,
            offered: offered(engine, &component),
            component,
            facts,
        })
    }

    /// Whether the other exports an interface that this one imports, in whatever version, or is named for one.
    pub(crate) fn may_import_from(&self, other: &Self, uses: &BTreeMap<String, String>) -> bool {
        let is_named = uses.values().any(|plugin| **plugin == *other.name);
        is_named
            || self.wanted.iter().any(|wanted| {
                let mut offered = other.offered.iter();
                offered.any(|offered| wanted.name.bare() == offered.name.bare())
            })
    }
}

/// Who can give a component what it imports.
pub(crate) enum Origin {
    Host,
    /// Another plugin, if one exports it.
    Plugin(WantedInterface),
    /// Nobody, for this reason.
    Nobody(String),
}

pub(crate) fn origin(engine: &Engine, name: &str, item: ComponentItem) -> Origin {
    let offer = || Origin::Nobody(OFFER.to_owned());
    if name.len() > LONGEST_NAME {
        return Origin::Nobody(format!(
            "its name has {} bytes, and {LONGEST_NAME} is the most",
            name.len()
        ));
    }
    if is_offered(name) {
        return Origin::Host;
    }
    // No plugin stands in for the system, and what a plugin exports for the host's sake the host alone calls.
    if name.starts_with("wasi:") || is_for_host(name) {
        return offer();
    }
    let ComponentItem::ComponentInstance(interface) = item else {
        return Origin::Nobody(
            "it is no interface; put it into one, which another plugin then exports".to_owned(),
        );
    };
    match functions_of_plain_data(engine, &interface) {
        // Types alone need nobody to give them.
        Ok(functions) if functions.is_empty() => Origin::Host,
        Ok(functions) => Origin::Plugin(WantedInterface {
            name: InterfaceName::parse(name),
            functions,
        }),
        Err(_) if name.starts_with("poolhouse:") => offer(),
        Err(resource) => Origin::Nobody(format!(
            "{resource} is a resource, a handle that lives only inside the plugin that made it and can't cross to \
             another: pass plain data instead, such as an id"
        )),
    }
}

/// The functions of an imported interface.
///
/// # Errors
/// The name of what is no plain data.
fn functions_of_plain_data(
    engine: &Engine,
    interface: &ComponentInstance,
) -> Result<Vec<(String, ComponentFunc)>, String> {
    let mut functions = Vec::new();
    for (name, item) in interface.exports(engine.wasmtime()) {
        match item.ty {
            ComponentItem::ComponentFunc(ty) if !takes_or_gives_resource(&ty) => {
                functions.push((name.to_owned(), ty));
            }
            ComponentItem::Type(_) => {}
            _ => return Err(format!("`{}`", quoted(name))),
        }
    }
    Ok(functions)
}

/// The interfaces that the component exports, but for those that only the host calls.
fn offered(engine: &Engine, component: &Component) -> Vec<OfferedInterface> {
    let ty = component.component_type();
    let mut offered = Vec::new();
    for (name, item) in ty.exports(engine.wasmtime()) {
        // What has no package's name is a matter between a component and its own toolchain.
        if is_for_host(name) || name.len() > LONGEST_NAME || !name.contains(':') {
            continue;
        }
        let (ComponentItem::ComponentInstance(interface), Some(parent)) =
            (item.ty, component.get_export_index(None, name))
        else {
            continue;
        };
        offered.push(OfferedInterface {
            name: InterfaceName::parse(name),
            functions: functions_of(engine, component, &parent, &interface),
        });
    }
    offered
}

/// The functions of an interface that the component exports, and where they are.
pub(crate) fn functions_of(
    engine: &Engine,
    component: &Component,
    parent: &ComponentExportIndex,
    interface: &ComponentInstance,
) -> Vec<(String, ComponentFunc, ComponentExportIndex)> {
    let functions = interface.exports(engine.wasmtime());
    functions
        .filter_map(|(function, item)| {
            let ComponentItem::ComponentFunc(ty) = item.ty else {
                return None;
            };
            let index = component.get_export_index(Some(parent), function)?;
            Some((function.to_owned(), ty, index))
        })
        .collect()
}

/// Whether a plugin exports it for the host, and not for other plugins.
pub(crate) fn is_for_host(interface: &str) -> bool {
    let name = InterfaceName::parse(interface);
    ["poolhouse:plugin/lifecycle", "poolhouse:plugin/migrations"].contains(&name.bare())
}

/// What the host itself has for plugins.
pub(crate) const OFFER: &str = "a plugin may import poolhouse:database/database, wasi:logging/logging and WASI 0.2, of the versions in wit/, \
     and interfaces of plain data that other plugins export";

fn is_offered(import: &str) -> bool {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    match interface.split_once(':') {
        Some(("wasi", "logging/logging")) => version == "0.1.0-draft",
        Some(("wasi", rest)) => {
            let package = rest.split('/').next().unwrap_or_default();
            version.starts_with("0.2.")
                && matches!(
                    package,
                    "cli" | "clocks" | "filesystem" | "io" | "random" | "sockets"
                )
        }
        Some(("poolhouse", rest)) => {
            version.starts_with("0.1.")
                && matches!(
                    rest,
                    "database/database" | "database/types" | "plugin/types" | "trading/types"
                )
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_offered;

    #[test]
    fn offers_are_by_package_and_version() {
        for (import, offered) in [
            ("wasi:cli/stdout@0.2.6", true),
            ("wasi:logging/logging@0.1.0-draft", true),
            ("wasi:logging/logging@0.2.0", false),
            ("wasi:http/types@0.2.6", false),
            ("wasi:cli/stdout@0.3.0", false),
            ("poolhouse:database/database@0.1.0", true),
            ("poolhouse:database/database@0.2.0", false),
            ("poolhouse:trading/user-service@0.1.0", false),
            ("acme:billing/invoice", false),
            ("log", false),
        ] {
            assert_eq!(is_offered(import), offered, "{import}");
        }
    }
}
