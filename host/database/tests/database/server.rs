//! Owns one PostgreSQL server for the whole run: made in a temporary folder, and gone with the test process however that ends.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection, Executor};

pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    /// Its standard input is a pipe from us. When that closes, the keeper stops the server and removes the folder.
    _keeper: Child,
}

/// The server of this run.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

impl Server {
    /// A URL to a new, empty database over the Unix socket.
    pub(crate) async fn database(&self) -> String {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", LAST.fetch_add(1, Ordering::Relaxed));
        let mut admin = self.admin("postgres").await;
        admin
            .execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .await
            .unwrap();
        admin.close().await.unwrap();
        self.url(&name)
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!(
            "postgresql://postgres@localhost/{database}?host={}&port={}",
            self.folder.join("socket").display(),
            self.port
        )
    }

    /// A URL over TCP, where a password is asked for.
    pub(crate) fn tcp_url(&self, user: &str, password: &str, database: &str) -> String {
        format!(
            "postgresql://{user}:{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// A connection of the driver's own, to look at the server from outside.
    pub(crate) async fn admin(&self, database: &str) -> sqlx::PgConnection {
        sqlx::PgConnection::connect(&self.url(database))
            .await
            .unwrap()
    }

    fn start() -> Self {
        let bin = binaries();
        let folder = tempfile::Builder::new()
            .prefix("poolhouse-postgresql-")
            .tempdir()
            .unwrap()
            .keep();
        let is_root =
            String::from_utf8_lossy(&Command::new("id").arg("-u").output().unwrap().stdout).trim()
                == "0";
        if is_root {
            // initdb refuses to run as root.
            assert!(
                Command::new("chown")
                    .arg("postgres")
                    .arg(&folder)
                    .status()
                    .unwrap()
                    .success()
            );
        }
        let run = |program: PathBuf| {
            if is_root {
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                    .arg(program);
                command
            } else {
                Command::new(program)
            }
        };
        let data = folder.join("data");
        let initdb = run(bin.join("initdb"))
            .args([
                "--no-sync",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--username=postgres",
                "--pgdata",
            ])
            .arg(&data)
            .current_dir("/")
            .output()
            .unwrap();
        assert!(
            initdb.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&initdb.stderr)
        );
        assert!(
            run("mkdir".into())
                .arg(folder.join("socket"))
                .current_dir("/")
                .status()
                .unwrap()
                .success()
        );
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // The shell outlives us only until it has stopped the server and swept up.
        let script = format!(
            "\"$@\" >{log} 2>&1 & pid=$!; read _; kill -INT $pid; wait $pid; rm -rf {folder}",
            log = folder.join("log").display(),
            folder = folder.display()
        );
        let mut server = run(bin.join("postgres"));
        server
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.join("socket"));
        server.args(["-p", &port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "max_connections=80",
            "superuser_reserved_connections=5",
        ] {
            server.args(["-c", setting]);
        }
        let mut keeper = Command::new("sh")
            .args(["-c", &script, "keeper"])
            .arg(server.get_program())
            .args(server.get_args())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if !answers(&bin, &folder.join("socket"), port) {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            drop(keeper.stdin.take());
            let _ = keeper.wait();
            panic!("PostgreSQL did not start on port {port}: {log}");
        }
        Self {
            folder,
            port,
            _keeper: keeper,
        }
    }
}

fn answers(bin: &Path, socket: &Path, port: u16) -> bool {
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        let ready = Command::new(bin.join("pg_isready"))
            .arg("-h")
            .arg(socket)
            .args(["-p", &port.to_string(), "-q"])
            .status()
            .unwrap();
        if ready.success() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

fn binaries() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|folders| {
            folders
                .filter_map(|folder| Some(folder.ok()?.path().join("bin")))
                .filter(|bin| bin.join("initdb").exists())
                .collect()
        })
        .unwrap_or_default();
    found.sort();
    found
        .pop()
        .expect("these tests start a PostgreSQL of their own: apt-get install postgresql")
}
