//! The `host` command: reads the arguments, runs one command, and says in one line what went wrong.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test that finds no value has failed")
)]
// A call into a plugin may call another plugin: the futures of a command nest deeper than the compiler's own limit.
#![recursion_limit = "256"]

mod command;
mod control;
mod feed;
mod live;
mod logging;
mod output;
mod seed;
mod settings;
mod shown;
mod trading;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;

use command::{Arguments, Command};

/// The C library's own keeps, for each thread that was ever busy, what guests made the host allocate: after a flood of records
/// the process stayed larger for good.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            // The whole chain on one line: what failed, then why.
            let mut line = shown::error(&error);
            if line.contains(TOO_MANY_OPEN_FILES) && !line.contains("ulimit") {
                line.push_str(": the host may open no more files, raise its limit (ulimit -n)");
            }
            eprintln!("host: {line}");
            ExitCode::FAILURE
        }
    }
}

/// For threads, the database's first connections and a feed.
const FEWEST_FILES: usize = 24;

/// How Rust ends the system's sentence of EMFILE.
const TOO_MANY_OPEN_FILES: &str = "(os error 24)";

/// How long the process waits at its end for what can't be stopped, such as a guest's read of a pipe that nobody writes to.
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(3);

/// Help, the version, or what is wrong with the arguments, which are quoted there.
fn refuse(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    let shown = shown::without_passwords(&text);
    if shown == text {
        error.exit();
    }
    eprint!("{shown}");
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Sees that the process may open the files that it needs at the very least; some of what opens them only panics.
fn require_files() -> anyhow::Result<()> {
    let opened: std::io::Result<Vec<_>> = (0..FEWEST_FILES)
        .map(|_| std::fs::File::open("/dev/null"))
        .collect();
    opened.with_context(|| format!("the host needs {FEWEST_FILES} open files at least"))?;
    Ok(())
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    logging::start(&arguments.common)?;
    let settings = settings::load(&arguments.common)?;
    require_files()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the host's threads can't be started")?;
    let ended = runtime.block_on(async {
        match arguments.command {
            Command::Run(run) => command::run::run(&arguments.common, &settings, run).await,
            Command::Call(call) => command::call::run(&arguments.common, &settings, call).await,
            Command::Check => command::check::run(&arguments.common, &settings).await,
            Command::Inspect(inspect) => {
                command::inspect::run(&arguments.common, &settings, inspect).await
            }
            Command::Status(status) => command::status::run(&settings, status).await,
            Command::Reload => command::reload::run(&settings).await,
            Command::New(new) => command::new::run(&arguments.common.plugins, &new),
            Command::Build(build) => command::build::run(&arguments.common, &settings, build).await,
            Command::Dev(dev) => command::dev::run(&arguments.common, &settings, dev).await,
        }
    });
    runtime.shutdown_timeout(LONGEST_SHUTDOWN);
    ended
}
