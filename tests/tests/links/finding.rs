//! Who gives a plugin what it imports, and what is said where nobody can.

use std::fs;

use poolhouse_tests::{Backend, House, test_guest};

use super::empty;

/// A component that exports `test:x/y` of the version, with `f` of the signature.
fn provider(version: &str, signature: &str, code: &str) -> String {
    format!(
        "(component
           (core module $m {code})
           (core instance $i (instantiate $m))
           (func $f {signature} (canon lift (core func $i \"f\")))
           (instance $y (export \"f\" (func $f)))
           (export \"test:x/y@{version}\" (instance $y)))"
    )
}

const NUMBER: &str = "(param \"n\" u32) (result u32)";
const DOUBLE: &str =
    "(func (export \"f\") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))";
const THREEFOLD: &str =
    "(func (export \"f\") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))";

/// A component that imports `test:x/y` and exports `test:x/z`, whose `g` is the other's `f`.
fn importer(version: &str) -> String {
    format!(
        "(component
           (import \"test:x/y@{version}\" (instance $y (export \"f\" (func {NUMBER}))))
           (core func $f (canon lower (func $y \"f\")))
           (core module $m (import \"y\" \"f\" (func $f (param i32) (result i32))) (export \"g\" (func $f)))
           (core instance $i (instantiate $m (with \"y\" (instance (export \"f\" (func $f))))))
           (func $g {NUMBER} (canon lift (core func $i \"g\")))
           (instance $z (export \"g\" (func $g)))
           (export \"test:x/z@1.0.0\" (instance $z)))"
    )
}

fn put(house: &House, name: &str, text: &str) -> anyhow::Result<()> {
    fs::write(
        house.path(&format!("plugins/{name}.wasm")),
        wat::parse_str(text)?,
    )?;
    Ok(())
}

fn importer_house(version: &str) -> anyhow::Result<House> {
    let house = empty(Backend::Sqlite)?;
    put(&house, "asks", &importer(version))?;
    Ok(house)
}

#[test]
fn a_provider_is_found_by_name_and_version_wherever_it_stands() -> anyhow::Result<()> {
    for (wanted, name, offered) in [
        ("1.0.0", "a-first", "1.0.0"),
        ("1.0.0", "z-last", "1.7.2"),
        ("0.3.1", "other", "0.3.4"),
    ] {
        let house = importer_house(wanted)?;
        put(&house, name, &provider(offered, NUMBER, DOUBLE))?;
        let ran = house.run(&["call", "asks", "z.g", "21"])?.succeeded();
        assert_eq!(ran.stdout.trim(), "42", "{wanted} of {offered}");
    }
    Ok(())
}

#[test]
fn a_plugin_waits_for_who_exports_what_it_imports() -> anyhow::Result<()> {
    let house = importer_house("1.0.0")?;
    house.run(&["call", "asks", "z.g", "21"])?.failed_with(&[
        "plugin \"asks\" waits for a plugin that exports test:x/y@1.0.0",
        "put one into the folder",
    ]);
    for offered in ["2.0.0", "0.9.0"] {
        put(&house, "other", &provider(offered, NUMBER, DOUBLE))?;
        house.run(&["call", "asks", "z.g", "21"])?.failed_with(&[
            "plugin \"asks\" waits for test:x/y@1.0.0",
            &format!("plugin \"other\" exports test:x/y@{offered}"),
            "not a version that fits",
        ]);
        // Those that need nobody work all the same.
        house.run(&["call", "other", "y.f", "2"])?.succeeded();
    }
    // One that waits makes those wait that need it.
    let house = importer_house("1.0.0")?;
    let second = importer("1.0.0")
        .replace("test:x/z@1.0.0", "test:x/w@1.0.0")
        .replace("test:x/y@1.0.0", "test:x/z@1.0.0")
        .replace("(export \"f\" (func (param", "(export \"g\" (func (param")
        .replace("(func $y \"f\")", "(func $y \"g\")");
    put(&house, "asks-asks", &second)?;
    house
        .run(&["call", "asks-asks", "w.g", "21"])?
        .failed_with(&["plugin \"asks-asks\" waits for test:x/z@1.0.0", "\"asks\""]);
    put(&house, "other", &provider("1.0.0", NUMBER, DOUBLE))?;
    let ran = house.run(&["call", "asks-asks", "w.g", "21"])?.succeeded();
    assert_eq!(ran.stdout.trim(), "42");
    Ok(())
}

#[test]
fn of_two_providers_host_toml_says_which() -> anyhow::Result<()> {
    let house = importer_house("1.0.0")?;
    put(&house, "double", &provider("1.0.0", NUMBER, DOUBLE))?;
    put(&house, "threefold", &provider("1.1.0", NUMBER, THREEFOLD))?;
    house.run(&["call", "asks", "z.g", "21"])?.failed_with(&[
        "plugin \"asks\" imports test:x/y@1.0.0",
        "\"double\" and \"threefold\" export it",
        "[plugins.asks.use]",
        "\"test:x/y\" = \"double\"",
    ]);
    for (key, plugin, answer) in [
        ("test:x/y", "double", "42"),
        ("test:x/y@1.0.0", "threefold", "63"),
    ] {
        house.write(
            "host.toml",
            format!("[plugins.asks.use]\n\"{key}\" = \"{plugin}\"\n"),
        )?;
        let ran = house.run(&["call", "asks", "z.g", "21"])?.succeeded();
        assert_eq!(ran.stdout.trim(), answer);
    }
    for (plugin, words) in [
        ("nobody", ["\"nobody\"", "not in the folder"]),
        ("asks", ["\"asks\"", "does not export it"]),
    ] {
        house.write(
            "host.toml",
            format!("[plugins.asks.use]\n\"test:x/y\" = \"{plugin}\"\n"),
        )?;
        house
            .run(&["call", "asks", "z.g", "21"])?
            .failed_with(&[&words[..], &["[plugins.asks.use]"]].concat());
    }
    Ok(())
}

#[test]
fn what_can_t_be_linked_says_why() -> anyhow::Result<()> {
    for (signature, code, words) in [
        (
            "(param \"n\" s32) (result u32)",
            DOUBLE,
            &["`f`", "(n: u32) -> u32", "(n: s32) -> u32"][..],
        ),
        (
            "(param \"m\" u32) (result u32)",
            DOUBLE,
            &["(n: u32)", "(m: u32)"],
        ),
        (
            "(param \"n\" u32)",
            "(func (export \"f\") (param i32))",
            &["(n: u32) -> u32", "as (n: u32)"],
        ),
    ] {
        let house = importer_house("1.0.0")?;
        put(&house, "other", &provider("1.0.0", signature, code))?;
        house.run(&["call", "asks", "z.g", "21"])?.failed_with(
            &[
                &[
                    "plugin \"asks\" imports test:x/y@1.0.0",
                    "can't be linked",
                    "plugin \"other\"",
                ],
                words,
            ]
            .concat(),
        );
    }
    let house = importer_house("1.0.0")?;
    let without = provider("1.0.0", NUMBER, DOUBLE)
        .replace("(instance $y (export \"f\"", "(instance $y (export \"h\"");
    put(&house, "other", &without)?;
    house
        .run(&["call", "asks", "z.g", "21"])?
        .failed_with(&["plugin \"other\"", "without the function `f`"]);
    for (text, words) in [
        (
            "(component (import \"test:x/y@1.0.0\" (instance (export \"order\" (type (sub resource))))))",
            [
                "asks.wasm",
                "test:x/y@1.0.0",
                "`order`",
                "resource",
                "plain data",
            ],
        ),
        (
            "(component (import \"log\" (func (param \"text\" string))))",
            [
                "asks.wasm",
                "imports log",
                "no interface",
                "which another plugin",
                "exports",
            ],
        ),
        (
            "(component (import \"wasi:http/types@0.2.6\" (instance (export \"fields\" (type (sub resource))))))",
            [
                "asks.wasm",
                "wasi:http/types",
                "does not offer",
                "WASI 0.2",
                "poolhouse:database/database",
            ],
        ),
    ] {
        let house = empty(Backend::Sqlite)?;
        put(&house, "asks", text)?;
        house.run(&["call", "asks"])?.failed_with(&words);
    }
    Ok(())
}

#[test]
fn one_plugin_that_waits_keeps_nobody_else_from_running() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    put(&house, "asks", &importer("1.0.0"))?;
    let feed = house.write("feed.csv", "symbol,time,open,high,low,close,volume\n")?;
    let ran = house
        .run(&["run", "--plugins", "plugins", "--feed", &feed])?
        .succeeded();
    assert!(
        ran.stderr
            .contains("plugin \"asks\" waits for a plugin that exports test:x/y@1.0.0"),
        "{}",
        ran.stderr
    );
    // Without the user service the order manager waits, and says so.
    fs::remove_file(house.path("plugins/asks.wasm"))?;
    fs::remove_file(house.path("plugins/user-service.wasm"))?;
    let ran = house.run(&["run", "--plugins", "plugins", "--feed", &feed])?;
    assert_ne!(ran.code, Some(0));
    assert!(
        ran.stderr.contains("poolhouse:trading/user-service"),
        "{}",
        ran.stderr
    );
    Ok(())
}

#[test]
fn a_circle_of_two_starts() -> anyhow::Result<()> {
    let house = empty(Backend::Sqlite)?;
    for name in ["a", "b"] {
        fs::copy(
            test_guest("relay")?,
            house.path(&format!("plugins/{name}.wasm")),
        )?;
    }
    // Each is the only other one: nobody has to choose.
    house.write(
        "host.toml",
        "[plugins.a]\ndatabase = { read = [\"t\"] }\n[plugins.b]\ndatabase = { read = [\"t\"] }\n",
    )?;
    let ran = house
        .run(&["call", "a", "relay.run", "next | next | fail here"])?
        .succeeded();
    assert!(ran.stdout.contains("here"), "{}", ran.stdout);
    Ok(())
}
