//! Does again and again what is measured, as a plugin's author would write it: with the SDK's rows and columns.

mod bindings;

use bindings::exports::poolhouse_tests::bench::bench::Guest;
use poolhouse::database::{Column, FromRow, Session, Timestamp};
use poolhouse::{Failure, params};

/// The guest.
#[derive(Debug)]
pub struct Bench;

#[derive(FromRow)]
struct Tick {
    #[expect(dead_code, reason = "read, as the peer reads it")]
    id: i64,
    #[expect(dead_code, reason = "read, as the peer reads it")]
    symbol: String,
    #[expect(dead_code, reason = "read, as the peer reads it")]
    price: f64,
    volume: i64,
    #[expect(dead_code, reason = "read, as the peer reads it")]
    at: Timestamp,
    open: bool,
}

const SELECT: &str = "SELECT id, symbol, price, volume, at, open FROM ticks";
const INSERT: &str =
    "INSERT INTO ticks (id, symbol, price, volume, at, open) VALUES ($1, $2, $3, $4, $5, $6)";

/// The row of that id.
fn tick(id: i64) -> (i64, &'static str, f64, i64, Timestamp, bool) {
    let symbol = ["AAPL", "FB", "GOOG", "IBM", "MSFT"][id.unsigned_abs() as usize % 5];
    let at = Timestamp(1_700_000_000_000_000 + id * 1_000_000);
    (
        id,
        symbol,
        100.0 + id as f64 / 8.0,
        id % 1000,
        at,
        id % 3 != 0,
    )
}

impl Guest for Bench {
    fn select_points(times: u32, rows: u32) -> Result<i64, Failure> {
        let session = Session::open()?;
        let sql = format!("{SELECT} WHERE id = $1");
        let mut sum = 0;
        for time in 0..times {
            let id = i64::from(time.wrapping_mul(7919) % rows);
            let tick: Tick = session.query_one(&sql, params![id])?;
            sum += tick.volume;
        }
        Ok(sum)
    }

    fn insert_points(first: i64, times: u32) -> Result<(), Failure> {
        let session = Session::open()?;
        for id in first..first + i64::from(times) {
            let (id, symbol, price, volume, at, open) = tick(id);
            session.execute(INSERT, params![id, symbol, price, volume, at, open])?;
        }
        Ok(())
    }

    fn scan() -> Result<i64, Failure> {
        let ticks: Vec<Tick> = Session::open()?.query_as(SELECT, params![])?;
        let open = ticks.iter().filter(|tick| tick.open);
        Ok(open.map(|tick| tick.volume).sum())
    }

    fn insert_many(first: i64, rows: u32) -> Result<u64, Failure> {
        let columns = Column::from_rows((first..first + i64::from(rows)).map(tick));
        Ok(Session::open()?.execute_many(INSERT, &columns)?)
    }
}
