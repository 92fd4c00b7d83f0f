//! Owns two measurements against the driver used by hand: 10,000 rows of six columns written, 100,000 read; run it with a
//! PostgreSQL URL, or a path for an SQLite file, as its argument.

use std::time::{Duration, Instant};

use poolhouse_database::{
    Actor, Backend, Chain, Column, Database, DatabaseUrl, Grants, Packed, Settings, Tables, Values,
    Within,
};
use sqlx::{Connection, Executor};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const ROWS: usize = 10_000;
const ROUNDS: usize = 7;
const INSERT: &str = "INSERT INTO written VALUES ($1, $2, $3, $4, $5, $6)";
const SCAN: &str = "SELECT a, b, c, d, e, f FROM scanned";

fn actor() -> Actor {
    let everything = Grants {
        read: Tables::All,
        write: Tables::All,
        migrate: true,
        ..Grants::default()
    };
    Actor::new("measurement", everything)
}

fn columns() -> Vec<Column> {
    let mut texts = Packed::default();
    for row in 0..ROWS {
        texts.data.extend_from_slice(text(row).as_bytes());
        texts
            .offsets
            .push(u32::try_from(texts.data.len()).unwrap_or(u32::MAX));
    }
    let whole = |values| Column {
        validity: Vec::new(),
        values,
    };
    let numbers = || (0..ROWS as i64).collect();
    vec![
        whole(Values::Int64(numbers())),
        whole(Values::Text(texts.clone())),
        whole(Values::Text(texts)),
        whole(Values::Int64(numbers())),
        whole(Values::Float64((0..ROWS).map(|row| row as f64).collect())),
        whole(Values::Boolean((0..ROWS).map(|row| row % 2 == 0).collect())),
    ]
}

fn text(row: usize) -> String {
    format!("the text of row {row}")
}

/// The fastest of some rounds, which others on the machine have disturbed least.
async fn fastest(mut round: impl AsyncFnMut() -> Outcome<()>) -> Outcome<Duration> {
    let mut fastest = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        round().await?;
        fastest = fastest.min(started.elapsed());
    }
    Ok(fastest)
}

fn compare(what: &str, ours: Duration, driver: Duration) {
    let ratio = driver.as_secs_f64() / ours.as_secs_f64();
    println!("{what}: ours {ours:.1?}, the driver {driver:.1?}, {ratio:.2} times as fast");
}

/// One statement after the other, as a person would write it with the driver.
macro_rules! driver_loop {
    ($connection:expr) => {
        async || {
            let mut transaction = $connection.begin().await?;
            for row in 0..ROWS {
                sqlx::query(INSERT)
                    .bind(row as i64)
                    .bind(text(row))
                    .bind(text(row))
                    .bind(row as i64)
                    .bind(row as f64)
                    .bind(row % 2 == 0)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
            $connection.execute("DELETE FROM written").await?;
            Ok(())
        }
    };
}

async fn written(chain: &mut Chain, columns: &[Column]) -> Outcome<()> {
    let actor = actor();
    let changed = chain
        .execute_many(&actor, Within::Session, INSERT, columns)
        .await?;
    assert_eq!(changed, ROWS as u64);
    let delete = "DELETE FROM written";
    chain.execute(&actor, Within::Session, delete, &[]).await?;
    Ok(())
}

async fn scanned(chain: &mut Chain) -> Outcome<()> {
    let answer = chain.query(&actor(), Within::Session, SCAN, &[]).await?;
    assert_eq!(answer.batch.rows, 100_000);
    Ok(())
}

async fn postgresql(url: &str, chain: &mut Chain) -> Outcome<()> {
    let mut connection = sqlx::PgConnection::connect(url).await?;
    connection.execute("DROP TABLE IF EXISTS written, scanned; CREATE TABLE written (a int8, b text, c text, d int8, e float8, f bool); CREATE TABLE scanned AS SELECT i::int8 AS a, 'the text of row ' || i AS b, i::numeric / 100 AS c, now() + i * interval '1 second' AS d, i::float8 AS e, i % 2 = 0 AS f FROM generate_series(1, 100000) AS n (i)").await?;
    let columns = columns();
    let ours = fastest(async || written(chain, &columns).await).await?;
    let driver = fastest(driver_loop!(connection)).await?;
    compare("PostgreSQL, 10,000 rows written", ours, driver);
    let ours = fastest(async || scanned(chain).await).await?;
    // The driver reads a numeric and a timestamp only with a library for each: their bytes are what it can give by itself.
    let driver = fastest(async || {
        let rows: Vec<(i64, String, Raw, Raw, f64, bool)> =
            sqlx::query_as(SCAN).fetch_all(&mut connection).await?;
        assert_eq!(rows.len(), 100_000);
        Ok(())
    })
    .await?;
    compare("PostgreSQL, 100,000 rows read", ours, driver);
    connection.execute("DROP TABLE written, scanned").await?;
    Ok(())
}

#[expect(dead_code, reason = "reading them is what is measured")]
struct Raw(Vec<u8>);

impl sqlx::Type<sqlx::Postgres> for Raw {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        sqlx::postgres::PgTypeInfo::with_name("bytea")
    }

    fn compatible(_: &sqlx::postgres::PgTypeInfo) -> bool {
        true
    }
}

impl<'r> sqlx::Decode<'r, sqlx::Postgres> for Raw {
    fn decode(value: sqlx::postgres::PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(Self(value.as_bytes()?.to_vec()))
    }
}

async fn sqlite(path: &str, chain: &mut Chain) -> Outcome<()> {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
    connection.execute("DROP TABLE IF EXISTS written; DROP TABLE IF EXISTS scanned; CREATE TABLE written (a INTEGER, b TEXT, c TEXT, d INTEGER, e REAL, f BOOLEAN); CREATE TABLE scanned (a INTEGER, b TEXT, c DECIMAL_TEXT, d TIMESTAMP, e REAL, f BOOLEAN); WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000) INSERT INTO scanned SELECT i, 'the text of row ' || i, i || '.25', '2024-01-01T00:00:00.000000Z', i, i % 2 FROM n").await?;
    let columns = columns();
    let ours = fastest(async || written(chain, &columns).await).await?;
    let driver = fastest(driver_loop!(connection)).await?;
    compare("SQLite, 10,000 rows written", ours, driver);
    let ours = fastest(async || scanned(chain).await).await?;
    let text = "SELECT a, b, c, d || '' AS d, e, f FROM scanned";
    let driver = fastest(async || {
        let rows: Vec<(i64, String, String, String, f64, bool)> =
            sqlx::query_as(text).fetch_all(&mut connection).await?;
        assert_eq!(rows.len(), 100_000);
        Ok(())
    })
    .await?;
    compare("SQLite, 100,000 rows read", ours, driver);
    connection
        .execute("DROP TABLE written; DROP TABLE scanned")
        .await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let place = std::env::args().nth(1).ok_or("give a URL or a path")?;
    let url = match place.contains("://") {
        true => place.clone(),
        false => format!("sqlite://{place}"),
    };
    let mut settings = Settings::new(DatabaseUrl::parse(&url)?);
    settings.pool.pool_size = 1;
    let database = Database::open(settings)?;
    let mut chain = Chain::new(database.clone(), 1, None);
    match database.backend() {
        Backend::Postgresql => postgresql(&place, &mut chain).await?,
        Backend::Sqlite => sqlite(&place, &mut chain).await?,
    }
    database.close(Duration::from_secs(1)).await;
    Ok(())
}
