//! The settings: host.toml, then the environment, then flags, the later winning. No other file reads them.

mod units;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use poolhouse_database::{DatabaseUrl, Grants, Tables};
use poolhouse_runtime::{Limits, PluginOptions, Plugins};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::command::Common;
use units::{Bytes, Time};

const DEFAULT_FILE: &str = "host.toml";
const DEFAULT_URL: &str = "sqlite://poolhouse.db";
/// Environment variables of this prefix set the key of `[database]` that follows it.
const PREFIX: &str = "POOLHOUSE_DATABASE_";

/// Everything that can be set.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) database: poolhouse_database::Settings,
    pub(crate) trading: Trading,
    limits: Limits,
    plugins: BTreeMap<String, PluginSection>,
}

/// How the trading loop runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trading {
    /// What a strategy may take for one bar.
    pub(crate) bar_timeout: Duration,
    /// Bar times in one transaction while behind the feed.
    pub(crate) group: usize,
    /// How long the feed must be silent before a bar time counts as complete; none = until the next bar
    /// time or the feed's end.
    pub(crate) bar_close: Option<Duration>,
}

impl Settings {
    /// Names with a section of their own and no plugin: usually misspelt.
    pub(crate) fn plugins_not_in(&self, plugins: &Plugins) -> impl Iterator<Item = &str> {
        self.plugins.keys().map(String::as_str).filter(|name| {
            let mut waiting = plugins.waiting().iter();
            plugins.get(name).is_none() && !waiting.any(|waiting| &*waiting.plugin == *name)
        })
    }

    /// What a plugin may do: its own section over the common limits.
    pub(crate) fn plugin(&self, name: &str) -> PluginOptions {
        let section = self.plugins.get(name);
        PluginOptions {
            grants: section
                .and_then(|section| section.database.as_ref())
                .map(DatabaseGrant::grants),
            limits: match section.and_then(|section| section.limits.as_ref()) {
                Some(limits) => limits.over(&self.limits),
                None => self.limits.clone(),
            },
            uses: section
                .map(|section| section.uses.clone())
                .unwrap_or_default(),
        }
    }
}

/// Reads the settings of this run.
///
/// # Errors
/// One sentence that names the file and line, the variable or the flag.
pub(crate) fn load(common: &Common) -> anyhow::Result<Settings> {
    let file = match &common.config {
        Some(path) => read(path)?,
        None if Path::new(DEFAULT_FILE).exists() => read(Path::new(DEFAULT_FILE))?,
        None => File::default(),
    };
    // Other people's variables may be anything, even no text.
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        Some((name, value.to_string_lossy().into_owned()))
    });
    let environment = environment(variables)?;
    let mut flags = DatabaseSection {
        url: common.database_url.clone(),
        ..DatabaseSection::default()
    };
    if common.echo {
        flags.echo = Some(true);
    }
    let database = flags.over(environment).over(file.database);
    Ok(Settings {
        database: database.settings()?,
        trading: file.trading.settings(),
        limits: file.limits.over(&Limits::default()),
        plugins: file.plugins,
    })
}

fn read(path: &Path) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the settings file {} can't be read", path.display()))?;
    let file: File = parse(&text, path)?;
    file.check().with_context(|| path.display().to_string())?;
    for (plugin, section) in &file.plugins {
        if !section.config.is_empty() {
            tracing::warn!(
                "{}: [plugins.{plugin}] config is not handed to plugins by this version",
                path.display()
            );
        }
    }
    Ok(file)
}

/// Reads TOML; an error names the file, the line and what is wrong, in one line.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> anyhow::Result<T> {
    toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map_or(1, |before| before.matches('\n').count() + 1);
        anyhow!(
            "{}, line {line}: {}",
            path.display(),
            without_values(error.message())
        )
    })
}

/// serde quotes the value that it did not expect, and that may be a URL with its password.
fn without_values(message: &str) -> String {
    let quoted = message
        .find("string \"")
        .zip(message.rfind("\", expected "));
    let message = match quoted {
        Some((from, to)) if from < to => format!("{}text{}", &message[..from], &message[to + 1..]),
        _ => message.to_owned(),
    };
    message.replace('\n', " ")
}

/// The part of `[database]` that the environment sets.
fn environment(
    variables: impl Iterator<Item = (String, String)>,
) -> anyhow::Result<DatabaseSection> {
    let mut table = toml::Table::new();
    let mut url = None;
    // An empty one is one that is not set.
    for (name, value) in variables.filter(|(_, value)| !value.is_empty()) {
        if name == "DATABASE_URL" {
            url = Some(value);
        } else if let Some(key) = name.strip_prefix(PREFIX) {
            let key = key.to_lowercase();
            let literal = if ["echo", "pool_pre_ping"].contains(&&*key) {
                toml::Value::Boolean(boolean(&value).with_context(|| {
                    format!("the environment variable {name}: give 1, true, yes or on, or 0, false, no or off")
                })?)
            } else {
                literal(&value)
            };
            let one: Result<DatabaseSection, _> = [(key.clone(), literal.clone())]
                .into_iter()
                .collect::<toml::Table>()
                .try_into();
            match one {
                Ok(one) => one
                    .check()
                    .with_context(|| format!("the environment variable {name}"))?,
                Err(error) => bail!(
                    "the environment variable {name}: {}",
                    without_values(error.message())
                ),
            }
            table.insert(key, literal);
        }
    }
    let mut section: DatabaseSection = table.try_into()?;
    section.url = section.url.or(url);
    Ok(section)
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A variable's text as the TOML value it looks like.
fn literal(text: &str) -> toml::Value {
    text.parse::<i64>().map_or_else(
        |_| toml::Value::String(text.to_owned()),
        toml::Value::Integer,
    )
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "settings")]
struct File {
    database: DatabaseSection,
    limits: LimitsSection,
    trading: TradingSection,
    plugins: BTreeMap<String, PluginSection>,
}

impl File {
    /// Whether every value makes sense.
    ///
    /// # Errors
    /// One sentence with section and key.
    fn check(&self) -> anyhow::Result<()> {
        self.database.check()?;
        self.limits.check().context("[limits]")?;
        self.trading.check().context("[trading]")?;
        for (name, plugin) in &self.plugins {
            if let Some(limits) = &plugin.limits {
                limits
                    .check()
                    .with_context(|| format!("[plugins.{name}] limits"))?;
            }
        }
        Ok(())
    }
}

/// Refuses a time of 0 and one without an end.
fn must_end(name: &str, time: Option<Time>) -> anyhow::Result<()> {
    match time {
        Some(Time(Some(Duration::ZERO))) => {
            bail!("{name} is 0, which leaves no time at all: give a time such as \"30s\"")
        }
        Some(Time(None)) => bail!("{name} can't be endless: give a time such as \"30s\""),
        _ => Ok(()),
    }
}

/// Refuses a number of 0.
fn at_least_one(name: &str, number: Option<u64>) -> anyhow::Result<()> {
    if number == Some(0) {
        bail!("{name} is 0, which allows nothing at all: give 1 or more");
    }
    Ok(())
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
struct DatabaseSection {
    url: Option<String>,
    pool_size: Option<u32>,
    max_overflow: Option<i32>,
    pool_timeout: Option<Time>,
    pool_pre_ping: Option<bool>,
    pool_pre_ping_idle: Option<Time>,
    /// -1 = never, as in SQLAlchemy; so with the next three.
    pool_recycle: Option<Time>,
    pool_idle_timeout: Option<Time>,
    long_lease_warning: Option<Time>,
    lease_timeout: Option<Time>,
    connect_timeout: Option<Time>,
    busy_timeout: Option<Time>,
    echo: Option<bool>,
}

impl DatabaseSection {
    fn over(self, under: Self) -> Self {
        Self {
            url: self.url.or(under.url),
            pool_size: self.pool_size.or(under.pool_size),
            max_overflow: self.max_overflow.or(under.max_overflow),
            pool_timeout: self.pool_timeout.or(under.pool_timeout),
            pool_pre_ping: self.pool_pre_ping.or(under.pool_pre_ping),
            pool_pre_ping_idle: self.pool_pre_ping_idle.or(under.pool_pre_ping_idle),
            pool_recycle: self.pool_recycle.or(under.pool_recycle),
            pool_idle_timeout: self.pool_idle_timeout.or(under.pool_idle_timeout),
            long_lease_warning: self.long_lease_warning.or(under.long_lease_warning),
            lease_timeout: self.lease_timeout.or(under.lease_timeout),
            connect_timeout: self.connect_timeout.or(under.connect_timeout),
            busy_timeout: self.busy_timeout.or(under.busy_timeout),
            echo: self.echo.or(under.echo),
        }
    }

    /// Whether every value makes sense.
    ///
    /// # Errors
    /// One sentence with section and key.
    fn check(&self) -> anyhow::Result<()> {
        let checked = || {
            if let Some(overflow) = self.max_overflow.filter(|overflow| *overflow < -1) {
                bail!(
                    "max_overflow is {overflow}: give the connections beyond pool_size, or -1 for no limit"
                );
            }
            must_end("pool_timeout", self.pool_timeout)?;
            must_end("connect_timeout", self.connect_timeout)?;
            for (name, time) in [
                ("busy_timeout", self.busy_timeout),
                ("pool_pre_ping_idle", self.pool_pre_ping_idle),
            ] {
                // 0 means something here: not at all, and every time.
                if time == Some(Time(None)) {
                    must_end(name, time)?;
                }
            }
            for (name, time) in [
                ("pool_idle_timeout", self.pool_idle_timeout),
                ("long_lease_warning", self.long_lease_warning),
                ("lease_timeout", self.lease_timeout),
            ] {
                if time == Some(Time(Some(Duration::ZERO))) {
                    bail!(
                        "{name} is 0, which leaves no time at all: give a time such as \"30s\", or -1 for never"
                    );
                }
            }
            Ok(())
        };
        checked().context("[database]")
    }

    /// What was checked, over the defaults.
    fn settings(self) -> anyhow::Result<poolhouse_database::Settings> {
        let url = self.url.as_deref().unwrap_or(DEFAULT_URL);
        let url = DatabaseUrl::parse(url).context(
            "the database `url` ([database] in host.toml, DATABASE_URL or --database-url)",
        )?;
        let mut pool = poolhouse_database::PoolOptions::default();
        if let Some(size) = self.pool_size {
            pool.pool_size = size;
        }
        if let Some(overflow) = self.max_overflow {
            pool.max_overflow = overflow;
        }
        set(&mut pool.pool_timeout, self.pool_timeout);
        set(&mut pool.pool_pre_ping_idle, self.pool_pre_ping_idle);
        // A setting of one's own goes before libpq's parameter of the same name.
        let connect_timeout = self
            .connect_timeout
            .or(url.connect_timeout().map(|time| Time(Some(time))));
        set(&mut pool.connect_timeout, connect_timeout);
        if let Some(ping) = self.pool_pre_ping {
            pool.pool_pre_ping = ping;
        }
        for (target, value) in [
            (&mut pool.pool_recycle, self.pool_recycle),
            (&mut pool.pool_idle_timeout, self.pool_idle_timeout),
            (&mut pool.long_lease_warning, self.long_lease_warning),
            (&mut pool.lease_timeout, self.lease_timeout),
        ] {
            if let Some(value) = value {
                *target = value.0;
            }
        }
        let mut busy_timeout = Duration::from_secs(5);
        set(&mut busy_timeout, self.busy_timeout);
        Ok(poolhouse_database::Settings {
            url,
            pool,
            busy_timeout,
            echo: self.echo.unwrap_or(false),
        })
    }
}

/// Takes a time that is given and ends.
fn set(target: &mut Duration, value: Option<Time>) {
    if let Some(Time(Some(value))) = value {
        *target = value;
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
struct LimitsSection {
    memory: Option<Bytes>,
    call_timeout: Option<Time>,
    connections: Option<u32>,
    reserved_connections: Option<u32>,
    rows: Option<u64>,
    bytes: Option<Bytes>,
    handles: Option<u32>,
    call_depth: Option<u32>,
    instances: Option<usize>,
}

impl LimitsSection {
    fn check(&self) -> anyhow::Result<()> {
        must_end("call_timeout", self.call_timeout)?;
        let instances = self.instances.and_then(|number| u64::try_from(number).ok());
        for (name, number) in [
            ("memory", self.memory.map(|bytes| bytes.0)),
            ("connections", self.connections.map(u64::from)),
            ("rows", self.rows),
            ("bytes", self.bytes.map(|bytes| bytes.0)),
            ("handles", self.handles.map(u64::from)),
            ("call_depth", self.call_depth.map(u64::from)),
            ("instances", instances),
        ] {
            at_least_one(name, number)?;
        }
        Ok(())
    }

    fn over(&self, under: &Limits) -> Limits {
        Limits {
            memory: self.memory.map_or(under.memory, |bytes| {
                usize::try_from(bytes.0).unwrap_or(usize::MAX)
            }),
            call_timeout: self
                .call_timeout
                .and_then(|time| time.0)
                .unwrap_or(under.call_timeout),
            connections: self.connections.unwrap_or(under.connections),
            reserved_connections: self
                .reserved_connections
                .unwrap_or(under.reserved_connections),
            rows: self.rows.unwrap_or(under.rows),
            bytes: self.bytes.map_or(under.bytes, |bytes| bytes.0),
            handles: self.handles.unwrap_or(under.handles),
            call_depth: self.call_depth.unwrap_or(under.call_depth),
            instances: self.instances.unwrap_or(under.instances),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
struct TradingSection {
    bar_timeout: Option<Time>,
    group: Option<usize>,
    bar_close: Option<Time>,
}

impl TradingSection {
    fn check(&self) -> anyhow::Result<()> {
        must_end("bar_timeout", self.bar_timeout)?;
        at_least_one(
            "group",
            self.group.and_then(|group| u64::try_from(group).ok()),
        )?;
        // Endless is the same as not set.
        if self.bar_close == Some(Time(Some(Duration::ZERO))) {
            must_end("bar_close", self.bar_close)?;
        }
        Ok(())
    }

    /// What was checked, over the defaults.
    fn settings(&self) -> Trading {
        Trading {
            bar_timeout: self
                .bar_timeout
                .and_then(|time| time.0)
                .unwrap_or(Duration::from_secs(1)),
            group: self.group.unwrap_or(256),
            bar_close: self.bar_close.and_then(|time| time.0),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
struct PluginSection {
    database: Option<DatabaseGrant>,
    limits: Option<LimitsSection>,
    /// The plugin that each imported interface comes from, where several export it.
    #[serde(rename = "use")]
    uses: BTreeMap<String, String>,
    config: toml::Table,
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table such as { read = [\"TABLE\"], write = [\"TABLE\"] }"
)]
struct DatabaseGrant {
    migrate: bool,
    read: Vec<String>,
    write: Vec<String>,
}

impl DatabaseGrant {
    fn grants(&self) -> Grants {
        Grants {
            read: tables(&self.read),
            write: tables(&self.write),
            migrate: self.migrate,
        }
    }
}

fn tables(names: &[String]) -> Tables {
    if names.iter().any(|name| name == "*") {
        Tables::All
    } else if names.is_empty() {
        Tables::None
    } else {
        Tables::Some(names.iter().cloned().collect())
    }
}

#[cfg(test)]
mod tests;
