//! Finds for every plugin of a folder who exports what it imports, and in which order they start.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::component::OfferedInterface;
use crate::error::LoadError;
use crate::plugin::{Plugin, PluginId};

use super::{Link, Provider};

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
    /// Those that have all they import, or run already, each after those that it imports from, but for circles.
    pub(crate) ready: Vec<Arc<Plugin>>,
    /// Who answers the links of each of them; none where nobody does.
    pub(crate) providers: HashMap<PluginId, Vec<Option<Provider>>>,
    pub(crate) waiting: Vec<Waiting>,
    /// Those that can't be linked as things stand.
    pub(crate) wrong: Vec<LoadError>,
    /// What those that run already would have to do without.
    pub(crate) lost: Vec<Lost>,
}

/// An interface that nobody would give any more to one that runs.
pub(crate) struct Lost {
    pub(crate) importer: PluginId,
    /// The link's place among the importer's.
    pub(crate) link: usize,
    /// Why not, in a sentence.
    pub(crate) reason: String,
}

impl Resolved {
    /// Leaves out what one plugin does not import from, directly or through others.
    pub(crate) fn keep_needed_by(&mut self, only: &str) {
        let mut needed: Vec<Arc<str>> = vec![only.into()];
        let mut at = 0;
        while let Some(name) = needed.get(at).cloned() {
            let plugin = self.ready.iter().find(|plugin| *plugin.name() == name);
            let providers = plugin.and_then(|plugin| self.providers.get(&plugin.id()));
            for provider in providers.into_iter().flatten().flatten() {
                if !needed.contains(provider.plugin.name()) {
                    needed.push(Arc::clone(provider.plugin.name()));
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

/// Links the plugins to each other. One that `runs` already stays, whatever it would have to do without.
pub(crate) fn resolve(plugins: &[Arc<Plugin>], runs: impl Fn(&Plugin) -> bool) -> Resolved {
    let mut resolved = Resolved::default();
    let mut linked: BTreeMap<Arc<str>, Arc<Plugin>> = BTreeMap::new();
    for plugin in plugins {
        let bound: Vec<_> = plugin
            .links()
            .iter()
            .map(|link| bind(plugin, link, plugins))
            .collect();
        let stays = runs(plugin);
        let mut providers = Vec::with_capacity(bound.len());
        let mut trouble = None;
        for (link, bound) in bound.into_iter().enumerate() {
            match bound {
                Ok(provider) => providers.push(Some(provider)),
                Err(error) if stays => {
                    resolved.lost.push(Lost {
                        importer: plugin.id(),
                        link,
                        reason: error.to_string(),
                    });
                    providers.push(None);
                }
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            }
        }
        match trouble {
            None => {
                linked.insert(Arc::clone(plugin.name()), Arc::clone(plugin));
                resolved.providers.insert(plugin.id(), providers);
            }
            Some(Trouble::Wait(waiting)) => resolved.waiting.push(waiting),
            Some(Trouble::Wrong(error)) => resolved.wrong.push(*error),
        }
    }
    // Whoever needs one that waits, waits too.
    while let Some((plugin, link, waiting)) = linked
        .values()
        .find_map(|plugin| needs_absent(plugin, &resolved, &linked))
    {
        if runs(&plugin) {
            resolved.lost.push(Lost {
                importer: plugin.id(),
                link,
                reason: waiting.to_string(),
            });
            let providers = resolved.providers.get_mut(&plugin.id());
            if let Some(provider) = providers.and_then(|providers| providers.get_mut(link)) {
                *provider = None;
            }
        } else {
            linked.remove(plugin.name());
            resolved.waiting.push(waiting);
        }
    }
    let names: Vec<Arc<str>> = linked.keys().cloned().collect();
    for name in names {
        start_after_providers(&name, &mut linked, &resolved.providers, &mut resolved.ready);
    }
    resolved
}

/// Who would answer each of a plugin's links; none where nobody would.
pub(crate) fn providers(importer: &Plugin, plugins: &[Arc<Plugin>]) -> Vec<Option<Provider>> {
    let links = importer.links().iter();
    links
        .map(|link| bind(importer, link, plugins).ok())
        .collect()
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
    bind(importer, link, plugins)
        .map(|provider| Arc::clone(provider.plugin.name()))
        .map_err(|trouble| trouble.to_string())
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Wait(Waiting),
    #[error(transparent)]
    Wrong(Box<LoadError>),
}

/// Finds the one plugin that exports what the link wants.
fn bind(importer: &Plugin, link: &Link, plugins: &[Arc<Plugin>]) -> Result<Provider, Trouble> {
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
) -> Result<Provider, String> {
    let mut first = None;
    for offered in offered {
        match link.bind(plugin, offered) {
            Ok(provider) => return Ok(provider),
            Err(reason) => {
                first.get_or_insert(reason);
            }
        }
    }
    Err(first.unwrap_or_default())
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

/// The plugin, and its link, that has to wait because the one that it imports from is not among those that are linked.
fn needs_absent(
    plugin: &Arc<Plugin>,
    resolved: &Resolved,
    linked: &BTreeMap<Arc<str>, Arc<Plugin>>,
) -> Option<(Arc<Plugin>, usize, Waiting)> {
    let providers = resolved.providers.get(&plugin.id())?;
    let links = plugin.links().iter().zip(providers).enumerate();
    links.into_iter().find_map(|(at, (link, provider))| {
        let provider = &provider.as_ref()?.plugin;
        if linked.contains_key(provider.name()) {
            return None;
        }
        let waiting = Waiting {
            plugin: Arc::clone(plugin.name()),
            interface: link.interface.full().to_owned(),
            instead: format!(
                "plugin \"{}\" exports it and can't be used itself yet",
                provider.name()
            ),
        };
        Some((Arc::clone(plugin), at, waiting))
    })
}

/// Moves a plugin into the order, behind those that it imports from. It is taken out first, so a circle ends.
fn start_after_providers(
    name: &str,
    linked: &mut BTreeMap<Arc<str>, Arc<Plugin>>,
    providers: &HashMap<PluginId, Vec<Option<Provider>>>,
    order: &mut Vec<Arc<Plugin>>,
) {
    let Some(plugin) = linked.remove(name) else {
        return;
    };
    for provider in providers.get(&plugin.id()).into_iter().flatten().flatten() {
        start_after_providers(provider.plugin.name(), linked, providers, order);
    }
    order.push(plugin);
}
