//! `[plugins.NAME]`: what one plugin may do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, bail};
use poolhouse_database::{Grants, Tables};
use poolhouse_runtime::{Limits, PluginOptions};
use serde::Deserialize;

use super::limits::LimitsSection;
use super::units::Sha256;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
pub(super) struct PluginSection {
    database: Option<DatabaseGrant>,
    pub(super) limits: Option<LimitsSection>,
    wasi: WasiGrant,
    sha256: Option<Sha256>,
    /// The plugin that each imported interface comes from, where several export it.
    #[serde(rename = "use")]
    uses: BTreeMap<String, String>,
    pub(super) config: toml::Table,
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
    functions: Vec<String>,
    separate: bool,
    unparsed: bool,
    role: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table such as { environment = [\"VARIABLE\"], folders = [\"FOLDER\"] }"
)]
struct WasiGrant {
    environment: Vec<String>,
    folders: Vec<String>,
}

impl PluginSection {
    /// Whether every value makes sense.
    ///
    /// # Errors
    /// One sentence with the key.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if let Some(limits) = &self.limits {
            limits.check().context("limits")?;
        }
        if let Some(database) = &self.database
            && database.role.as_deref() == Some("")
        {
            bail!("database: role is empty: name a role of the PostgreSQL server, or leave it out");
        }
        for variable in &self.wasi.environment {
            if variable.is_empty() || variable.contains(['=', '\0']) {
                bail!(
                    "wasi: environment names variables of the host's, and {variable:?} can't be one"
                );
            }
        }
        for folder in &self.wasi.folders {
            if !std::path::Path::new(folder).is_dir() {
                bail!(
                    "wasi: {folder:?} in folders is no folder: create it, or correct its path, which begins where the host is started"
                );
            }
        }
        Ok(())
    }

    /// What the plugin may do, its own limits over the common ones.
    pub(super) fn options(&self, common: &Limits) -> PluginOptions {
        let database = self.database.as_ref();
        PluginOptions {
            grants: database.map(DatabaseGrant::grants),
            role: database
                .and_then(|database| database.role.as_deref())
                .map(Into::into),
            limits: match &self.limits {
                Some(limits) => limits.over(common),
                None => common.clone(),
            },
            environment: self
                .wasi
                .environment
                .iter()
                .filter_map(|name| Some((name.clone(), std::env::var(name).ok()?)))
                .collect(),
            folders: self
                .wasi
                .folders
                .iter()
                .map(|folder| (folder.clone(), PathBuf::from(folder)))
                .collect(),
            sha256: self.sha256.map(|pin| pin.0),
            // The whole file's, not one plugin's.
            require_pin: false,
            uses: self.uses.clone(),
        }
    }
}

impl DatabaseGrant {
    fn grants(&self) -> Grants {
        Grants {
            read: tables(&self.read),
            write: tables(&self.write),
            migrate: self.migrate,
            functions: self.functions.iter().cloned().collect(),
            separate: self.separate,
            unparsed: self.unparsed,
        }
    }
}

fn tables(names: &[String]) -> Tables {
    let named: BTreeSet<String> = names
        .iter()
        .filter(|name| name.as_str() != "*")
        .cloned()
        .collect();
    match (named.len() < names.len(), named.is_empty()) {
        (true, true) => Tables::All,
        (true, false) => Tables::AllAnd(named),
        (false, true) => Tables::None,
        (false, false) => Tables::Some(named),
    }
}
