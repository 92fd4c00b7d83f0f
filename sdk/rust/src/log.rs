//! Lines for the host's log, by level; what is logged in the end, and how much of it, the operator decides.

pub use crate::bindings::imports::wasi::logging::logging::Level;

/// Logs one message under the plugin's name. Natively, as in tests, it goes to standard error.
pub fn log(level: Level, message: &str) {
    #[cfg(target_family = "wasm")]
    crate::bindings::imports::wasi::logging::logging::log(level, "", message);
    #[cfg(not(target_family = "wasm"))]
    eprintln!("{level:?}: {message}");
}

macro_rules! levels {
    ($dollar:tt $($name:ident $exported:ident $level:ident;)*) => {$(
        #[doc = concat!("Logs a message, formatted as by [`format!`], at the level `", stringify!($name), "`.")]
        #[macro_export]
        #[doc(hidden)]
        macro_rules! $exported {
            ($dollar($dollar message:tt)*) => {
                $crate::log::log($crate::log::Level::$level, &::std::format!($dollar($dollar message)*))
            };
        }
        pub use $exported as $name;
    )*};
}

levels! { $
    trace __log_trace Trace;
    debug __log_debug Debug;
    info __log_info Info;
    warn __log_warn Warn;
    error __log_error Error;
}
