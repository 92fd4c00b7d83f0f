//! smoke

use poolhouse_tests::BACKENDS;
use poolhouse_tests::conformance::Stage;
use poolhouse_tests::conformance::script::*;

#[tokio::test(flavor = "multi_thread")]
async fn show() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let stage = Stage::start(backend, "CREATE TABLE t (a BIGINT PRIMARY KEY, b TEXT)").await?;
        let steps = [
            open(0),
            query(0, "SELECT 1 AS a, 'x' AS b, 1.5 AS c, NULL AS d", &[]),
            execute(0, "INSERT INTO t VALUES ($1, $2)", &["int64(1)", "text(\"é\\u{1}\\n\")"]),
            execute(0, "INSERT INTO t VALUES ($1, $2)", &["int64(1)", "null"]),
            begin(0, 1, DEFAULT),
            savepoint(1, 2),
            query(1, "SELECT 1", &[]),
            execute(2, "INSERT INTO t VALUES ($1, $2)", &["int64(2)", "null"]),
            query_columns(0, "SELECT * FROM t", &[]),
            commit(2), commit(1),
            "health".into(), "stats".into(),
        ];
        match stage.call(&steps).await {
            Ok(o) => for (s, o) in steps.iter().zip(&o) { println!("{s}\n   {o}"); },
            Err(e) => println!("{e}"),
        }
        stage.is_clean().await?;
        println!("{}", stage.text("SELECT CAST(count(*) AS TEXT) FROM t").await?);
    }
    Ok(())
}
