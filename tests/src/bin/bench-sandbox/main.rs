//! What one plugin's doings cost the others: the latency of a plugin's calls while guests spin, and while another plugin is replaced,
//! beside its own on a quiet host, in one run; also into `bench-sandbox.tsv`.

mod host;
mod latency;

use std::fmt::Write as _;
use std::time::Duration;

use poolhouse_runtime::EPOCH_TICK;
use poolhouse_tests::{BACKENDS, Backend, reference_plugin, target};

use host::{Host, Work};
use latency::Latency;

/// Ticks that the p99 may be worse by beside guests that spin.
const TICKS: u32 = 2;
/// No call may take longer while another plugin is replaced.
const PAUSE: Duration = Duration::from_millis(5);

fn main() -> anyhow::Result<()> {
    let mut lines = String::new();
    for backend in BACKENDS {
        let host = Host::start(backend)?;
        spinning(&host, backend, &mut lines)?;
        if backend == Backend::Sqlite {
            replacing(&host, &mut lines)?;
        }
    }
    std::fs::write(target()?.join("bench-sandbox.tsv"), &lines)?;
    println!("name\tquiet p50\tp99\tmax\tloaded p50\tp99\tmax\tgoal\tverdict");
    print!("{lines}");
    Ok(())
}

fn spinning(host: &Host, backend: Backend, lines: &mut String) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    for work in Work::of(backend) {
        let quiet = host.latency(*work, 0)?;
        let goal = quiet.p99 + TICKS * EPOCH_TICK;
        for (shown, spinning) in [("one", cores), ("two", 2 * cores)] {
            let loaded = host.latency(*work, spinning)?;
            let s = if spinning == cores { "" } else { "s" };
            let name = format!("{work}, {shown} spinning guest{s} per core");
            line(lines, &name, (quiet, loaded), ("p99", loaded.p99, goal));
        }
    }
    Ok(())
}

fn replacing(host: &Host, lines: &mut String) -> anyhow::Result<()> {
    let interpreter = target()?.join("languages/conformance-python.wasm");
    let components = [
        ("a Rust plugin", reference_plugin("channel-breakout")?, 100),
        ("a Python plugin", interpreter, 3),
    ];
    for (shown, component, replacements) in components {
        if !component.is_file() {
            println!("SKIPPED: replacing {shown}; scripts/test-languages.sh build builds one");
            continue;
        }
        for work in Work::of(Backend::Sqlite) {
            let (quiet, loaded) = host.beside_replacements(*work, &component, replacements)?;
            let name = format!("{work}, {replacements} replacements of {shown}");
            line(lines, &name, (quiet, loaded), ("max", loaded.max, PAUSE));
        }
    }
    Ok(())
}

fn line(
    lines: &mut String,
    name: &str,
    (quiet, loaded): (Latency, Latency),
    (measure, got, goal): (&str, Duration, Duration),
) {
    let verdict = if got <= goal { "met" } else { "short" };
    let goal = Latency::figure(goal);
    // Writing to a String can't fail.
    let _ = writeln!(
        lines,
        "{name}\t{quiet}\t{loaded}\t{measure} ≤ {goal}\t{verdict}"
    );
}
