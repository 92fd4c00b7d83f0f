//! The settings: host.toml, then the environment, then flags, the later winning. No other file reads them.

mod cache;
mod control;
mod database;
mod limits;
mod plugins;
mod trading;
mod units;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use poolhouse_runtime::{Limits, PluginOptions, Plugins};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::command::Common;
pub(crate) use cache::Cache;
use cache::CacheSection;
pub(crate) use control::Control;
use control::ControlSection;
use database::DatabaseSection;
use limits::LimitsSection;
use plugins::PluginSection;
pub(crate) use trading::Trading;
use trading::TradingSection;

const DEFAULT_FILE: &str = "host.toml";
/// Environment variables of this prefix set the key of `[database]` that follows it.
const PREFIX: &str = "POOLHOUSE_DATABASE_";

/// Everything that can be set.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) database: poolhouse_database::Settings,
    pub(crate) trading: Trading,
    pub(crate) cache: Cache,
    pub(crate) control: Control,
    pub(crate) plugins: Arc<PluginSettings>,
}

/// What every plugin may do.
#[derive(Debug)]
pub(crate) struct PluginSettings {
    /// Whether a plugin without a `sha256` of its own is refused.
    require_pins: bool,
    limits: Limits,
    plugins: BTreeMap<String, PluginSection>,
}

impl PluginSettings {
    /// Names with a section of their own and no plugin: usually misspelt.
    pub(crate) fn plugins_not_in(&self, plugins: &Plugins) -> impl Iterator<Item = &str> {
        self.plugins.keys().map(String::as_str).filter(|name| {
            let waiting = plugins.waiting();
            let waits = waiting.iter().any(|waiting| &*waiting.plugin == *name);
            plugins.get(name).is_none() && !waits
        })
    }

    /// Whether the operator has said anything of that plugin.
    pub(crate) fn has_section(&self, name: &str) -> bool {
        self.plugins.contains_key(name)
    }

    /// What a plugin may do: its own section over the common limits.
    pub(crate) fn plugin(&self, name: &str) -> PluginOptions {
        let options = match self.plugins.get(name) {
            Some(section) => section.options(&self.limits),
            None => PluginOptions {
                limits: self.limits.clone(),
                ..PluginOptions::default()
            },
        };
        PluginOptions {
            require_pin: self.require_pins,
            ..options
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
        cache: file.cache.settings(),
        control: file.control.settings(),
        plugins: Arc::new(PluginSettings {
            limits: file.limits.over(&Limits::default()),
            require_pins: file.require_pins,
            plugins: file.plugins,
        }),
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

/// What is wrong with lines that somebody is to add to host.toml.
///
/// # Errors
/// One sentence without a line's number.
pub(crate) fn check_lines(text: &str) -> Result<(), String> {
    let file: File = toml::from_str(text).map_err(|error| without_values(error.message()))?;
    file.check().map_err(|error| format!("{error:#}"))
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
    require_pins: bool,
    cache: CacheSection,
    control: ControlSection,
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
        self.cache.check().context("[cache]")?;
        self.limits.check().context("[limits]")?;
        self.trading.check().context("[trading]")?;
        for (name, plugin) in &self.plugins {
            plugin
                .check()
                .with_context(|| format!("[plugins.{name}]"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
