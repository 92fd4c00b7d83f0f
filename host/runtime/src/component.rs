//! One component file that was read and compiled: what it imports and exports, before it is linked to anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex};

use crate::engine::Engine;
use crate::error::LoadError;
use crate::interface_name::InterfaceName;
use crate::plain_data::takes_or_gives_resource;

/// A component that is not linked yet. Nothing of it has run.
pub(crate) struct ComponentFile {
    /// The file's name without `.wasm`.
    pub(crate) name: Arc<str>,
    pub(crate) file: PathBuf,
    pub(crate) component: Component,
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
    /// Reads and compiles one file. Takes a processor for the tenth of a second that a small component needs.
    ///
    /// # Errors
    /// Where the file is not a component, or imports what nobody can give it; the error names the file and what to do.
    pub(crate) fn read(engine: &Engine, file: &Path) -> Result<Self, LoadError> {
        let component = compile(engine, file)?;
        Ok(Self {
            name: name_of(file).into(),
            file: file.to_owned(),
            wanted: wanted(engine, &component, file)?,
            offered: offered(engine, &component),
            component,
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

/// A plugin's name: its file's without `.wasm`.
pub(crate) fn name_of(file: &Path) -> String {
    file.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn wanted(
    engine: &Engine,
    component: &Component,
    file: &Path,
) -> Result<Vec<WantedInterface>, LoadError> {
    let ty = component.component_type();
    let mut wanted = Vec::new();
    for (name, item) in ty.imports(engine.wasmtime()) {
        if is_offered(name) {
            continue;
        }
        let refused = |reason: &str| LoadError::Import {
            file: file.to_owned(),
            import: name.to_owned(),
            reason: reason.to_owned(),
        };
        // No plugin stands in for the system, and what a plugin exports for the host's sake the host alone calls.
        if name.starts_with("wasi:") || is_for_host(name) {
            return Err(refused(OFFER));
        }
        let ComponentItem::ComponentInstance(interface) = item.ty else {
            return Err(refused(
                "it is no interface; put it into one, which another plugin then exports",
            ));
        };
        let functions = match functions_of_plain_data(engine, &interface) {
            Ok(functions) => functions,
            Err(_) if name.starts_with("poolhouse:") => return Err(refused(OFFER)),
            Err(resource) => {
                return Err(refused(&format!(
                    "{resource} is a resource, a handle that lives only inside the plugin that made it and can't \
                     cross to another: pass plain data instead, such as an id"
                )));
            }
        };
        // Types alone need nobody to give them.
        if !functions.is_empty() {
            wanted.push(WantedInterface {
                name: InterfaceName::parse(name),
                functions,
            });
        }
    }
    Ok(wanted)
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
            _ => return Err(format!("`{name}`")),
        }
    }
    Ok(functions)
}

/// The interfaces that the component exports, but for those that only the host calls.
fn offered(engine: &Engine, component: &Component) -> Vec<OfferedInterface> {
    let ty = component.component_type();
    let mut offered = Vec::new();
    for (name, item) in ty.exports(engine.wasmtime()) {
        if is_for_host(name) {
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
fn is_for_host(interface: &str) -> bool {
    let name = InterfaceName::parse(interface);
    ["poolhouse:plugin/lifecycle", "poolhouse:plugin/migrations"].contains(&name.bare())
}

fn compile(engine: &Engine, file: &Path) -> Result<Component, LoadError> {
    let bytes = std::fs::read(file).map_err(|cause| LoadError::Unreadable {
        file: file.to_owned(),
        cause,
    })?;
    let not_a_component = |reason: String| LoadError::NotAComponent {
        file: file.to_owned(),
        reason,
    };
    // The four bytes after the magic number tell a core module from a component.
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', 0x0d, 0, 1, 0]) => {}
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => {
            return Err(not_a_component(
                "it is a core WebAssembly module; build it for the target wasm32-wasip2, or wrap it with \
                 `wasm-tools component new`"
                    .to_owned(),
            ));
        }
        Some([0, b'a', b's', b'm', ..]) => {
            return Err(not_a_component(
                "its binary version is unknown; build it with a toolchain of component model 1.0"
                    .to_owned(),
            ));
        }
        _ => {
            return Err(not_a_component(
                "it does not begin like one; take it out of the folder, or build it again"
                    .to_owned(),
            ));
        }
    }
    Component::from_binary(engine.wasmtime(), &bytes).map_err(|error| {
        not_a_component(format!(
            "it is damaged ({}); build it again",
            one_line(&error)
        ))
    })
}

/// What the host itself has for plugins.
pub(crate) const OFFER: &str = "a plugin may import poolhouse:database/database and WASI 0.2, of the versions in wit/, \
     and interfaces of plain data that other plugins export";

fn is_offered(import: &str) -> bool {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    match interface.split_once(':') {
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

pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    error
        .chain()
        .map(|cause| cause.to_string().replace('\n', " "))
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use super::is_offered;

    #[test]
    fn offers_are_by_package_and_version() {
        for (import, offered) in [
            ("wasi:cli/stdout@0.2.6", true),
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
