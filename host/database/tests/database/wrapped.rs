//! Owns the statement around a statement, which asks for columns as text and as JSON: nothing else changes by it.

use poolhouse_database::{ConflictKind, Database, DatabaseUrl, Error, Settings, Value, Within};

use crate::both::{everything, postgresql, rows, text};

fn json(text: &str) -> Value {
    Value::Json(text.to_owned())
}

#[tokio::test]
async fn the_statement_around_a_statement_changes_nothing_else() {
    let opened = postgresql().await;
    opened.ddl("CREATE TABLE t (id int PRIMARY KEY, at inet, list int[]); INSERT INTO t SELECT n, ('10.0.0.' || n)::inet, ARRAY[n, NULL] FROM generate_series(1, 50) n").await;
    let mut chain = opened.chain();
    let actor = everything();
    // Names twice, remarks and semicolons, order, parameters whose types the statement tells, WITH inside.
    for sql in [
        "SELECT at, at AS \"at\", id, list FROM t WHERE id >= $1 AND at <> '10.0.0.3' ORDER BY id DESC; -- that's it",
        "WITH x AS (SELECT * FROM t WHERE id >= $1 AND id <> 3) SELECT at, at, id, list FROM x ORDER BY id DESC /* ; */",
        "(SELECT at, at, id, list FROM t WHERE id >= $1 AND id <> 3 ORDER BY id DESC FOR UPDATE) --",
    ] {
        let answer = chain
            .query(&actor, Within::Session, sql, &[Value::Int64(2)])
            .await
            .unwrap();
        let columns: Vec<(&str, &str)> = answer
            .columns
            .iter()
            .map(|info| (info.name.as_str(), info.database_type.as_str()))
            .collect();
        assert_eq!(
            columns,
            [
                ("at", "inet"),
                ("at", "inet"),
                ("id", "int4"),
                ("list", "int4[]")
            ],
            "{sql}"
        );
        let expected: Vec<Vec<Value>> = (2..=50)
            .rev()
            .filter(|id| *id != 3)
            .map(|id| {
                let at = text(&format!("10.0.0.{id}"));
                vec![
                    at.clone(),
                    at,
                    Value::Int64(id),
                    json(&format!("[{id},null]")),
                ]
            })
            .collect();
        assert_eq!(rows(&answer), expected, "{sql}");
    }
    for (sql, expected) in [
        (
            "INSERT INTO t VALUES (60, '::1', NULL) RETURNING at, list",
            vec![vec![text("::1"), Value::Null]],
        ),
        (
            "UPDATE t SET list = '{}' WHERE id = 60 RETURNING list;",
            vec![vec![json("[]")]],
        ),
        (
            "DELETE FROM t WHERE id > 58 RETURNING id, at",
            vec![vec![Value::Int64(60), text("::1")]],
        ),
        ("DELETE FROM t WHERE id > 58 RETURNING id, at", vec![]),
        ("VALUES (ARRAY[1])", vec![vec![json("[1]")]]),
    ] {
        assert_eq!(opened.rows(sql, &[]).await, Ok(expected), "{sql}");
    }
    // Where no rows are wanted there is nothing around it.
    let with_write = "WITH d AS (DELETE FROM t WHERE id = 50 RETURNING at) SELECT at FROM d";
    let error = opened.rows(with_write, &[]).await.unwrap_err();
    assert!(
        matches!(&error, Error::Invalid(message) if message.contains("\"at\"") && message.contains("at::text")),
        "{error:?}"
    );
    assert_eq!(opened.execute(with_write, &[]).await, Ok(1));
    assert_eq!(
        opened.value("SELECT count(*) FROM t", &[]).await,
        Ok(Value::Int64(49))
    );
}

#[tokio::test]
async fn a_changed_table_under_a_statement_around_a_statement() {
    let opened = postgresql().await;
    for (at, change) in [
        "ADD COLUMN c int",
        "DROP COLUMN b",
        "ALTER COLUMN a TYPE text",
        "ALTER COLUMN b TYPE text USING b::text",
        "ALTER COLUMN b TYPE cidr",
        "RENAME COLUMN b TO c",
    ]
    .into_iter()
    .enumerate()
    {
        let table = format!("t{at}");
        opened
            .ddl(&format!(
                "CREATE TABLE {table} (a int, b inet); INSERT INTO {table} VALUES (1, '10.0.0.0/8')"
            ))
            .await;
        let mut chain = opened.chain();
        let sql = &format!("SELECT * FROM {table}");
        for _ in 0..2 {
            chain
                .query(&everything(), Within::Session, sql, &[])
                .await
                .unwrap();
        }
        opened.ddl(&format!("ALTER TABLE {table} {change}")).await;
        let first = chain.query(&everything(), Within::Session, sql, &[]).await;
        assert!(
            matches!(
                &first,
                Err(Error::Conflict {
                    kind: ConflictKind::Serialization,
                    ..
                })
            ),
            "{change}: {first:?}"
        );
        let second = chain
            .query(&everything(), Within::Session, sql, &[])
            .await
            .unwrap();
        let names: Vec<String> = second
            .columns
            .iter()
            .map(|info| format!("{} {}", info.name, info.database_type))
            .collect();
        let expected: &[&str] = match change {
            "ADD COLUMN c int" => &["a int4", "b inet", "c int4"],
            "DROP COLUMN b" => &["a int4"],
            "ALTER COLUMN a TYPE text" => &["a text", "b inet"],
            "ALTER COLUMN b TYPE cidr" => &["a int4", "b cidr"],
            "RENAME COLUMN b TO c" => &["a int4", "c inet"],
            _ => &["a int4", "b text"],
        };
        assert_eq!(names, expected, "{change}");
    }
}

#[tokio::test]
async fn more_statements_than_are_kept() {
    let opened = postgresql().await;
    opened
        .ddl("CREATE TABLE changed (a int); INSERT INTO changed VALUES (1)")
        .await;
    let mut settings = Settings::new(DatabaseUrl::parse(&opened.url).unwrap());
    (settings.pool.pool_size, settings.pool.max_overflow) = (1, 0);
    let database = Database::open(settings).unwrap();
    let mut chain = poolhouse_database::Chain::new(database.clone(), 1, None);
    let actor = everything();
    let changed = "SELECT * FROM changed";
    chain
        .query(&actor, Within::Session, changed, &[])
        .await
        .unwrap();
    opened
        .ddl("ALTER TABLE changed ALTER a TYPE text USING 'text'")
        .await;
    // Every other one has a statement around it, so the driver keeps two for it.
    for turn in 0..2 {
        for at in 0..300_i64 {
            let is_array = at % 2 == 0;
            let sql = if is_array {
                format!("SELECT ARRAY[$1::int8, {at}]")
            } else {
                format!("SELECT $1::int8 + {at}")
            };
            let answer = chain
                .query(&actor, Within::Session, &sql, &[Value::Int64(turn)])
                .await
                .unwrap();
            let expected = if is_array {
                json(&format!("[{turn},{at}]"))
            } else {
                Value::Int64(turn + at)
            };
            assert_eq!(rows(&answer), [[expected]], "{sql}");
        }
    }
    let answer = chain
        .query(&actor, Within::Session, changed, &[])
        .await
        .unwrap();
    assert_eq!(rows(&answer), [[text("text")]]);
    let kept = "SELECT count(*) BETWEEN 200 AND 257 FROM pg_prepared_statements";
    let answer = chain
        .query(&actor, Within::Session, kept, &[])
        .await
        .unwrap();
    assert_eq!(rows(&answer), [[Value::Boolean(true)]]);
    assert_eq!(database.stats().opened, 1);
}
