//! A million rows through one cursor, and what the host's process needs for it; measured in a process of its own.

use std::process::Command;

use poolhouse_runtime::Limits;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::conformance::{Setup, Stage};
use poolhouse_tests::{BACKENDS, Backend};

const ROWS: u64 = 1_000_000;

/// How much the process may grow by, the guest's own memory included.
const GROWTH: u64 = 16 << 20;

/// Tells the process of its own which database it reads.
const BACKEND: &str = "POOLHOUSE_MILLION_ROWS_OF";

fn rows_of(backend: Backend, count: u64) -> String {
    match backend {
        Backend::Sqlite => format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             SELECT i, 'row ' || i AS t FROM n"
        ),
        Backend::Postgresql => {
            format!(
                "SELECT i, 'row ' || i AS t FROM (SELECT generate_series(1, {count}::bigint) AS i) AS n"
            )
        }
    }
}

/// The sum of all numbers and of all bytes of the texts.
fn checksum(count: u64) -> u64 {
    let bytes = |number: u64| format!("row {number}").bytes().map(u64::from).sum::<u64>();
    (1..=count).map(|number| number + bytes(number)).sum()
}

/// A value of this process's own status, in bytes.
fn status(name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    Ok(line.split_whitespace().nth(1).unwrap().parse::<u64>()? << 10)
}

#[test]
fn a_million_rows_take_no_more_memory_than_a_few() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let ran = Command::new(std::env::current_exe()?)
            .args([
                "--exact",
                "million::read_them_in_this_process",
                "--ignored",
                "--nocapture",
            ])
            .env(BACKEND, format!("{backend:?}"))
            .output()?;
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(
            ran.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        let grown = said
            .lines()
            .find_map(|line| line.split_once("grown by ")?.1.parse().ok());
        let grown: u64 = grown.unwrap();
        println!("{backend:?}: {} KiB", grown >> 10);
        assert!(grown < GROWTH, "{backend:?}: it has grown by {grown} bytes");
    }
    Ok(())
}

#[test]
#[ignore = "it is run by the test above, in a process of its own"]
fn read_them_in_this_process() -> anyhow::Result<()> {
    let asked = std::env::var(BACKEND)?;
    let backend = BACKENDS
        .into_iter()
        .find(|backend| format!("{backend:?}") == asked);
    let backend = backend.unwrap();
    let setup = Setup {
        limits: Limits {
            memory: 64 << 20,
            call_timeout: std::time::Duration::from_secs(60),
            ..Limits::default()
        },
        ..Setup::default()
    };
    let stage = Stage::start_with(backend, "", setup)?;
    let read = |count: u64| {
        let summary = format!(
            "summary({{rows: {count}, batches: …, largest-batch: …, checksum: {}}})",
            checksum(count)
        );
        stage.play(
            "rows",
            &[
                (open(0), "done"),
                (open_cursor(0, 9, &rows_of(backend, count), &[]), "done"),
                (read_to_end(9), &summary),
                (forget(9), "done"),
            ],
        )
    };
    // A few full batches first, so that what is made once is made.
    read(50_000)?;
    let before = status("VmRSS")?;
    // Forgets how much it had at most.
    std::fs::write("/proc/self/clear_refs", "5")?;
    read(ROWS)?;
    let grown = status("VmHWM")?.saturating_sub(before);
    println!("\ngrown by {grown}");
    Ok(())
}
