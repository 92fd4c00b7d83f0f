//! What spinning guests cost the others: the latency of another plugin's calls beside its own on a quiet host, in one
//! run; also into `bench-sandbox.tsv`.

mod host;
mod latency;

use std::fmt::Write as _;

use poolhouse_runtime::EPOCH_TICK;
use poolhouse_tests::{BACKENDS, target};

use host::{Host, Work};
use latency::Latency;

/// Ticks that the p99 may be worse by.
const TICKS: u32 = 2;

fn main() -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    let mut lines = String::new();
    for backend in BACKENDS {
        let host = Host::start(backend)?;
        for work in Work::of(backend) {
            let quiet = host.latency(*work, 0)?;
            let goal = quiet.p99 + TICKS * EPOCH_TICK;
            for (shown, spinning) in [("one", cores), ("two", 2 * cores)] {
                let loaded = host.latency(*work, spinning)?;
                let verdict = match loaded.p99 <= goal {
                    true => "met",
                    false => "short",
                };
                // Writing to a String can't fail.
                let _ = writeln!(
                    lines,
                    "{work}, {shown} spinning guest{s} per core\t{quiet}\t{loaded}\t{goal}\t{verdict}",
                    s = if spinning == cores { "" } else { "s" },
                    goal = Latency::figure(goal),
                );
            }
        }
    }
    std::fs::write(target()?.join("bench-sandbox.tsv"), &lines)?;
    println!("name\tquiet p50\tp99\tmax\tloaded p50\tp99\tmax\tgoal for p99\tverdict");
    print!("{lines}");
    Ok(())
}
