//! Owns the attempts on SQLite, and its answer to what a statement touches: the roots that its program opens.

use std::collections::{BTreeMap, BTreeSet};

use poolhouse_database::{Backend, Footprint};
use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqliteConnection};

use crate::both::{Opened, sqlite};

use super::mutated::{MUTANTS, Mutants, let_through};
use super::{READ, Technique, WRITE, assert_distinct, honest_statements_run, none_succeeds};

macro_rules! techniques {
    ($($name:literal),* $(,)?) => {
        &[$(Technique { name: $name, text: include_str!(concat!("sqlite/", $name, ".sql")) }),*]
    };
}

const TECHNIQUES: &[Technique] = techniques![
    "subqueries",
    "ctes",
    "writes",
    "names",
    "near_misses",
    "parser"
];

async fn filled() -> (Opened, SqliteConnection) {
    let opened = sqlite().await;
    opened.ddl(include_str!("sqlite/schema.sql")).await;
    let admin = SqliteConnection::connect(&opened.url).await.unwrap();
    (opened, admin)
}

/// The tables by the pages at which they and their indexes begin.
async fn roots(admin: &mut SqliteConnection) -> BTreeMap<i64, String> {
    let rows = admin
        .fetch_all("SELECT rootpage, lower(tbl_name) FROM sqlite_master WHERE rootpage > 0")
        .await
        .unwrap();
    let mut roots: BTreeMap<i64, String> =
        rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    roots.insert(1, "sqlite_master".to_owned());
    roots
}

/// What a statement's program reads and writes; nothing where SQLite finds no sense in it.
async fn touched(
    admin: &mut SqliteConnection,
    roots: &BTreeMap<i64, String>,
    sql: &str,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut reads, mut writes) = (BTreeSet::new(), BTreeSet::new());
    let explain = format!("EXPLAIN {}", sql.trim_end_matches([';', ' ']));
    let Ok(program) = admin.fetch_all(AssertSqlSafe(explain)).await else {
        return (reads, writes);
    };
    for row in &program {
        let opcode: &str = row.get(1);
        let (p1, p2, p3): (i64, i64, i64) = (row.get(2), row.get(3), row.get(4));
        let name = |root: i64, database: i64| match database {
            0 => roots
                .get(&root)
                .cloned()
                .unwrap_or_else(|| format!("root {root}")),
            other => format!("database {other}"),
        };
        match opcode {
            "OpenRead" | "ReopenIdx" => reads.insert(name(p2, p3)),
            "OpenWrite" => writes.insert(name(p2, p3)),
            "Clear" => writes.insert(name(p1, p2)),
            "VOpen" => reads.insert("a virtual table".to_owned()),
            "Destroy" | "ParseSchema" | "Vacuum" | "JournalMode" | "SetCookie" => {
                writes.insert("the schema".to_owned())
            }
            _ => false,
        };
    }
    (reads, writes)
}

#[tokio::test]
async fn no_attempt_succeeds_on_sqlite() {
    assert_distinct(TECHNIQUES, 150);
    let (opened, mut admin) = filled().await;
    let roots = roots(&mut admin).await;
    let (inside, _) = touched(&mut admin, &roots, "SELECT * FROM open_view").await;
    assert!(
        inside.contains("secret") && inside.contains("users"),
        "{inside:?}"
    );
    none_succeeds(&opened, TECHNIQUES, async |sql| {
        let footprint = Footprint::read(sql, Backend::Sqlite).unwrap();
        let mut read: BTreeSet<String> = READ
            .iter()
            .chain(&WRITE)
            .map(|name| (*name).to_owned())
            .collect();
        if footprint.reads.contains("open_view") {
            read.extend(inside.iter().cloned());
        }
        if footprint.functions.contains("json_each") {
            read.insert("a virtual table".to_owned());
        }
        let explained = sql.trim_start_matches("EXPLAIN QUERY PLAN ");
        let (reads, writes) = touched(&mut admin, &roots, explained).await;
        let more = reads
            .difference(&read)
            .next()
            .map(|table| format!("reads {table}"));
        more.or_else(|| {
            let written = writes.iter().find(|table| !WRITE.contains(&table.as_str()));
            written.map(|table| format!("writes {table}"))
        })
    })
    .await;
}

#[tokio::test]
async fn honest_statements_run_on_sqlite() {
    let (opened, _admin) = filled().await;
    honest_statements_run(&opened, include_str!("sqlite/honest.txt")).await;
}

#[tokio::test]
async fn the_oracle_sees_a_bypass_on_sqlite() {
    let (_opened, mut admin) = filled().await;
    let roots = roots(&mut admin).await;
    for (sql, read, written) in [
        (
            "SELECT * FROM open_a WHERE id IN users_ids",
            "users_ids",
            "",
        ),
        ("SELECT s FROM secret WHERE s = 'a'", "secret", ""),
        ("SELECT * FROM sqlite_master", "sqlite_master", ""),
        ("DELETE FROM secret", "", "secret"),
        ("INSERT INTO users VALUES (1, 'a', 'b')", "", "users"),
    ] {
        let (reads, writes) = touched(&mut admin, &roots, sql).await;
        assert!(read.is_empty() || reads.contains(read), "{sql}: {reads:?}");
        assert!(
            written.is_empty() || writes.contains(written),
            "{sql}: {writes:?}"
        );
    }
}

#[tokio::test]
async fn no_statement_made_by_chance_gets_at_more_on_sqlite() {
    let (_opened, mut admin) = filled().await;
    let roots = roots(&mut admin).await;
    let mut mutants = Mutants::of(TECHNIQUES, include_str!("sqlite/honest.txt"));
    let mut ran = 0;
    for _ in 0..MUTANTS {
        let sql = mutants.another();
        let footprint = let_through(&sql, Backend::Sqlite);
        // A view's inside is read with it.
        if footprint.is_none_or(|footprint| {
            footprint
                .reads
                .iter()
                .any(|name| name.starts_with("open_view"))
        }) {
            continue;
        }
        ran += 1;
        let (reads, writes) = touched(&mut admin, &roots, &sql).await;
        let is_granted =
            |name: &str| READ.contains(&name) || WRITE.contains(&name) || name == "a virtual table";
        assert!(
            reads.iter().all(|name| is_granted(name)),
            "{sql}: {reads:?}"
        );
        assert!(
            writes.iter().all(|name| WRITE.contains(&name.as_str())),
            "{sql}: {writes:?}"
        );
    }
    assert!(ran > MUTANTS / 100, "{ran} were let through");
}
