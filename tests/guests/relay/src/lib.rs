//! Works with its database and calls the next plugin of its own kind, as a script says; what is said of scripts is in
//! the WIT.

mod bindings;

use std::hint::black_box;
use std::mem::forget;
use std::time::Duration;

use bindings::exports::poolhouse_tests::relay::{bench, relay};
use bindings::poolhouse_tests::relay::relay as next;
use poolhouse::Failure;
use poolhouse::bindings::imports::poolhouse::database::database::{
    Isolation, Session, Sharing, Transaction, TransactionOptions,
};
use poolhouse::database::{Error, Rows};

/// The guest.
#[derive(Debug)]
pub struct Relay;

/// What a script has open.
struct Work<'a> {
    session: Session,
    open: Vec<Transaction>,
    separate: Option<Transaction>,
    script: &'a str,
    rest: &'a str,
}

const OPTIONS: TransactionOptions = TransactionOptions {
    isolation: Isolation::Default,
    read_only: false,
    timeout: None,
};

fn run(script: &str) -> Result<String, Failure> {
    let (part, rest) = script.split_once('|').unwrap_or((script, ""));
    let mut work = Work {
        session: Session::open(Sharing::Shared).map_err(Error::from)?,
        open: Vec::new(),
        separate: None,
        script,
        rest: rest.trim(),
    };
    let mut said = Vec::new();
    for step in part.split(';').map(str::trim) {
        let (word, text) = step.split_once(' ').unwrap_or((step, ""));
        said.push(match work.step(word, text) {
            Ok(answer) => answer,
            // The script's own end.
            Err(failure) if word == "fail" => return Err(failure),
            Err(failure) => format!("{:?}: {}", failure.kind, failure.message),
        });
    }
    Ok(said.join(", "))
}

impl Work<'_> {
    fn step(&mut self, word: &str, text: &str) -> Result<String, Failure> {
        let done = |()| "ok".to_owned();
        let failed = |error: poolhouse::bindings::imports::poolhouse::database::types::Error| {
            Failure::from(Error::from(error))
        };
        match word {
            "sql" => {
                let changed = match self.open.last() {
                    Some(tx) => tx.execute(text, &[]),
                    None => self.session.execute(text, &[]),
                };
                Ok(changed.map_err(failed)?.to_string())
            }
            "ask" => {
                let rows: Rows = match self.open.last() {
                    Some(tx) => tx.query(text, &[]),
                    None => self.session.query(text, &[]),
                }
                .map_err(failed)?
                .into();
                let cell: i64 = rows.first().map_or(Ok(-1), |row| row.get(0))?;
                Ok(cell.to_string())
            }
            "begin" => {
                let tx = match self.open.last() {
                    Some(tx) => tx.savepoint(),
                    None => self.session.begin(OPTIONS),
                };
                self.open.push(tx.map_err(failed)?);
                Ok(done(()))
            }
            "commit" => self.open.pop().map_or_else(nothing_open, |tx| {
                Transaction::commit(tx).map(done).map_err(failed)
            }),
            "rollback" => self.open.pop().map_or_else(nothing_open, |tx| {
                Transaction::rollback(tx).map(done).map_err(failed)
            }),
            "open-separate" => {
                let session = Session::open(Sharing::Separate).map_err(failed)?;
                let tx = session.begin(OPTIONS).map_err(failed)?;
                tx.execute(text, &[]).map_err(failed)?;
                self.separate = Some(tx);
                // Its transaction goes on without it.
                forget(session);
                Ok(done(()))
            }
            "commit-separate" => self.separate.take().map_or_else(nothing_open, |tx| {
                Transaction::commit(tx).map(done).map_err(failed)
            }),
            "forget" => {
                self.open
                    .drain(..)
                    .chain(self.separate.take())
                    .for_each(forget);
                Ok(done(()))
            }
            "next" => next::run(self.rest).map(|answer| format!("[{answer}]")),
            "next-text" => next::run_text(self.rest)
                .map(|answer| format!("[{answer}]"))
                .map_err(Failure::failed),
            "next-plain" => Ok(format!("[{}]", next::run_plain(self.rest))),
            "again" => next::run(self.script).map(|answer| format!("[{answer}]")),
            "trap" => panic!("trapped as told"),
            "spin" => loop {
                black_box(());
            },
            "sleep" => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            "allocate" => loop {
                forget(black_box(vec![1_u8; 1 << 20]));
            },
            "fail" => Err(Failure::failed(text.to_owned())),
            "" => Ok(String::new()),
            _ => Err(Failure::failed(format!("no such step: {word}"))),
        }
    }
}

fn nothing_open() -> Result<String, Failure> {
    Err(Failure::failed("nothing is open".to_owned()))
}

impl relay::Guest for Relay {
    fn run(script: String) -> Result<String, Failure> {
        run(&script)
    }

    fn run_text(script: String) -> Result<String, String> {
        run(&script).map_err(|failure| failure.message)
    }

    fn run_plain(script: String) -> String {
        run(&script).unwrap_or_else(|failure| failure.message)
    }

    fn echo(ten: relay::Ten) -> relay::Ten {
        ten
    }
}

impl bench::Guest for Relay {
    fn echoes(times: u32) {
        let ten = next::Ten {
            a: 1 << 40,
            b: -7,
            c: 1.5,
            d: true,
            e: "AAPL".to_owned(),
            f: "a text of some length, as a name or an address has".to_owned(),
            g: Some(9),
            h: 'ü',
            i: (1, 2),
            j: vec![1, 2, 3],
        };
        for _ in 0..times {
            let back = next::echo(&ten);
            assert_eq!(back.f.len(), ten.f.len());
        }
    }
}
