//! SQLite's public SQL corpus through a real guest on both databases, every failure with its cause; the files are in
//! tests/sqllogictest.

#[path = "sqllogictest/causes.rs"]
mod causes;
#[path = "sqllogictest/course.rs"]
mod course;
#[path = "sqllogictest/driver.rs"]
mod driver;
#[path = "sqllogictest/outcome.rs"]
mod outcome;
#[path = "sqllogictest/records.rs"]
mod records;
#[path = "sqllogictest/values.rs"]
mod values;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use poolhouse_tests::{Backend, root};

use causes::CAUSES;
use course::{Course, Tally};

#[test]
fn the_corpus_on_sqlite() -> anyhow::Result<()> {
    run(Backend::Sqlite)
}

#[test]
fn the_corpus_on_postgresql() -> anyhow::Result<()> {
    run(Backend::Postgresql)
}

fn run(backend: Backend) -> anyhow::Result<()> {
    let folder = root().join("tests/sqllogictest");
    let mut files = Vec::new();
    find(&folder, &mut files)?;
    files.sort();
    let start = Instant::now();
    let mut tally = Tally::default();
    for file in &files {
        let name = file.strip_prefix(&folder)?.display().to_string();
        let text = fs::read_to_string(file)?;
        let script = records::parse(&text, backend).with_context(|| name.clone())?;
        let course = Course::start(backend)?;
        let one = course.run(&name, &script)?;
        tally.add(one);
    }
    println!(
        "{backend:?}: {} files in {:.1?}",
        files.len(),
        start.elapsed()
    );
    judge(backend, &tally)
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "test") {
            files.push(path);
        }
    }
    Ok(())
}

/// Prints the table of README.md, and fails where anything in it is not as it should be.
fn judge(backend: Backend, tally: &Tally) -> anyhow::Result<()> {
    let counted = [tally.passed, tally.beside, tally.skipped];
    let [passed, beside, skipped] = counted;
    println!("{passed:>6} passed through the guest");
    println!("{beside:>6} passed beside it: changes of the schema");
    println!("{skipped:>6} skipped: for other databases only");
    let mut wrong = Vec::new();
    if counted != expected(backend) {
        wrong.push(format!("{counted:?} passed, not {:?}", expected(backend)));
    }
    for cause in CAUSES.iter().filter(|cause| cause.backend == backend) {
        let count = tally.failed.get(cause.name).copied().unwrap_or_default();
        println!("{count:>6} failed ({:?}): {}", cause.whose, cause.name);
        if count != cause.count {
            wrong.push(format!(
                "{count} failed, not {}: {}",
                cause.count, cause.name
            ));
        }
    }
    println!("{:>6} failed for no known cause", tally.unexplained.len());
    wrong.extend(tally.unexplained.iter().take(20).cloned());
    ensure!(wrong.is_empty(), "on {backend:?}:\n{}", wrong.join("\n"));
    Ok(())
}

/// How many records pass through the guest, pass beside it, and are for other databases only.
fn expected(backend: Backend) -> [usize; 3] {
    match backend {
        Backend::Sqlite => [43_970, 7_389, 6_172],
        Backend::Postgresql => [43_046, 7_056, 6_972],
    }
}
