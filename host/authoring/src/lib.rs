//! Makes plugin folders and builds them into components: one file for each language in `language/`, toolchains in a cache of
//! their own. Runs no component and reads no settings; whether the host can link what was built, the caller asks the runtime.

mod building;
mod component;
mod embedded;
mod error;
mod fingerprint;
mod language;
mod manifest;
mod name;
mod scaffold;
mod signatures;
mod sources;
mod toolchain;
mod wit;

pub use building::{Build, Built, build};
pub use error::Error;
pub use fingerprint::fingerprint;
pub use language::{Kind, Language};
pub use manifest::{Grants, Manifest};
pub use scaffold::scaffold;
pub use toolchain::Toolchains;
