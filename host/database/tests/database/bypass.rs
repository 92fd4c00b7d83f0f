//! Owns attempts to get at what is not granted past the footprint, and honest statements; what a statement truly touches is
//! the database's to say, in `postgresql` and `sqlite`.

mod mutated;
mod postgresql;
mod sqlite;

use std::collections::BTreeSet;

use poolhouse_database::{
    Actor, Error, Footprint, Grants, StatementKind, Tables, TransactionOptions, Value, Within,
};

use crate::both::Opened;

/// The attempts of one technique.
struct Technique {
    name: &'static str,
    text: &'static str,
}

/// What the plugin of all attempts may read and write.
const READ: [&str; 7] = [
    "open_a",
    "open_b",
    "open_b_ids",
    "mine",
    "open_view",
    "open_view_of_view",
    "parent",
];
const WRITE: [&str; 3] = ["mine", "drop_box", "mine_seq"];

fn narrow() -> Actor {
    Actor::new(
        "narrow",
        Grants {
            read: Tables::from_iter(READ),
            write: Tables::from_iter(WRITE),
            ..Grants::default()
        },
    )
}

impl Technique {
    /// One attempt a line; ⏎ in it is a line's end.
    fn attempts(&self) -> Vec<String> {
        lines(self.text)
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.starts_with("# ") && !line.is_empty())
        .map(|line| line.replace('⏎', "\n"))
        .collect()
}

fn assert_distinct(techniques: &[Technique], least: usize) {
    let all: Vec<String> = techniques.iter().flat_map(Technique::attempts).collect();
    let distinct: BTreeSet<&String> = all.iter().collect();
    assert_eq!(distinct.len(), all.len(), "an attempt stands there twice");
    assert!(distinct.len() >= least, "{} attempts", distinct.len());
}

/// What came of a statement.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// Refused before the database saw it.
    Refused(String),
    /// The database saw it, and may have refused it for its own reasons.
    Seen,
}

/// Runs a statement as the plugin, in a transaction that is rolled back.
async fn run(opened: &Opened, actor: &Actor, sql: &str) -> Outcome {
    let footprint = match Footprint::read(sql, opened.backend()) {
        Ok(footprint) => footprint,
        Err(error) => return Outcome::Refused(error.to_string()),
    };
    if let Err(refusal) = actor.grants.allow(&footprint) {
        return Outcome::Refused(refusal.message(&actor.plugin));
    }
    assert_ne!(footprint.kind, StatementKind::Ddl, "{sql}");
    let parameters = vec![Value::Null; usize::try_from(footprint.parameters).unwrap()];
    let mut chain = opened.chain();
    let id = chain
        .begin(actor, TransactionOptions::default())
        .await
        .unwrap();
    let result = chain
        .query(actor, Within::Transaction(id), sql, &parameters)
        .await;
    chain.rollback(id).await.unwrap();
    match result {
        Err(Error::Denied(message)) => Outcome::Refused(message),
        _ => Outcome::Seen,
    }
}

/// Every attempt: refused, or found by `touches_more` to touch only what is granted.
async fn none_succeeds(
    opened: &Opened,
    techniques: &[Technique],
    mut touches_more: impl AsyncFnMut(&str) -> Option<String>,
) {
    let actor = narrow();
    let mut bypasses = Vec::new();
    let (mut refused, mut seen) = (0, 0);
    for technique in techniques {
        for sql in technique.attempts() {
            if matches!(run(opened, &actor, &sql).await, Outcome::Refused(_)) {
                refused += 1;
                continue;
            }
            seen += 1;
            if let Some(what) = touches_more(&sql).await {
                bypasses.push(format!("{}: {sql}\n    {what}", technique.name));
            }
        }
    }
    println!(
        "{}: {} attempts, {refused} refused, {seen} seen by the database and touching only what is granted",
        opened.backend(),
        refused + seen
    );
    assert!(
        bypasses.is_empty(),
        "{} of {} attempts touch what is not granted:\n{}",
        bypasses.len(),
        refused + seen,
        bypasses.join("\n")
    );
}

/// Refusing everything is no sandbox.
async fn honest_statements_run(opened: &Opened, text: &str) {
    let actor = narrow();
    let honest = lines(text);
    assert!(honest.len() >= 60, "{} statements", honest.len());
    for sql in honest {
        assert_eq!(run(opened, &actor, &sql).await, Outcome::Seen, "{sql}");
    }
}
