//! `host inspect`: what one plugin's file is, whether this host can load it, and what it would need. Knows no database.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use bytesize::ByteSize;
use clap::Args;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use poolhouse_runtime::trading::{ParameterInfo, ParameterKind};
use poolhouse_runtime::{Engine, Export, Facts, Import, Inspection, Source, Strategy};
use serde_json::{Value, json};

use super::Common;
use crate::output;
use crate::settings::Settings;
use crate::shown::on_one_line;

/// Arguments of `host inspect`.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The plugin's file; others that it imports from are looked for in the folder of --plugins.
    file: PathBuf,
    /// Answer with one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(
    common: &Common,
    settings: &Settings,
    inspect: Inspect,
) -> anyhow::Result<ExitCode> {
    let engine = Engine::new()?;
    let found = poolhouse_runtime::inspect(&engine, &inspect.file, &common.plugins, |name| {
        settings.plugins.plugin(name)
    })
    .await?;
    if inspect.json {
        output::print(as_json(&found))?;
    } else {
        print(&found)?;
    }
    if found.troubles.is_empty() {
        Ok(ExitCode::SUCCESS)
    } else {
        bail!("this host can't load {}", inspect.file.display());
    }
}

fn print(found: &Inspection) -> std::io::Result<()> {
    let facts = &found.facts;
    for (name, text) in [
        ("plugin", facts.plugin.to_string()),
        ("file", facts.file.display().to_string()),
        ("size", size(facts.size)),
        (
            "compiled",
            format!(
                "{} in {:.0} ms",
                size(facts.compiled_size),
                facts.compile_time.as_secs_f64() * 1e3
            ),
        ),
        ("memory", memory(facts)),
        ("sha256", facts.sha256.to_string()),
        ("migrations", migrations(found)),
        ("strategy", strategy(found)),
        ("warm-up", warm_up(found)),
    ] {
        if !text.is_empty() {
            line(name, &text)?;
        }
    }
    if found.troubles.is_empty() {
        line("loads", "yes")?;
    }
    for trouble in &found.troubles {
        line("loads", &format!("NO: {trouble}"))?;
    }
    table(
        ["imports", "given by"],
        found
            .imports
            .iter()
            .map(|import| [import.name.clone(), given_by(import)]),
    )?;
    table(
        ["exports", "functions", "called by"],
        found.exports.iter().map(|export| {
            [
                export.name.clone(),
                export.functions.join(", "),
                called_by(export).to_owned(),
            ]
        }),
    )?;
    if let Some(Ok(strategy)) = &found.strategy {
        table(
            ["parameter", "type", "range", "default", "what it is"],
            strategy.description.parameters.iter().map(|parameter| {
                [
                    parameter.name.clone(),
                    kind(parameter.kind).to_owned(),
                    range(parameter),
                    parameter
                        .default
                        .clone()
                        .unwrap_or_else(|| "(must be given)".to_owned()),
                    parameter.summary.clone(),
                ]
            }),
        )?;
    }
    output::print("in host.toml:")?;
    output::print(format_args!(
        "  [plugins.{}]",
        poolhouse_database::toml_key(&facts.plugin)
    ))?;
    for line in grants(found) {
        output::print(format_args!("  {}", on_one_line(&line)))?;
    }
    Ok(())
}

fn line(name: &str, text: &str) -> std::io::Result<()> {
    output::print(format_args!("{name:<12}{}", on_one_line(text)))
}

/// Nothing for a table without rows.
fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) -> std::io::Result<()> {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| on_one_line(&cell)));
    }
    if table.is_empty() {
        return Ok(());
    }
    output::print(table)
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        _ => format!("{} ({bytes} bytes)", ByteSize(bytes)),
    }
}

fn memory(facts: &Facts) -> String {
    let memories = facts.memories.iter().map(|memory| {
        let most = match memory.maximum {
            Some(maximum) => size(maximum),
            None => "the limit `memory`".to_owned(),
        };
        format!("{} from the start, at most {most}", size(memory.minimum))
    });
    let memories: Vec<_> = memories.collect();
    match memories.is_empty() {
        true => "none".to_owned(),
        false => memories.join("; "),
    }
}

fn migrations(found: &Inspection) -> String {
    match &found.migrations {
        None => String::new(),
        Some(Ok(migrations)) => format!(
            "{}, of the tables {}",
            migrations.count,
            migrations.tables.join(", ")
        ),
        Some(Err(error)) => format!("unknown: {error}"),
    }
}

fn strategy(found: &Inspection) -> String {
    match &found.strategy {
        None => String::new(),
        Some(Ok(strategy)) => strategy.description.summary.clone(),
        Some(Err(error)) => format!("unknown: {error}"),
    }
}

fn warm_up(found: &Inspection) -> String {
    let Some(Ok(strategy)) = &found.strategy else {
        return String::new();
    };
    match &strategy.warm_up_bars {
        Some(Ok(bars)) => format!("{bars} bars, with the defaults"),
        Some(Err(error)) => format!("unknown: {error}"),
        None => "depends on the parameters, of which not all have a default".to_owned(),
    }
}

fn given_by(import: &Import) -> String {
    match &import.source {
        Source::Host => "the host".to_owned(),
        Source::Plugin(plugin) => format!("plugin \"{plugin}\""),
        Source::Nobody(_) => "NOBODY".to_owned(),
    }
}

fn called_by(export: &Export) -> &'static str {
    if export.is_for_host {
        "the host"
    } else if export.name.starts_with("poolhouse:trading/") {
        "the host and other plugins"
    } else if export.name.contains(':') {
        "other plugins and `host call`"
    } else {
        "`host call`"
    }
}

fn kind(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Integer => "integer",
        ParameterKind::Number => "number",
        ParameterKind::Text => "text",
        ParameterKind::Boolean => "boolean",
    }
}

fn range(parameter: &ParameterInfo) -> String {
    match (&parameter.minimum, &parameter.maximum) {
        (Some(minimum), Some(maximum)) => format!("{minimum} to {maximum}"),
        (Some(minimum), None) => format!("{minimum} or more"),
        (None, Some(maximum)) => format!("{maximum} or less"),
        (None, None) => String::new(),
    }
}

/// The lines of its section: its pin, and the grants that it would need, as far as its imports and migrations tell.
fn grants(found: &Inspection) -> Vec<String> {
    let imports = |interface: &str| {
        let mut imports = found.imports.iter();
        imports.any(|import| import.name.split('@').next() == Some(interface))
    };
    let mut lines = vec![format!("sha256 = \"{}\"", found.facts.sha256)];
    match &found.migrations {
        Some(Ok(migrations)) if migrations.count > 0 => {
            lines.push(migrations.grant.clone());
            lines.push(
                "# and tables of others that it reads: a refusal names them when it runs"
                    .to_owned(),
            );
        }
        _ if imports("poolhouse:database/database") => {
            lines.push(
                "database = { read = [\"TABLE\"], write = [\"TABLE\"] }  # it imports the database: a refusal names the tables when it runs"
                    .to_owned(),
            );
        }
        _ => {}
    }
    for (interface, line) in [
        (
            "wasi:cli/environment",
            "# wasi = { environment = [\"VARIABLE\"] }, if it is to see variables of the host's; it can ask for them",
        ),
        (
            "wasi:filesystem/preopens",
            "# wasi = { folders = [\"FOLDER\"] }, if it is to read files; it can ask for them",
        ),
        (
            "wasi:sockets/tcp",
            "# it imports the network, which no plugin is given",
        ),
    ] {
        if imports(interface) {
            lines.push(line.to_owned());
        }
    }
    lines
}

fn as_json(found: &Inspection) -> Value {
    let facts = &found.facts;
    json!({
        "plugin": &*facts.plugin,
        "file": facts.file.to_string_lossy(),
        "size": facts.size,
        "sha256": facts.sha256.to_string(),
        "compiled_size": facts.compiled_size,
        "compile_seconds": facts.compile_time.as_secs_f64(),
        "memories": facts.memories.iter().map(|memory| json!({
            "minimum": memory.minimum,
            "maximum": memory.maximum,
        })).collect::<Vec<_>>(),
        "loads": found.troubles.is_empty(),
        "troubles": found.troubles,
        "imports": found.imports.iter().map(|import| json!({
            "name": import.name,
            "given_by": match &import.source {
                Source::Host => json!("host"),
                Source::Plugin(plugin) => json!({ "plugin": &**plugin }),
                Source::Nobody(reason) => json!({ "nobody": reason }),
            },
        })).collect::<Vec<_>>(),
        "exports": found.exports.iter().map(|export| json!({
            "name": export.name,
            "functions": export.functions,
            "called_by": called_by(export),
        })).collect::<Vec<_>>(),
        "migrations": found.migrations.as_ref().map(|migrations| match migrations {
            Ok(migrations) => json!({ "count": migrations.count, "tables": migrations.tables }),
            Err(error) => json!({ "error": error.to_string() }),
        }),
        "strategy": found.strategy.as_ref().map(|strategy| match strategy {
            Ok(strategy) => strategy_as_json(strategy),
            Err(error) => json!({ "error": error.to_string() }),
        }),
        "host_toml": grants(found),
    })
}

fn strategy_as_json(strategy: &Strategy) -> Value {
    let parameters = strategy.description.parameters.iter();
    json!({
        "summary": strategy.description.summary,
        "warm_up_bars": strategy.warm_up_bars.as_ref().map(|bars| match bars {
            Ok(bars) => json!(bars),
            Err(error) => json!({ "error": error.to_string() }),
        }),
        "parameters": parameters.map(|parameter| json!({
            "name": parameter.name,
            "kind": kind(parameter.kind),
            "minimum": parameter.minimum,
            "maximum": parameter.maximum,
            "default": parameter.default,
            "summary": parameter.summary,
        })).collect::<Vec<_>>(),
    })
}
