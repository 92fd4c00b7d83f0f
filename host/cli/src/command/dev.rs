//! `host dev`: builds plugins' folders anew whenever something in them changes, and tells what a running host makes of it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use notify::{RecursiveMode, Watcher};
use poolhouse_authoring::fingerprint;
use tokio::sync::mpsc;

use super::Common;
use super::build::{Builder, Into, Put, have_names_of_their_own, or_this_folder};
use crate::control::{Request, Response, connect};
use crate::output;
use crate::settings::Settings;
use crate::shown;

/// How long nothing may have changed before it is built: an editor writes a file in several steps.
const QUIET: Duration = Duration::from_millis(100);
/// However often something changes, so long after the first change it is built.
const LONGEST_QUIET: Duration = Duration::from_secs(1);
/// How long a running host may take to take the new file in.
const SWAP: Duration = Duration::from_secs(30);
/// How long it takes to look at a new file at the most, where it is told of it.
const LOOK: Duration = Duration::from_secs(3);
/// How often it is asked whether it has.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// Events between two builds; of more it is enough to know that there were some.
const MOST_EVENTS: usize = 1024;

/// Arguments of `host dev`.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Plugins' folders, as `host new` makes them; without any, this folder.
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    into: Into,
}

pub(crate) async fn run(
    common: &Common,
    settings: &Settings,
    dev: Dev,
) -> anyhow::Result<ExitCode> {
    let builder = Builder::new(common, settings, &dev.into)?;
    let (sender, mut events) = mpsc::channel(MOST_EVENTS);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // Where there is no room there are enough that lead to a look.
            let _ = sender.try_send(());
        }
    })
    .context("the system can't tell of changes")?;
    let mut folders = Vec::new();
    let named = or_this_folder(dev.folders);
    have_names_of_their_own(&named)?;
    for folder in named {
        watcher
            .watch(&folder, RecursiveMode::Recursive)
            .with_context(|| format!("{} can't be watched", folder.display()))?;
        folders.push((folder, None));
    }
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    loop {
        for (folder, known) in &mut folders {
            let now = Some(fingerprint(folder));
            if now == *known {
                continue;
            }
            *known = now;
            tokio::select! {
                _ = &mut stop => return Ok(ExitCode::SUCCESS),
                () = build(&builder, settings, folder) => {}
            }
        }
        tokio::select! {
            _ = &mut stop => return Ok(ExitCode::SUCCESS),
            () = quiet(&mut events) => {}
        }
    }
}

/// Waits for a change, and then for the end of the changes.
async fn quiet(events: &mut mpsc::Receiver<()>) {
    if events.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
    let latest = Instant::now() + LONGEST_QUIET;
    while Instant::now() < latest {
        match tokio::time::timeout(QUIET, events.recv()).await {
            Ok(Some(())) => {}
            _ => return,
        }
    }
}

/// An author's mistake is told, and the next change is waited for.
async fn build(builder: &Builder, settings: &Settings, folder: &Path) {
    let built = match builder.build(settings, folder).await {
        Ok(built) => built,
        Err(error) => {
            eprintln!("host: {}", shown::error(&error));
            return;
        }
    };
    for put in built.iter().filter(|put| put.is_new) {
        match swapped(settings, put).await {
            Ok(said) => {
                let _ = output::print(said);
            }
            Err(error) => eprintln!("host: {}", shown::error(&error)),
        }
    }
}

/// What the host that runs here made of the new file.
async fn swapped(settings: &Settings, put: &Put) -> anyhow::Result<String> {
    let asked_since = Instant::now();
    let until = asked_since + SWAP;
    loop {
        let asked = connect(settings.control.socket.as_deref(), Request::Status).await;
        let status = match asked {
            Ok(Response::Status(status)) => status,
            Ok(_) => {
                anyhow::bail!("the host that runs here answered something else than its status")
            }
            Err(error) => {
                return Ok(format!(
                    "not taken in by a running host: {}",
                    shown::error(&error)
                ));
            }
        };
        let plugin = status
            .plugins
            .into_iter()
            .find(|plugin| plugin.name == put.name);
        if let Some(plugin) = plugin {
            let is_this = plugin.sha256.as_deref() == Some(&put.sha256);
            let state = plugin.state.as_str();
            match (is_this, state, plugin.reason) {
                (true, "running", _) => {
                    return Ok(format!("{} {} runs", put.name, &put.sha256[..12]));
                }
                (true, "waiting" | "failed", Some(reason)) => {
                    anyhow::bail!("{} is {state}: {reason}", put.name);
                }
                // Before it has looked at the new file, it tells of the one before.
                (_, "waiting" | "failed" | "running", Some(reason))
                    if asked_since.elapsed() > LOOK =>
                {
                    anyhow::bail!("{} is {state}: {reason}", put.name);
                }
                _ => {}
            }
        }
        if Instant::now() >= until {
            anyhow::bail!(
                "the running host has not taken {} in within {SWAP:?}: see its log",
                put.name
            );
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}
