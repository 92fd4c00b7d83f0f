//! What WASI gives a plugin: the variables and folders that it was granted, and nothing else.

use std::collections::BTreeMap;
use std::fs;

use poolhouse_runtime::{Limits, PluginOptions};
use poolhouse_tests::{House, test_guest};

use super::{Inside, is_over_limit};

#[test]
fn without_a_grant_there_is_nothing() -> anyhow::Result<()> {
    let host = Inside::limited(Limits::default())?;
    assert_eq!(host.call("edges.given", &[])?, "[\"stdin: \\\"\\\"\"]");
    for path in ["/", ".", "/etc/passwd", "/proc/self/environ", "../x"] {
        for function in ["edges.read", "edges.names"] {
            let said = host.call(function, &[path])?;
            assert!(said.starts_with("err("), "{function} {path}: {said}");
        }
    }
    Ok(())
}

#[test]
fn there_is_no_network() -> anyhow::Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let host = Inside::limited(Limits::default())?;
    let said = host.call("edges.network", &[&listener.local_addr()?.to_string()])?;
    for what in ["connect: ", "listen: ", "datagram: ", "look up: "] {
        assert!(said.contains(what), "{said}");
    }
    assert!(!said.contains("done"), "{said}");
    // Nobody knocked.
    assert!(listener.accept().is_err());
    Ok(())
}

/// A plugin that may read the house's folder `granted`.
fn reader(limits: Limits) -> anyhow::Result<Inside> {
    let house = House::sqlite()?;
    fs::create_dir_all(house.path("granted/deeper"))?;
    house.write("granted/inside.txt", "inside")?;
    house.write("granted/deeper/below.txt", "below")?;
    house.write("outside.txt", "outside")?;
    std::os::unix::fs::symlink("../outside.txt", house.path("granted/out"))?;
    std::os::unix::fs::symlink("/etc", house.path("granted/etc"))?;
    std::os::unix::fs::symlink("inside.txt", house.path("granted/in"))?;
    fs::copy(test_guest("edges")?, house.path("plugins/culprit.wasm"))?;
    let folders = BTreeMap::from([("data/granted".to_owned(), house.path("granted"))]);
    Ok(Inside::on(house, |_| PluginOptions {
        folders: folders.clone(),
        limits: limits.clone(),
        ..PluginOptions::default()
    })?)
}

#[test]
fn a_folder_is_read_under_its_own_name_and_nothing_behind_it() -> anyhow::Result<()> {
    let host = reader(Limits::default())?;
    for (path, text) in [
        ("data/granted/inside.txt", "inside"),
        ("data/granted/deeper/below.txt", "below"),
        ("data/granted/deeper/../inside.txt", "inside"),
        ("data/granted/in", "inside"),
    ] {
        let said = host.call("edges.read", &[path])?;
        assert_eq!(said, format!("ok(\"{text}\")"), "{path}");
    }
    let names = host.call("edges.names", &["data/granted"])?;
    for name in ["inside.txt", "deeper", "out", "in"] {
        assert!(names.contains(&format!("\"{name}\"")), "{names}");
    }
    let absolute = host.house.path("outside.txt");
    for path in [
        "data/granted/../outside.txt",
        "data/granted/deeper/../../outside.txt",
        "data/granted/out",
        "data/granted/etc/passwd",
        "data/outside.txt",
        "outside.txt",
        "/etc/passwd",
        absolute.to_str().unwrap(),
    ] {
        let said = host.call("edges.read", &[path])?;
        assert!(said.starts_with("err("), "{path}: {said}");
        assert!(!said.contains("ok("), "{path}: {said}");
    }
    Ok(())
}

#[test]
fn nothing_in_a_folder_can_be_changed() -> anyhow::Result<()> {
    let host = reader(Limits::default())?;
    let said = host.call("edges.change", &["data/granted/inside.txt"])?;
    assert_eq!(said.matches(": ").count(), 9, "{said}");
    assert!(!said.contains("done"), "{said}");
    let text = fs::read_to_string(host.house.path("granted/inside.txt"))?;
    assert_eq!(text, "inside");
    assert_eq!(fs::read_dir(host.house.path("granted"))?.count(), 5);
    Ok(())
}

#[test]
fn files_kept_open_end_at_the_handles_there_may_be() -> anyhow::Result<()> {
    let host = reader(Limits {
        handles: 50,
        ..Limits::default()
    })?;
    let keep = |times: &str| host.call("edges.keep-open", &["data/granted/inside.txt", times]);
    keep("20")?;
    let error = keep("100").unwrap_err();
    assert!(is_over_limit(&error), "{error}");
    for word in ["50 streams, files and timers", "limit `handles`"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    // With the instance go its files.
    let open = || {
        let files = fs::read_dir("/proc/self/fd").unwrap();
        files
            .filter_map(|file| fs::read_link(file.unwrap().path()).ok())
            .filter(|file| {
                file.ends_with("granted/inside.txt") && file.starts_with(host.house.path(""))
            })
            .count()
    };
    assert_eq!(open(), 0);
    keep("20")?;
    assert_eq!(open(), 20);
    Ok(())
}

#[test]
fn a_folder_that_has_gone_is_told_of() -> anyhow::Result<()> {
    let host = reader(Limits {
        warm_instances: 0,
        ..Limits::default()
    })?;
    fs::rename(host.house.path("granted"), host.house.path("moved"))?;
    let error = host.call("edges.calls", &[]).unwrap_err().to_string();
    for word in ["plugin \"culprit\"", "data/granted", "`folders`"] {
        assert!(error.contains(word), "{error}");
    }
    Ok(())
}

#[test]
fn host_toml_grants_variables_and_folders() -> anyhow::Result<()> {
    let house = House::sqlite()?;
    house.add_plugin(&test_guest("edges")?)?;
    fs::create_dir(house.path("shared"))?;
    house.write("shared/a.txt", "a text")?;
    house.write(
        "host.toml",
        "[plugins.edges]\nwasi = { environment = [\"GRANTED\", \"ABSENT\"], folders = [\"shared\"] }\n",
    )?;
    let mut given = house.host(&["call", "edges", "edges.given"])?;
    given.env("GRANTED", "yes").env("SECRET", "no");
    let given = poolhouse_tests::run(given)?.succeeded();
    assert_eq!(
        given.stdout.trim(),
        "[\"GRANTED=yes\", \"stdin: \\\"\\\"\"]"
    );
    let read = house.run(&["call", "edges", "edges.read", "shared/a.txt"])?;
    assert_eq!(read.succeeded().stdout.trim(), "ok(\"a text\")");
    Ok(())
}
