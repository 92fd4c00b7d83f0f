//! Everything that a person can get wrong, and the one line that it gets: what, where, what to do.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

use std::fs;

use poolhouse_test_postgres::PostgresServer;
use poolhouse_tests::{Backend, House, PASSWORD, Ran, run, test_guest};

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
            &["text.wasm", "not a WebAssembly component"][..],
        ),
        (
            "empty",
            Vec::new(),
            &["empty.wasm", "not a WebAssembly component"],
        ),
        (
            "module",
            wat::parse_str("(module)")?,
            &["module.wasm", "core WebAssembly module", "wasm32-wasip2"],
        ),
        (
            "importer",
            wat::parse_str(
                "(component (import \"acme:billing/invoice\" (instance (export \"f\" (func)))))",
            )?,
            &["importer.wasm", "acme:billing/invoice", "does not offer"],
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
    let mut half = fs::read(house.path("plugins/user-service.wasm"))?;
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
    ] {
        with_url(&house, &LIST, url)?.failed_with(words);
    }
    Ok(())
}
