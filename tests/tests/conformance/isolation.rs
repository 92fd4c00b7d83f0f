//! The classic anomalies at every level of isolation, two transactions interleaved in one call chain: present or absent
//! as PostgreSQL defines its levels, absent on SQLite, where the second writer is refused.

use poolhouse_tests::Backend;
use poolhouse_tests::conformance::Stage;
use poolhouse_tests::conformance::script::*;

const TABLE: &str =
    "CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT); INSERT INTO t VALUES (1, 10), (2, 20)";
const FIRST: &str = "SELECT n FROM t WHERE id = 1";
const SUM: &str = "SELECT CAST(sum(n) AS BIGINT) AS n FROM t";

/// Levels whose statements each see what was committed before them, and those with one snapshot.
const PER_STATEMENT: [&str; 2] = [DEFAULT, READ_COMMITTED];
const SNAPSHOT: [&str; 2] = [REPEATABLE_READ, SERIALIZABLE];

fn serialization() -> String {
    conflict("serialization", "")
}

fn set(on: u32, id: u32, n: i64) -> String {
    execute(on, &format!("UPDATE t SET n = {n} WHERE id = {id}"), &[])
}

fn postgresql() -> anyhow::Result<Stage> {
    Stage::start(Backend::Postgresql, TABLE)
}

/// Sessions 0 and 1 with transactions 10 and 11 of this isolation, then the rest.
fn interleaved(stage: &Stage, options: &str, rest: &[(String, &str)]) -> anyhow::Result<()> {
    stage.sql("DELETE FROM t; INSERT INTO t VALUES (1, 10), (2, 20)")?;
    let mut script = vec![
        (open_separate(0), "done"),
        (open_separate(1), "done"),
        (begin(0, 10, options), "done"),
        (begin(1, 11, options), "done"),
    ];
    script.extend_from_slice(rest);
    stage.play(options, &script)
}

#[test]
fn nobody_reads_what_is_not_committed() -> anyhow::Result<()> {
    let stage = postgresql()?;
    for options in PER_STATEMENT.iter().chain(&SNAPSHOT) {
        interleaved(
            &stage,
            options,
            &[
                (set(10, 1, 11), "changed(1)"),
                (query(11, FIRST, &[]), &one("int64(10)")),
                (rollback(10), "done"),
                (query(11, FIRST, &[]), &one("int64(10)")),
                (commit(11), "done"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn a_read_repeats_in_a_snapshot_only() -> anyhow::Result<()> {
    let stage = postgresql()?;
    for (options, again) in PER_STATEMENT
        .map(|options| (options, "int64(11)"))
        .into_iter()
        .chain(SNAPSHOT.map(|options| (options, "int64(10)")))
    {
        interleaved(
            &stage,
            options,
            &[
                (query(11, FIRST, &[]), &one("int64(10)")),
                (set(10, 1, 11), "changed(1)"),
                (commit(10), "done"),
                (query(11, FIRST, &[]), &one(again)),
                (commit(11), "done"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn phantoms_are_seen_outside_a_snapshot_only() -> anyhow::Result<()> {
    let stage = postgresql()?;
    for (options, again) in PER_STATEMENT
        .map(|options| (options, "int64(60)"))
        .into_iter()
        .chain(SNAPSHOT.map(|options| (options, "int64(30)")))
    {
        interleaved(
            &stage,
            options,
            &[
                (query(11, SUM, &[]), &one("int64(30)")),
                (
                    execute(10, "INSERT INTO t VALUES (3, 30)", &[]),
                    "changed(1)",
                ),
                (commit(10), "done"),
                (query(11, SUM, &[]), &one(again)),
                (commit(11), "done"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn an_update_is_lost_outside_a_snapshot_only() -> anyhow::Result<()> {
    let stage = postgresql()?;
    for options in PER_STATEMENT {
        interleaved(
            &stage,
            options,
            &[
                (query(10, FIRST, &[]), &one("int64(10)")),
                (query(11, FIRST, &[]), &one("int64(10)")),
                (set(10, 1, 11), "changed(1)"),
                (commit(10), "done"),
                (set(11, 1, 12), "changed(1)"),
                (commit(11), "done"),
                (query(0, FIRST, &[]), &one("int64(12)")),
            ],
        )?;
    }
    for options in SNAPSHOT {
        interleaved(
            &stage,
            options,
            &[
                (query(10, FIRST, &[]), &one("int64(10)")),
                (query(11, FIRST, &[]), &one("int64(10)")),
                (set(10, 1, 11), "changed(1)"),
                (commit(10), "done"),
                (set(11, 1, 12), &serialization()),
                (query(11, FIRST, &[]), "error(…)"),
                (rollback(11), "done"),
                (query(0, FIRST, &[]), &one("int64(11)")),
                // From its start again it goes through.
                (begin(1, 11, options), "done"),
                (set(11, 1, 12), "changed(1)"),
                (commit(11), "done"),
            ],
        )?;
    }
    Ok(())
}

/// Each reads both rows and writes the one that the other does not.
#[test]
fn write_skew_is_refused_by_serializable_only() -> anyhow::Result<()> {
    let stage = postgresql()?;
    for options in [DEFAULT, READ_COMMITTED, REPEATABLE_READ] {
        interleaved(
            &stage,
            options,
            &[
                (query(10, SUM, &[]), &one("int64(30)")),
                (query(11, SUM, &[]), &one("int64(30)")),
                (set(10, 1, -20), "changed(1)"),
                (set(11, 2, -10), "changed(1)"),
                (commit(10), "done"),
                (commit(11), "done"),
                (query(0, SUM, &[]), &one("int64(-30)")),
            ],
        )?;
    }
    interleaved(
        &stage,
        SERIALIZABLE,
        &[
            (query(10, SUM, &[]), &one("int64(30)")),
            (query(11, SUM, &[]), &one("int64(30)")),
            (set(10, 1, -20), "changed(1)"),
            (set(11, 2, -10), "changed(1)"),
            (commit(10), "done"),
            (commit(11), &serialization()),
            (query(0, SUM, &[]), &one("int64(0)")),
        ],
    )
}

/// Fekete, O'Neil and O'Neil's: a reader that sees the second transaction's work and not the first's makes a history
/// that no order explains.
#[test]
fn the_read_only_anomaly_is_refused_by_serializable_only() -> anyhow::Result<()> {
    let stage = postgresql()?;
    for (options, last) in [
        (REPEATABLE_READ, "changed(1)".to_owned()),
        (SERIALIZABLE, serialization()),
    ] {
        let reader = options.replace("read-only: false", "read-only: true");
        interleaved(
            &stage,
            options,
            &[
                (query(10, SUM, &[]), &one("int64(30)")),
                (set(11, 2, 40), "changed(1)"),
                (commit(11), "done"),
                (begin(1, 12, &reader), "done"),
                (
                    query(12, "SELECT n FROM t ORDER BY id", &[]),
                    &rows("[[int64(10)], [int64(40)]]"),
                ),
                (commit(12), "done"),
                (set(10, 1, -11), &last),
                (rollback(10), "done"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn on_sqlite_a_chain_has_one_writer_and_readers_have_snapshots() -> anyhow::Result<()> {
    let refused = conflict("busy", "SQLite has one writer");
    let stage = Stage::start(Backend::Sqlite, TABLE)?;
    for options in PER_STATEMENT.iter().chain(&SNAPSHOT) {
        let reader = options.replace("read-only: false", "read-only: true");
        stage.sql("UPDATE t SET n = id * 10")?;
        stage.play(
            options,
            &[
                (open_separate(0), "done"),
                (open_separate(1), "done"),
                (begin(1, 11, &reader), "done"),
                (query(11, SUM, &[]), &one("int64(30)")),
                (begin(0, 10, options), "done"),
                (set(10, 1, 11), "changed(1)"),
                // A second writer in the chain would wait for the first for ever.
                (open_separate(2), "done"),
                (begin(2, 12, options), &refused),
                (set(2, 2, 21), &refused),
                // Neither what is not committed nor what was since is in the reader's snapshot.
                (query(11, SUM, &[]), &one("int64(30)")),
                (query(2, SUM, &[]), &one("int64(30)")),
                (commit(10), "done"),
                (query(11, SUM, &[]), &one("int64(30)")),
                (commit(11), "done"),
                (query(1, SUM, &[]), &one("int64(31)")),
                (begin(2, 12, options), "done"),
                (set(12, 2, 21), "changed(1)"),
                (commit(12), "done"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn on_sqlite_another_chain_s_writer_is_waited_for_and_then_a_conflict() -> anyhow::Result<()> {
    let stage = Stage::start(Backend::Sqlite, TABLE)?;
    let mut other = stage.outsider()?;
    other.sql("BEGIN IMMEDIATE")?;
    let outcomes = stage.call(&[
        open(0),
        begin(0, 1, DEFAULT),
        set(0, 1, 11),
        query(0, FIRST, &[]),
    ])?;
    for outcome in &outcomes[1..3] {
        assert!(
            outcome.starts_with("error(conflict({kind: busy, message: ")
                && outcome.contains("run it again"),
            "{outcome}"
        );
    }
    assert!(outcomes[3].contains("[[int64(10)]]"), "{outcomes:?}");
    other.sql("ROLLBACK")?;
    let script = [
        (open(0), "done"),
        (begin(0, 1, DEFAULT), "done"),
        (set(1, 1, 11), "changed(1)"),
        (commit(1), "done"),
    ];
    stage.play("again", &script)
}
