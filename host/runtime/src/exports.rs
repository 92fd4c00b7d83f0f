//! Which of the host's own interfaces a component exports, found and type-checked once at load.

use std::path::Path;

use wasmtime::component::{Component, InstancePre};

use crate::bindings::exports::poolhouse::plugin::{lifecycle, migrations};
use crate::bindings::exports::poolhouse::trading::{
    config_loader, order_manager, strategy, user_service,
};
use crate::engine::Engine;
use crate::error::LoadError;
use crate::state::PluginState;

/// An interface that the host itself calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// `poolhouse:trading/config-loader`
    ConfigLoader,
    /// `poolhouse:trading/user-service`
    UserService,
    /// `poolhouse:trading/order-manager`
    OrderManager,
    /// `poolhouse:trading/strategy`
    Strategy,
}

impl Interface {
    /// The interface's name in WIT, without its version.
    pub fn name(self) -> &'static str {
        match self {
            Self::ConfigLoader => "poolhouse:trading/config-loader",
            Self::UserService => "poolhouse:trading/user-service",
            Self::OrderManager => "poolhouse:trading/order-manager",
            Self::Strategy => "poolhouse:trading/strategy",
        }
    }
}

/// The functions of each interface that the component exports.
#[derive(Clone, Default)]
pub(crate) struct Exports {
    pub(crate) migrations: Option<migrations::GuestIndices>,
    pub(crate) lifecycle: Option<lifecycle::GuestIndices>,
    pub(crate) config_loader: Option<config_loader::GuestIndices>,
    pub(crate) user_service: Option<user_service::GuestIndices>,
    pub(crate) order_manager: Option<order_manager::GuestIndices>,
    pub(crate) strategy: Option<strategy::GuestIndices>,
}

impl Exports {
    /// # Errors
    /// Where an interface of the host's name has other functions or types than the host's.
    pub(crate) fn of(
        engine: &Engine,
        component: &Component,
        pre: &InstancePre<PluginState>,
        file: &Path,
    ) -> Result<Self, LoadError> {
        let ty = component.component_type();
        let mut found = Self::default();
        for (name, _) in ty.exports(engine.wasmtime()) {
            let interface = name.split('@').next().unwrap_or(name);
            let wrong = |error: wasmtime::Error| LoadError::Export {
                file: file.to_owned(),
                interface: name.to_owned(),
                reason: crate::wasm_file::one_line(&error),
            };
            match interface {
                "poolhouse:plugin/migrations" => {
                    found.migrations = Some(migrations::GuestIndices::new(pre).map_err(wrong)?);
                }
                "poolhouse:plugin/lifecycle" => {
                    found.lifecycle = Some(lifecycle::GuestIndices::new(pre).map_err(wrong)?);
                }
                "poolhouse:trading/config-loader" => {
                    found.config_loader =
                        Some(config_loader::GuestIndices::new(pre).map_err(wrong)?);
                }
                "poolhouse:trading/user-service" => {
                    found.user_service = Some(user_service::GuestIndices::new(pre).map_err(wrong)?);
                }
                "poolhouse:trading/order-manager" => {
                    found.order_manager =
                        Some(order_manager::GuestIndices::new(pre).map_err(wrong)?);
                }
                "poolhouse:trading/strategy" => {
                    found.strategy = Some(strategy::GuestIndices::new(pre).map_err(wrong)?);
                }
                _ => {}
            }
        }
        Ok(found)
    }

    pub(crate) fn has(&self, interface: Interface) -> bool {
        match interface {
            Interface::ConfigLoader => self.config_loader.is_some(),
            Interface::UserService => self.user_service.is_some(),
            Interface::OrderManager => self.order_manager.is_some(),
            Interface::Strategy => self.strategy.is_some(),
        }
    }
}
