//! Keeps which strategies run, on which symbols, with which parameters. What a parameter means, the strategy's
//! own plugin says.

mod bindings;
mod json;
mod schema;

use bindings::exports::poolhouse::plugin::migrations;
use bindings::exports::poolhouse::trading::config_loader::{Guest, Strategy};
use poolhouse::database::{Json, Row, Session};
use poolhouse::{Failure, params};

/// The plugin.
#[derive(Debug)]
pub struct ConfigLoader;

impl migrations::Guest for ConfigLoader {
    fn migrations(dialect: migrations::Dialect) -> Vec<migrations::Migration> {
        schema::migrations(dialect)
    }
}

impl Guest for ConfigLoader {
    fn strategies() -> Result<Vec<Strategy>, Failure> {
        let mut strategies = Vec::new();
        Session::open()?.each(
            "SELECT id, plugin, symbols, parameters, enabled FROM strategies",
            params![],
            |row| {
                strategies.push(strategy(row)?);
                Ok::<_, Failure>(())
            },
        )?;
        // Sorted here, for the order of texts depends on the database's collation.
        strategies.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(strategies)
    }

    fn save(strategy: Strategy) -> Result<(), Failure> {
        check(&strategy).map_err(Failure::failed)?;
        let symbols = Json(json::from_symbols(strategy.symbols));
        let parameters = Json(json::from_parameters(strategy.parameters));
        Session::open()?.execute(
            "INSERT INTO strategies (id, plugin, symbols, parameters, enabled) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (id) DO UPDATE SET plugin = excluded.plugin, symbols = excluded.symbols, \
             parameters = excluded.parameters, enabled = excluded.enabled",
            params![
                strategy.id,
                strategy.plugin,
                symbols,
                parameters,
                strategy.enabled
            ],
        )?;
        Ok(())
    }
}

fn strategy(row: Row<'_>) -> Result<Strategy, Failure> {
    let id: String = row.get("id")?;
    let column = |name: &str, problem: String| {
        Failure::failed(format!("strategy row `{id}` has {name} {problem}"))
    };
    Ok(Strategy {
        plugin: row.get("plugin")?,
        symbols: json::to_symbols(row.get("symbols")?)
            .map_err(|problem| column("symbols", problem))?,
        parameters: json::to_parameters(row.get("parameters")?)
            .map_err(|problem| column("parameters", problem))?,
        enabled: row.get("enabled")?,
        id,
    })
}

/// Characters of an id or symbol: both become parts of client order ids, which have to fit into an index.
const LONGEST_ID: usize = 128;

fn check_length(what: &str, text: &str) -> Result<(), String> {
    let length = text.chars().count();
    if length > LONGEST_ID {
        let beginning: String = text.chars().take(20).collect();
        return Err(format!(
            "the {what} `{beginning}…` has {length} characters; {LONGEST_ID} are allowed, shorten it"
        ));
    }
    Ok(())
}

fn check(strategy: &Strategy) -> Result<(), String> {
    let id = &strategy.id;
    if id.trim().is_empty() {
        return Err("the strategy row has no id; give one".to_owned());
    }
    check_length("strategy row's id", id)?;
    if strategy.plugin.trim().is_empty() {
        return Err(format!(
            "strategy row `{id}` names no plugin; give a plugin's file name without `.wasm`"
        ));
    }
    if strategy.symbols.is_empty()
        || strategy
            .symbols
            .iter()
            .any(|symbol| symbol.trim().is_empty())
    {
        return Err(format!(
            "strategy row `{id}` has no symbol or an empty one; name at least one, such as AAPL"
        ));
    }
    for symbol in &strategy.symbols {
        if symbol.trim() != symbol {
            return Err(format!(
                "strategy row `{id}` names symbol `{symbol}`, with blanks around it that no feed has; take them away"
            ));
        }
        check_length("symbol", symbol)
            .map_err(|reason| format!("strategy row `{id}`: {reason}"))?;
    }
    if let Some(symbol) = first_twice(strategy.symbols.iter()) {
        return Err(format!(
            "strategy row `{id}` names symbol `{symbol}` twice; name it once"
        ));
    }
    let names = || strategy.parameters.iter().map(|parameter| &parameter.name);
    if names().any(|name| name.trim().is_empty()) {
        return Err(format!(
            "strategy row `{id}` has a parameter without a name; give it one"
        ));
    }
    if let Some(name) = first_twice(names()) {
        return Err(format!(
            "strategy row `{id}` gives parameter `{name}` twice; give it once"
        ));
    }
    Ok(())
}

fn first_twice<'a>(names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some(*a),
        _ => None,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;
    use bindings::exports::poolhouse::trading::config_loader::Parameter;

    fn row() -> Strategy {
        let parameter = |(name, value): (&str, &str)| Parameter {
            name: name.into(),
            value: value.into(),
        };
        Strategy {
            id: "ma-aapl".into(),
            plugin: "moving-average".into(),
            symbols: vec!["AAPL".into(), "IBM".into()],
            parameters: [("slow", "30"), ("fast", "10")].map(parameter).to_vec(),
            enabled: true,
        }
    }

    #[test]
    fn rows_are_checked() {
        assert_eq!(check(&row()), Ok(()));
        type Change = fn(&mut Strategy);
        let wrong: [(Change, &str); 10] = [
            (|row| row.id.clear(), "no id"),
            (
                |row| row.id = "i".repeat(129),
                "row's id `iiiiiiiiiiiiiiiiiiii…` has 129 characters",
            ),
            (
                |row| row.symbols.push("S".repeat(1000)),
                "symbol `SSSSSSSSSSSSSSSSSSSS…` has 1000 characters",
            ),
            (|row| row.symbols.push(" A ".into()), "` A `, with blanks"),
            (|row| row.plugin.clear(), "`ma-aapl` names no plugin"),
            (|row| row.symbols.clear(), "`ma-aapl` has no symbol"),
            (|row| row.symbols.push(" ".into()), "or an empty one"),
            (|row| row.symbols.push("AAPL".into()), "symbol `AAPL` twice"),
            (
                |row| row.parameters[1].name = "slow".into(),
                "parameter `slow` twice",
            ),
            (|row| row.parameters[1].name.clear(), "without a name"),
        ];
        for (change, message) in wrong {
            let mut row = row();
            change(&mut row);
            let error = check(&row).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn every_column_that_is_needed_is_made() {
        for dialect in [migrations::Dialect::Sqlite, migrations::Dialect::Postgresql] {
            for migration in schema::migrations(dialect) {
                for (table, statement) in migration.tables.iter().zip(&migration.statements) {
                    assert!(statement.contains(&format!("IF NOT EXISTS {} (", table.name)));
                    for column in &table.columns {
                        assert!(
                            statement.contains(&format!("        {column} ")),
                            "{column}"
                        );
                    }
                }
            }
        }
    }
}
