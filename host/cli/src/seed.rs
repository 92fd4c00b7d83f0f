//! Reads a seed file and applies it through the plugins' own functions, all or nothing.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use poolhouse_runtime::Scope;
use poolhouse_runtime::trading::{RowParameter, StrategyRow, Subscription, User};
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use crate::settings;
use crate::trading::{Services, too_long};

/// The content of a seed file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Seed {
    strategies: Vec<SeedStrategy>,
    users: Vec<SeedUser>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedStrategy {
    id: String,
    plugin: String,
    symbols: Vec<String>,
    #[serde(default)]
    parameters: BTreeMap<String, Scalar>,
    #[serde(default = "enabled")]
    enabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedUser {
    id: String,
    name: String,
    #[serde(default = "enabled")]
    active: bool,
    max_order_value: Option<Scalar>,
    max_exposure: Option<Scalar>,
    #[serde(default)]
    subscriptions: Vec<SeedSubscription>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedSubscription {
    strategy: String,
    quantity: Scalar,
}

/// A text, or a whole number or boolean without quotes. Never a float: its digits would not be the file's.
#[derive(Debug, Clone)]
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl Visitor<'_> for ScalarVisitor {
            type Value = Scalar;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(
                    "a text in quotes, a whole number, true or false (write decimals in quotes)",
                )
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_i128<E>(self, number: i128) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

fn enabled() -> bool {
    true
}

impl fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Seed {
    /// Reads the file.
    ///
    /// # Errors
    /// One sentence with file and line, or with the entry that is there twice.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the seed file {} can't be read", path.display()))?;
        let seed: Self = settings::parse(&text, path)?;
        let mut seen = HashSet::new();
        for (kind, id) in seed
            .strategies
            .iter()
            .map(|strategy| ("strategy", &strategy.id))
            .chain(seed.users.iter().map(|user| ("user", &user.id)))
        {
            too_long(kind, id).with_context(|| path.display().to_string())?;
            if !seen.insert((kind, id)) {
                bail!("{}: {kind} \"{id}\" is there twice", path.display());
            }
        }
        for strategy in &seed.strategies {
            for symbol in &strategy.symbols {
                too_long("symbol", symbol)
                    .with_context(|| format!("{}: strategy \"{}\"", path.display(), strategy.id))?;
            }
        }
        for user in &seed.users {
            let mut seen = HashSet::new();
            for subscription in &user.subscriptions {
                if !seen.insert(&subscription.strategy) {
                    bail!(
                        "{}: user \"{}\" subscribes to \"{}\" twice",
                        path.display(),
                        user.id,
                        subscription.strategy
                    );
                }
            }
        }
        Ok(seed)
    }

    /// Saves everything as a part of `scope`; applied again it changes nothing. What the file does not name stays.
    ///
    /// # Errors
    /// What a plugin says of an entry, with the entry's name; then the scope must be rolled back.
    pub(crate) async fn apply(
        &self,
        services: &Services,
        scope: &Arc<Scope>,
    ) -> anyhow::Result<()> {
        for strategy in &self.strategies {
            let row = StrategyRow {
                id: strategy.id.clone(),
                plugin: strategy.plugin.clone(),
                symbols: strategy.symbols.clone(),
                parameters: strategy
                    .parameters
                    .iter()
                    .map(|(name, value)| RowParameter {
                        name: name.clone(),
                        value: value.to_string(),
                    })
                    .collect(),
                enabled: strategy.enabled,
            };
            services
                .config_loader
                .save(scope, row)
                .await
                .with_context(|| format!("the seed's strategy \"{}\"", strategy.id))?;
        }
        let rows = services.config_loader.strategies(scope).await?;
        for user in &self.users {
            self.apply_user(user, &rows, services, scope)
                .await
                .with_context(|| format!("the seed's user \"{}\"", user.id))?;
        }
        Ok(())
    }

    async fn apply_user(
        &self,
        user: &SeedUser,
        rows: &[StrategyRow],
        services: &Services,
        scope: &Arc<Scope>,
    ) -> anyhow::Result<()> {
        let saved = User {
            id: user.id.clone(),
            name: user.name.clone(),
            active: user.active,
            max_order_value: user.max_order_value.as_ref().map(ToString::to_string),
            max_exposure: user.max_exposure.as_ref().map(ToString::to_string),
        };
        services.user_service.save(scope, saved).await?;
        for subscription in &user.subscriptions {
            if !rows.iter().any(|row| row.id == subscription.strategy) {
                bail!(
                    "it subscribes to the strategy \"{}\", which does not exist",
                    subscription.strategy
                );
            }
            let subscription = Subscription {
                user_id: user.id.clone(),
                strategy_id: subscription.strategy.clone(),
                quantity: subscription.quantity.to_string(),
            };
            services.user_service.subscribe(scope, subscription).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Seed> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("seed.toml");
        std::fs::write(&path, text)?;
        Seed::read(&path)
    }

    #[test]
    fn mistakes_are_named() {
        let user = "[[users]]\nid = \"a\"\nname = \"A\"\n";
        for (text, words) in [
            ("[[strategies]]\nid = 1", "line 2"),
            ("[[strategy]]\n", "unknown field `strategy`"),
            ("[[users]]\nid = \"a\"", "missing field `name`"),
            (
                &format!("{user}max_order_value = 1.5"),
                "write decimals in quotes",
            ),
            (&format!("{user}{user}"), "user \"a\" is there twice"),
            (
                &user.replace("\"a\"", &format!("\"{}\"", "a".repeat(129))),
                "user \"aaaaaaaaaaaaaaaaaaaa…\" has 129 characters: 128 are allowed",
            ),
            (
                &format!(
                    "[[strategies]]\nid = \"s\"\nplugin = \"p\"\nsymbols = [\"{}\"]",
                    "A".repeat(1000)
                ),
                "strategy \"s\": symbol \"AAAAAAAAAAAAAAAAAAAA…\" has 1000 characters",
            ),
            (
                &format!("{user}max_exposure = {}", "9".repeat(50)),
                "line 4",
            ),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(
                error.contains(words) && error.contains("seed.toml"),
                "{text}: {error}"
            );
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn scalars_keep_their_digits() -> anyhow::Result<()> {
        for (given, expected) in [
            ("\"1.50\"", "1.50"),
            ("-7", "-7"),
            ("99999999999999999999", "99999999999999999999"),
        ] {
            let seed = read(&format!(
                "[[users]]\nid = \"a\"\nname = \"A\"\nmax_exposure = {given}"
            ))?;
            let exposure = seed.users[0].max_exposure.as_ref().unwrap();
            assert_eq!(exposure.to_string(), expected);
        }
        Ok(())
    }
}
