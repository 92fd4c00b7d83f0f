//! `sha256` and `require_pins`: a file that is not the one that was meant is neither compiled nor run, by any command.

use std::fs;

use poolhouse_tests::{Backend, House, Ran};

use super::{PROVIDER, inspect, put, sha256};

const CALL: [&str; 3] = ["call", "gives", "y.f"];

fn pinned(house: &House, hash: &str) -> anyhow::Result<()> {
    house.write(
        "host.toml",
        format!("[plugins.gives]\nsha256 = \"{hash}\"\n"),
    )?;
    Ok(())
}

fn call(house: &House) -> anyhow::Result<Ran> {
    house.run(&[&CALL[..], &["7"]].concat())
}

#[test]
fn only_the_pinned_file_runs() -> anyhow::Result<()> {
    let house = House::empty(Backend::Sqlite)?;
    let file = put(&house, "gives", PROVIDER)?;
    let right = sha256(&fs::read(&file)?);
    pinned(&house, &right)?;
    assert_eq!(call(&house)?.succeeded().stdout, "7\n");
    // As people may write it.
    pinned(&house, &right.to_uppercase())?;
    call(&house)?.succeeded();

    // The same but for one byte in a section that nobody reads.
    let mut bytes = fs::read(&file)?;
    bytes.extend([0, 2, 1, b'x']);
    fs::write(&file, &bytes)?;
    let wrong = sha256(&bytes);
    let words = ["\"gives\"", "gives.wasm", &right, &wrong, "[plugins.gives]"];
    call(&house)?.failed_with(&words);
    house.run(&["run", "--feed", "-"])?.failed_with(&words);
    let checked = house.run(&["check"])?;
    let lines: Vec<_> = checked
        .stdout
        .lines()
        .filter(|line| line.contains(&wrong))
        .collect();
    assert!(!lines.is_empty(), "{}", checked.stdout);
    // Looking is allowed, and says that it would not run.
    let ran = inspect(&house, "plugins/gives.wasm")?.failed_with(&["can't load"]);
    assert!(
        ran.stdout.contains(&right) && ran.stdout.contains(&wrong),
        "{}",
        ran.stdout
    );

    pinned(&house, &wrong)?;
    call(&house)?.succeeded();
    Ok(())
}

/// Damage is not even looked for in a file that is not the right one.
#[test]
fn nothing_of_another_file_is_compiled() -> anyhow::Result<()> {
    let house = House::empty(Backend::Sqlite)?;
    pinned(&house, &"00".repeat(32))?;
    house.write("plugins/gives.wasm", "no component")?;
    let ran = call(&house)?.failed_with(&["pins it"]);
    assert!(!ran.stderr.contains("component"), "{}", ran.stderr);
    Ok(())
}

#[test]
fn require_pins_refuses_what_has_none() -> anyhow::Result<()> {
    let house = House::empty(Backend::Sqlite)?;
    let file = put(&house, "gives", PROVIDER)?;
    let hash = sha256(&fs::read(file)?);
    let line = format!("sha256 = \"{hash}\"");
    house.write("host.toml", "require_pins = true\n")?;
    for command in [&[&CALL[..], &["7"]].concat()[..], &["run", "--feed", "-"]] {
        house
            .run(command)?
            .failed_with(&["require_pins", "[plugins.gives]", &line]);
    }
    house.write(
        "host.toml",
        format!("require_pins = true\n[plugins.gives]\n{line}\n"),
    )?;
    call(&house)?.succeeded();
    Ok(())
}

/// A plugin that was replaced gives nothing to those that import from it.
#[test]
fn a_replaced_file_is_no_provider() -> anyhow::Result<()> {
    let house = House::empty(Backend::Sqlite)?;
    put(&house, "gives", PROVIDER)?;
    put(&house, "asks", super::IMPORTER)?;
    house.run(&["call", "asks"])?.succeeded();
    pinned(&house, &"00".repeat(32))?;
    let ran = house.run(&["call", "asks"])?;
    assert_ne!(ran.code, Some(0), "{}", ran.stdout);
    for word in ["test:x/y@1.0.0", "not loaded", "pins it"] {
        assert!(ran.stderr.contains(word), "no {word} in {}", ran.stderr);
    }
    Ok(())
}
