//! `host reload`: has the host that runs in this folder take in what has changed in host.toml, in its plugins folder, and of strategy
//! rows, users and subscriptions in its database.

use std::process::ExitCode;

use anyhow::bail;

use crate::control::{Request, Response, connect};
use crate::output;
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let answer = connect(settings.control.socket.as_deref(), Request::Reload).await?;
    let Response::Reload(done) = answer else {
        bail!("the host answered something else than what it reloaded");
    };
    for (what, names) in [
        ("plugins running anew", &done.running),
        ("plugins taken away", &done.gone),
        ("strategy rows added", &done.rows_added),
        ("strategy rows changed", &done.rows_changed),
        ("strategy rows removed", &done.rows_removed),
    ] {
        if !names.is_empty() {
            output::print(format_args!("{what}: {}", names.join(", ")))?;
        }
    }
    if !done.failed.is_empty() {
        bail!(
            "not all of it could be reloaded: {}",
            done.failed.join("; ")
        );
    }
    output::print("reloaded")?;
    Ok(ExitCode::SUCCESS)
}
