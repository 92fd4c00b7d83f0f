//! Calls any exported function of plain data by name, with arguments and results as WAVE text.

use std::sync::Arc;

use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::wasm_wave::wasm::DisplayType;
use wasmtime::component::{ComponentExportIndex, Type, Val};

use crate::component::functions_of;
use crate::engine::Engine;
use crate::error::{CallError, LONGEST_MESSAGE, shortened};
use crate::generation::Pinned;
use crate::interface_name::InterfaceName;
use crate::plain_data::{signature, takes_or_gives_resource};
use crate::plugin::Plugin;
use crate::scope::Scope;

/// What a call by name gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The result as WAVE; none for a function without one.
    pub text: Option<String>,
    /// Where the function answered `err(…)`: the message in it for a person, or all of it as WAVE.
    pub failure: Option<String>,
}

/// A function as it was found in the component.
struct Found {
    name: String,
    index: ComponentExportIndex,
    ty: ComponentFunc,
}

impl Pinned {
    /// Calls `path`, which is `FUNCTION` or `INTERFACE.FUNCTION`; the interface's package and version may be left out.
    /// Each argument is one WAVE value; a text may go without its quotes.
    ///
    /// # Errors
    /// [`CallError::Refused`] before anything runs for a wrong name, a wrong argument or a function with
    /// resources; the others as for every call.
    pub async fn call_by_name(
        &self,
        engine: &Engine,
        scope: &Arc<Scope>,
        path: &str,
        arguments: &[String],
    ) -> Result<Answer, CallError> {
        let plugin = self.within(scope)?;
        let found = plugin.find(engine, path)?;
        let params = plugin.parse(&found, arguments)?;
        let results = found.ty.results().len();
        let index = found.index;
        let values = plugin
            .call(scope, &plugin.call_of(path), move |store, instance| {
                Box::pin(async move {
                    let function = instance
                        .get_func(&mut *store, index)
                        .ok_or_else(|| wasmtime::format_err!("the export has gone"))?;
                    let mut values = vec![Val::Bool(false); results];
                    function.call_async(store, &params, &mut values).await?;
                    Ok(values)
                })
            })
            .await?;
        let text = values
            .first()
            .map(|value| {
                value
                    .to_wave()
                    .map_err(|error| CallError::Refused(error.to_string()))
            })
            .transpose()?;
        let failure = match values.first() {
            Some(Val::Result(Err(error))) => {
                Some(error.as_deref().and_then(message).or_else(|| text.clone()))
            }
            _ => None,
        };
        Ok(Answer {
            text,
            failure: failure.map(|text| shortened(text.unwrap_or_default(), LONGEST_MESSAGE)),
        })
    }
}

impl Plugin {
    /// The functions that can be called by name, as `INTERFACE.FUNCTION(…)`, in the component's order.
    pub fn functions(&self, engine: &Engine) -> Vec<String> {
        self.callable(engine)
            .iter()
            .map(|found| format!("{}{}", found.name, signature(&found.ty)))
            .collect()
    }

    fn find(&self, engine: &Engine, path: &str) -> Result<Found, CallError> {
        let functions = self.callable(engine);
        let mut matching: Vec<Found> = functions
            .into_iter()
            .filter(|found| is_named(&found.name, path))
            .collect();
        if matching.len() > 1 {
            let names: Vec<_> = matching.iter().map(|found| found.name.as_str()).collect();
            return Err(CallError::Refused(format!(
                "\"{path}\" could be any of {}: write more of its name",
                names.join(", ")
            )));
        }
        let Some(found) = matching.pop() else {
            let functions = self.callable(engine);
            let names: Vec<_> = functions.iter().map(|found| short(&found.name)).collect();
            return Err(CallError::Refused(if names.is_empty() {
                format!(
                    "plugin \"{}\" exports no function that can be called",
                    self.name()
                )
            } else {
                format!(
                    "plugin \"{}\" exports no function \"{path}\"; it has {}",
                    self.name(),
                    names.join(", ")
                )
            }));
        };
        if takes_or_gives_resource(&found.ty) || found.name.contains('[') {
            return Err(CallError::Refused(format!(
                "{} of plugin \"{}\" takes or gives a resource, which lives only inside a host: it can't be called \
                 from a command line",
                found.name,
                self.name()
            )));
        }
        Ok(found)
    }

    fn parse(&self, found: &Found, arguments: &[String]) -> Result<Vec<Val>, CallError> {
        let params: Vec<_> = found.ty.params().collect();
        if params.len() != arguments.len() {
            return Err(CallError::Refused(format!(
                "{}{} takes {} arguments, not {}",
                short(&found.name),
                signature(&found.ty),
                params.len(),
                arguments.len()
            )));
        }
        params
            .iter()
            .zip(arguments)
            .map(|((name, ty), argument)| {
                if matches!(ty, Type::String) && !argument.starts_with('"') {
                    return Ok(Val::String(argument.clone()));
                }
                Val::from_wave(ty, argument).map_err(|error| {
                    CallError::Refused(format!(
                        "argument `{name}` of {} is not a {}: {error}",
                        short(&found.name),
                        DisplayType(ty)
                    ))
                })
            })
            .collect()
    }

    fn callable(&self, engine: &Engine) -> Vec<Found> {
        let component = self.component();
        let ty = component.component_type();
        let mut functions = Vec::new();
        for (name, item) in ty.exports(engine.wasmtime()) {
            match item.ty {
                ComponentItem::ComponentFunc(ty) => {
                    if let Some(index) = component.get_export_index(None, name) {
                        functions.push(Found {
                            name: name.to_owned(),
                            index,
                            ty,
                        });
                    }
                }
                ComponentItem::ComponentInstance(interface) => {
                    let Some(parent) = component.get_export_index(None, name) else {
                        continue;
                    };
                    let exported = functions_of(engine, component, &parent, &interface);
                    functions.extend(exported.into_iter().map(|(function, ty, index)| Found {
                        name: format!("{name}.{function}"),
                        index,
                        ty,
                    }));
                }
                _ => {}
            }
        }
        functions
    }
}

/// `name` is whole, `path` may lack the package, the version, or both.
fn is_named(name: &str, path: &str) -> bool {
    if name == path {
        return true;
    }
    let (Some((interface, function)), Some((asked, asked_function))) =
        (name.rsplit_once('.'), path.rsplit_once('.'))
    else {
        return false;
    };
    let interface = InterfaceName::parse(interface);
    let names = [interface.full(), interface.bare(), interface.short()];
    function == asked_function && names.contains(&asked)
}

/// What an error says to a person: a text, or a record's field `message`.
fn message(error: &Val) -> Option<String> {
    match error {
        Val::String(message) => Some(message.clone()),
        Val::Record(fields) => fields.iter().find_map(|(name, value)| match value {
            Val::String(message) if name == "message" => Some(message.clone()),
            _ => None,
        }),
        _ => None,
    }
}

/// The name without package and version.
fn short(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((interface, function)) => {
            format!("{}.{function}", InterfaceName::parse(interface).short())
        }
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_named;

    #[test]
    fn a_path_may_leave_out_package_and_version() {
        let name = "poolhouse:trading/user-service@0.1.0.list-active";
        for path in [
            name,
            "poolhouse:trading/user-service.list-active",
            "user-service.list-active",
            "user-service@0.1.0.list-active",
        ] {
            let named = is_named(name, path);
            assert_eq!(named, path != "user-service@0.1.0.list-active", "{path}");
        }
        assert!(!is_named(name, "list-active"));
        assert!(!is_named(name, "service.list-active"));
        assert!(is_named("run", "run"));
    }
}
