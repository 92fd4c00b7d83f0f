//! Every limit at its edge: exactly so much works, one more is refused and says how much may be.

use poolhouse_database::PoolOptions;
use poolhouse_runtime::Limits;
use poolhouse_tests::conformance::script::*;
use poolhouse_tests::conformance::{Setup, Stage, least_memory};
use poolhouse_tests::{BACKENDS, Backend};

fn limits(limits: Limits) -> Setup {
    Setup {
        limits,
        ..Setup::default()
    }
}

#[test]
fn rows() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let setup = limits(Limits {
            rows: 3,
            ..Limits::default()
        });
        let tables = "CREATE TABLE t (a BIGINT); INSERT INTO t VALUES (1), (2), (3), (4)";
        let stage = Stage::start_with(backend, tables, setup)?;
        let over = "error(limit({kind: rows, message: \"…cursor…\", maximum: 3}))";
        stage.play(
            "rows",
            &[
                (open(0), "done"),
                (
                    query(0, "SELECT a FROM t WHERE a < 4", &[]),
                    "table({…rows: [[int64(1)], [int64(2)], [int64(3)]]})",
                ),
                (query(0, "SELECT a FROM t", &[]), over),
                // Rows that are not wanted are not counted.
                (execute(0, "SELECT a FROM t", &[]), "changed(…)"),
                // A write whose rows are too many is undone.
                (query(0, "UPDATE t SET a = a + 10 RETURNING a", &[]), over),
                (query(0, "SELECT max(a) AS a FROM t", &[]), &one("int64(4)")),
                (
                    query(0, "DELETE FROM t WHERE a < 4 RETURNING a", &[]),
                    ANY_TABLE,
                ),
                (query(0, "SELECT a FROM t", &[]), &one("int64(4)")),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn too_many_rows_in_a_transaction() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let setup = limits(Limits {
            rows: 3,
            ..Limits::default()
        });
        let tables = "CREATE TABLE t (a BIGINT); INSERT INTO t VALUES (1), (2), (3), (4)";
        let stage = Stage::start_with(backend, tables, setup)?;
        let over = limit("rows", 3);
        stage.play(
            "rows in a transaction",
            &[
                (open(0), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (
                    execute(1, "UPDATE t SET a = a + 10 WHERE a = 4", &[]),
                    "changed(1)",
                ),
                (query(1, "SELECT a FROM t", &[]), &over),
                (
                    query(1, "SELECT max(a) AS a FROM t", &[]),
                    &one("int64(14)"),
                ),
                (commit(1), "done"),
                (
                    query(0, "SELECT max(a) AS a FROM t", &[]),
                    &one("int64(14)"),
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn bytes() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let setup = limits(Limits {
            bytes: 1000,
            ..Limits::default()
        });
        let stage = Stage::start_with(backend, "CREATE TABLE t (v TEXT)", setup)?;
        stage.sql("INSERT INTO t VALUES ('x')")?;
        let over = "error(limit({kind: bytes, message: \"…cursor…\", maximum: 1000}))";
        // A text takes its bytes and its offset's four.
        let (fits, too_long) = ("é".repeat(498), format!("{}x", "é".repeat(498)));
        let text = |value: &str| format!("text(\"{value}\")");
        stage.play(
            "bytes",
            &[
                (open(0), "done"),
                (
                    execute(0, "UPDATE t SET v = $1", &[&text(&fits)]),
                    "changed(1)",
                ),
                (query(0, "SELECT v FROM t", &[]), &one(&text(&fits))),
                (
                    execute(0, "UPDATE t SET v = $1", &[&text(&too_long)]),
                    "changed(1)",
                ),
                (query(0, "SELECT v FROM t", &[]), over),
                (query(0, "UPDATE t SET v = v || 'x' RETURNING v", &[]), over),
                (
                    query(0, "SELECT length(v) AS n FROM t", &[]),
                    &one("int64(499)"),
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn connections() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let setup = limits(Limits {
            connections: 2,
            ..Limits::default()
        });
        let stage = Stage::start_with(backend, "CREATE TABLE t (a BIGINT)", setup)?;
        let over = "error(limit({kind: connections, message: \"…`connections`…\", maximum: 2}))";
        stage.play(
            "connections",
            &[
                (open_separate(0), "done"),
                (open_separate(1), "done"),
                (open_separate(2), "done"),
                (begin(0, 10, READ_ONLY), "done"),
                (begin(1, 11, READ_ONLY), "done"),
                (
                    "stats".to_owned(),
                    "stats({…quota: 2, reserved: 0, used: 2})",
                ),
                (begin(2, 12, READ_ONLY), over),
                (query(2, "SELECT 1", &[]), over),
                (commit(10), "done"),
                (begin(2, 12, READ_ONLY), "done"),
                (rollback(11), "done"),
                (rollback(12), "done"),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn handles() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let setup = limits(Limits {
            handles: 10,
            ..Limits::default()
        });
        let stage = Stage::start_with(backend, "CREATE TABLE t (a BIGINT)", setup)?;
        let over = "error(limit({kind: handles, message: \"…`handles`…\", maximum: 10}))";
        stage.play(
            "handles",
            &[
                ("open-many(10)".to_owned(), "done"),
                ("open-many(11)".to_owned(), over),
                // What was dropped counts no more.
                ("open-many(10)".to_owned(), "done"),
                (open(0), "done"),
                ("open-many(9)".to_owned(), "done"),
                ("open-many(10)".to_owned(), over),
            ],
        )?;
        // A transaction that can't be handed out is not left open.
        let setup = limits(Limits {
            handles: 4,
            ..Limits::default()
        });
        let stage = Stage::start_with(backend, "CREATE TABLE t (a BIGINT)", setup)?;
        stage.play(
            "transaction",
            &[
                // Two that only take their places; an interpreter needs as many for what it writes to stderr.
                (open(8), "done"),
                (open(9), "done"),
                (open(0), "done"),
                (begin(0, 1, DEFAULT), "done"),
                (execute(1, "INSERT INTO t VALUES (1)", &[]), "changed(1)"),
                (savepoint(1, 2), &limit("handles", 4)),
                (execute(1, "INSERT INTO t VALUES (2)", &[]), "changed(1)"),
                (commit(1), "done"),
                (
                    query(0, "SELECT count(*) AS n FROM t", &[]),
                    &one("int64(2)"),
                ),
                (open(1), "done"),
                (begin(0, 3, DEFAULT), &limit("handles", 4)),
            ],
        )?;
        // A thousand live ones discard the instance; the next call has a new one.
        let steps = [query(0, "SELECT 1", &[])];
        stage.play_failing("a new instance", &steps, &["slot 0 is empty"])?;
    }
    Ok(())
}

#[test]
fn sql_length() -> anyhow::Result<()> {
    const MAXIMUM: usize = 1 << 20;
    for backend in BACKENDS {
        let stage = Stage::start(backend, "")?;
        let sql = |length: usize| {
            let rest = "SELECT 1 AS v -- ".len();
            format!("SELECT 1 AS v -- {}", "x".repeat(length - rest))
        };
        stage.play(
            "SQL length",
            &[
                (open(0), "done"),
                (query(0, &sql(MAXIMUM), &[]), &one("int64(1)")),
                (
                    query(0, &sql(MAXIMUM + 1), &[]),
                    &limit("sql-length", MAXIMUM as u64),
                ),
                // In bytes, not characters.
                (
                    query(0, &format!("SELECT '{}'", "é".repeat(MAXIMUM / 2)), &[]),
                    &limit("sql-length", MAXIMUM as u64),
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn parameters() -> anyhow::Result<()> {
    const MAXIMUM: usize = 32_766;
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT)")?;
        let insert = |count: usize| {
            let places: Vec<_> = (1..=count).map(|number| format!("(${number})")).collect();
            format!("INSERT INTO t VALUES {}", places.join(","))
        };
        let params = vec!["int64(1)"; MAXIMUM + 1];
        stage.play(
            "parameters",
            &[
                (open(0), "done"),
                (
                    execute(0, &insert(MAXIMUM), &params[..MAXIMUM]),
                    &format!("changed({MAXIMUM})"),
                ),
                (
                    execute(0, &insert(MAXIMUM + 1), &params),
                    &limit("parameters", MAXIMUM as u64),
                ),
                (
                    execute(0, "INSERT INTO t VALUES ($32767)", &[]),
                    &limit("parameters", MAXIMUM as u64),
                ),
                (
                    query(0, "SELECT count(*) AS n FROM t", &[]),
                    &one(&format!("int64({MAXIMUM})")),
                ),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn depth() -> anyhow::Result<()> {
    const MAXIMUM: u32 = 64;
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT)")?;
        let mut script = vec![
            (open(0), "done".to_owned()),
            (begin(0, 1, DEFAULT), "done".to_owned()),
        ];
        for level in 1..MAXIMUM {
            script.push((savepoint(level, level + 1), "done".to_owned()));
            let insert = execute(level + 1, "INSERT INTO t VALUES (1)", &[]);
            script.push((insert, "changed(1)".to_owned()));
        }
        let over = limit("depth", u64::from(MAXIMUM));
        script.push((savepoint(MAXIMUM, MAXIMUM + 1), over.clone()));
        script.push((begin(0, MAXIMUM + 1, DEFAULT), over));
        for level in (1..=MAXIMUM).rev() {
            // Every other level is undone, and with it all that it holds.
            let step = match level {
                33 => rollback(level),
                level => commit(level),
            };
            script.push((step, "done".to_owned()));
        }
        script.push((
            query(0, "SELECT count(*) AS n FROM t", &[]),
            one("int64(31)"),
        ));
        let script: Vec<_> = script
            .iter()
            .map(|(step, expected)| (step.clone(), expected.as_str()))
            .collect();
        stage.play("depth", &script)?;
    }
    Ok(())
}

#[test]
fn memory() -> anyhow::Result<()> {
    let setup = limits(Limits {
        memory: least_memory(),
        ..Limits::default()
    });
    let stage = Stage::start_with(Backend::Sqlite, "", setup)?;
    stage.play("within it", &[("allocate(8)".to_owned(), "done")])?;
    let begun = [open(0), begin(0, 1, READ_ONLY), "allocate(32)".to_owned()];
    stage.play_failing(
        "past it",
        &begun,
        &["bytes of memory were refused", "`memory`"],
    )
}

#[test]
fn reserved_connections_are_the_caller_s_to_see() -> anyhow::Result<()> {
    let setup = Setup {
        limits: Limits {
            connections: 3,
            reserved_connections: 2,
            ..Limits::default()
        },
        pool: PoolOptions {
            pool_size: 4,
            max_overflow: 1,
            ..PoolOptions::default()
        },
        ..Setup::default()
    };
    let stage = Stage::start_with(Backend::Postgresql, "", setup)?;
    let stats = |out: u32, overflow: i32| {
        format!(
            "stats({{size: 4, checked-in: …, checked-out: {out}, overflow: {overflow}, waiting: 0, state: up, since: …, \
             message: \"\", quota: 3, reserved: 2, used: {out}}})"
        )
    };
    stage.play(
        "stats",
        &[
            (open(0), "done"),
            (query(0, "SELECT 1", &[]), ANY_TABLE),
            ("stats".to_owned(), &stats(0, -3)),
            (begin(0, 1, READ_ONLY), "done"),
            ("stats".to_owned(), &stats(1, -3)),
            (commit(1), "done"),
        ],
    )
}
