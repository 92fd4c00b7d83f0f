//! Typed calls into the trading plugins, and the strategy instances that a trading loop feeds.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::ResourceAny;

use crate::bindings::exports::poolhouse::trading::strategy as wit_strategy;
use crate::error::CallError;
use crate::exports::Interface;
use crate::generation::Pinned;
use crate::instance::{Call, Plain, Running};
use crate::plugin::Plugin;
use crate::scope::Scope;

pub use crate::bindings::exports::poolhouse::trading::config_loader::{
    Parameter as RowParameter, Strategy as StrategyRow,
};
pub use crate::bindings::exports::poolhouse::trading::order_manager::{Mark, Order, Outcome};
pub use crate::bindings::exports::poolhouse::trading::strategy::{
    Description, Parameter, ParameterInfo, ParameterKind, Signal,
};
pub use crate::bindings::exports::poolhouse::trading::user_service::{
    Subscriber, Subscription, User,
};
pub use crate::bindings::poolhouse::trading::types::{Bar, Side};

/// Calls one function of an exported interface as a part of `$scope`; `$args` are given by reference.
macro_rules! client {
    ($(#[$doc:meta])* $client:ident, $interface:ident, $exports:ident, $wit:literal {
        $( $(#[$function_doc:meta])* $function:ident => $call:ident, $name:literal ( $( $arg:ident : $ty:ty ),* ) -> $answer:ty; )*
    }) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $client {
            plugin: Pinned,
        }

        impl $client {
            /// None if the plugin does not export the interface.
            pub fn of(plugin: &Pinned) -> Option<Self> {
                plugin.exports.has(Interface::$interface).then(|| Self { plugin: plugin.clone() })
            }

            /// The plugin behind it.
            pub fn plugin(&self) -> &Pinned {
                &self.plugin
            }

            $(
                $(#[$function_doc])*
                ///
                /// # Errors
                /// Those of every call; [`CallError::Failed`] with the plugin's own sentence.
                pub async fn $function(&self, scope: &Arc<Scope> $(, $arg: $ty)*) -> Result<$answer, CallError> {
                    let plugin = self.plugin.within(scope)?;
                    let call = plugin.call_of(concat!($wit, ".", $name));
                    let Some(exports) = plugin.exports.$exports.clone() else {
                        return Err(CallError::Refused(format!(
                            "plugin \"{}\" does not export {}", plugin.name(), $wit
                        )));
                    };
                    let answer = plugin.call(scope, &call, move |store, instance| Box::pin(async move {
                        exports.load(&mut *store, instance)?.$call(store $(, &$arg)*).await
                    })).await?;
                    answer.map_err(|failure| plugin.failed(&call, failure.message))
                }
            )*
        }
    };
}

client! {
    /// Calls into the plugin that exports `poolhouse:trading/config-loader`.
    ConfigLoader, ConfigLoader, config_loader, "config-loader" {
        /// Every strategy row, in order of id.
        strategies => call_strategies, "strategies"() -> Vec<StrategyRow>;
        /// Adds or replaces a row.
        save => call_save, "save"(row: StrategyRow) -> ();
    }
}

client! {
    /// Calls into the plugin that exports `poolhouse:trading/user-service`.
    UserService, UserService, user_service, "user-service" {
        /// The active users, in order of id.
        list_active => call_list_active, "list-active"() -> Vec<User>;
        /// None if there is no such user.
        get => call_get, "get"(id: String) -> Option<User>;
        /// Adds or changes a user.
        save => call_save, "save"(user: User) -> ();
        /// Adds or changes a subscription.
        subscribe => call_subscribe, "subscribe"(subscription: Subscription) -> ();
        /// Active users' subscriptions, in order of strategy, then user.
        subscribers => call_subscribers, "subscribers"() -> Vec<Subscriber>;
    }
}

client! {
    /// Calls into the plugin that exports `poolhouse:trading/order-manager`.
    OrderManager, OrderManager, order_manager, "order-manager" {
        /// Stores all orders or none.
        place => call_place, "place"(orders: Vec<Order>) -> Vec<Outcome>;
        /// Moves marks forward.
        advance => call_advance, "advance"(marks: Vec<Mark>) -> ();
        /// Every strategy row's mark.
        progress => call_progress, "progress"() -> Vec<Mark>;
    }
}

/// What a strategy plugin says of itself.
///
/// # Errors
/// Those of every call.
pub async fn describe(plugin: &Pinned, scope: &Arc<Scope>) -> Result<Description, CallError> {
    let plugin = plugin.within(scope)?;
    let call = plugin.call_of("strategy.describe");
    let exports = exports_of(&plugin)?;
    let described = plugin
        .call(scope, &call, move |store, instance| {
            Box::pin(async move {
                exports
                    .load(&mut *store, instance)?
                    .call_describe(store)
                    .await
                    .map(Plain)
            })
        })
        .await;
    described.map(|Plain(description)| description)
}

/// One strategy row's memory: a `strategy.instance` in a sandbox of its own. After an error that says
/// [`StrategyInstance::is_dead`] it can't be used any more; make another.
pub struct StrategyInstance {
    plugin: Arc<Plugin>,
    running: Running,
    guest: wit_strategy::Guest,
    instance: ResourceAny,
    warm_up_bars: u32,
    on_bar: Call,
}

impl StrategyInstance {
    /// Makes an instance with the row's parameters, as a part of `scope`. `bar_timeout` is what one bar may take.
    ///
    /// # Errors
    /// [`CallError::Failed`] with the plugin's sentence for parameters that it refuses.
    pub async fn create(
        plugin: &Pinned,
        scope: &Arc<Scope>,
        parameters: Vec<Parameter>,
        bar_timeout: Duration,
    ) -> Result<Self, CallError> {
        let plugin = plugin.within(scope)?;
        let mut call = plugin.call_of("strategy.instance.create");
        let exports = exports_of(&plugin)?;
        let mut running = plugin.instance(&mut call).await?;
        let made = running
            .call(scope, &call, move |store, instance| {
                Box::pin(async move {
                    let guest = exports.load(&mut *store, instance)?;
                    let made = guest
                        .instance()
                        .call_create(&mut *store, &parameters)
                        .await?;
                    let instance = match made {
                        Ok(instance) => instance,
                        Err(message) => return Ok(Err(message)),
                    };
                    let warm_up_bars = guest.instance().call_warm_up_bars(store, instance).await?;
                    Ok(Ok((guest, instance, warm_up_bars)))
                })
            })
            .await;
        let (guest, instance, warm_up_bars) =
            made?.map_err(|message| plugin.failed(&call, message))?;
        let on_bar = Call {
            limit: bar_timeout,
            setting: "`bar_timeout` of [trading]",
            ..plugin.call_of("strategy.instance.on-bar")
        };
        Ok(Self {
            plugin,
            running,
            guest,
            instance,
            warm_up_bars,
            on_bar,
        })
    }

    /// How many of a symbol's last bars rebuild what the instance remembers of it.
    pub fn warm_up_bars(&self) -> u32 {
        self.warm_up_bars
    }

    /// True after a trap or a timeout.
    pub fn is_dead(&self) -> bool {
        self.running.is_dead()
    }

    /// Whether it is an instance of that very plugin, and not of one that had its place before.
    pub fn is_of(&self, plugin: &Pinned) -> bool {
        Arc::ptr_eq(&self.plugin, plugin.plugin())
    }

    /// Feeds one bar, in a call chain of its own among the plugins of `now`, its own plugin as it is now.
    ///
    /// # Errors
    /// Those of every call; [`CallError::Failed`] with the strategy's own sentence, after which it lives on.
    /// [`CallError::Gone`] if it is no instance [of that plugin](Self::is_of).
    pub async fn on_bar(&mut self, now: &Pinned, bar: Bar) -> Result<Vec<Signal>, CallError> {
        if !self.is_of(now) {
            return Err(CallError::Gone {
                plugin: Arc::clone(self.plugin.name()),
            });
        }
        let scope = Scope::new(self.plugin.access().database.clone(), self.on_bar.limit);
        now.pin(&scope);
        let guest = self.guest.clone();
        let instance = self.instance;
        let answer = self
            .running
            .call(&scope, &self.on_bar, move |store, _| {
                Box::pin(async move { guest.instance().call_on_bar(store, instance, &bar).await })
            })
            .await;
        // It may have called plugins that use the database, if it does not itself.
        if self.plugin.actor().is_some() || !self.plugin.links().is_empty() {
            scope.finish().await;
        }
        answer?.map_err(|message| self.plugin.failed(&self.on_bar, message))
    }
}

fn exports_of(plugin: &Plugin) -> Result<wit_strategy::GuestIndices, CallError> {
    plugin.exports.strategy.clone().ok_or_else(|| {
        CallError::Refused(format!(
            "plugin \"{}\" is not a strategy: it does not export {}",
            plugin.name(),
            Interface::Strategy.name()
        ))
    })
}
