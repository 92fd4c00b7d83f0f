//! Everything that a person can get wrong, and the one line that it gets: what, where, what to do.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::thread;
use std::time::{Duration, Instant};

use poolhouse_test_postgres::PostgresServer;
use poolhouse_tests::{BACKENDS, Backend, House, PASSWORD, Ran, run, test_guest};

const LIST: [&str; 3] = ["call", "user-service", "user-service.list-active"];

#[test]
fn a_wrong_folder_or_file_is_named() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    house
        .run(&["run", "--plugins", "nowhere"])?
        .failed_with(&["nowhere", "--plugins"]);
    house
        .run(&["call", "nobody", "f"])?
        .failed_with(&["nobody", "user-service"]);

    for (name, bytes, words) in [
        (
            "text",
            b"hello".to_vec(),
            &["text.wasm", "does not begin like a WebAssembly component"][..],
        ),
        (
            "empty",
            Vec::new(),
            &["empty.wasm", "does not begin like a WebAssembly component"],
        ),
        (
            "module",
            wat::parse_str("(module)")?,
            &["module.wasm", "core WebAssembly module", "wasm32-wasip2"],
        ),
        (
            "network",
            wat::parse_str(
                "(component (import \"wasi:http/types@0.2.0\" (instance (export \"f\" (func)))))",
            )?,
            &["network.wasm", "wasi:http/types"],
        ),
        (
            "impostor",
            wat::parse_str(
                "(component (component $c) (instance $i (instantiate $c)) (export \"poolhouse:trading/strategy@0.1.0\" (instance $i)))",
            )?,
            &["impostor.wasm", "poolhouse:trading/strategy"],
        ),
    ] {
        let file = house.write(&format!("plugins/{name}.wasm"), bytes)?;
        house.run(&["run", "--feed", "-"])?.failed_with(words);
        fs::remove_file(file)?;
    }
    let whole = house.path("plugins/user-service.wasm");
    // Two such names would be one plugin's.
    let unreadable = house.path("plugins").join(OsStr::from_bytes(b"\xff.wasm"));
    fs::copy(&whole, &unreadable)?;
    house
        .run(&["run", "--feed", "-"])?
        .failed_with(&["can't be read", "its name is not UTF-8, rename it"]);
    fs::remove_file(unreadable)?;
    let mut half = fs::read(whole)?;
    half.truncate(half.len() / 2);
    house.write("plugins/user-service.wasm", half)?;
    house
        .run(&LIST)?
        .failed_with(&["user-service.wasm", "damaged"]);
    assert!(!house.path("house.db").exists() || house.count("sqlite_master")? == 0);
    Ok(())
}

#[test]
fn wrong_settings_are_named_with_their_line() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    house.write("host.toml", "[database]\npool_size = 5\npool_sise = 5\n")?;
    house
        .run(&LIST)?
        .failed_with(&["host.toml", "line 3", "pool_sise", "pool_size"]);
    house.write("host.toml", "[plugins.x]\nlimits = { connections = 0 }\n")?;
    house
        .run(&LIST)?
        .failed_with(&["host.toml", "[plugins.x]: limits", "connections is 0"]);
    // What can't be reserved: more than the plugin may have, and more than leaves the host a connection.
    let grant = "database = { migrate = true, read = [\"*\"], write = [\"*\"] }\n";
    for (limits, words) in [
        ("connections = 2, reserved_connections = 3", "max (2)"),
        (
            "connections = 15, reserved_connections = 15",
            "15 reserved of 15",
        ),
    ] {
        let text = format!("[plugins.user-service]\n{grant}limits = {{ {limits} }}\n");
        house.write("host.toml", text)?;
        house
            .run(&LIST)?
            .failed_with(&["user-service", "connections", "host.toml", words]);
    }
    house.write("host.toml", "[database]\nurl = \"mysql://x\"\n")?;
    let mut command = house.host(&LIST)?;
    command.env_remove("DATABASE_URL");
    run(command)?.failed_with(&["mysql", "sqlite", "postgres"]);
    house.write("host.toml", "")?;
    house.run(&LIST)?.failed_with(&[
        "user-service",
        "[plugins.user-service]",
        "migrate = true",
        "host.toml",
    ]);
    house
        .run(&["call", "--config", "none.toml", "user-service"])?
        .failed_with(&["none.toml"]);
    Ok(())
}

#[test]
fn a_plugin_without_a_grant_is_told_the_lines_to_add() -> anyhow::Result<()> {
    let house = House::empty(Backend::Sqlite)?;
    house.add_plugin(&test_guest("faulty-service")?)?;
    house.write(
        "host.toml",
        "[plugins.faulty-service]\ndatabase = { migrate = true, write = [\"faults\"] }\n",
    )?;
    house
        .run(&["call", "faulty-service", "faults.count"])?
        .failed_with(&[
            "faulty-service",
            "may not read",
            "faults",
            "read = [\"faults\"]",
        ]);
    Ok(())
}

#[test]
fn a_wrong_call_is_refused_before_anything_runs() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    house
        .run(&["call", "user-service", "user-service.lst"])?
        .failed_with(&["user-service.lst", "list-active"]);
    house
        .run(&["call", "user-service", "user-service.get"])?
        .failed_with(&["takes 1 arguments, not 0"]);
    house
        .run(&["call", "user-service", "user-service.save", "{id: 5}"])?
        .failed_with(&["argument `user`", "user-service.save"]);
    house.add_plugin(&test_guest("faulty-service")?)?;
    let settings = fs::read_to_string(house.path("host.toml"))?;
    let grant = "[plugins.faulty-service]\ndatabase = { migrate = true, read = [\"faults\"], write = [\"faults\"] }\n";
    house.write("host.toml", format!("{settings}\n{grant}"))?;
    house
        .run(&["call", "faulty-service", "faults.take", "1"])?
        .failed_with(&["faults", "take", "resource"]);
    house
        .run(&["call", "moving-average", "strategy.describe", "1"])?
        .failed_with(&["takes 0 arguments, not 1"]);
    Ok(())
}

#[test]
fn database_troubles_name_the_setting_and_never_the_password() -> anyhow::Result<()> {
    let house = House::new(Backend::Postgresql)?;
    let server = house.server().unwrap();
    let wrong = "wr0ng-pa55word";
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    for (url, words) in [
        (
            format!("postgresql+psycopg2://postgres:{PASSWORD}@127.0.0.1:{nobody}/postgres"),
            &["127.0.0.1", "url"][..],
        ),
        (
            server.url("postgres", wrong, "postgres"),
            &["password", "postgres", "url"],
        ),
        (
            server.url("postgres", "", "postgres").replace(":@", "@"),
            &["asks user \"postgres\" for a password", "has none"],
        ),
        (
            server.url("postgres", PASSWORD, "absent"),
            &["\"absent\"", "create it", "url"],
        ),
        (
            format!(
                "{}?sslmode=require",
                server.url("postgres", PASSWORD, "postgres")
            ),
            &["TLS", "sslmode"],
        ),
    ] {
        let ran = with_url(&house, &LIST, &url)?.failed_with(words);
        assert!(
            !ran.stderr.contains(wrong) && !ran.stderr.contains(PASSWORD),
            "{}",
            ran.stderr
        );
    }
    house.run(&LIST)?.succeeded();
    Ok(())
}

#[test]
fn no_message_shows_a_password_wherever_it_was_put() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    let seed = house.write("seed.toml", "")?;
    for url in [
        "postgresql://ann:hunter2@host/shop",
        "postgresql://ann:x@hunter2/hunter2@host/shop",
        "postgresql://ann:x?hunter2@host/shop",
        "postgresql://ann:x hunter2@host/shop",
        "postgresql://host/shop?password=hunter2",
        "postgresql:ann:hunter2@host/shop",
        "sqlite://ann:hunter2@host/shop",
    ] {
        for arguments in [
            &["run", "--feed", url][..],
            &["run", "--seed", url],
            &["run", "--seed", &seed, "--plugins", url],
            &["run", "--config", url],
            &["run", url],
            &["run", &format!("--{url}")],
            &[url],
            &["call", url],
            &["call", "user-service", url],
            &["call", "user-service", "user-service.list-active", url],
            &["call", "user-service", "user-service.save", url],
            &["check", "--log", url],
        ] {
            let ran = house.run(arguments)?;
            assert_ne!(ran.code, Some(0), "{arguments:?}");
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!said.contains("hunter2"), "{arguments:?}: {said}");
        }
        house.write(
            "host.toml",
            format!("[database]\n\"{url}\" = 1\nurl = \"x\"\n"),
        )?;
        let ran = house.run(&LIST)?.failed_with(&["line 2", "unknown field"]);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
        fs::remove_file(house.path("host.toml"))?;
    }
    for url in [
        "postgresql://ann:x@hunter2/hunter2@127.0.0.1:1/shop",
        "postgresql://ann:1?hunter2@127.0.0.1:1/shop",
        "postgresql://ann@127.0.0.1:1/shop?hunter2",
        "postgresql://ann@127.0.0.1:1/shop?options=hunter2",
        "sqlite://ann:hunter2@127.0.0.1/shop",
        "sqlite://shop.db?hunter2",
    ] {
        let ran = with_url(&house, &LIST, url)?.failed_with(&["URL"]);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
    Ok(())
}

#[test]
fn a_log_level_that_is_none_is_refused() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    for level in ["inof", "info,pool", "poolhouse=loud", ""] {
        let mut arguments = LIST.to_vec();
        arguments.extend(["--log", level]);
        house.run(&arguments)?.failed_with(&[
            "--log",
            "error, warn (or warning), info, debug, trace or off",
        ]);
    }
    let mut command = house.host(&LIST)?;
    command.env("RUST_LOG", "wran");
    run(command)?.failed_with(&["RUST_LOG", "\"wran\"", "not a level"]);
    let mut arguments = LIST.to_vec();
    arguments.extend(["--log", "Warning"]);
    house.run(&arguments)?.succeeded();
    Ok(())
}

#[test]
fn an_answer_over_a_limit_is_read_in_parts_and_one_row_over_it_names_the_limit()
-> anyhow::Result<()> {
    for backend in BACKENDS {
        let house = House::new(backend)?;
        for id in ["a", "b"] {
            let user = format!("{{id: \"{id}\", name: \"A\", active: true}}");
            house
                .run(&["call", "user-service", "user-service.save", &user])?
                .succeeded();
        }
        let whole = house.run(&LIST)?.succeeded().stdout;
        let settings = fs::read_to_string(house.path("host.toml"))?;
        let limit =
            |limit: &str| house.write("host.toml", format!("{settings}\n[limits]\n{limit}\n"));
        limit("rows = 1")?;
        assert_eq!(house.run(&LIST)?.succeeded().stdout, whole, "{backend:?}");
        limit("bytes = 1")?;
        house
            .run(&LIST)?
            .failed_with(&["user-service", "a single row", "1 bytes"]);
    }
    Ok(())
}

#[test]
fn output_that_can_t_be_written_is_a_failure() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    for arguments in [&LIST[..], &["check"], &["call", "user-service"]] {
        let mut command = house.host(arguments)?;
        command.stdout(fs::File::options().write(true).open("/dev/full")?);
        command.stderr(std::process::Stdio::piped());
        let output = command.spawn()?.wait_with_output()?;
        let said = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.contains("standard output") && said.contains("No space left"),
            "{said}"
        );
    }
    Ok(())
}

#[test]
fn too_few_open_files_are_named() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    for files in [8, 16, 24, 32, 40, 64] {
        let mut command = std::process::Command::new("sh");
        command
            .arg("-c")
            .arg(format!("ulimit -n {files}; exec \"$0\" \"$@\""))
            .arg(poolhouse_tests::host_program()?)
            .args(LIST)
            .current_dir(house.path(""))
            .env_clear()
            .env("DATABASE_URL", house.url());
        let ran = run(command)?;
        if ran.code != Some(0) {
            ran.failed_with(&["ulimit -n"]);
        } else {
            assert!(files > 24, "{files} files are enough");
        }
    }
    Ok(())
}

/// Before a server of its own: for a while it says what PostgreSQL says while it starts up, then it carries all to
/// `server`. Its threads end with the test's process.
fn starting_server(server: u16, until: Instant) -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for near in listener.incoming() {
            thread::spawn(move || carry(near?, server, until));
        }
    });
    Ok(port)
}

fn carry(mut near: TcpStream, server: u16, until: Instant) -> std::io::Result<()> {
    if Instant::now() < until {
        let mut request = [0; 8];
        near.read_exact(&mut request)?;
        // 80877103 asks for TLS.
        if request[4..] == 80_877_103_u32.to_be_bytes() {
            near.write_all(b"N")?;
            near.read_exact(&mut request)?;
        }
        let length = u32::from_be_bytes([request[0], request[1], request[2], request[3]]);
        let mut rest = vec![0; length as usize - 8];
        near.read_exact(&mut rest)?;
        let fields = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";
        near.write_all(b"E")?;
        near.write_all(&(fields.len() as u32 + 4).to_be_bytes())?;
        return near.write_all(fields);
    }
    let mut far = TcpStream::connect(("127.0.0.1", server))?;
    let (mut from, mut to) = (near.try_clone()?, far.try_clone()?);
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut far, &mut near)?;
    near.shutdown(std::net::Shutdown::Both)
}

#[test]
fn a_server_that_is_starting_up_is_waited_for() -> anyhow::Result<()> {
    let house = House::new(Backend::Postgresql)?;
    let server = house.server().unwrap().port();
    let at = |port: u16| {
        house
            .url()
            .replace(&format!(":{server}/"), &format!(":{port}/"))
    };
    for arguments in [&LIST[..], &["check"]] {
        let port = starting_server(server, Instant::now() + Duration::from_secs(2))?;
        let ran = with_url(&house, arguments, &at(port))?.succeeded();
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("starting up") && ran.stderr.contains("pool_timeout"),
            "{}",
            ran.stderr
        );
    }
    let port = starting_server(server, Instant::now() + Duration::from_secs(60))?;
    let mut command = house.host(&LIST)?;
    command
        .env("DATABASE_URL", at(port))
        .env("POOLHOUSE_DATABASE_POOL_TIMEOUT", "1");
    let ran = run(command)?;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("starting up"), "{}", ran.stderr);
    Ok(())
}

fn with_url(house: &House, arguments: &[&str], url: &str) -> anyhow::Result<Ran> {
    let mut command = house.host(arguments)?;
    command.env("DATABASE_URL", url);
    run(command)
}

#[test]
fn tls_is_used_where_it_is_required() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    let keys =
        rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let certificate = house.write("server.crt", keys.cert.pem())?;
    let key = house.write("server.key", keys.signing_key.serialize_pem())?;
    let server = PostgresServer::start_with_tls(certificate.as_ref(), key.as_ref())?;
    let url = |mode: &str| {
        format!(
            "{}?sslmode={mode}",
            server.url("postgres", PASSWORD, "postgres")
        )
    };
    with_url(&house, &["check"], &url("require"))?.succeeded();
    with_url(
        &house,
        &["check"],
        &format!("{}&sslrootcert={certificate}", url("verify-full")),
    )?
    .succeeded();
    with_url(&house, &LIST, &url("verify-full"))?.failed_with(&["certificate", "sslrootcert"]);
    Ok(())
}

#[test]
fn a_file_that_can_t_be_a_database_is_named() -> anyhow::Result<()> {
    let house = House::new(Backend::Sqlite)?;
    house.write(
        "text.db",
        "this is a text, long enough to be seen as no database at all; ".repeat(100),
    )?;
    for (url, words) in [
        ("sqlite:///proc/house.db", &["/proc/house.db", "folder"][..]),
        ("sqlite://nowhere/house.db", &["nowhere", "folder"]),
        ("sqlite://text.db", &["text.db", "not"]),
        (
            "sqlite://host.toml",
            &["host.toml", "another kind of file", "url"],
        ),
    ] {
        with_url(&house, &LIST, url)?.failed_with(words);
    }
    Ok(())
}
