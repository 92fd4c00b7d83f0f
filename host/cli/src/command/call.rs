//! `host call`: one function of one plugin, with WAVE arguments and a WAVE answer.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use poolhouse_runtime::{Answer, Engine, Plugins};

use super::Common;
use crate::output;
use crate::settings::Settings;

/// Arguments of `host call`.
#[derive(Debug, Args)]
pub(crate) struct Call {
    /// The plugin: its file's name without .wasm.
    plugin: String,
    /// What to call, as INTERFACE.FUNCTION; left out, the plugin's functions are listed.
    function: Option<String>,
    /// One WAVE value for each parameter: 10, "text", [1, 2], {name: "x"}, some(1). A plain text may go
    /// without its quotes.
    #[arg(allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) async fn run(
    common: &Common,
    settings: &Settings,
    call: Call,
) -> anyhow::Result<ExitCode> {
    let engine = super::new_engine(settings)?;
    let database = super::open_database(settings)?;
    let called = call_plugin(common, settings, &engine, &database, &call).await;
    super::close_database(&database).await;
    called?;
    Ok(ExitCode::SUCCESS)
}

async fn call_plugin(
    common: &Common,
    settings: &Settings,
    engine: &Engine,
    database: &poolhouse_database::Database,
    call: &Call,
) -> anyhow::Result<()> {
    let plugins = super::load_once_started(database, async || {
        Plugins::load(
            engine,
            &common.plugins,
            Some(&call.plugin),
            database,
            |name| settings.plugins.plugin(name),
        )
        .await
    })
    .await?;
    let result = match (plugins.get(&call.plugin), &call.function) {
        (Some(plugin), Some(function)) => {
            let scope = plugin.scope();
            let answer = plugin
                .call_by_name(engine, &scope, function, &call.arguments)
                .await;
            scope.finish().await;
            answer.map(Some)
        }
        (Some(plugin), None) => {
            for function in plugin.functions(engine) {
                output::print(function)?;
            }
            Ok(None)
        }
        (None, _) => Ok(None),
    };
    plugins.stop().await;
    match result? {
        Some(Answer {
            failure: Some(failure),
            ..
        }) => bail!("plugin \"{}\" failed: {failure}", call.plugin),
        Some(Answer {
            text: Some(text), ..
        }) => Ok(output::print(text)?),
        _ => Ok(()),
    }
}
