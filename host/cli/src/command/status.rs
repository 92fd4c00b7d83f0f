//! `host status`: what the plugins of the host that runs in this folder are doing.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};

use crate::control::{Request, Response, connect};
use crate::output;
use crate::settings::Settings;

/// Digits of a hash in the table.
const DIGITS: usize = 12;

/// Arguments of `host status`.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Print one JSON document instead of the table.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(settings: &Settings, status: Status) -> anyhow::Result<ExitCode> {
    let answer = connect(settings.control.socket.as_deref(), Request::Status).await?;
    let Response::Status(found) = answer else {
        bail!("the host answered something else than its status");
    };
    if status.json {
        output::print(serde_json::to_string_pretty(&found)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "plugin",
        "state",
        "version",
        "sha256",
        "since",
        "calls",
        "traps",
        "connections",
        "warm",
        "draining",
    ]);
    for column in 5..10 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for plugin in &found.plugins {
        let sha256 = plugin.sha256.as_deref().unwrap_or_default();
        table.add_row([
            plugin.name.clone(),
            plugin.state.clone(),
            plugin.version.clone().unwrap_or_default(),
            sha256.get(..DIGITS).unwrap_or_default().to_owned(),
            plugin
                .since
                .get(..19)
                .map(|since| format!("{since}Z"))
                .unwrap_or_default(),
            plugin.calls.to_string(),
            plugin.traps.to_string(),
            plugin.connections.to_string(),
            plugin.warm_instances.to_string(),
            plugin.draining.to_string(),
        ]);
    }
    output::print(table)?;
    for plugin in &found.plugins {
        if let Some(reason) = &plugin.reason {
            output::print(format_args!("{}: {reason}", plugin.name))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
