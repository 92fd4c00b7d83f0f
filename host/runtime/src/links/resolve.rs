//! Finds for every plugin of a folder who exports what it imports, and in which order they start.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::component::OfferedInterface;
use crate::error::LoadError;
use crate::plugin::Plugin;

use super::Link;

/// A plugin that can't be used until another one is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Who waits.
    pub plugin: Arc<str>,
    /// The interface that it waits for, with its version.
    pub interface: String,
    /// What there is instead: another version, a plugin that itself waits; empty where there is nothing.
    pub instead: String,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            plugin,
            interface,
            instead,
        } = self;
        if instead.is_empty() {
            write!(
                f,
                "plugin \"{plugin}\" waits for a plugin that exports {interface}: put one into the folder"
            )
        } else {
            write!(f, "plugin \"{plugin}\" waits for {interface}: {instead}")
        }
    }
}

/// What became of the plugins of a folder.
#[derive(Default)]
pub(crate) struct Resolved {
    /// Those that have all they import, each after those that it imports from, but for circles.
    pub(crate) ready: Vec<Arc<Plugin>>,
    pub(crate) waiting: Vec<Waiting>,
    /// Those that can't be linked as things stand.
    pub(crate) wrong: Vec<LoadError>,
}

impl Resolved {
    /// Leaves out what one plugin does not import from, directly or through others.
    pub(crate) fn keep_needed_by(&mut self, only: &str) {
        let mut needed: Vec<Arc<str>> = vec![only.into()];
        let mut at = 0;
        while let Some(name) = needed.get(at).cloned() {
            let plugin = self.ready.iter().find(|plugin| *plugin.name() == name);
            let links = plugin.map(|plugin| plugin.links()).unwrap_or_default();
            for provider in links.iter().filter_map(|link| link.provider()) {
                if !needed.contains(provider.name()) {
                    needed.push(Arc::clone(provider.name()));
                }
            }
            at += 1;
        }
        self.ready.retain(|plugin| needed.contains(plugin.name()));
        // One that waits for a plugin that can't be linked is to be told of that, too.
        if self.ready.iter().any(|plugin| **plugin.name() == *only) {
            self.wrong.clear();
            self.waiting.clear();
        }
    }
}

/// Links the plugins to each other.
pub(crate) fn resolve(plugins: &[Arc<Plugin>]) -> Resolved {
    let mut resolved = Resolved::default();
    let mut linked: BTreeMap<Arc<str>, Arc<Plugin>> = BTreeMap::new();
    for plugin in plugins {
        let trouble = plugin
            .links()
            .iter()
            .find_map(|link| bind(plugin, link, plugins).err());
        match trouble {
            None => {
                linked.insert(Arc::clone(plugin.name()), Arc::clone(plugin));
            }
            Some(Trouble::Wait(waiting)) => resolved.waiting.push(waiting),
            Some(Trouble::Wrong(error)) => resolved.wrong.push(*error),
        }
    }
    // Whoever needs one that waits, waits too.
    while let Some((name, waiting)) = linked
        .values()
        .find_map(|plugin| needs_absent(plugin, &linked))
    {
        linked.remove(&name);
        resolved.waiting.push(waiting);
    }
    let names: Vec<Arc<str>> = linked.keys().cloned().collect();
    for name in names {
        start_after_providers(&name, &mut linked, &mut resolved.ready);
    }
    resolved
}

/// Who would give one interface that a plugin imports.
///
/// # Errors
/// Why nobody does, in a sentence.
pub(crate) fn source(
    importer: &Plugin,
    link: &Link,
    plugins: &[Arc<Plugin>],
) -> Result<Arc<str>, String> {
    match bind(importer, link, plugins) {
        Ok(()) => link
            .provider()
            .map(|provider| Arc::clone(provider.name()))
            .ok_or_else(|| format!("the plugin that exports {} has gone", link.interface)),
        Err(Trouble::Wait(waiting)) => Err(waiting.to_string()),
        Err(Trouble::Wrong(error)) => Err(error.to_string()),
    }
}

enum Trouble {
    Wait(Waiting),
    Wrong(Box<LoadError>),
}

/// Finds the one plugin that exports what the link wants.
fn bind(importer: &Plugin, link: &Link, plugins: &[Arc<Plugin>]) -> Result<(), Trouble> {
    let wrong = |reason: String| {
        Trouble::Wrong(Box::new(LoadError::Link {
            plugin: Arc::clone(importer.name()),
            interface: link.interface.full().to_owned(),
            reason,
        }))
    };
    let wait = |instead: String| {
        Trouble::Wait(Waiting {
            plugin: Arc::clone(importer.name()),
            interface: link.interface.full().to_owned(),
            instead,
        })
    };
    let chosen = importer.chosen(&link.interface);
    let candidates: Vec<_> = plugins
        .iter()
        .filter(|plugin| match chosen {
            Some(chosen) => **plugin.name() == *chosen,
            // A plugin may stand before another one of the same interface: it does not mean itself.
            None => plugin.name() != importer.name(),
        })
        .map(|plugin| (plugin, fitting(plugin, link)))
        .filter(|(_, offered)| !offered.is_empty())
        .collect();
    match candidates.as_slice() {
        [(plugin, offered)] => bind_newest(plugin, link, offered).map_err(wrong),
        [] => Err(wait(instead(importer, link, chosen, plugins))),
        several => {
            let names: Vec<_> = several
                .iter()
                .map(|(plugin, _)| format!("\"{}\"", plugin.name()))
                .collect();
            let (bare, key) = (
                link.interface.bare(),
                poolhouse_database::toml_key(importer.name()),
            );
            let first = several.first().map_or("", |(plugin, _)| plugin.name());
            Err(wrong(format!(
                "the plugins {} export it: say which one to use in [plugins.{key}.use] of host.toml, \
                 for example \"{bare}\" = \"{first}\"",
                names.join(" and ")
            )))
        }
    }
}

/// Those of a plugin's exports that the link can be given by their versions, the newest first.
fn fitting<'a>(plugin: &'a Plugin, link: &Link) -> Vec<&'a OfferedInterface> {
    let mut fitting: Vec<_> = plugin
        .offered()
        .iter()
        .filter(|offered| link.interface.is_satisfied_by(&offered.name))
        .collect();
    fitting.sort_by(|a, b| b.name.version().cmp(&a.name.version()));
    fitting
}

/// Binds the newest whose types are the same.
///
/// # Errors
/// What is wrong with the newest, if none is.
fn bind_newest(
    plugin: &Arc<Plugin>,
    link: &Link,
    offered: &[&OfferedInterface],
) -> Result<(), String> {
    let mut first = None;
    for offered in offered {
        match link.bind(plugin, offered) {
            Ok(()) => return Ok(()),
            Err(reason) => {
                first.get_or_insert(reason);
            }
        }
    }
    first.map_or(Ok(()), Err)
}

/// Why nobody was found, where there is more to say than that.
fn instead(
    importer: &Plugin,
    link: &Link,
    chosen: Option<&str>,
    plugins: &[Arc<Plugin>],
) -> String {
    let key = poolhouse_database::toml_key(importer.name());
    let near: Vec<_> = plugins
        .iter()
        .filter(|plugin| plugin.name() != importer.name())
        .flat_map(|plugin| {
            plugin
                .offered()
                .iter()
                .map(move |offered| (plugin, offered))
        })
        .filter(|(_, offered)| offered.name.bare() == link.interface.bare())
        .map(|(plugin, offered)| format!("plugin \"{}\" exports {}", plugin.name(), offered.name))
        .collect();
    let near = near.join(" and ");
    match chosen {
        Some(chosen) if plugins.iter().any(|plugin| **plugin.name() == *chosen) => format!(
            "[plugins.{key}.use] in host.toml names plugin \"{chosen}\", which does not export it in a version that fits{}",
            if near.is_empty() {
                String::new()
            } else {
                format!(" ({near})")
            }
        ),
        Some(chosen) => format!(
            "[plugins.{key}.use] in host.toml names plugin \"{chosen}\", which is not in the folder"
        ),
        None if near.is_empty() => String::new(),
        None => format!("{near}, which is not a version that fits"),
    }
}

/// The plugin waits if one that it imports from is not among those that are linked.
fn needs_absent(
    plugin: &Arc<Plugin>,
    linked: &BTreeMap<Arc<str>, Arc<Plugin>>,
) -> Option<(Arc<str>, Waiting)> {
    plugin.links().iter().find_map(|link| {
        let provider = link.provider()?;
        if linked.contains_key(provider.name()) {
            return None;
        }
        Some((
            Arc::clone(plugin.name()),
            Waiting {
                plugin: Arc::clone(plugin.name()),
                interface: link.interface.full().to_owned(),
                instead: format!(
                    "plugin \"{}\" exports it and can't be used itself yet",
                    provider.name()
                ),
            },
        ))
    })
}

/// Moves a plugin into the order, behind those that it imports from. It is taken out first, so a circle ends.
fn start_after_providers(
    name: &str,
    linked: &mut BTreeMap<Arc<str>, Arc<Plugin>>,
    order: &mut Vec<Arc<Plugin>>,
) {
    let Some(plugin) = linked.remove(name) else {
        return;
    };
    for link in plugin.links() {
        if let Some(provider) = link.provider() {
            start_after_providers(provider.name(), linked, order);
        }
    }
    order.push(plugin);
}
