//! Runs scripts of raw operations on the database capability, handles kept in numbered slots; judges nothing
//! but the layout of columns.

mod bindings;
mod cells;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hint::black_box;

use bindings::exports::test::conformance::script::{
    Guest, Many, Outcome, Statement, Step, Summary, Table,
};
use poolhouse::bindings::imports::poolhouse::database::database::{
    Cursor, Session, Sharing, Transaction, health, stats,
};
use poolhouse::bindings::imports::poolhouse::database::types::{Answer, Error};

/// The guest.
#[derive(Debug)]
pub struct Conformance;

/// A handle that a slot holds.
enum Handle {
    Session(Session),
    Transaction(Transaction),
    Cursor(Cursor),
}

type Slots = BTreeMap<u32, Handle>;

thread_local! {
    static SLOTS: RefCell<Slots> = const { RefCell::new(BTreeMap::new()) };
}

impl Guest for Conformance {
    fn run(steps: Vec<Step>) -> Vec<Outcome> {
        SLOTS.with_borrow_mut(|slots| {
            let outcomes = steps.into_iter().map(|step| {
                let outcome = step_on(slots, step);
                outcome.unwrap_or_else(Outcome::Error)
            });
            outcomes.collect()
        })
    }
}

fn step_on(slots: &mut Slots, step: Step) -> Result<Outcome, Error> {
    Ok(match step {
        Step::Open(opening) => {
            let session = Session::open(opening.sharing)?;
            fill(slots, opening.into, Handle::Session(session))
        }
        Step::OpenMany(count) => {
            let sessions = (0..count).map(|_| Session::open(Sharing::Shared));
            sessions.collect::<Result<Vec<_>, _>>()?;
            Outcome::Done
        }
        Step::Query(statement) => Outcome::Table(table(query(slots, &statement)?)),
        Step::QueryColumns(statement) => {
            let answer = query(slots, &statement)?;
            cells::rows(&answer.batch);
            Outcome::Answer(answer)
        }
        Step::Poll(statement) => loop {
            let answer = query(slots, &statement)?;
            if answer.batch.rows > 0 {
                break Outcome::Table(table(answer));
            }
        },
        Step::Execute(statement) => {
            let Statement { on, sql, params } = &statement;
            Outcome::Changed(match handle(slots, *on) {
                Handle::Session(session) => session.execute(sql, params)?,
                Handle::Transaction(transaction) => transaction.execute(sql, params)?,
                Handle::Cursor(_) => panic!("slot {on} holds a cursor"),
            })
        }
        Step::ExecuteMany(many) => {
            let Many { on, sql, columns } = &many;
            Outcome::Changed(match handle(slots, *on) {
                Handle::Session(session) => session.execute_many(sql, columns)?,
                Handle::Transaction(transaction) => transaction.execute_many(sql, columns)?,
                Handle::Cursor(_) => panic!("slot {on} holds a cursor"),
            })
        }
        Step::Begin(beginning) => {
            let Handle::Session(session) = handle(slots, beginning.on) else {
                panic!("slot {} holds no session", beginning.on);
            };
            let transaction = session.begin(beginning.options)?;
            fill(slots, beginning.into, Handle::Transaction(transaction))
        }
        Step::Savepoint(saving) => {
            let savepoint = transaction(slots, saving.on).savepoint()?;
            fill(slots, saving.into, Handle::Transaction(savepoint))
        }
        Step::Commit(slot) => {
            Transaction::commit(take_transaction(slots, slot))?;
            Outcome::Done
        }
        Step::Rollback(slot) => {
            Transaction::rollback(take_transaction(slots, slot))?;
            Outcome::Done
        }
        Step::Drop(slot) => {
            drop(take(slots, slot));
            Outcome::Done
        }
        Step::OpenCursor(reading) => {
            let Statement { on, sql, params } = &reading.statement;
            let cursor = match handle(slots, *on) {
                Handle::Session(session) => session.open_cursor(sql, params)?,
                Handle::Transaction(transaction) => transaction.open_cursor(sql, params)?,
                Handle::Cursor(_) => panic!("slot {on} holds a cursor"),
            };
            fill(slots, reading.into, Handle::Cursor(cursor))
        }
        Step::Columns(slot) => Outcome::Columns(cursor(slots, slot).columns()),
        Step::Next(slot) => {
            let batch = cursor(slots, slot).next()?;
            Outcome::Rows(batch.as_ref().map(cells::rows))
        }
        Step::NextColumns(slot) => Outcome::Batch(cursor(slots, slot).next()?),
        Step::ReadToEnd(slot) => Outcome::Summary(read_to_end(cursor(slots, slot))?),
        Step::Health => Outcome::Health(health()),
        Step::Stats => Outcome::Stats(stats()),
        Step::Allocate(mebibytes) => {
            black_box(vec![1_u8; (mebibytes as usize) << 20]);
            Outcome::Done
        }
        Step::Spin => loop {
            black_box(());
        },
        Step::Trap => panic!("trapped on purpose"),
    })
}

fn query(slots: &Slots, statement: &Statement) -> Result<Answer, Error> {
    let Statement { on, sql, params } = statement;
    match handle(slots, *on) {
        Handle::Session(session) => session.query(sql, params),
        Handle::Transaction(transaction) => transaction.query(sql, params),
        Handle::Cursor(_) => panic!("slot {on} holds a cursor"),
    }
}

fn table(answer: Answer) -> Table {
    assert_eq!(answer.columns.len(), answer.batch.columns.len());
    Table {
        rows: cells::rows(&answer.batch),
        columns: answer.columns,
    }
}

/// Only the count of the rows stays: a million of them are more than the guest's memory.
fn read_to_end(cursor: &Cursor) -> Result<Summary, Error> {
    let mut summary = Summary {
        rows: 0,
        batches: 0,
        largest_batch: 0,
        checksum: 0,
    };
    while let Some(batch) = cursor.next()? {
        summary.rows += u64::from(batch.rows);
        summary.batches += 1;
        summary.largest_batch = summary.largest_batch.max(batch.rows);
        summary.checksum = summary.checksum.wrapping_add(cells::checksum(&batch));
    }
    Ok(summary)
}

fn fill(slots: &mut Slots, slot: u32, handle: Handle) -> Outcome {
    slots.insert(slot, handle);
    Outcome::Done
}

fn handle(slots: &Slots, slot: u32) -> &Handle {
    let handle = slots.get(&slot);
    handle.unwrap_or_else(|| panic!("slot {slot} is empty"))
}

fn take(slots: &mut Slots, slot: u32) -> Handle {
    let handle = slots.remove(&slot);
    handle.unwrap_or_else(|| panic!("slot {slot} is empty"))
}

fn transaction(slots: &Slots, slot: u32) -> &Transaction {
    match handle(slots, slot) {
        Handle::Transaction(transaction) => transaction,
        _ => panic!("slot {slot} holds no transaction"),
    }
}

fn take_transaction(slots: &mut Slots, slot: u32) -> Transaction {
    match take(slots, slot) {
        Handle::Transaction(transaction) => transaction,
        _ => panic!("slot {slot} holds no transaction"),
    }
}

fn cursor(slots: &Slots, slot: u32) -> &Cursor {
    match handle(slots, slot) {
        Handle::Cursor(cursor) => cursor,
        _ => panic!("slot {slot} holds no cursor"),
    }
}
