//! `plugin.toml`: what a plugin's folder says of itself to `host build`.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::Error;
use crate::language::Language;
use crate::name;

/// The file's name.
pub(crate) const FILE: &str = "plugin.toml";

/// The world that a plugin's own WIT has.
const WORLD: &str = "plugin";

/// A plugin's folder, as its plugin.toml has it.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The folder.
    pub folder: PathBuf,
    /// The plugin's name, which its file gets.
    pub name: String,
    /// Its version, which `host status` shows.
    pub version: String,
    /// What it is written in.
    pub language: Language,
    /// Where the SDK is: the folder `poolhouse` that `host new` made, unless the file says otherwise.
    pub sdk: PathBuf,
    /// Where its own WIT is.
    pub wit: PathBuf,
    /// The world in there that it implements.
    pub world: String,
    /// What it asks for; the operator decides.
    pub grants: Grants,
}

/// What a plugin asks for, as it is written in plugin.toml: the keys of its section of host.toml.
#[derive(Debug, Clone, Default, Deserialize, PartialEq)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { database = { read = [\"TABLE\"] } }"
)]
pub struct Grants {
    database: Option<toml::Table>,
    limits: Option<toml::Table>,
    wasi: Option<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct File {
    name: String,
    version: String,
    language: Language,
    sdk: Option<PathBuf>,
    wit: Option<PathBuf>,
    world: Option<String>,
    #[serde(default)]
    grants: Grants,
}

#[derive(Deserialize)]
struct CargoFile {
    package: CargoPackage,
}

#[derive(Deserialize)]
struct CargoPackage {
    name: String,
}

impl Manifest {
    /// Reads a folder's plugin.toml; a folder with Cargo.toml alone is a Rust plugin that asks for nothing.
    ///
    /// # Errors
    /// Where there is neither, or what is there is wrong.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let file = folder.join(FILE);
        match fs::read_to_string(&file) {
            Ok(text) => Self::parse(folder, &text),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Self::of_cargo(folder),
            Err(cause) => Err(Error::read(file)(cause)),
        }
    }

    fn parse(folder: &Path, text: &str) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let refuse = |reason: String| Error::Manifest {
            file: path.clone(),
            reason,
        };
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                1 + text[..span.start.min(text.len())].matches('\n').count()
            });
            refuse(format!(
                "line {line}: {}",
                error.message().replace('\n', " ")
            ))
        })?;
        name::check(&file.name).map_err(|error| refuse(error.to_string()))?;
        // They are shown to the operator, who copies them.
        if file
            .grants
            .lines()
            .iter()
            .any(|line| line.contains(char::is_control))
        {
            return Err(refuse(
                "grants: a name has a control character in it, leave it out".to_owned(),
            ));
        }
        // It is written into a custom section and shown in tables.
        let is_version = |text: &str| {
            !text.is_empty()
                && text.len() <= 64
                && text
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || ".-+".contains(letter))
        };
        if !is_version(&file.version) {
            return Err(refuse(format!(
                "version is \"{}\": it must be like 0.1.0",
                file.version
            )));
        }
        Ok(Self {
            folder: folder.to_owned(),
            name: file.name,
            version: file.version,
            language: file.language,
            sdk: folder.join(file.sdk.unwrap_or_else(|| "poolhouse".into())),
            wit: folder.join(file.wit.unwrap_or_else(|| "wit".into())),
            world: file.world.unwrap_or_else(|| WORLD.to_owned()),
            grants: file.grants,
        })
    }

    fn of_cargo(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("Cargo.toml");
        let Ok(text) = fs::read_to_string(&path) else {
            return Err(Error::NoPlugin {
                folder: folder.to_owned(),
            });
        };
        let cargo: CargoFile = toml::from_str(&text).map_err(|error| Error::Manifest {
            file: path,
            reason: error.message().replace('\n', " "),
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            name: cargo.package.name,
            // Cargo says it of each component that it makes.
            version: String::new(),
            language: Language::Rust,
            sdk: folder.join("poolhouse"),
            wit: folder.join("wit"),
            world: WORLD.to_owned(),
            grants: Grants::default(),
        })
    }
}

impl Grants {
    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.lines().is_empty()
    }

    fn lines(&self) -> Vec<String> {
        let all = [
            ("database", &self.database),
            ("limits", &self.limits),
            ("wasi", &self.wasi),
        ];
        all.into_iter()
            .filter_map(|(key, value)| {
                let value = toml::Value::Table(value.clone()?);
                Some(format!("{key} = {value}"))
            })
            .collect()
    }

    /// The lines that give it to the plugin of that name in host.toml.
    pub fn host_toml(&self, plugin: &str) -> String {
        let section = format!("[plugins.{plugin}]");
        let lines: Vec<_> = std::iter::once(section).chain(self.lines()).collect();
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read() {
        let text = "name = \"ledger\"\nversion = \"0.1.0\"\nlanguage = \"python\"\n\n[grants]\ndatabase = { migrate = true, read = [\"accounts\"] }\n";
        let manifest = Manifest::parse(Path::new("somewhere"), text).unwrap();
        assert_eq!(manifest.language, Language::Python);
        assert_eq!(manifest.sdk, Path::new("somewhere/poolhouse"));
        assert_eq!(
            manifest.grants.host_toml("ledger"),
            "[plugins.ledger]\ndatabase = { migrate = true, read = [\"accounts\"] }\n"
        );
    }

    #[test]
    fn mistakes_name_the_line_and_what_is_allowed() {
        for (text, words) in [
            (
                "name = \"a\"\nversion = \"1\"\n",
                "missing field `language`",
            ),
            (
                "name = \"a\"\nversion = \"1\"\nlanguage = \"cobol\"\n",
                "line 3: unknown variant `cobol`",
            ),
            (
                "name = \"a\"\nversion = \"1\"\nlanguage = \"c\"\ngrant = 1\n",
                "line 4: unknown field `grant`",
            ),
            (
                "name = \"A\"\nversion = \"1\"\nlanguage = \"c\"\n",
                "\"A\" can't be a plugin's name",
            ),
            (
                "name = \"a\"\nversion = \"\"\nlanguage = \"c\"\n",
                "version is \"\": it must be like 0.1.0",
            ),
            ("name = \n", "line 1"),
            (
                "name = \"a\"\nversion = \"1\"\nlanguage = \"c\"\n[grants]\n\"x = 1\\n[plugins.other]\\ndatabase\" = {}\n",
                "unknown field",
            ),
            (
                "name = \"a\"\nversion = \"1\"\nlanguage = \"c\"\n[grants]\ndatabase = { read = [\"a\\nb\"] }\n",
                "control character",
            ),
        ] {
            let error = Manifest::parse(Path::new("x"), text)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(words) && error.starts_with("x/plugin.toml: "),
                "{error}"
            );
        }
    }
}
