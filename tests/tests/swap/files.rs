//! What becomes of files: the good, the bad, the half-written and the many.

use std::fs::{self, File};
use std::io::Write;
use std::time::{Duration, Instant};

use poolhouse_runtime::{Again, CallError, PluginOptions, PluginState};

use super::{Live, asker, version};

#[test]
fn a_file_that_comes_runs_and_one_that_goes_is_missed_until_it_is_back() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1))])?;
    live.put("ask", &asker());
    live.until_answers("ask", "ask.both", 1001);
    fs::remove_file(live.path("v"))?;
    live.until("v", |status| status.is_none());
    let error = live.call("ask", "ask.both").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("t:t/v@1.0.0, which no plugin exports now"),
        "{error}"
    );
    assert!(matches!(
        live.call("v", "v.version"),
        Err(CallError::Gone { .. })
    ));
    // Who runs goes on; who comes now waits.
    assert_eq!(live.status("ask").unwrap().state, PluginState::Running);
    live.put("ask2", &asker());
    live.until("ask2", |status| {
        status.is_some_and(|status| matches!(&status.state, PluginState::Waiting(reason) if reason.contains("t:t/v@1.0.0")))
    });
    live.put("v", &version(3));
    live.until_answers("ask", "ask.both", 3003);
    live.until_answers("ask2", "ask.both", 3003);
    Ok(())
}

#[test]
fn a_bad_file_changes_nothing_but_the_status() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1)), ("ask", asker())])?;
    let whole = version(2);
    for (bytes, words) in [
        (b"this is no component".to_vec(), "does not begin like"),
        (Vec::new(), "does not begin like"),
        (wat::parse_str("(module)")?, "core WebAssembly module"),
        (whole[..whole.len() / 2].to_vec(), "damaged"),
        // A component that has nothing of what another imports from it.
        (
            wat::parse_str("(component)")?,
            "plugin \"ask\", which runs, could not go on",
        ),
        (
            wat::parse_str("(component (import \"wasi:http/types@0.2.0\" (instance)))")?,
            "does not offer",
        ),
    ] {
        live.put("v", &bytes);
        live.until_failed("v", words);
        assert_eq!(live.call("ask", "ask.both").unwrap(), 1001);
        assert_eq!(live.status("v").unwrap().state, PluginState::Running);
    }
    // One that is new and bad does not run; taken away, it is forgotten.
    live.put("w", b"bad");
    live.until_failed("w", "does not begin like");
    fs::remove_file(live.path("w"))?;
    live.until("w", |status| status.is_none());
    // The same again that runs is no trouble any more.
    live.put("v", &version(1));
    live.until("v", |status| status.unwrap().trouble.is_none());
    live.put("v", &whole);
    live.until_answers("ask", "ask.both", 2002);
    Ok(())
}

/// Two that export the same would leave the one that imports it without either.
#[test]
fn a_second_exporter_is_not_taken_in() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1)), ("ask", asker())])?;
    live.put("v2", &version(2));
    live.until_failed("v2", "the plugins \"v\" and \"v2\" export it");
    assert_eq!(live.call("ask", "ask.both").unwrap(), 1001);
    // When the first goes, the second takes its place.
    fs::remove_file(live.path("v"))?;
    live.until_answers("ask", "ask.both", 2002);
    Ok(())
}

/// Cut anywhere, between its sections too, a file that somebody has not closed yet is not taken for the whole.
#[test]
fn a_file_that_is_being_written_is_waited_for() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1))])?;
    let whole = version(2);
    let mut file = File::create(live.path("v"))?;
    for byte in whole.chunks(16) {
        file.write_all(byte)?;
        file.flush()?;
        assert_eq!(live.call("v", "v.version").unwrap(), 1);
    }
    drop(file);
    live.until_answers("v", "v.version", 2);
    Ok(())
}

/// Its first part is a component already, and whoever asks for a look, it is not taken in before the rest has come.
#[test]
fn half_a_file_is_not_taken_in_by_who_asks_for_a_look() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1))])?;
    // So that it is watched.
    live.put("v", &version(3));
    live.until_answers("v", "v.version", 3);
    let whole = version(2);
    let mut file = File::create(live.path("v"))?;
    file.write_all(&whole[..8])?;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(400) {
        let mut again = Again::default();
        let look = live
            .plugins
            .update(Some(&mut again), |_| PluginOptions::default());
        let changed = live.runtime.block_on(look)?;
        assert!(changed.unsettled.contains("v"), "{changed:?}");
        assert_eq!(live.call("v", "v.version").unwrap(), 3);
    }
    file.write_all(&whole[8..])?;
    drop(file);
    live.until_answers("v", "v.version", 2);
    Ok(())
}

/// It is no reason to take it away, and none to try it again and again.
#[test]
fn a_file_that_can_t_be_looked_at_runs_on() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1))])?;
    // Root may look at everything; nobody may follow a link to itself.
    fs::remove_file(live.path("v"))?;
    std::os::unix::fs::symlink(live.path("v"), live.path("v"))?;
    live.until_failed("v", "can't be read");
    assert_eq!(live.call("v", "v.version").unwrap(), 1);
    live.put("v", &version(2));
    live.until_answers("v", "v.version", 2);
    assert!(live.status("v").unwrap().trouble.is_none());
    Ok(())
}

/// Who goes while a large file is compiled is not kept until that is done, and what is deleted meanwhile never runs.
#[test]
fn files_go_while_another_is_compiled() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1))])?;
    let large = large(6_000);
    live.put("large", &large);
    live.until("large", |status| {
        status.is_some_and(|status| status.state == PluginState::Loading)
    });
    fs::remove_file(live.path("v"))?;
    live.until("v", |status| status.is_none());
    let status = live.status("large").unwrap();
    assert_eq!(status.state, PluginState::Loading, "{status:?}");
    fs::remove_file(live.path("large"))?;
    let changes = live.plugins.changes();
    live.until("large", |status| status.is_none());
    assert!(!changes.has_changed()?);
    Ok(())
}

/// A component that takes a while to compile: that many functions.
fn large(functions: u32) -> Vec<u8> {
    let mut text = String::from("(component (core module $m (memory 1)");
    for number in 0..functions {
        let block = "(local.set $n (i32.add (local.get $n) (i32.load (local.get $n))))".repeat(100);
        text += &format!("(func (export \"f{number}\") (param $n i32) {block})");
    }
    text += ") (core instance (instantiate $m)))";
    wat::parse_str(text).unwrap()
}

#[test]
fn what_editors_leave_is_no_plugin() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1))])?;
    for name in [
        ".v.wasm.swp",
        "v.wasm~",
        "#v.wasm#",
        "4913",
        ".#v.wasm",
        ".hidden.wasm",
        "v.wasm.part",
    ] {
        fs::write(live.house.path(&format!("plugins/{name}")), version(9))?;
    }
    fs::create_dir(live.house.path("plugins/folder.wasm"))?;
    // As vim does: the old one aside, the new one under its name, the old one gone.
    let aside = live.house.path("plugins/v.wasm~");
    fs::rename(live.path("v"), &aside)?;
    fs::write(live.path("v"), version(2))?;
    fs::remove_file(aside)?;
    live.until_answers("v", "v.version", 2);
    let names: Vec<_> = live
        .plugins
        .status()
        .iter()
        .map(|status| status.name.to_string())
        .collect();
    assert_eq!(names, ["v"]);
    Ok(())
}

#[test]
fn a_hundred_files_at_once() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1))])?;
    let name = |number: u32| format!("p{number:03}");
    for number in 0..100 {
        live.house
            .write(&format!("plugins/{}.wasm", name(number)), version(number))?;
    }
    for number in 0..100 {
        live.until_answers(&name(number), "v.version", number);
    }
    for number in 0..100 {
        fs::remove_file(live.path(&name(number)))?;
    }
    for number in 0..100 {
        live.until(&name(number), |status| status.is_none());
    }
    assert_eq!(live.call("v", "v.version").unwrap(), 1);
    Ok(())
}

#[test]
fn a_flapping_file_ends_as_what_it_was_last() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1)), ("ask", asker())])?;
    for number in 0..50 {
        live.put("v", &version(number));
        if number % 7 == 0 {
            fs::remove_file(live.path("v"))?;
            live.put("v", b"bad");
        }
    }
    live.put("v", &version(51));
    live.until_answers("v", "v.version", 51);
    live.until_answers("ask", "ask.both", 51_051);
    Ok(())
}

/// A pin holds for what comes later as for what was there first.
#[test]
fn a_pinned_plugin_is_not_replaced_by_another_file() -> anyhow::Result<()> {
    let first = version(1);
    let options = PluginOptions {
        sha256: Some(sha256(&first)),
        ..PluginOptions::default()
    };
    let live = Live::with(&[("v", first)], options)?;
    live.put("v", &version(2));
    live.until_failed("v", "pins it to");
    assert_eq!(live.call("v", "v.version").unwrap(), 1);
    Ok(())
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}

#[test]
fn a_folder_that_goes_changes_nothing_and_one_that_comes_is_watched() -> anyhow::Result<()> {
    let live = Live::start(&[("v", version(1))])?;
    let (folder, aside) = (live.house.path("plugins"), live.house.path("aside"));
    fs::rename(&folder, &aside)?;
    let looked = live
        .runtime
        .block_on(live.plugins.update(None, |_| PluginOptions::default()));
    assert!(looked.unwrap_err().to_string().contains("can't be read"));
    assert_eq!(live.call("v", "v.version").unwrap(), 1);
    let beside = live.house.path("beside");
    fs::create_dir(&beside)?;
    fs::write(beside.join("v.wasm"), version(2))?;
    fs::rename(&beside, &folder)?;
    live.until_answers("v", "v.version", 2);
    Ok(())
}
