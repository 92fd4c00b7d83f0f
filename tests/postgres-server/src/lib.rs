//! Starts PostgreSQL servers for tests in temporary folders, and sees to it that none outlives the test process.

pub mod proxy;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// The password of the user `postgres`: asked for over TCP, not over the Unix socket. No message may show it.
pub const PASSWORD: &str = "s3cret-of-postgres";

/// Ports can be taken by somebody else between being found free and being used.
const TRIES: u32 = 5;
const PROGRAMS: [&str; 4] = ["initdb", "postgres", "pg_isready", "psql"];
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running server. When it is dropped, or the process ends in whatever way, it is stopped and its folder removed.
#[derive(Debug)]
pub struct PostgresServer {
    folder: PathBuf,
    binaries: PathBuf,
    port: u16,
    /// Its standard input is a pipe from here: when that closes, the keeper stops the server and sweeps up.
    keeper: Child,
    /// A line for each command that the keeper has carried out.
    done: BufReader<ChildStdout>,
}

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Tells its clients, rolls back and writes everything down.
    Fast,
    /// Like a crash: what was under way is found out at the next start.
    Immediate,
}

/// The one server of this process, started at first use: enough for every test that does not change the server itself.
///
/// # Errors
/// Where it does not start.
pub fn shared() -> anyhow::Result<&'static PostgresServer> {
    static SHARED: OnceLock<PostgresServer> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if SHARED.get().is_none() {
        let server = PostgresServer::start(&[])?;
        // Nobody else sets it while the lock is held.
        let _ = SHARED.set(server);
    }
    SHARED.get().context("the server was just started")
}

impl PostgresServer {
    /// Starts a server with extra settings, each `name=value`.
    ///
    /// # Errors
    /// Where PostgreSQL is not installed, or does not start.
    pub fn start(settings: &[&str]) -> anyhow::Result<Self> {
        Self::start_with(settings, None)
    }

    /// Starts a server that offers TLS with this certificate and private key, both PEM files.
    ///
    /// # Errors
    /// Where PostgreSQL is not installed, or does not start.
    pub fn start_with_tls(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        Self::start_with(&["ssl=on"], Some((certificate, key)))
    }

    fn start_with(settings: &[&str], tls: Option<(&Path, &Path)>) -> anyhow::Result<Self> {
        let binaries = binaries()?;
        let folder = tempfile::Builder::new()
            .prefix("poolhouse-postgresql-")
            .tempdir()?;
        let user = user_for(folder.path())?;
        let data = folder.path().join("data");
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        let initdb = user
            .command(&binaries.join("initdb"))
            .args([
                "--no-sync",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .args(["--username=postgres", "--pwfile"])
            .arg(&password)
            .arg("--pgdata")
            .arg(&data)
            .output()?;
        ensure!(
            initdb.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&initdb.stderr)
        );
        if let Some((certificate, key)) = tls {
            // Given to the server's user, who must be the only one to read the key.
            for (file, name) in [(certificate, "server.crt"), (key, "server.key")] {
                let copy = data.join(name);
                fs::copy(file, &copy)?;
                fs::set_permissions(&copy, fs::Permissions::from_mode(0o600))?;
                user.own(&copy)?;
            }
        }
        // From here on the keeper removes it.
        let folder = folder.keep();
        for _ in 0..TRIES {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut server = user.command(&binaries.join("postgres"));
            server
                .arg("-D")
                .arg(&data)
                .arg("-k")
                .arg(&folder)
                .args(["-p", &port.to_string()]);
            for setting in [
                "listen_addresses=127.0.0.1",
                "fsync=off",
                "max_connections=80",
            ]
            .iter()
            .chain(settings)
            {
                server.args(["-c", setting]);
            }
            let mut keeper = keep(&server, &folder)?;
            let done = keeper
                .stdout
                .take()
                .context("the keeper's output is piped")?;
            let server = Self {
                keeper,
                done: BufReader::new(done),
                folder: folder.clone(),
                binaries: binaries.clone(),
                port,
            };
            if server.answers()? {
                return Ok(server);
            }
        }
        bail!("PostgreSQL did not start in {TRIES} tries");
    }

    /// Makes a new, empty database and answers its URL over TCP, password and all.
    ///
    /// # Errors
    /// Where the server refuses.
    pub fn database(&self) -> anyhow::Result<String> {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", LAST.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.url("postgres", PASSWORD, &name))
    }

    /// A URL over TCP, where a password is asked for.
    pub fn url(&self, user: &str, password: &str, database: &str) -> String {
        format!(
            "postgresql://{user}:{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// A URL over the Unix socket, where none is.
    pub fn socket_url(&self, database: &str) -> String {
        format!(
            "postgresql://postgres@localhost/{database}?host={}&port={}",
            self.folder.display(),
            self.port
        )
    }

    /// The TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs one statement by `psql` and answers what it printed, unaligned and without headers.
    ///
    /// # Errors
    /// What `psql` says.
    pub fn psql(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let output = Command::new(self.binaries.join("psql"))
            .args([
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "--set=ON_ERROR_STOP=1",
            ])
            .args([
                "--username=postgres",
                "--port",
                &self.port.to_string(),
                "--dbname",
                database,
                "--command",
                sql,
            ])
            .arg("--host")
            .arg(&self.folder)
            .output()?;
        ensure!(
            output.status.success(),
            "psql: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned())
    }

    /// Stops the server and returns when it has ended; its folder and port stay its own.
    ///
    /// # Errors
    /// Where the keeper is gone.
    pub fn stop(&mut self, how: Shutdown) -> anyhow::Result<()> {
        self.command(match how {
            Shutdown::Fast => "INT",
            Shutdown::Immediate => "QUIT",
        })
    }

    /// Starts the server again after [`stop`](Self::stop), on the same port and data, and returns when it answers.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.command("start")?;
        ensure!(self.answers()?, "PostgreSQL did not start again");
        Ok(())
    }

    fn command(&mut self, command: &str) -> anyhow::Result<()> {
        let keeper = self.keeper.stdin.as_mut().context("the keeper is gone")?;
        writeln!(keeper, "{command}")?;
        let mut line = String::new();
        self.done.read_line(&mut line)?;
        ensure!(line == "done\n", "the keeper is gone");
        Ok(())
    }

    fn answers(&self) -> anyhow::Result<bool> {
        let until = Instant::now() + START_TIMEOUT;
        while Instant::now() < until {
            let ready = Command::new(self.binaries.join("pg_isready"))
                .args(["--quiet", "--port", &self.port.to_string(), "--host"])
                .arg(&self.folder)
                .status()?;
            if ready.success() {
                return Ok(true);
            }
            if !self.folder.exists() {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(false)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // It ends once the server has, within the time that an immediate shutdown takes.
        let _ = self.keeper.wait();
    }
}

/// A shell that runs the server, stops and starts it when told, and sweeps up at the end of its own input.
fn keep(server: &Command, folder: &Path) -> anyhow::Result<Child> {
    let script = r#"folder=$1; shift
# Whoever asked may be gone before the answer; the sweeping up is still to do.
trap '' PIPE
"$@" >>"$folder/log" 2>&1 </dev/null & server=$!
while read -r command; do
    case $command in
    start) "$@" >>"$folder/log" 2>&1 </dev/null & server=$! ;;
    *) kill "-$command" $server; wait $server; server= ;;
    esac
    echo done
done
# A server that has only just begun may miss the signal.
while [ "$server" ] && kill -QUIT $server 2>/dev/null; do sleep 0.1; done
rm -rf "$folder""#;
    Ok(Command::new("sh")
        .args(["-c", script, "keeper"])
        .arg(folder)
        .arg(server.get_program())
        .args(server.get_args())
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?)
}

/// As whom the server runs: it refuses to run as root.
struct User {
    is_root: bool,
}

impl User {
    fn command(&self, program: &Path) -> Command {
        let mut command = if self.is_root {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        // One that the server's user may enter.
        command.current_dir("/");
        command
    }

    /// Gives a file to the server's user.
    fn own(&self, file: &Path) -> anyhow::Result<()> {
        if self.is_root {
            let changed = Command::new("chown").arg("postgres").arg(file).status()?;
            ensure!(
                changed.success(),
                "{} can't be given to the user postgres",
                file.display()
            );
        }
        Ok(())
    }
}

fn user_for(folder: &Path) -> anyhow::Result<User> {
    let id = Command::new("id").arg("-u").output()?;
    let is_root = String::from_utf8_lossy(&id.stdout).trim() == "0";
    let user = User { is_root };
    user.own(folder)?;
    Ok(user)
}

/// Where the newest server's programs are.
fn binaries() -> anyhow::Result<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .chain(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        ))
        .filter(|folder| PROGRAMS.iter().all(|program| folder.join(program).exists()))
        .collect();
    // By version, and the distribution's own folder before links to some of it.
    found.sort_by_key(|folder| folder.starts_with("/usr/lib/postgresql"));
    found
        .pop()
        .context("these tests start a PostgreSQL server of their own: apt-get install postgresql")
}
