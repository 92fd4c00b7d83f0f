//! Misbehaves on request: every function is one fault, and what it says of itself is not to be trusted.

mod bindings;

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Duration;

use bindings::exports::poolhouse::plugin::migrations::{self, Dialect, Migration, Table};
use bindings::exports::poolhouse_tests::faults::faults::{Guest, GuestThing, Thing};
use poolhouse::bindings::imports::poolhouse::database::database as contract;
use poolhouse::database::{Error, Session, Transaction};
use poolhouse::{Failure, params};

/// The guest.
#[derive(Debug)]
pub struct FaultyService;

/// A resource of the guest's own.
#[derive(Debug)]
pub struct OwnThing;

thread_local! {
    static KEPT: RefCell<Option<contract::Transaction>> = const { RefCell::new(None) };
}

const INSERT: &str = "INSERT INTO faults (id) VALUES ($1)";

impl migrations::Guest for FaultyService {
    fn migrations(_: Dialect) -> Vec<Migration> {
        let mut all = vec![Migration {
            number: 1,
            name: "faults".to_owned(),
            tables: vec![Table {
                name: "faults".to_owned(),
                columns: vec!["id".to_owned()],
            }],
            statements: vec!["CREATE TABLE IF NOT EXISTS faults (id BIGINT)".to_owned()],
        }];
        // Another version of it, as far as its schema goes.
        if std::env::var("SCHEMA").is_ok_and(|schema| schema == "2") {
            all.push(Migration {
                number: 2,
                name: "notes".to_owned(),
                tables: Vec::new(),
                statements: vec![
                    "ALTER TABLE faults ADD COLUMN note TEXT DEFAULT 'new'".to_owned(),
                ],
            });
        }
        all
    }
}

/// Inserts a row in a transaction, then does `fault`.
fn in_transaction(fault: impl FnOnce(&Transaction) -> Result<(), Failure>) -> Result<(), Failure> {
    Session::open()?.transaction(|tx| {
        tx.execute(INSERT, params![1_i64])?;
        fault(tx)
    })
}

/// A transaction with a row inserted, its handle in hand.
fn open_transaction(sharing: contract::Sharing) -> Result<contract::Transaction, Failure> {
    let tx = contract::Session::open(sharing)
        .and_then(|session| {
            session.begin(contract::TransactionOptions {
                isolation: contract::Isolation::Default,
                read_only: false,
                timeout: None,
            })
        })
        .map_err(Error::from)?;
    tx.execute(INSERT, params![1_i64]).map_err(Error::from)?;
    Ok(tx)
}

impl Guest for FaultyService {
    type Thing = OwnThing;

    fn trap_in_transaction() -> Result<(), Failure> {
        in_transaction(|_| panic!("trapped on purpose"))
    }

    fn spin_in_transaction() -> Result<(), Failure> {
        in_transaction(|_| {
            let mut turns = 0_u64;
            loop {
                turns = black_box(turns.wrapping_add(1));
            }
        })
    }

    fn sleep_in_transaction() -> Result<(), Failure> {
        in_transaction(|_| {
            loop {
                std::thread::sleep(Duration::from_secs(3600));
            }
        })
    }

    fn leave_open() -> Result<(), Failure> {
        std::mem::forget(open_transaction(contract::Sharing::Shared)?);
        Ok(())
    }

    fn leave_separate_open() -> Result<(), Failure> {
        std::mem::forget(open_transaction(contract::Sharing::Separate)?);
        Ok(())
    }

    fn keep_in_global() -> Result<(), Failure> {
        let tx = open_transaction(contract::Sharing::Shared)?;
        KEPT.with_borrow_mut(|kept| *kept = Some(tx));
        Ok(())
    }

    fn use_kept() -> Result<String, Failure> {
        KEPT.with_borrow(|kept| {
            let Some(tx) = kept else {
                return Err(Failure::failed("nothing was kept"));
            };
            Ok(match tx.execute(INSERT, params![2_i64]) {
                Ok(rows) => format!("{rows} rows"),
                Err(error) => Error::from(error).to_string(),
            })
        })
    }

    fn fail_in_transaction() -> Result<(), Failure> {
        in_transaction(|_| Err(Failure::failed("failed on purpose")))
    }

    fn run_in_transaction(sql: String) -> Result<(), Failure> {
        in_transaction(|tx| {
            tx.execute(&sql, &[])?;
            Ok(())
        })
    }

    fn run(sql: String) -> Result<(), Failure> {
        Session::open()?.query(&sql, &[])?;
        Ok(())
    }

    fn allocate() -> u64 {
        let mut blocks = Vec::new();
        loop {
            blocks.push(black_box(vec![1_u8; 1 << 20]));
        }
    }

    #[expect(unconditional_recursion, reason = "that is the fault")]
    fn recurse(depth: u64) -> u64 {
        black_box(Self::recurse(black_box(depth + 1))) + 1
    }

    fn leave() {
        std::process::exit(3);
    }

    fn open_sessions() -> (u32, String) {
        let mut sessions = Vec::new();
        loop {
            match Session::open() {
                Ok(session) => sessions.push(session),
                Err(error) => return (sessions.len() as u32, error.to_string()),
            }
        }
    }

    fn insert() -> Result<(), Failure> {
        in_transaction(|_| Ok(()))
    }

    fn count() -> Result<u64, Failure> {
        let rows = Session::open()?.query("SELECT count(*) AS n FROM faults", &[])?;
        match rows.first() {
            Some(row) => Ok(row.get::<i64>("n")? as u64),
            None => Err(Failure::failed("count(*) has no row")),
        }
    }

    fn take(_: Thing) -> u32 {
        0
    }
}

impl GuestThing for OwnThing {
    fn new() -> Self {
        Self
    }
}
