//! Which plugins there are at one moment, and who gives whom what. A call chain works in one generation from its beginning to its
//! end, so that no chain is answered by two versions of one plugin.

use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::error::CallError;
use crate::links::{Provider, Resolved, Waiting};
use crate::plugin::{Plugin, PluginId};
use crate::scope::Scope;

/// Plugins that are linked to each other. Never changes: another set of plugins is another generation, which shares with this
/// one what both have.
#[derive(Default)]
pub(crate) struct Generation {
    members: BTreeMap<Arc<str>, Arc<Member>>,
    /// Their names, each behind those that it imports from.
    order: Vec<Arc<str>>,
    /// Of each importer, in the order of its links; none where nobody answers.
    providers: HashMap<PluginId, Vec<Option<Provider>>>,
    waiting: Vec<Waiting>,
}

/// A plugin's membership of one generation or several that follow each other. It ends with the last of them, when no call chain
/// can reach the plugin any more.
pub(crate) struct Member {
    pub(crate) plugin: Arc<Plugin>,
    /// Dropped with the membership.
    _alive: oneshot::Sender<()>,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Member {
    pub(crate) fn new(plugin: Arc<Plugin>) -> Arc<Self> {
        let (alive, ended) = oneshot::channel();
        Arc::new(Self {
            plugin,
            _alive: alive,
            ended: Mutex::new(Some(ended)),
        })
    }

    /// What resolves when the membership has ended; none the second time.
    pub(crate) fn ended(&self) -> Option<oneshot::Receiver<()>> {
        self.ended.lock().take()
    }
}

impl Generation {
    /// Those that are ready, each with its membership.
    pub(crate) fn of(resolved: &Resolved, member: impl Fn(&Arc<Plugin>) -> Arc<Member>) -> Self {
        let mut generation = Self {
            waiting: resolved.waiting.clone(),
            ..Self::default()
        };
        for plugin in &resolved.ready {
            let name = plugin.name();
            generation.order.push(Arc::clone(name));
            if let Some(providers) = resolved.providers.get(&plugin.id()) {
                let providers = providers.clone();
                generation.providers.insert(plugin.id(), providers);
            }
            generation.members.insert(Arc::clone(name), member(plugin));
        }
        generation
    }

    /// A generation in which a plugin that is no member any more can still reach others.
    pub(crate) fn with_guest(&self, plugin: &Plugin) -> Self {
        let plugins: Vec<_> = self.plugins().cloned().collect();
        let mut providers = self.providers.clone();
        providers.insert(plugin.id(), crate::links::providers(plugin, &plugins));
        Self {
            members: self.members.clone(),
            order: self.order.clone(),
            providers,
            waiting: Vec::new(),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Plugin>> {
        self.members.get(name).map(|member| &member.plugin)
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Arc<Member>> {
        self.members.get(name)
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.values()
    }

    /// All of them, in order of name.
    pub(crate) fn plugins(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.members.values().map(|member| &member.plugin)
    }

    /// All of them, each behind those that it imports from.
    pub(crate) fn in_order(&self) -> impl DoubleEndedIterator<Item = &Arc<Plugin>> {
        self.order.iter().filter_map(|name| self.get(name))
    }

    /// Who answers the importer's link of that number.
    pub(crate) fn provider(&self, importer: PluginId, link: usize) -> Option<&Provider> {
        self.providers.get(&importer)?.get(link)?.as_ref()
    }

    /// Those that were left out, for nobody exports what they import.
    pub(crate) fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    /// Whether the very same plugin is a member.
    pub(crate) fn has(&self, plugin: &Plugin) -> bool {
        self.get(plugin.name())
            .is_some_and(|member| member.id() == plugin.id())
    }
}

/// A plugin among the others of its moment. While this lives, a plugin that has been replaced or taken away since goes on
/// answering, for as long as `drain_timeout`: so it is to be had anew for each call chain.
#[derive(Clone)]
pub struct Pinned {
    generation: Arc<Generation>,
    plugin: Arc<Plugin>,
}

impl Pinned {
    pub(crate) fn new(generation: &Arc<Generation>, plugin: &Arc<Plugin>) -> Self {
        Self {
            generation: Arc::clone(generation),
            plugin: Arc::clone(plugin),
        }
    }

    /// A new call chain with the plugin's own `call_timeout`, among the plugins of this moment.
    pub fn scope(&self) -> Arc<Scope> {
        let scope = self.plugin.scope();
        self.pin(&scope);
        scope
    }

    /// Lets a chain that has no generation yet work in this one.
    pub(crate) fn pin(&self, scope: &Scope) {
        scope.pin(&self.generation);
    }

    pub(crate) fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// The plugin of this name in the chain's own generation, which is this one if the chain has none yet.
    ///
    /// # Errors
    /// [`CallError::Gone`] where the chain began when there was no such plugin.
    pub(crate) fn within(&self, scope: &Scope) -> Result<Arc<Plugin>, CallError> {
        let generation = scope.pin(&self.generation);
        if Arc::ptr_eq(generation, &self.generation) {
            return Ok(Arc::clone(&self.plugin));
        }
        generation
            .get(self.plugin.name())
            .cloned()
            .ok_or_else(|| CallError::Gone {
                plugin: Arc::clone(self.plugin.name()),
            })
    }
}

impl Deref for Pinned {
    type Target = Plugin;

    fn deref(&self) -> &Plugin {
        &self.plugin
    }
}
