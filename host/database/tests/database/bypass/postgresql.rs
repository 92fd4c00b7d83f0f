//! Owns the attempts on PostgreSQL, and its two answers to what a statement touches: the plan, and a role's rights.

use std::collections::BTreeSet;

use poolhouse_database::{Backend, Footprint};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::both::{Opened, postgresql};

use super::mutated::{MUTANTS, Mutants, let_through};
use super::{READ, Technique, WRITE, assert_distinct, honest_statements_run, none_succeeds};

macro_rules! techniques {
    ($($name:literal),* $(,)?) => {
        &[$(Technique { name: $name, text: include_str!(concat!("postgresql/", $name, ".sql")) }),*]
    };
}

const TECHNIQUES: &[Technique] = techniques![
    "subqueries",
    "ctes",
    "writes",
    "names",
    "lexing",
    "functions",
    "catalogs",
    "statements",
    "views_and_children",
    "near_misses",
    "parser",
];

/// The role that has exactly what the plugin is granted.
const ROLE: &str = "bypasser";

async fn filled() -> (Opened, PgConnection) {
    let opened = postgresql().await;
    opened.ddl(include_str!("postgresql/schema.sql")).await;
    let mut admin = PgConnection::connect(&opened.url).await.unwrap();
    // Where the server has its extensions; what they bring is refused whether it is there or not.
    for extension in ["dblink", "tablefunc", "lo"] {
        let create = format!("CREATE EXTENSION IF NOT EXISTS {extension}");
        let _ = admin.execute(sqlx::raw_sql(AssertSqlSafe(create))).await;
    }
    let granted = |names: &[&str]| {
        let there = |name: &&&str| **name != "open_b_ids" && !name.ends_with("_seq");
        let names: Vec<&str> = names.iter().filter(there).copied().collect();
        names.join(", ")
    };
    let role = format!(
        "DO $$ BEGIN CREATE ROLE {ROLE}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
        GRANT SELECT ON {} TO {ROLE}; GRANT INSERT, UPDATE, DELETE ON {} TO {ROLE}; GRANT USAGE, UPDATE ON SEQUENCE mine_seq TO {ROLE};
        GRANT USAGE ON SCHEMA vault, \"Odd\" TO {ROLE}",
        granted(&READ),
        granted(&WRITE)
    );
    admin
        .execute(sqlx::raw_sql(AssertSqlSafe(role)))
        .await
        .unwrap();
    (opened, admin)
}

/// A statement without its parameters, which are null in all attempts.
fn without_parameters(sql: &str) -> String {
    let mut sql = sql.to_owned();
    for number in (1..=3).rev() {
        sql = sql.replace(&format!("${number}"), "NULL");
    }
    sql.trim_end_matches([';', ' ']).to_owned()
}

/// The relations of a plan, with their schemas, and whether they are written.
fn relations(plan: &serde_json::Value, found: &mut BTreeSet<(String, bool)>) {
    match plan {
        serde_json::Value::Object(node) => {
            let text = |key: &str| node.get(key).and_then(|value| value.as_str());
            if let Some(name) = text("Relation Name") {
                let writes = text("Node Type") == Some("ModifyTable");
                let schema = text("Schema").unwrap_or("public");
                found.insert((format!("{schema}.{name}"), writes));
            }
            node.values().for_each(|inner| relations(inner, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|inner| relations(inner, found)),
        _ => {}
    }
}

/// What may be read and written by way of the granted names: partitions and children with their parents, and what stands
/// behind a view.
async fn allowed(admin: &mut PgConnection, names: &[&str]) -> BTreeSet<String> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let rows = sqlx::query(
        "WITH RECURSIVE allowed AS (
            SELECT c.oid, c.relkind FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1)
            UNION SELECT c.oid, c.relkind FROM allowed a
            LEFT JOIN pg_inherits i ON i.inhparent = a.oid
            LEFT JOIN pg_rewrite r ON r.ev_class = a.oid AND a.relkind = 'v'
            LEFT JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
            JOIN pg_class c ON c.oid = i.inhrelid OR c.oid = d.refobjid)
        SELECT n.nspname || '.' || c.relname FROM allowed JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace",
    )
    .bind(names)
    .fetch_all(admin)
    .await
    .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// What the planner says that it would touch beyond the granted; none also where PostgreSQL finds no sense in it.
async fn planned(
    admin: &mut PgConnection,
    sql: &str,
    read: &BTreeSet<String>,
    write: &BTreeSet<String>,
) -> Option<String> {
    let word = sql.split_whitespace().next().unwrap_or_default();
    if word.eq_ignore_ascii_case("explain") {
        return None;
    }
    let explain = format!("EXPLAIN (VERBOSE, FORMAT JSON) {}", without_parameters(sql));
    let row = admin
        .fetch_one(sqlx::raw_sql(AssertSqlSafe(explain)))
        .await
        .ok()?;
    let plan = row.try_get_raw(0).unwrap();
    let plan = serde_json::from_str(plan.as_str().unwrap()).unwrap();
    let mut touched = BTreeSet::new();
    relations(&plan, &mut touched);
    let more = touched.iter().find(|(relation, writes)| {
        let allowed = if *writes { write } else { read };
        !allowed.contains(relation)
    });
    more.map(|(relation, writes)| {
        let how = if *writes { "writes" } else { "reads" };
        format!("EXPLAIN: {how} {relation}")
    })
}

/// What PostgreSQL says to a role that has the plugin's rights and nothing more.
async fn refused_to_the_role(admin: &mut PgConnection, sql: &str) -> Option<String> {
    let begin = format!("BEGIN; SET LOCAL statement_timeout = '10s'; SET LOCAL ROLE {ROLE}");
    admin
        .execute(sqlx::raw_sql(AssertSqlSafe(begin)))
        .await
        .unwrap();
    let result = admin
        .execute(sqlx::raw_sql(AssertSqlSafe(without_parameters(sql))))
        .await;
    admin.execute(sqlx::raw_sql("ROLLBACK")).await.unwrap();
    let error = result.err()?;
    let code = error.as_database_error().and_then(|error| error.code());
    (code.as_deref() == Some("42501")).then(|| error.to_string())
}

#[tokio::test]
async fn no_attempt_succeeds_on_postgresql() {
    assert_distinct(TECHNIQUES, 500);
    let (opened, mut admin) = filled().await;
    let read = allowed(&mut admin, &READ).await;
    let write = allowed(&mut admin, &WRITE).await;
    assert!(read.contains("public.secret") && read.contains("public.child"));
    none_succeeds(&opened, TECHNIQUES, async |sql| {
        let footprint = Footprint::read(sql, Backend::Postgresql).unwrap();
        match more_than_granted(&mut admin, sql, &footprint, &read, &write).await {
            Some(more) => Some(more),
            None => refused_to_the_role(&mut admin, sql).await,
        }
    })
    .await;
}

/// What a statement touches that its plugin may not, as the server plans it.
async fn more_than_granted(
    admin: &mut PgConnection,
    sql: &str,
    footprint: &Footprint,
    read: &BTreeSet<String>,
    write: &BTreeSet<String>,
) -> Option<String> {
    // A view's inside is granted to those who read the view only: nothing else may name it.
    let inside = ["public.secret", "public.users", "public.heir"];
    let reads_view = |name: &String| name.starts_with("open_view") || name == "open_b";
    let views = footprint.reads.iter().any(reads_view);
    let read = read
        .iter()
        .filter(|name| views || !inside.contains(&name.as_str()));
    // What is written is found by reading it.
    let read = read.chain(write).cloned().collect();
    planned(admin, sql, &read, write).await
}

#[tokio::test]
async fn honest_statements_run_on_postgresql() {
    let (opened, _admin) = filled().await;
    honest_statements_run(&opened, include_str!("postgresql/honest.txt")).await;
}

/// The oracles themselves: what does touch more is found.
#[tokio::test]
async fn the_oracles_see_a_bypass() {
    let (_opened, mut admin) = filled().await;
    let read = allowed(&mut admin, &["open_a"]).await;
    let write = allowed(&mut admin, &["mine"]).await;
    for sql in ["SELECT * FROM secret", "UPDATE open_a SET x = 'y'"] {
        let found = planned(&mut admin, sql, &read, &write).await;
        assert!(found.is_some(), "{sql}");
    }
    for sql in [
        "SELECT open_a.leak FROM open_a",
        "SELECT open_a.spill FROM open_a",
        "SELECT query_to_xml('SELECT * FROM secret', true, true, '')",
        "SELECT nextval('secret_seq')",
        "SELECT 'x' @@@ 'y'",
        "SELECT initcap(5)",
    ] {
        let found = refused_to_the_role(&mut admin, sql).await;
        assert!(found.is_some(), "{sql}");
    }
}

/// What an operator has added and grants by name runs.
#[tokio::test]
async fn added_functions_are_granted_by_name() {
    let (opened, _admin) = filled().await;
    for (function, sql) in [
        ("leak", "SELECT leak('x')"),
        ("LEAK", "SELECT open_a.leak FROM open_a"),
        ("initcap", "SELECT initcap(5)"),
        ("@@@", "SELECT 'x' @@@ 'y'"),
        ("public.leak", "SELECT public.leak('x')"),
        ("guarded", "SELECT 'x'::guarded"),
        (
            "pg_catalog.query_to_xml",
            "SELECT query_to_xml('SELECT 1', true, true, '')",
        ),
    ] {
        let mut actor = super::narrow();
        let without = super::run(&opened, &actor, sql).await;
        let super::Outcome::Refused(message) = without else {
            panic!("{sql} runs without a grant")
        };
        assert!(message.contains("functions = ["), "{sql}: {message}");
        actor.grants.functions.insert(function.to_owned());
        assert_eq!(
            super::run(&opened, &actor, sql).await,
            super::Outcome::Seen,
            "{sql}"
        );
    }
}

#[tokio::test]
async fn no_statement_made_by_chance_gets_at_more_on_postgresql() {
    let (_opened, mut admin) = filled().await;
    let read = allowed(&mut admin, &READ).await;
    let write = allowed(&mut admin, &WRITE).await;
    let mut mutants = Mutants::of(TECHNIQUES, include_str!("postgresql/honest.txt"));
    let mut ran = 0;
    for _ in 0..MUTANTS {
        let sql = mutants.another();
        let Some(footprint) = let_through(&sql, Backend::Postgresql) else {
            continue;
        };
        ran += 1;
        let more = more_than_granted(&mut admin, &sql, &footprint, &read, &write).await;
        assert_eq!(more, None, "{sql}");
    }
    assert!(ran > MUTANTS / 100, "{ran} were let through");
}
