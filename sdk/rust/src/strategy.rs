//! What a strategy is in Rust, and how it becomes a component; when it is called, the host decides.

mod description;
mod parameters;
mod per_symbol;
mod window;

use std::cell::RefCell;
use std::marker::PhantomData;

pub use crate::bindings::strategy::exports::poolhouse::trading::strategy::{
    Description, ParameterInfo, ParameterKind, Signal,
};
pub use crate::bindings::strategy::poolhouse::trading::types::{Bar, Side};
pub use parameters::Parameters;
pub use per_symbol::PerSymbol;
pub use window::Window;

use crate::bindings::strategy::exports::poolhouse::trading::strategy as contract;

/// A trading strategy. One value is made for each enabled strategy row, in a sandbox of its own.
/// [`export_strategy!`](crate::export_strategy) makes a plugin of it.
pub trait Strategy: Sized + 'static {
    /// What it is and which parameters it takes. Pure: the same answer at every call.
    fn describe() -> Description;

    /// Makes the strategy of one row. The host has checked the parameters against [`describe`](Self::describe) and
    /// filled in the defaults; what only the strategy knows, such as `fast` below `slow`, it checks itself.
    ///
    /// # Errors
    /// One sentence for a person: which parameter, what is wrong, what is allowed.
    fn new(parameters: &Parameters) -> Result<Self, String>;

    /// How many bars of one symbol, newest last, are enough to rebuild everything that
    /// [`on_bar`](Self::on_bar) remembers of it.
    fn warm_up_bars(&self) -> u32;

    /// The next bar. What is remembered must be kept apart by symbol, for a row may watch several: see [`PerSymbol`].
    ///
    /// # Errors
    /// A failure of this bar alone; three in a row set the strategy row aside.
    fn on_bar(&mut self, bar: &Bar) -> Result<Vec<Signal>, String>;
}

impl Signal {
    /// Asks for one order to buy, for each subscribed user, at the bar's close.
    pub const fn buy() -> Self {
        Self { side: Side::Buy }
    }

    /// Asks for one order to sell, for each subscribed user, at the bar's close.
    pub const fn sell() -> Self {
        Self { side: Side::Sell }
    }
}

/// Makes the crate a strategy plugin: exports the given [`Strategy`] to the host. Once in a crate, which
/// needs `crate-type = ["cdylib"]`.
#[macro_export]
macro_rules! export_strategy {
    ($strategy:ty) => {
        const _: () = {
            // The exports' names mean something to a component only; a native linker refuses them.
            #[cfg(target_family = "wasm")]
            type Exported = $crate::strategy::Exported<$strategy>;
            #[cfg(target_family = "wasm")]
    $crate::bindings::strategy::export!(Exported with_types_in $crate::bindings::strategy);

            #[cfg(not(target_family = "wasm"))]
            const _: fn() -> $crate::strategy::Description =
                <$strategy as $crate::strategy::Strategy>::describe;
        };
    };
}

/// Stands between the contract and a [`Strategy`]; named by [`export_strategy!`](crate::export_strategy) only.
#[doc(hidden)]
#[derive(Debug)]
pub struct Exported<S>(PhantomData<S>);

impl<S: Strategy> contract::Guest for Exported<S> {
    type Instance = Running<S>;

    fn describe() -> Description {
        S::describe()
    }
}

/// One row's strategy behind the contract's shared handle.
#[doc(hidden)]
#[derive(Debug)]
pub struct Running<S>(RefCell<S>);

impl<S: Strategy> contract::GuestInstance for Running<S> {
    fn create(parameters: Vec<contract::Parameter>) -> Result<contract::Instance, String> {
        let strategy = S::new(&Parameters::from(parameters))?;
        Ok(contract::Instance::new(Self(RefCell::new(strategy))))
    }

    fn warm_up_bars(&self) -> u32 {
        self.0.borrow().warm_up_bars()
    }

    fn on_bar(&self, bar: Bar) -> Result<Vec<Signal>, String> {
        // Never borrowed twice: a component instance is not entered again while it is in a call.
        self.0.borrow_mut().on_bar(&bar)
    }
}
