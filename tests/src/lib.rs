//! What whole-system tests and benchmarks stand on: a house of its own for each test, and answers read from
//! its database without the host's help.

pub mod conformance;
pub mod measure;
pub mod reference;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
pub use poolhouse_test_postgres::PASSWORD;
use poolhouse_test_postgres::PostgresServer;
use sqlx::{AssertSqlSafe, Connection, Row, SqlSafeStr};
use tempfile::TempDir;

/// The host's own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Both databases, for tests that are the same on each.
pub const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgresql];

/// Which database a house has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file in the house's folder.
    Sqlite,
    /// A database of the house's own on this process's server.
    Postgresql,
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder that cargo builds into, found by where this program stands.
///
/// # Errors
/// Where this is no release build.
pub fn target() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let release = program
        .ancestors()
        .find(|folder| folder.ends_with("release"))
        .context("tests are built with --release")?;
    Ok(release
        .parent()
        .context("release is a folder in target")?
        .to_owned())
}

/// The `host` program.
///
/// # Errors
/// Where it was not built.
pub fn host_program() -> anyhow::Result<PathBuf> {
    let program = target()?.join("release/host");
    ensure!(
        program.exists(),
        "{} is missing: run `make test`",
        program.display()
    );
    Ok(program)
}

/// A test guest's component.
///
/// # Errors
/// Where it was not built.
pub fn test_guest(name: &str) -> anyhow::Result<PathBuf> {
    built(target()?.join("test-guests"), name)
}

/// A reference plugin's component.
///
/// # Errors
/// Where it was not built.
pub fn reference_plugin(name: &str) -> anyhow::Result<PathBuf> {
    built(root().join("plugins"), name)
}

fn built(folder: PathBuf, name: &str) -> anyhow::Result<PathBuf> {
    let file = folder.join(format!("{name}.wasm"));
    ensure!(
        file.exists(),
        "{} is missing: run `make test`",
        file.display()
    );
    Ok(file)
}

/// The reference plugins.
pub const PLUGINS: [&str; 5] = [
    "channel-breakout",
    "config-loader",
    "moving-average",
    "order-manager",
    "user-service",
];

/// A folder with plugins, settings and a database of its own. Nothing of it is left when it is dropped.
pub struct House {
    folder: TempDir,
    url: String,
    server: Option<&'static PostgresServer>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; none for a killed process.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl House {
    /// A house with the reference plugins and the repository's own host.toml.
    ///
    /// # Errors
    /// Where something was not built or the server does not start.
    pub fn new(backend: Backend) -> anyhow::Result<Self> {
        Self::empty(backend)?.with_plugins()
    }

    /// A house with an empty plugins folder and no settings.
    ///
    /// # Errors
    /// Where the server does not start.
    pub fn empty(backend: Backend) -> anyhow::Result<Self> {
        match backend {
            Backend::Sqlite => Self::sqlite(),
            Backend::Postgresql => {
                let server = poolhouse_test_postgres::shared()?;
                Ok(Self {
                    server: Some(server),
                    ..Self::on(server.database()?)?
                })
            }
        }
    }

    /// An empty house on an SQLite file in its own folder.
    ///
    /// # Errors
    /// Where there is no room for a folder.
    pub fn sqlite() -> anyhow::Result<Self> {
        let house = Self::on(String::new())?;
        let url = format!("sqlite://{}", house.path("house.db").display());
        Ok(Self { url, ..house })
    }

    /// An empty house on any database.
    ///
    /// # Errors
    /// Where there is no room for a folder.
    pub fn on(url: String) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("plugins"))?;
        Ok(Self {
            folder,
            url,
            server: None,
        })
    }

    /// Adds the reference plugins and the repository's own host.toml.
    ///
    /// # Errors
    /// Where something was not built.
    pub fn with_plugins(self) -> anyhow::Result<Self> {
        for plugin in PLUGINS {
            self.add_plugin(&reference_plugin(plugin)?)?;
        }
        fs::copy(root().join("host.toml"), self.path("host.toml"))?;
        Ok(self)
    }

    /// A path in the house's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The database's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server that the house's database is on.
    pub fn server(&self) -> Option<&'static PostgresServer> {
        self.server
    }

    fn is_postgresql(&self) -> bool {
        self.url.starts_with("postgres")
    }

    /// Puts a component into the plugins folder under its own name.
    ///
    /// # Errors
    /// Where it can't be copied.
    pub fn add_plugin(&self, file: &Path) -> anyhow::Result<()> {
        let name = file.file_name().context("a component has a name")?;
        fs::copy(file, self.path("plugins").join(name))?;
        Ok(())
    }

    /// Writes a file into the house's folder and answers its path.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> anyhow::Result<String> {
        let path = self.path(name);
        fs::write(&path, text)?;
        Ok(path.to_string_lossy().into_owned())
    }

    /// The host's command in this house: its folder, its database, and nothing of the tester's environment.
    ///
    /// # Errors
    /// Where the host was not built.
    pub fn host(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(host_program()?);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("DATABASE_URL", &self.url)
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Runs the host to its end.
    ///
    /// # Errors
    /// Where it can't be started.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        run(self.host(arguments)?)
    }

    /// Starts the host with its output thrown away.
    ///
    /// # Errors
    /// Where it can't be started.
    pub fn start(&self, arguments: &[&str]) -> anyhow::Result<Child> {
        Ok(self
            .host(arguments)?
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?)
    }

    /// Rows of texts, read by a connection that has nothing to do with the host.
    ///
    /// # Errors
    /// The database's.
    pub fn query(&self, sql: &str) -> anyhow::Result<Vec<Vec<String>>> {
        let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(async {
                if self.is_postgresql() {
                    let mut connection = sqlx::PgConnection::connect(&self.url).await?;
                    let rows = sqlx::query(sql).fetch_all(&mut connection).await?;
                    connection.close().await?;
                    rows.iter()
                        .map(|row| (0..row.len()).map(|i| Ok(row.try_get(i)?)).collect())
                        .collect()
                } else {
                    let mut connection = sqlx::SqliteConnection::connect(&self.url).await?;
                    let rows = sqlx::query(sql).fetch_all(&mut connection).await?;
                    connection.close().await?;
                    rows.iter()
                        .map(|row| (0..row.len()).map(|i| Ok(row.try_get(i)?)).collect())
                        .collect()
                }
            })
    }

    /// The orders but for `id` and `created_at`, in order of client order id, as texts that are the same on
    /// both databases.
    ///
    /// # Errors
    /// The database's.
    pub fn orders(&self) -> anyhow::Result<Vec<Vec<String>>> {
        let (number, time, collation) = match self.is_postgresql() {
            true => (
                "::text",
                "to_char(bar_time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
                "COLLATE \"C\"",
            ),
            false => ("", "bar_time", ""),
        };
        self.query(&format!(
            "SELECT client_order_id, user_id, strategy_id, symbol, side, quantity{number}, price{number}, status, \
             coalesce(reason, ''), {time} FROM orders ORDER BY client_order_id {collation}"
        ))
    }

    /// How many rows a table has.
    ///
    /// # Errors
    /// The database's.
    pub fn count(&self, table: &str) -> anyhow::Result<u64> {
        let rows = self.query(&format!("SELECT CAST(count(*) AS TEXT) FROM {table}"))?;
        Ok(rows[0][0].parse()?)
    }
}

/// Runs a command to its end.
///
/// # Errors
/// Where it can't be started.
pub fn run(mut command: Command) -> anyhow::Result<Ran> {
    let output = command.output()?;
    Ok(Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

impl Ran {
    /// Fails the test, with everything that was printed, unless the command succeeded.
    pub fn succeeded(self) -> Self {
        assert_eq!(
            self.code,
            Some(0),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Fails the test unless the command failed with one line on standard error that has all the words.
    pub fn failed_with(self, words: &[&str]) -> Self {
        let shown = format!("stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        assert!(
            self.code.is_some_and(|code| code != 0),
            "it did not fail; {shown}"
        );
        assert_eq!(
            self.stderr.trim_end().lines().count(),
            1,
            "not one line; {shown}"
        );
        for word in words {
            assert!(self.stderr.contains(word), "no \"{word}\" in it; {shown}");
        }
        assert!(!self.stderr.contains("panicked"), "{shown}");
        self
    }
}
