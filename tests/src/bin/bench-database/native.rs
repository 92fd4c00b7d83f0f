//! The peer: the same statements by native code on sqlx and its own pool, of the host's size and SQLite settings, without
//! the ping at each acquire that ours does not make either.

use anyhow::Context;
use poolhouse_tests::House;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgPoolOptions, PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Decode, Encode, PgPool, Postgres, Sqlite, SqlitePool, Type};
use tokio::runtime::Runtime;

const SELECT: &str = "SELECT id, symbol, price, volume, at, open FROM ticks";
const SELECT_ONE: &str = "SELECT id, symbol, price, volume, at, open FROM ticks WHERE id = $1";
const INSERT: &str =
    "INSERT INTO ticks (id, symbol, price, volume, at, open) VALUES ($1, $2, $3, $4, $5, $6)";
const INSERT_UNNEST: &str = "INSERT INTO ticks (id, symbol, price, volume, at, open) \
     SELECT * FROM UNNEST($1::int8[], $2::text[], $3::float8[], $4::int8[], $5::timestamptz[], $6::bool[])";

/// Microseconds since the Unix epoch, on the wire as each database has a point in time.
#[derive(Clone, Copy)]
struct Timestamp(i64);

/// From 1970 to 2000, where PostgreSQL counts from.
const EPOCH: i64 = 946_684_800_000_000;

type Row = (i64, String, f64, i64, Timestamp, bool);

impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}

impl sqlx::postgres::PgHasArrayType for Timestamp {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("_timestamptz")
    }
}

impl Decode<'_, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let bytes: [u8; 8] = value.as_bytes()?.try_into()?;
        Ok(Self(i64::from_be_bytes(bytes) + EPOCH))
    }
}

impl Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&(self.0 - EPOCH).to_be_bytes());
        Ok(IsNull::No)
    }
}

impl Type<Sqlite> for Timestamp {
    fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }

    fn compatible(_: &sqlx::sqlite::SqliteTypeInfo) -> bool {
        true
    }
}

impl Decode<'_, Sqlite> for Timestamp {
    fn decode(value: sqlx::sqlite::SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        let text = <&str as Decode<Sqlite>>::decode(value)?;
        let at: jiff::Timestamp = text.parse()?;
        Ok(Self(at.as_microsecond()))
    }
}

impl Encode<'_, Sqlite> for Timestamp {
    fn encode_by_ref(
        &self,
        arguments: &mut sqlx::sqlite::SqliteArgumentsBuffer,
    ) -> Result<IsNull, BoxDynError> {
        let text = format!("{:.6}", jiff::Timestamp::from_microsecond(self.0)?);
        Encode::<Sqlite>::encode(text, arguments)
    }
}

/// The row of that id; the same as the guest's.
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

pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

enum Pool {
    Sqlite(SqlitePool),
    Postgresql(PgPool),
}

/// Native code on a pool of sqlx's.
pub(crate) struct Native {
    runtime: Runtime,
    pool: Pool,
}

/// The same work on either pool.
macro_rules! on_pool {
    ($native:expr, $pool:ident => $work:expr) => {
        $native.runtime.block_on(async {
            match &$native.pool {
                Pool::Sqlite($pool) => $work,
                Pool::Postgresql($pool) => $work,
            }
        })
    };
}

/// One insert with its parameters.
macro_rules! insert {
    ($id:expr) => {{
        let (id, symbol, price, volume, at, open) = tick($id);
        sqlx::query(INSERT)
            .bind(id)
            .bind(symbol)
            .bind(price)
            .bind(volume)
            .bind(at)
            .bind(open)
    }};
}

impl Native {
    pub(crate) fn connect(house: &House) -> anyhow::Result<Self> {
        let runtime = runtime()?;
        let pool = runtime.block_on(async {
            anyhow::Ok(if house.url().starts_with("postgres") {
                let options = PgPoolOptions::new().max_connections(5);
                let options = options.test_before_acquire(false);
                Pool::Postgresql(options.connect(house.url()).await?)
            } else {
                let file = SqliteConnectOptions::new()
                    .filename(house.path("house.db"))
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full);
                let options = SqlitePoolOptions::new().max_connections(5);
                let options = options.test_before_acquire(false);
                Pool::Sqlite(options.connect_with(file).await?)
            })
        })?;
        Ok(Self { runtime, pool })
    }

    pub(crate) fn select_points(&self, times: u32, rows: u32) -> anyhow::Result<i64> {
        on_pool!(self, pool => {
            let mut sum = 0;
            for time in 0..times {
                let id = i64::from(time.wrapping_mul(7919) % rows);
                let row: Row = sqlx::query_as(SELECT_ONE).bind(id).fetch_one(pool).await?;
                sum += row.3;
            }
            Ok(sum)
        })
    }

    pub(crate) fn insert_points(&self, first: i64, times: u32) -> anyhow::Result<()> {
        on_pool!(self, pool => {
            for id in first..first + i64::from(times) {
                insert!(id).execute(pool).await?;
            }
            Ok(())
        })
    }

    pub(crate) fn scan(&self) -> anyhow::Result<i64> {
        on_pool!(self, pool => {
            let rows: Vec<Row> = sqlx::query_as(SELECT).fetch_all(pool).await?;
            Ok(rows.iter().filter(|row| row.5).map(|row| row.3).sum())
        })
    }

    /// One prepared statement for each row, in one transaction.
    pub(crate) fn insert_loop(&self, first: i64, rows: u32) -> anyhow::Result<()> {
        on_pool!(self, pool => {
            let mut tx = pool.begin().await?;
            for id in first..first + i64::from(rows) {
                insert!(id).execute(&mut *tx).await?;
            }
            Ok(tx.commit().await?)
        })
    }

    /// As a person writes it who knows PostgreSQL well.
    pub(crate) fn insert_unnest(&self, first: i64, rows: u32) -> anyhow::Result<()> {
        self.runtime.block_on(async {
            let Pool::Postgresql(pool) = &self.pool else {
                anyhow::bail!("only PostgreSQL has UNNEST");
            };
            let rows: Vec<_> = (first..first + i64::from(rows)).map(tick).collect();
            sqlx::query(INSERT_UNNEST)
                .bind(rows.iter().map(|row| row.0).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.1).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.2).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.3).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.4).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.5).collect::<Vec<_>>())
                .execute(pool)
                .await
                .context("UNNEST")?;
            Ok(())
        })
    }

    pub(crate) fn delete_from(&self, first: u32) -> anyhow::Result<()> {
        on_pool!(self, pool => {
            sqlx::query("DELETE FROM ticks WHERE id >= $1").bind(i64::from(first)).execute(pool).await?;
            Ok(())
        })
    }
}
