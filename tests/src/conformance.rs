//! Runs scripts on the database capability through the guest `conformance`, in this process, and sees to it that
//! nothing is left behind; what the scripts are and should answer is the tests'.

pub mod script;
pub mod wave;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use poolhouse_database::{Database, DatabaseUrl, Grants, PoolOptions, Settings, Tables};
use poolhouse_runtime::{Answer, CallError, CodeCache, Engine, Limits, PluginOptions, Plugins};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::{Backend, House, target, test_guest};
use script::Step;

/// The guest's name, as a plugin.
pub const GUEST: &str = "conformance";

/// The variable that names another guest of the same world, such as one in another language, to run all of this through.
const OTHER_GUEST: &str = "POOLHOUSE_CONFORMANCE_GUEST";

/// Bytes of compiled code that are kept from one stage to the next: an interpreter takes seconds to compile.
const CODE_CACHE: u64 = 1 << 30;

/// Bytes of memory that a guest needs which allocates 8 MiB: an interpreter has 13 to 20 MiB of its own.
pub fn least_memory() -> usize {
    match std::env::var_os(OTHER_GUEST) {
        Some(_) => 32 << 20,
        None => 16 << 20,
    }
}

/// How long a server may take to end what was cancelled.
const ENDING: Duration = Duration::from_secs(5);

/// Transactions and locks of the host's connections.
const LEFT: &str = "SELECT format('%s: %s', a.state, a.query) FROM pg_stat_activity a \
     WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend' \
     AND (a.state <> 'idle' OR a.xact_start IS NOT NULL) \
     UNION ALL SELECT format('lock %s on %s', l.mode, l.locktype) FROM pg_locks l \
     JOIN pg_stat_activity a USING (pid) \
     WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'";

/// How a stage differs from one with the defaults.
#[derive(Clone)]
pub struct Setup {
    /// What the guest may use.
    pub limits: Limits,
    /// What it may read and write; none = no grant at all.
    pub grants: Option<Grants>,
    /// The pool's settings.
    pub pool: PoolOptions,
    /// How long a statement waits for another writer on SQLite.
    pub busy_timeout: Duration,
    /// Plugins beside the guest.
    pub others: Vec<Other>,
}

/// A plugin beside the guest.
#[derive(Clone)]
pub struct Other {
    /// Its name.
    pub name: &'static str,
    /// Its component.
    pub component: Vec<u8>,
    /// What host.toml says of it.
    pub options: PluginOptions,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            grants: Some(Grants {
                read: Tables::All,
                write: Tables::All,
                migrate: false,
                functions: [
                    "add",
                    "current_setting",
                    "no_such",
                    "pg_advisory_lock",
                    "pg_advisory_lock_shared",
                    "pg_terminate_backend",
                    "set_config",
                ]
                .map(str::to_owned)
                .into(),
                separate: true,
                ..Grants::default()
            }),
            pool: PoolOptions::default(),
            // A conflict that is waited for is only slower.
            busy_timeout: Duration::from_millis(50),
            others: Vec::new(),
        }
    }
}

/// A host with the guest and a database of its own, in this process.
pub struct Stage {
    house: House,
    backend: Backend,
    engine: Engine,
    plugins: Plugins,
    database: Database,
    control: Mutex<Control>,
    runtime: Runtime,
}

/// A connection that has nothing to do with the host, for a test of its own.
pub struct Outsider<'stage> {
    stage: &'stage Stage,
    control: Control,
}

/// A connection that has nothing to do with the host.
enum Control {
    Sqlite(SqliteConnection),
    Postgresql(PgConnection),
    /// The server is not the stage's to look into.
    None,
}

impl Stage {
    /// A stage with the defaults and these tables.
    ///
    /// # Errors
    /// Where the guest was not built or the database refuses.
    pub fn start(backend: Backend, tables: &str) -> anyhow::Result<Self> {
        Self::start_with(backend, tables, Setup::default())
    }

    /// A stage with a setup of its own and these tables.
    ///
    /// # Errors
    /// Where the guest was not built or the database refuses.
    pub fn start_with(backend: Backend, tables: &str, setup: Setup) -> anyhow::Result<Self> {
        let house = House::empty(backend)?;
        if backend == Backend::Sqlite {
            house.write("house.db", "")?;
        }
        let stage = Self::on(house, backend, true, setup)?;
        stage.sql(tables)?;
        Ok(stage)
    }

    /// A stage on a database that the test looks after itself.
    ///
    /// # Errors
    /// Where the guest was not built.
    pub fn start_on(url: String, setup: Setup) -> anyhow::Result<Self> {
        let backend = match url.starts_with("postgres") {
            true => Backend::Postgresql,
            false => Backend::Sqlite,
        };
        Self::on(House::on(url)?, backend, false, setup)
    }

    fn on(house: House, backend: Backend, controlled: bool, setup: Setup) -> anyhow::Result<Self> {
        let guest = match std::env::var_os(OTHER_GUEST) {
            Some(file) => file.into(),
            None => test_guest(GUEST)?,
        };
        std::fs::copy(guest, house.path(&format!("plugins/{GUEST}.wasm")))?;
        for other in &setup.others {
            house.write(&format!("plugins/{}.wasm", other.name), &other.component)?;
        }
        let mut settings = Settings::new(DatabaseUrl::parse(house.url())?);
        settings.pool = setup.pool;
        settings.busy_timeout = setup.busy_timeout;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let (engine, plugins, database, control) = runtime.block_on(async {
            let database = Database::open(settings)?;
            let engine = match CodeCache::open(&target()?.join("conformance-code"), CODE_CACHE) {
                Ok(cache) => Engine::new()?.with_code_cache(cache),
                // Where others can write to the folder it is only slower.
                Err(_) => Engine::new()?,
            };
            let options = |name: &str| {
                let other = setup.others.iter().find(|other| other.name == name);
                other.map_or_else(
                    || PluginOptions {
                        grants: setup.grants.clone(),
                        limits: setup.limits.clone(),
                        ..PluginOptions::default()
                    },
                    |other| other.options.clone(),
                )
            };
            let folder = house.path("plugins");
            let plugins =
                Box::pin(Plugins::load(&engine, &folder, None, &database, options)).await?;
            let control = match controlled {
                true => Control::connect(&house, backend).await?,
                false => Control::None,
            };
            anyhow::Ok((engine, plugins, database, control))
        })?;
        Ok(Self {
            house,
            backend,
            engine,
            plugins,
            database,
            control: Mutex::new(control),
            runtime,
        })
    }

    /// Which database it has.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The folder, the database's URL and its server.
    pub fn house(&self) -> &House {
        &self.house
    }

    /// The host's database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Runs statements, one or many, on a connection that has nothing to do with the host.
    ///
    /// # Errors
    /// The database's.
    pub fn sql(&self, sql: &str) -> anyhow::Result<()> {
        self.runtime
            .block_on(async { self.control.lock().await.sql(sql).await })
    }

    /// Another connection that has nothing to do with the host.
    ///
    /// # Errors
    /// The database's.
    pub fn outsider(&self) -> anyhow::Result<Outsider<'_>> {
        let connecting = Control::connect(&self.house, self.backend);
        Ok(Outsider {
            stage: self,
            control: self.runtime.block_on(connecting)?,
        })
    }

    /// Asks until the one text answered is not `0`.
    ///
    /// # Errors
    /// The database's, or where it is `0` for too long.
    pub fn wait_until(&self, sql: &str) -> anyhow::Result<()> {
        let until = Instant::now() + ENDING;
        while self.text(sql)? == "0" {
            ensure!(Instant::now() < until, "it did not become so: {sql}");
        }
        Ok(())
    }

    /// One text from a connection that has nothing to do with the host; empty for null.
    ///
    /// # Errors
    /// The database's, or where the answer is not one text.
    pub fn text(&self, sql: &str) -> anyhow::Result<String> {
        let text = AssertSqlSafe(sql.to_owned());
        let answer: Option<String> = self.runtime.block_on(async {
            match &mut *self.control.lock().await {
                Control::Sqlite(connection) => sqlx::query_scalar(text).fetch_one(connection).await,
                Control::Postgresql(connection) => {
                    sqlx::query_scalar(text).fetch_one(connection).await
                }
                Control::None => Ok(None),
            }
        })?;
        Ok(answer.unwrap_or_default())
    }

    /// Calls the guest once and answers each step's outcome as WAVE.
    ///
    /// # Errors
    /// Where the call itself gave no answer.
    pub fn call(&self, steps: &[Step]) -> Result<Vec<String>, CallError> {
        let Some(plugin) = self.plugins.get(GUEST) else {
            return Err(CallError::Refused("the guest was not loaded".to_owned()));
        };
        let script = [format!("[{}]", steps.join(", "))];
        let answer = self.runtime.block_on(async {
            let scope = plugin.scope();
            // Boxed, for the compiler's sake: a call can hold a call can hold a call.
            let calling = plugin.call_by_name(&self.engine, &scope, "script.run", &script);
            let answer = Box::pin(calling).await;
            scope.finish().await;
            answer
        })?;
        let text = answer.text.unwrap_or_default();
        wave::split(&text).map_err(|error| CallError::Refused(error.to_string()))
    }

    /// Calls a function of a plugin's on the host's own threads, with its arguments as WAVE; the call ends with the future.
    pub fn spawn(
        &self,
        plugin: &str,
        function: &str,
        arguments: &[String],
    ) -> JoinHandle<Result<Answer, CallError>> {
        let (engine, plugin) = (self.engine.clone(), self.plugins.get(plugin));
        let (function, arguments) = (function.to_owned(), arguments.to_vec());
        self.runtime.spawn(async move {
            let Some(plugin) = plugin else {
                return Err(CallError::Refused("the plugin was not loaded".to_owned()));
            };
            let scope = plugin.scope();
            // Boxed, for the compiler's sake: a call can hold a call can hold a call.
            let calling = plugin.call_by_name(&engine, &scope, &function, &arguments);
            let answer = Box::pin(calling).await;
            scope.finish().await;
            answer
        })
    }

    /// Waits for a call's end.
    ///
    /// # Errors
    /// Where the host panicked in it.
    pub fn wait<T>(&self, spawned: JoinHandle<T>) -> anyhow::Result<T> {
        Ok(self.runtime.block_on(spawned)?)
    }

    /// Runs a script in one call, fails the test where an outcome is not as expected (`…` stands for anything), and
    /// looks for what was left behind.
    ///
    /// # Errors
    /// Where the call gave no answer, an outcome is another, or something was left behind.
    pub fn play(&self, name: &str, script: &[(Step, &str)]) -> anyhow::Result<()> {
        let steps: Vec<_> = script.iter().map(|(step, _)| step.clone()).collect();
        let place = format!("{name} on {:?}", self.backend);
        let outcomes = self.call(&steps).with_context(|| place.clone())?;
        for (at, ((step, expected), outcome)) in script.iter().zip(&outcomes).enumerate() {
            ensure!(
                wave::matches(expected, outcome),
                "{place}, step {at}: {}\n expected {}\n was      {}",
                short(step),
                short(expected),
                short(outcome)
            );
        }
        ensure!(outcomes.len() == script.len(), "{place}: {outcomes:?}");
        self.is_clean().context(place)
    }

    /// Runs a script in one call that is to fail as a whole; the error shown must have all the words.
    ///
    /// # Errors
    /// Where it did not fail so, or something was left behind.
    pub fn play_failing(&self, name: &str, steps: &[Step], words: &[&str]) -> anyhow::Result<()> {
        let place = format!("{name} on {:?}", self.backend);
        let error = match self.call(steps) {
            Ok(outcomes) => anyhow::bail!("{place}: it answered {outcomes:?}"),
            Err(error) => error.to_string(),
        };
        for word in words {
            ensure!(error.contains(word), "{place}: no \"{word}\" in: {error}");
        }
        self.is_clean().context(place)
    }

    /// Nothing is checked out, and the database shows no open transaction and no lock of the host's.
    ///
    /// # Errors
    /// Where something is left.
    pub fn is_clean(&self) -> anyhow::Result<()> {
        let stats = self.database.stats();
        ensure!(
            stats.checked_out == 0 && stats.waiting == 0,
            "connections are still lent: {stats:?}"
        );
        self.runtime.block_on(async {
            match &mut *self.control.lock().await {
                Control::None => Ok(()),
                Control::Postgresql(connection) => is_idle(connection).await,
                Control::Sqlite(connection) => is_unlocked(connection).await,
            }
        })
    }

    /// Closes the pool and answers how many connections were still lent.
    pub fn close(&self) -> u32 {
        self.runtime
            .block_on(self.database.close(Duration::from_secs(5)))
    }
}

impl Outsider<'_> {
    /// Runs statements, one or many.
    ///
    /// # Errors
    /// The database's.
    pub fn sql(&mut self, sql: &str) -> anyhow::Result<()> {
        self.stage.runtime.block_on(self.control.sql(sql))
    }
}

impl Control {
    async fn sql(&mut self, sql: &str) -> anyhow::Result<()> {
        let text = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Sqlite(connection) => text.execute(connection).await.map(drop)?,
            Self::Postgresql(connection) => text.execute(connection).await.map(drop)?,
            Self::None => {}
        }
        Ok(())
    }

    async fn connect(house: &House, backend: Backend) -> anyhow::Result<Self> {
        Ok(match backend {
            Backend::Sqlite => {
                let mut connection = SqliteConnection::connect(house.url()).await?;
                // As the host's own would, so that the tables can be made before it comes.
                connection
                    .execute("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 0")
                    .await?;
                Self::Sqlite(connection)
            }
            Backend::Postgresql => Self::Postgresql(PgConnection::connect(house.url()).await?),
        })
    }
}

/// A statement that was cancelled or refused may still be ending in the server when its call is over already, so it is
/// asked again for a while.
async fn is_idle(connection: &mut PgConnection) -> anyhow::Result<()> {
    let until = Instant::now() + ENDING;
    loop {
        let left: Vec<String> = sqlx::query_scalar(LEFT).fetch_all(&mut *connection).await?;
        if left.is_empty() {
            return Ok(());
        }
        ensure!(Instant::now() < until, "the server still shows {left:?}");
    }
}

/// A write lock can be had at once, and no reader keeps the log from being started anew.
async fn is_unlocked(connection: &mut SqliteConnection) -> anyhow::Result<()> {
    sqlx::raw_sql("BEGIN IMMEDIATE; ROLLBACK")
        .execute(&mut *connection)
        .await
        .context("a writer is left")?;
    let busy: i64 = sqlx::query_scalar("PRAGMA wal_checkpoint(RESTART)")
        .fetch_one(connection)
        .await?;
    ensure!(busy == 0, "a reader is left");
    Ok(())
}

/// The beginning, where it is long.
fn short(text: &str) -> String {
    match text.char_indices().nth(2000) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}
