//! `host inspect` and pins, through the program: what is told of a file, and which files are not run.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

#[path = "inspect/pins.rs"]
mod pins;

use std::fs;

use poolhouse_tests::{Backend, House, PLUGINS, Ran, test_guest};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Exports `test:x/y` with `f`, a function of a number.
const PROVIDER: &str = r#"(component
    (core module $m (func (export "f") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m))
    (func $f (param "n" u32) (result u32) (canon lift (core func $i "f")))
    (instance $y (export "f" (func $f)))
    (export "test:x/y@1.4.0" (instance $y)))"#;

/// Imports it.
const IMPORTER: &str = r#"(component
    (import "test:x/y@1.0.0" (instance (export "f" (func (param "n" u32) (result u32))))))"#;

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn put(house: &House, name: &str, text: &str) -> anyhow::Result<String> {
    house.write(&format!("plugins/{name}.wasm"), wat::parse_str(text)?)
}

fn inspect(house: &House, file: &str) -> anyhow::Result<Ran> {
    house.run(&["inspect", file])
}

fn inspect_as_json(house: &House, file: &str) -> anyhow::Result<Value> {
    let ran = house.run(&["inspect", file, "--json"])?;
    Ok(serde_json::from_str(&ran.stdout)?)
}

/// The file is told of in full, and said not to load for one reason that has all the words.
fn assert_does_not_load(house: &House, file: &str, words: &[&str]) -> anyhow::Result<()> {
    let ran = inspect(house, file)?.failed_with(&["can't load", file]);
    let no: Vec<_> = ran
        .stdout
        .lines()
        .filter(|line| line.starts_with("loads"))
        .collect();
    assert_eq!(no.len(), 1, "{}", ran.stdout);
    assert!(no[0].contains("NO: "), "{}", no[0]);
    for word in words {
        assert!(no[0].contains(word), "no \"{word}\" in {}", no[0]);
    }
    let bytes = fs::read(house.path("").join(file))?;
    assert!(ran.stdout.contains(&sha256(&bytes)), "{}", ran.stdout);
    let told = inspect_as_json(house, file)?;
    assert_eq!(told["loads"], json!(false));
    Ok(())
}

#[test]
fn what_it_says_of_the_reference_plugins_is_what_they_need() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    fs::remove_file(house.path("host.toml"))?;
    let mut host_toml = "require_pins = true\n".to_owned();
    for plugin in PLUGINS {
        let file = format!("plugins/{plugin}.wasm");
        let ran = inspect(&house, &file)?.succeeded();
        assert_eq!(ran.stderr, "");
        let bytes = fs::read(house.path(&file))?;
        let told = inspect_as_json(&house, &file)?;
        assert_eq!(told["plugin"], plugin);
        assert_eq!(told["size"], bytes.len());
        assert_eq!(told["sha256"], sha256(&bytes));
        assert_eq!(told["loads"], true);
        assert!(told["compiled_size"].as_u64().unwrap() > 10_000, "{told}");
        assert!(
            told["memories"][0]["minimum"].as_u64().unwrap() >= 64 << 10,
            "{told}"
        );
        for part in [&told["imports"], &told["exports"]] {
            for named in part.as_array().unwrap() {
                assert!(
                    ran.stdout.contains(named["name"].as_str().unwrap()),
                    "{named}: {}",
                    ran.stdout
                );
            }
        }
        host_toml += &format!("[plugins.{plugin}]\n");
        for line in told["host_toml"].as_array().unwrap() {
            let line = line.as_str().unwrap();
            assert!(ran.stdout.contains(line), "{line}: {}", ran.stdout);
            host_toml += &format!("{line}\n");
        }
    }
    // No database was made to find that out.
    assert!(!house.path("house.db").exists());
    // The lines are all that they need.
    house.write("host.toml", &host_toml)?;
    house.run(&["check"])?.succeeded();
    Ok(())
}

#[test]
fn who_gives_what_and_what_for() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    let told = inspect_as_json(&house, "plugins/order-manager.wasm")?;
    let given_by = |name: &str| {
        let imports = told["imports"].as_array().unwrap();
        imports
            .iter()
            .find(|import| import["name"] == name)
            .unwrap()["given_by"]
            .clone()
    };
    assert_eq!(given_by("poolhouse:database/database@0.1.0"), json!("host"));
    assert_eq!(
        given_by("poolhouse:trading/user-service@0.1.0"),
        json!({ "plugin": "user-service" })
    );
    assert_eq!(told["migrations"]["tables"], json!(["orders", "progress"]));
    let exports: Vec<_> = told["exports"].as_array().unwrap().iter().collect();
    let order_manager = exports
        .iter()
        .find(|export| export["name"] == "poolhouse:trading/order-manager@0.1.0")
        .unwrap();
    for function in ["place", "advance", "progress"] {
        assert!(
            order_manager["functions"]
                .as_array()
                .unwrap()
                .contains(&json!(function)),
            "{order_manager}"
        );
    }

    fs::remove_file(house.path("plugins/user-service.wasm"))?;
    assert_does_not_load(
        &house,
        "plugins/order-manager.wasm",
        &[
            "poolhouse:trading/user-service@0.1.0",
            "put one into the folder",
        ],
    )
}

#[test]
fn a_strategys_parameters_are_told_without_a_run() -> anyhow::Result<()> {
    let house = House::empty(Backend::Sqlite)?;
    let file = test_guest("faulty-strategy")?;
    let file = file.to_string_lossy();
    let ran = inspect(&house, &file)?.succeeded();
    for word in [
        "Fails at the opens",
        "1 to 1000",
        "3 bars, with the defaults",
    ] {
        assert!(ran.stdout.contains(word), "no {word} in {}", ran.stdout);
    }
    let told = inspect_as_json(&house, &file)?;
    assert_eq!(
        told["strategy"]["parameters"][2],
        json!({
            "name": "memory", "kind": "integer", "minimum": "1", "maximum": "1000", "default": "3",
            "summary": "How many bars ago a close is compared with",
        })
    );
    assert_eq!(told["strategy"]["warm_up_bars"], 3);
    // Without defaults there is no instance to ask.
    let house = House::new(Backend::Sqlite)?;
    let file = "plugins/moving-average.wasm";
    let ran = inspect(&house, file)?.succeeded();
    assert!(ran.stdout.contains("(must be given)"), "{}", ran.stdout);
    let told = inspect_as_json(&house, file)?;
    assert_eq!(told["strategy"]["warm_up_bars"], Value::Null);
    assert_eq!(told["migrations"], Value::Null);
    Ok(())
}

#[test]
fn what_is_no_component_is_named() -> anyhow::Result<()> {
    let house = House::empty(Backend::Sqlite)?;
    put(&house, "module", "(module (memory 1))")?;
    house.write("plugins/text.wasm", "hello")?;
    let whole = wat::parse_str(PROVIDER)?;
    house.write("plugins/cut.wasm", &whole[..whole.len() / 2])?;
    for (file, words) in [
        ("plugins/module.wasm", &["core WebAssembly module"][..]),
        (
            "plugins/text.wasm",
            &["does not begin like a WebAssembly component"],
        ),
        ("plugins/cut.wasm", &["damaged", "build it again"]),
        ("plugins/none.wasm", &["can't be read", "No such file"]),
        ("plugins", &["can't be read", "not a regular file"]),
    ] {
        let ran = inspect(&house, file)?.failed_with(words);
        assert_eq!(ran.stdout, "", "{file}");
    }
    // To open it would wait for somebody who writes.
    let pipe = house.path("plugins/pipe.wasm");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()?
            .success()
    );
    inspect(&house, "plugins/pipe.wasm")?.failed_with(&["can't be read", "not a regular file"]);
    Ok(())
}

#[test]
fn what_cant_be_linked_is_told_of_all_the_same() -> anyhow::Result<()> {
    let house = House::empty(Backend::Sqlite)?;
    let function = "(export \"f\" (func))";
    for (name, text, words) in [
        (
            "asks",
            IMPORTER.to_owned(),
            &["test:x/y@1.0.0", "put one into the folder"][..],
        ),
        (
            "network",
            format!("(component (import \"wasi:http/types@0.2.0\" (instance {function})))"),
            &["wasi:http/types@0.2.0", "does not offer"],
        ),
        (
            "bare",
            "(component (import \"log\" (func)))".to_owned(),
            &["log", "no interface"],
        ),
        (
            "handles",
            "(component (import \"a:b/c\" (instance (export \"r\" (type (sub resource))))))"
                .to_owned(),
            &["a:b/c", "resource", "plain data"],
        ),
        (
            "newer",
            format!(
                "(component (import \"poolhouse:database/database@0.2.0\" (instance {function})))"
            ),
            &[
                "poolhouse:database/database@0.2.0",
                "put one into the folder",
            ],
        ),
        (
            "impostor",
            "(component (component $c) (instance $i (instantiate $c)) \
             (export \"poolhouse:trading/strategy@0.1.0\" (instance $i)))"
                .to_owned(),
            &["poolhouse:trading/strategy@0.1.0", "wit/"],
        ),
        (
            "greedy",
            "(component (core module $m (memory 65536)) (core instance (instantiate $m)))"
                .to_owned(),
            &["4294967296 bytes", "limit `memory`"],
        ),
    ] {
        put(&house, name, &text)?;
        assert_does_not_load(&house, &format!("plugins/{name}.wasm"), words)?;
    }

    put(&house, "gives", PROVIDER)?;
    inspect(&house, "plugins/asks.wasm")?.succeeded();
    let told = inspect_as_json(&house, "plugins/asks.wasm")?;
    assert_eq!(
        told["imports"],
        json!([{ "name": "test:x/y@1.0.0", "given_by": { "plugin": "gives" } }])
    );
    // Two that export it leave open which is meant.
    put(&house, "gives-too", PROVIDER)?;
    assert_does_not_load(&house, "plugins/asks.wasm", &["gives", "gives-too", "use"])
}

/// The log at load has the same facts, one line for each plugin.
#[test]
fn the_log_tells_of_each_plugin_at_load() -> anyhow::Result<()> {
    let house = House::empty(Backend::Sqlite)?;
    put(&house, "gives", PROVIDER)?;
    put(&house, "asks", IMPORTER)?;
    let ran = house
        .run(&["call", "asks", "--log", "poolhouse_runtime=info"])?
        .succeeded();
    for (name, words) in [
        ("gives", &["exports=test:x/y@1.4.0", "memory= "][..]),
        ("asks", &["imports=test:x/y@1.0.0"]),
    ] {
        let line = ran
            .stderr
            .lines()
            .find(|line| line.contains(&format!("plugin={name} ")));
        let line = line.unwrap_or_else(|| panic!("no {name} in {}", ran.stderr));
        let bytes = fs::read(house.path(&format!("plugins/{name}.wasm")))?;
        let hash = format!("sha256={}", sha256(&bytes));
        let size = format!("size={} ", bytes.len());
        for word in words
            .iter()
            .copied()
            .chain([&*hash, &*size, "compile_time="])
        {
            assert!(line.contains(word), "no {word} in {line}");
        }
    }
    Ok(())
}
