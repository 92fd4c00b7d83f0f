//! The `host` command: reads the arguments, runs one command, and says in one line what went wrong.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test that finds no value has failed")
)]

mod command;
mod feed;
mod logging;
mod output;
mod seed;
mod settings;
mod trading;

use std::process::ExitCode;

use clap::Parser;

use command::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            // The whole chain on one line: what failed, then why.
            eprintln!("host: {}", format!("{error:#}").replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    logging::start(&arguments.common)?;
    let settings = settings::load(&arguments.common)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Run(run) => command::run::run(&arguments.common, &settings, run).await,
            Command::Call(call) => command::call::run(&arguments.common, &settings, call).await,
            Command::Check => command::check::run(&arguments.common, &settings).await,
        }
    })
}
