//! Hands over as much as it can: as an answer to whoever called it, as an argument to the host, or to another plugin.

use misbehaving::Failure;
use poolhouse::bindings::imports::poolhouse::database::types::Value;
use poolhouse::database::Session;
use poolhouse::params;

use bindings::exports::poolhouse_tests::misbehaving::culprit;
use bindings::exports::poolhouse_tests::misbehaving::hoard::{self, Point};
use bindings::poolhouse_tests::misbehaving::hoard as peer;

#[allow(
    unsafe_code,
    missing_docs,
    reason = "the generated exports take raw pointers from the host; natively there are none"
)]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit", "wit"],
        world: "poolhouse-tests:misbehaving/hoarding",
        with: {
            "poolhouse:database/types@0.1.0": ::poolhouse::bindings::imports::poolhouse::database::types,
            "poolhouse:database/database@0.1.0": ::poolhouse::bindings::imports::poolhouse::database::database,
            "poolhouse:plugin/types@0.1.0": ::poolhouse::bindings::imports::poolhouse::plugin::types,
        },
    });

    // The exports' names mean something to a component only; a native linker refuses them.
    #[cfg(target_family = "wasm")]
    use crate::Hoards;
    #[cfg(target_family = "wasm")]
    export!(Hoards);
}

/// The guest.
#[derive(Debug)]
pub struct Hoards;

/// Nearly all of the memory that it may have by default.
const MUCH: u32 = 40 << 20;

impl culprit::Guest for Hoards {
    fn misbehave(how: String) -> Result<String, Failure> {
        let much = || vec![b' '; MUCH as usize];
        match how.as_str() {
            "text to the host" => {
                let sql = String::from_utf8(much()).map_err(|error| error.to_string())?;
                Session::open()?.query(&sql, &[])?;
            }
            "parameter to the host" => {
                let text = String::from_utf8(much()).map_err(|error| error.to_string())?;
                let sql = "SELECT CAST(length(CAST($1 AS TEXT)) AS BIGINT) AS n";
                Session::open()?.query(sql, params![text])?;
            }
            "values to the host" => {
                let values = vec![Value::Int64(1); 1 << 20];
                Session::open()?.query("SELECT 1", &values)?;
            }
            "to another" => return Ok(peer::take(&much()).to_string()),
            "from another" => return Ok(peer::bytes(MUCH).len().to_string()),
            _ => return Err(Failure::failed("how?")),
        }
        Ok("it was taken".to_owned())
    }

    fn honest() -> Result<u64, Failure> {
        misbehaving::honest()
    }
}

impl hoard::Guest for Hoards {
    fn bytes(count: u32) -> Vec<u8> {
        vec![7; count as usize]
    }

    fn texts(count: u32) -> Vec<String> {
        vec![String::new(); count as usize]
    }

    fn points(count: u32) -> Vec<Point> {
        let point = Point {
            x: 1,
            y: 1.0,
            name: String::new(),
        };
        vec![point; count as usize]
    }

    fn take(bytes: Vec<u8>) -> u64 {
        bytes.len() as u64
    }
}
