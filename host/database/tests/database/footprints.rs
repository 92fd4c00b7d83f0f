//! Owns the footprints of statements, case by case: what is read, written and called, and what is refused.

use std::collections::BTreeSet;

use poolhouse_database::{Backend, Error, Footprint, StatementKind};

const BOTH: &[Backend] = &[Backend::Sqlite, Backend::Postgresql];
const SQLITE: &[Backend] = &[Backend::Sqlite];
const POSTGRESQL: &[Backend] = &[Backend::Postgresql];

/// On which databases, the SQL, its kind, the tables read and the tables written.
type Case = (
    &'static [Backend],
    &'static str,
    StatementKind,
    &'static [&'static str],
    &'static [&'static str],
);

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn tables_read_and_written() {
    use StatementKind::{Ddl, Query, Write};
    let cases: &[Case] = &[
        (BOTH, "SELECT 1", Query, &[], &[]),
        (BOTH, "SELECT 1;", Query, &[], &[]),
        (BOTH, "VALUES (1), (2)", Query, &[], &[]),
        (BOTH, "SELECT * FROM a", Query, &["a"], &[]),
        (BOTH, "SELECT * FROM A AS x, b y", Query, &["a", "b"], &[]),
        (BOTH, "SELECT * FROM a -- , b\n, c", Query, &["a", "c"], &[]),
        (BOTH, "SELECT * FROM a /* , b */", Query, &["a"], &[]),
        (BOTH, "SELECT 'FROM b' FROM a", Query, &["a"], &[]),
        (
            BOTH,
            "SELECT * FROM a JOIN b ON a.id = b.id LEFT JOIN c USING (id)",
            Query,
            &["a", "b", "c"],
            &[],
        ),
        (
            BOTH,
            "SELECT (SELECT max(id) FROM b) FROM a",
            Query,
            &["a", "b"],
            &[],
        ),
        (
            BOTH,
            "SELECT * FROM (SELECT * FROM a) AS s",
            Query,
            &["a"],
            &[],
        ),
        (
            BOTH,
            "SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id)",
            Query,
            &["a", "b"],
            &[],
        ),
        (
            BOTH,
            "SELECT * FROM a WHERE id IN (SELECT id FROM b UNION SELECT id FROM c)",
            Query,
            &["a", "b", "c"],
            &[],
        ),
        (
            BOTH,
            "SELECT * FROM a ORDER BY (SELECT id FROM b) LIMIT (SELECT 1 FROM c)",
            Query,
            &["a", "b", "c"],
            &[],
        ),
        (
            BOTH,
            "SELECT count(*) FILTER (WHERE id IN (SELECT id FROM b)) FROM a",
            Query,
            &["a", "b"],
            &[],
        ),
        (
            BOTH,
            "SELECT CASE WHEN (SELECT true FROM b) THEN 1 END FROM a GROUP BY id HAVING max(id) > (SELECT 1 FROM c)",
            Query,
            &["a", "b", "c"],
            &[],
        ),
        (
            BOTH,
            "SELECT sum(x) OVER (PARTITION BY (SELECT 1 FROM b)) FROM a",
            Query,
            &["a", "b"],
            &[],
        ),
        (
            BOTH,
            "SELECT * FROM a JOIN b ON a.id = (SELECT id FROM c)",
            Query,
            &["a", "b", "c"],
            &[],
        ),
        (
            BOTH,
            "SELECT coalesce((SELECT 1 FROM b), 2) FROM a",
            Query,
            &["a", "b"],
            &[],
        ),
        (
            BOTH,
            "SELECT CAST((SELECT 1 FROM b) AS text)",
            Query,
            &["b"],
            &[],
        ),
        (
            BOTH,
            "SELECT 1 BETWEEN (SELECT 1 FROM a) AND (SELECT 2 FROM b)",
            Query,
            &["a", "b"],
            &[],
        ),
        (
            BOTH,
            "SELECT 'x' LIKE (SELECT n FROM a)",
            Query,
            &["a"],
            &[],
        ),
        // Names given by WITH are no tables, where they can be seen.
        (
            BOTH,
            "WITH x AS (SELECT * FROM a) SELECT * FROM x",
            Query,
            &["a"],
            &[],
        ),
        (
            BOTH,
            "WITH x AS (SELECT * FROM a), y AS (SELECT * FROM x) SELECT * FROM y",
            Query,
            &["a"],
            &[],
        ),
        (
            BOTH,
            "WITH X AS (SELECT * FROM a) SELECT * FROM x",
            Query,
            &["a"],
            &[],
        ),
        (
            POSTGRESQL,
            "WITH x AS (SELECT * FROM x) SELECT * FROM x",
            Query,
            &["x"],
            &[],
        ),
        (
            SQLITE,
            "WITH a AS (SELECT * FROM x), x AS (SELECT 1 UNION SELECT * FROM x) SELECT * FROM a, main.x",
            Query,
            &["x"],
            &[],
        ),
        (
            SQLITE,
            "WITH a AS (SELECT * FROM x), x AS (SELECT * FROM y) SELECT * FROM a",
            Query,
            &["y"],
            &[],
        ),
        (
            POSTGRESQL,
            "WITH y AS (SELECT * FROM x), x AS (SELECT 1) SELECT * FROM x, y",
            Query,
            &["x"],
            &[],
        ),
        (
            BOTH,
            "SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) AS s, x",
            Query,
            &["x"],
            &[],
        ),
        (
            BOTH,
            "WITH x AS (SELECT 1) SELECT * FROM (SELECT * FROM x) AS s",
            Query,
            &[],
            &[],
        ),
        (
            BOTH,
            "WITH x AS (WITH y AS (SELECT 1) SELECT * FROM y) SELECT * FROM x, y",
            Query,
            &["y"],
            &[],
        ),
        (
            BOTH,
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n",
            Query,
            &[],
            &[],
        ),
        (
            POSTGRESQL,
            "WITH x AS (SELECT 1) SELECT * FROM public.x",
            Query,
            &["x"],
            &[],
        ),
        (
            SQLITE,
            "WITH x AS (SELECT 1) SELECT * FROM main.x",
            Query,
            &["x"],
            &[],
        ),
        (
            POSTGRESQL,
            "WITH \"X\" AS (SELECT 1) SELECT * FROM x",
            Query,
            &["x"],
            &[],
        ),
        (
            SQLITE,
            "WITH \"X\" AS (SELECT 1) SELECT * FROM x",
            Query,
            &[],
            &[],
        ),
        // Names.
        (
            POSTGRESQL,
            "SELECT * FROM \"Odd Name\", PUBLIC.b, other.c, \"public\".\"D\"",
            Query,
            &["Odd Name", "b", "other.c", "D"],
            &[],
        ),
        (
            SQLITE,
            "SELECT * FROM \"Odd Name\", MAIN.b, other.c, [D], `E`",
            Query,
            &["odd name", "b", "other.c", "d", "e"],
            &[],
        ),
        (
            POSTGRESQL,
            "SELECT * FROM catalog.public.a",
            Query,
            &["catalog.public.a"],
            &[],
        ),
        (POSTGRESQL, "SELECT 1 UNION TABLE a", Query, &["a"], &[]),
        // Functions in FROM.
        (
            BOTH,
            "SELECT * FROM generate_series(1, (SELECT max(id) FROM a))",
            Query,
            &["a"],
            &[],
        ),
        (
            POSTGRESQL,
            "SELECT * FROM a, LATERAL unnest(a.list) AS u, LATERAL (SELECT * FROM b WHERE b.id = a.id) AS s",
            Query,
            &["a", "b"],
            &[],
        ),
        (
            SQLITE,
            "SELECT * FROM a, json_each(a.doc)",
            Query,
            &["a"],
            &[],
        ),
        (
            POSTGRESQL,
            "SELECT ARRAY(SELECT id FROM a)",
            Query,
            &["a"],
            &[],
        ),
        (
            POSTGRESQL,
            "SELECT 1 = ANY (SELECT id FROM a)",
            Query,
            &["a"],
            &[],
        ),
        (POSTGRESQL, "SELECT $$ FROM b $$ FROM a", Query, &["a"], &[]),
        (
            POSTGRESQL,
            "SELECT $tag$ ' FROM b $tag$ FROM a",
            Query,
            &["a"],
            &[],
        ),
        (
            POSTGRESQL,
            "SELECT E'\\' FROM b' FROM a",
            Query,
            &["a"],
            &[],
        ),
        (
            POSTGRESQL,
            "SELECT /* /* */ FROM b */ 1 FROM a",
            Query,
            &["a"],
            &[],
        ),
        (SQLITE, "SELECT 'a\\' FROM a", Query, &["a"], &[]),
        (
            POSTGRESQL,
            "SELECT doc ->> 'x', doc @> '{}', doc ? 'k' FROM a",
            Query,
            &["a"],
            &[],
        ),
        (
            POSTGRESQL,
            "SELECT DISTINCT ON (x) * FROM a",
            Query,
            &["a"],
            &[],
        ),
        // Locks count as writing.
        (
            POSTGRESQL,
            "SELECT * FROM a FOR UPDATE",
            Write,
            &["a"],
            &["a"],
        ),
        (
            POSTGRESQL,
            "SELECT * FROM a AS x, b FOR SHARE OF x SKIP LOCKED",
            Write,
            &["a", "b"],
            &["a", "b"],
        ),
        // Writes.
        (BOTH, "INSERT INTO a VALUES (1)", Write, &[], &["a"]),
        (
            BOTH,
            "INSERT INTO a (x) SELECT y FROM b",
            Write,
            &["b"],
            &["a"],
        ),
        (
            BOTH,
            "INSERT INTO a (x) SELECT y FROM a",
            Write,
            &["a"],
            &["a"],
        ),
        (
            BOTH,
            "INSERT INTO a (x) VALUES ((SELECT y FROM b))",
            Write,
            &["b"],
            &["a"],
        ),
        (
            BOTH,
            "INSERT INTO a VALUES (1) RETURNING id",
            Write,
            &["a"],
            &["a"],
        ),
        (
            BOTH,
            "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING",
            Write,
            &[],
            &["a"],
        ),
        (
            BOTH,
            "INSERT INTO a (x) VALUES (1) ON CONFLICT (x) DO UPDATE SET x = (SELECT 1 FROM b)",
            Write,
            &["a", "b"],
            &["a"],
        ),
        (BOTH, "INSERT INTO a DEFAULT VALUES", Write, &[], &["a"]),
        (
            BOTH,
            "WITH x AS (SELECT * FROM b) INSERT INTO a SELECT * FROM x",
            Write,
            &["b"],
            &["a"],
        ),
        (
            SQLITE,
            "INSERT OR REPLACE INTO a VALUES (1)",
            Write,
            &[],
            &["a"],
        ),
        (SQLITE, "REPLACE INTO a VALUES (1)", Write, &[], &["a"]),
        (BOTH, "UPDATE a SET x = 1", Write, &["a"], &["a"]),
        (
            BOTH,
            "UPDATE a SET x = b.x FROM b WHERE a.id = b.id",
            Write,
            &["a", "b"],
            &["a"],
        ),
        (
            BOTH,
            "UPDATE a SET x = (SELECT max(x) FROM b) WHERE id IN (SELECT id FROM c)",
            Write,
            &["a", "b", "c"],
            &["a"],
        ),
        (BOTH, "DELETE FROM a", Write, &["a"], &["a"]),
        (
            BOTH,
            "DELETE FROM a WHERE id IN (SELECT id FROM b) RETURNING *",
            Write,
            &["a", "b"],
            &["a"],
        ),
        (
            POSTGRESQL,
            "DELETE FROM a USING b WHERE a.id = b.id",
            Write,
            &["a", "b"],
            &["a"],
        ),
        (
            POSTGRESQL,
            "WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone",
            Write,
            &["a"],
            &["a", "b"],
        ),
        (
            POSTGRESQL,
            "WITH x AS (UPDATE a SET y = 1 RETURNING id), z AS (INSERT INTO b VALUES (1)) SELECT * FROM x",
            Write,
            &["a"],
            &["a", "b"],
        ),
        (
            POSTGRESQL,
            "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN UPDATE SET x = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)",
            Write,
            &["a", "b"],
            &["a"],
        ),
        // Explained, but not done.
        (POSTGRESQL, "EXPLAIN SELECT * FROM a", Query, &["a"], &[]),
        (
            SQLITE,
            "EXPLAIN QUERY PLAN SELECT * FROM a",
            Query,
            &["a"],
            &[],
        ),
        // The schema.
        (
            BOTH,
            "CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT DEFAULT 'y', UNIQUE (x))",
            Ddl,
            &[],
            &["a"],
        ),
        (
            BOTH,
            "CREATE TABLE IF NOT EXISTS a (id INTEGER REFERENCES b (id), FOREIGN KEY (id) REFERENCES c (id))",
            Ddl,
            &[],
            &["a", "b", "c"],
        ),
        (
            BOTH,
            "CREATE TABLE a (id INTEGER, parent INTEGER REFERENCES a (id))",
            Ddl,
            &[],
            &["a"],
        ),
        (
            BOTH,
            "CREATE TABLE a AS SELECT * FROM b",
            Ddl,
            &["b"],
            &["a"],
        ),
        (
            BOTH,
            "CREATE UNIQUE INDEX IF NOT EXISTS i ON a (lower(x)) WHERE x IS NOT NULL",
            Ddl,
            &[],
            &["a"],
        ),
        (
            BOTH,
            "ALTER TABLE a ADD COLUMN x INTEGER REFERENCES b (id)",
            Ddl,
            &[],
            &["a", "b"],
        ),
        (BOTH, "ALTER TABLE a RENAME TO b", Ddl, &[], &["a", "b"]),
        (BOTH, "ALTER TABLE a DROP COLUMN x", Ddl, &[], &["a"]),
        (BOTH, "DROP TABLE IF EXISTS a", Ddl, &[], &["a"]),
        (BOTH, "DROP INDEX i", Ddl, &[], &[]),
        (
            SQLITE,
            "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, d DECIMAL_TEXT NOT NULL) STRICT",
            Ddl,
            &[],
            &["a"],
        ),
        (
            SQLITE,
            "CREATE TABLE a (id TEXT PRIMARY KEY) WITHOUT ROWID",
            Ddl,
            &[],
            &["a"],
        ),
    ];
    assert!(cases.len() >= 60);
    for (backends, sql, kind, reads, writes) in cases {
        for backend in *backends {
            let footprint = Footprint::read(sql, *backend)
                .unwrap_or_else(|error| panic!("{backend} {sql}: {error}"));
            assert_eq!(
                (footprint.kind, &footprint.reads, &footprint.writes),
                (*kind, &set(reads), &set(writes)),
                "{backend}: {sql}"
            );
        }
    }
}

#[test]
fn refused_before_the_database_sees_them() {
    let cases: &[(&[Backend], &str, &str)] = &[
        (BOTH, "", "no statement"),
        (BOTH, "-- nothing", "no statement"),
        (BOTH, "SELECT 1; SELECT 2", "several"),
        (BOTH, "SELECT 1; DROP TABLE a", "several"),
        (BOTH, "BEGIN", "use begin"),
        (BOTH, "START TRANSACTION", "use begin"),
        (BOTH, "COMMIT", "use commit"),
        (BOTH, "END", "use commit"),
        (BOTH, "ROLLBACK", "use rollback"),
        (BOTH, "SAVEPOINT s", "savepoint"),
        (BOTH, "RELEASE SAVEPOINT s", "savepoint"),
        (POSTGRESQL, "SET search_path = x", "settings"),
        (POSTGRESQL, "SET ROLE postgres", "settings"),
        (POSTGRESQL, "RESET ALL", "settings"),
        (POSTGRESQL, "DISCARD ALL", "settings"),
        (POSTGRESQL, "SHOW work_mem", "SHOW"),
        (SQLITE, "PRAGMA user_version", "PRAGMA"),
        (SQLITE, "ATTACH DATABASE 'x' AS y", "ATTACH"),
        (BOTH, "VACUUM", "VACUUM"),
        (POSTGRESQL, "COPY a TO STDOUT", "COPY"),
        (POSTGRESQL, "DO $$ BEGIN END $$", ""),
        (POSTGRESQL, "LISTEN x", "LISTEN"),
        (POSTGRESQL, "NOTIFY x", "NOTIFY"),
        (POSTGRESQL, "LOCK TABLE a", "FOR UPDATE"),
        (POSTGRESQL, "PREPARE p AS SELECT 1", "parameters"),
        (POSTGRESQL, "EXECUTE p", "parameters"),
        (POSTGRESQL, "DECLARE c CURSOR FOR SELECT 1", "open-cursor"),
        (POSTGRESQL, "FETCH 1 FROM c", "open-cursor"),
        (POSTGRESQL, "CALL p()", "procedure"),
        (POSTGRESQL, "TRUNCATE a", "DELETE"),
        (POSTGRESQL, "SELECT * INTO b FROM a", "SELECT INTO"),
        (BOTH, "CREATE TEMP TABLE a (id INTEGER)", "temporary"),
        (POSTGRESQL, "CREATE TABLE a (LIKE b)", "LIKE"),
        (BOTH, "CREATE VIEW v AS SELECT 1", "tables and indexes"),
        (BOTH, "DROP VIEW v", "tables and indexes"),
        (
            POSTGRESQL,
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "",
        ),
        (POSTGRESQL, "CREATE EXTENSION x", ""),
        (POSTGRESQL, "GRANT ALL ON a TO b", ""),
        (POSTGRESQL, "EXPLAIN ANALYZE DELETE FROM a", "queries"),
        (BOTH, "EXPLAIN INSERT INTO a VALUES (1)", "queries"),
        (SQLITE, "INSERT OR ROLLBACK INTO a VALUES (1)", "ROLLBACK"),
        (SQLITE, "UPDATE OR ROLLBACK a SET x = 1", "ROLLBACK"),
        (BOTH, "nonsense", ""),
        (POSTGRESQL, "DO LANGUAGE plpgsql $$ x $$", "DO"),
        (
            SQLITE,
            "PRAGMA foreign_keys = 0",
            "PRAGMA belongs to the host",
        ),
        (SQLITE, "DETACH x", "ATTACH and DETACH"),
        (SQLITE, "REINDEX", "upkeep"),
        (POSTGRESQL, "ABORT", "use rollback"),
        (POSTGRESQL, "PREPARE TRANSACTION 'x'", "parameters"),
        (POSTGRESQL, "MOVE 1 FROM c", "open-cursor"),
        (POSTGRESQL, "CHECKPOINT", "upkeep"),
        (POSTGRESQL, "LOAD 'x'", "LOAD"),
        (POSTGRESQL, "SELECT * FROM U&\"a\"", "escapes"),
        (POSTGRESQL, "SELECT * FROM ONLY a", "ONLY"),
        (POSTGRESQL, "DROP TABLE a CASCADE", "CASCADE"),
        (POSTGRESQL, "ALTER TABLE a DROP COLUMN x CASCADE", "CASCADE"),
        (BOTH, "SELECT 'open", ""),
        // What another lexer could read differently.
        (BOTH, "SELECT 1 --\r, (SELECT secret FROM users)", "U+000D"),
        (
            BOTH,
            "SELECT \u{a0}$$, secret FROM users /* $$ -- */",
            "U+00A0",
        ),
        (BOTH, "SELECT 1\0", "U+0000"),
        (BOTH, "SELECT\u{b}1", "U+000B"),
        (BOTH, "SELECT 1 FROM a\u{2028}", "U+2028"),
        (SQLITE, "SELECT ?", ""),
        (SQLITE, "SELECT ?1", ""),
        (SQLITE, "SELECT :a", ""),
        (SQLITE, "SELECT @a", ""),
    ];
    for (backends, sql, words) in cases {
        for backend in *backends {
            match Footprint::read(sql, *backend) {
                Err(Error::Invalid(message)) => {
                    assert!(message.contains(words), "{backend} {sql:?}: {message}")
                }
                other => panic!("{backend} {sql:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn no_table_hides() {
    for (backends, sql) in [
        (SQLITE, "SELECT 1 WHERE 1 IN users"),
        (SQLITE, "SELECT 1 WHERE 1 IN main.users"),
        (SQLITE, "SELECT * FROM 'users'"),
        (POSTGRESQL, "SELECT * FROM ONLY users"),
        (POSTGRESQL, "SELECT * FROM ONLY (users)"),
        (POSTGRESQL, "SELECT * FROM users*"),
        (POSTGRESQL, "SELECT a$$ FROM users --$$\n"),
        (POSTGRESQL, "SELECT 1 +/* 2 --*/ (SELECT s FROM users)"),
        (POSTGRESQL, "SELECT 1 <--x\n (SELECT s FROM users)"),
        (POSTGRESQL, "UPDATE ONLY users SET x = 1"),
        (POSTGRESQL, "DELETE FROM ONLY users"),
        (POSTGRESQL, "TABLE \"users\""),
        (POSTGRESQL, "TABLE public.users"),
        (
            POSTGRESQL,
            "SELECT * FROM ROWS FROM (generate_series(1, 2)) AS x, users",
        ),
        (POSTGRESQL, "WITH x AS (TABLE users) SELECT * FROM x"),
        (POSTGRESQL, "SELECT (TABLE users)"),
        (POSTGRESQL, "SELECT * FROM (users)"),
        (
            POSTGRESQL,
            "SELECT * FROM (users JOIN users AS u USING (id))",
        ),
        (POSTGRESQL, "INSERT INTO a TABLE users"),
        (
            BOTH,
            "SELECT * FROM a WHERE (SELECT 1 FROM users) IS NOT NULL",
        ),
        (
            BOTH,
            "SELECT * FROM a WINDOW w AS (ORDER BY (SELECT 1 FROM users))",
        ),
        (
            POSTGRESQL,
            "SELECT * FROM a TABLESAMPLE system ((SELECT 1 FROM users))",
        ),
        (
            POSTGRESQL,
            "SELECT * FROM a GROUP BY GROUPING SETS ((id), ((SELECT 1 FROM users)))",
        ),
        (
            POSTGRESQL,
            "SELECT array_agg(x ORDER BY (SELECT 1 FROM users)) FROM a",
        ),
        (
            POSTGRESQL,
            "SELECT INTERVAL '1' DAY, x[(SELECT 1 FROM users)] FROM a",
        ),
        (POSTGRESQL, "VALUES ((SELECT 1 FROM users))"),
        (
            POSTGRESQL,
            "INSERT INTO a VALUES (1) RETURNING (SELECT s FROM users)",
        ),
        (
            POSTGRESQL,
            "SELECT * FROM xmltable('/x' PASSING (SELECT s FROM users) COLUMNS a int PATH 'a')",
        ),
        (
            POSTGRESQL,
            "SELECT 1 FETCH FIRST (SELECT 1 FROM users) ROWS ONLY",
        ),
        (POSTGRESQL, "SELECT 1 OFFSET (SELECT 1 FROM users)"),
        (
            POSTGRESQL,
            "SELECT EXTRACT(year FROM (SELECT at FROM users))",
        ),
        (
            POSTGRESQL,
            "SELECT position('a' IN (SELECT s FROM users)), trim(both 'x' from 'y'), overlay('a' placing 'b' from 1)",
        ),
        (BOTH, "SELECT substr((SELECT s FROM users), 1)"),
    ] {
        for backend in backends {
            // Seen, refused, or taken for a function that only who may read everything may call.
            if let Ok(footprint) = Footprint::read(sql, *backend) {
                let narrow = poolhouse_database::Grants {
                    read: poolhouse_database::Tables::from_iter(["a"]),
                    write: poolhouse_database::Tables::from_iter(["a"]),
                    migrate: false,
                    ..poolhouse_database::Grants::default()
                };
                assert!(
                    narrow.allow(&footprint).is_err(),
                    "{backend} {sql}: {footprint:?}"
                );
            }
        }
    }
}

#[test]
fn functions() {
    let read = |sql: &str, backend| Footprint::read(sql, backend).unwrap();
    for backend in BOTH {
        let footprint = read(
            "SELECT Lower(x), coalesce(x, 'y'), count(*), round(1.5) FROM a",
            *backend,
        );
        assert_eq!(
            footprint.functions,
            set(&["lower", "coalesce", "count", "round"])
        );
        assert!(
            footprint.unknown_functions.is_empty()
                && !footprint.touches_session
                && !footprint.needs_transaction
        );
        assert_eq!(read("SELECT $3, $1", *backend).parameters, 3);
        assert_eq!(read("SELECT '$3'", *backend).parameters, 0);
    }
    for sql in [
        "SELECT pg_advisory_lock(1)",
        "SELECT setseed(0.5)",
        "SELECT set_config('a', 'b', false)",
        "SELECT f()",
        "SELECT * FROM dblink('x')",
        "SELECT x.lower('a')",
        "SELECT 1 FROM a ORDER BY f()",
    ] {
        assert!(read(sql, Backend::Postgresql).touches_session, "{sql}");
    }
    for sql in [
        "SELECT f()",
        "SELECT load_extension('x')",
        "SELECT * FROM pragma_table_info('a')",
        "SELECT readfile('x')",
        "SELECT total_changes()",
    ] {
        assert!(
            !read(sql, Backend::Sqlite).unknown_functions.is_empty(),
            "{sql}"
        );
    }
    for (sql, backend) in [
        ("SELECT lastval()", Backend::Postgresql),
        ("SELECT currval('s')", Backend::Postgresql),
        ("SELECT last_insert_rowid()", Backend::Sqlite),
        ("SELECT CHANGES()", Backend::Sqlite),
        ("INSERT INTO a VALUES (changes())", Backend::Sqlite),
    ] {
        assert!(read(sql, backend).needs_transaction, "{sql}");
    }
    for sql in [
        "SELECT now(), current_timestamp, gen_random_uuid(), jsonb_build_object('a', 1)",
        "SELECT extract(year from now()), date_trunc('day', now())",
        "SELECT row_number() OVER (), string_agg(x, ',') FROM a",
    ] {
        assert!(
            read(sql, Backend::Postgresql).unknown_functions.is_empty(),
            "{sql}"
        );
    }
    for sql in [
        "SELECT datetime('now'), strftime('%s'), json_extract(x, '$.a'), group_concat(x), ifnull(x, 1), typeof(x) FROM a",
        "SELECT date('now'), current_timestamp, max(1, 2)",
    ] {
        assert!(
            read(sql, Backend::Sqlite).unknown_functions.is_empty(),
            "{sql}: {:?}",
            read(sql, Backend::Sqlite)
        );
    }
}

#[test]
fn sequences_are_tables() {
    let read = |sql: &str| Footprint::read(sql, Backend::Postgresql).unwrap();
    for (sql, sequence) in [
        ("SELECT nextval('s')", "s"),
        ("SELECT nextval('public.S'::regclass)", "s"),
        ("SELECT setval('other.\"S\"', 5)", "other.S"),
        ("INSERT INTO a VALUES (pg_catalog.nextval('s'))", "s"),
    ] {
        let footprint = read(sql);
        assert!(footprint.writes.contains(sequence), "{sql}: {footprint:?}");
        assert_eq!(footprint.kind, StatementKind::Write, "{sql}");
        assert!(footprint.unknown_functions.is_empty(), "{sql}");
    }
    let asked = read("SELECT currval('s')");
    assert!(asked.reads.contains("s") && asked.needs_transaction);
    for sql in [
        "SELECT nextval($1)",
        "SELECT nextval('a' || 'b')",
        "SELECT nextval('a b')",
        "SELECT nextval(16384)",
        "SELECT ('s'::regclass).nextval",
    ] {
        assert_eq!(read(sql).unknown_functions, set(&["nextval"]), "{sql}");
    }
}

#[test]
fn calls_that_do_not_look_so() {
    let read = |sql: &str| Footprint::read(sql, Backend::Postgresql).unwrap();
    for sql in [
        "SELECT x.ts_stat FROM unnest(ARRAY['SELECT 1']) AS x",
        "SELECT ('SELECT 1'::text).ts_stat",
        "SELECT (a).x.pg_read_file FROM a",
        "SELECT 1 FROM a ORDER BY a.lo_import",
    ] {
        let footprint = read(sql);
        assert_eq!(footprint.unknown_functions.len(), 1, "{sql}: {footprint:?}");
        assert!(footprint.touches_session, "{sql}");
    }
    let footprint = read("SELECT a.\"F\", (a).g, lower(x), x::kind, x @@@ 'y', a.* FROM a");
    assert!(footprint.unknown_functions.is_empty());
    for name in ["F", "g", "lower", "kind", "@@@"] {
        assert!(footprint.mentions.contains(name), "{name}: {footprint:?}");
    }
    let added = set(&["g"]);
    let mut grants = poolhouse_database::Grants::default();
    assert!(grants.allow_added(&footprint, &BTreeSet::new()).is_ok());
    assert!(grants.allow_added(&footprint, &added).is_err());
    grants.functions.insert("G".to_owned());
    assert!(grants.allow_added(&footprint, &added).is_ok());
}

#[test]
fn what_the_parser_can_not_read() {
    let granted = |write: &[&str]| poolhouse_database::Grants {
        write: poolhouse_database::Tables::from_iter(write.iter().copied()),
        unparsed: true,
        ..poolhouse_database::Grants::default()
    };
    let narrow = poolhouse_database::Grants {
        unparsed: false,
        read: poolhouse_database::Tables::All,
        write: poolhouse_database::Tables::All,
        ..poolhouse_database::Grants::default()
    };
    for (backends, sql, kind, parameters) in [
        (POSTGRESQL, "TABLE a", StatementKind::Query, 0),
        (BOTH, "SELECT * FROM", StatementKind::Query, 0),
        (
            BOTH,
            "SELECT a b c FROM t WHERE x = $2;",
            StatementKind::Query,
            2,
        ),
        (
            BOTH,
            "/* x */ UPDATE t SET SET x = $1",
            StatementKind::Write,
            1,
        ),
        (
            BOTH,
            "INSERT INTO t VALUES VALUES (1)",
            StatementKind::Write,
            0,
        ),
        (
            BOTH,
            "WITH x AS (DELETE FROM t RETURNING RETURNING 1) SELECT 1",
            StatementKind::Write,
            0,
        ),
        (
            SQLITE,
            "REPLACE INTO t VALUES VALUES (1)",
            StatementKind::Write,
            0,
        ),
        (
            SQLITE,
            "INSERT OR IGNORE INTO t VALUES VALUES (1)",
            StatementKind::Write,
            0,
        ),
    ] {
        for backend in backends {
            let footprint = Footprint::read(sql, *backend)
                .unwrap_or_else(|error| panic!("{backend} {sql}: {error}"));
            assert!(
                footprint.unparsed.is_some() && footprint.touches_session,
                "{sql}"
            );
            assert_eq!(
                (footprint.kind, footprint.parameters),
                (kind, parameters),
                "{sql}"
            );
            let refusal = narrow.allow(&footprint).unwrap_err();
            let message = refusal.message("x");
            assert!(
                message.contains("can't be read") && message.contains("unparsed = true"),
                "{message}"
            );
            assert!(granted(&["t"]).allow(&footprint).is_ok(), "{sql}");
            assert_eq!(
                granted(&[]).allow(&footprint).is_ok(),
                kind == StatementKind::Query,
                "{sql}"
            );
        }
    }
    // Whatever is granted.
    for sql in [
        "CREATE TABLE t t (",
        "nonsense",
        "SELECT a b c; DELETE FROM t",
        "SELECT a b c INTO t FROM t",
        "SELECT 1 AS insert INTO t FROM a a a",
        "SELECT f() insert INTO t FROM a a a",
        "WITH x AS (SELECT 1) SELECT now() insert INTO t FROM a a a",
        "SELECT a b c FROM poolhouse_migrations",
        "SELECT a b c FROM \"Poolhouse_Migrations\"",
        "SELECT a b c FROM 'poolhouse_migrations'",
        "INSERT OR ROLLBACK INTO t VALUES VALUES (1)",
        "COPY t TO TO x",
        "SET SET x",
        "EXPLAIN ANALYZE DELETE FROM t t t",
        "SELECT a b c 'open",
        "SELECT a b c, $0",
    ] {
        for backend in BOTH {
            assert!(Footprint::read(sql, *backend).is_err(), "{backend} {sql}");
        }
    }
}

#[test]
fn what_can_be_read_in_many_ways_is_refused_in_time() {
    for backend in BOTH {
        // Twice as many ways with each, were there no bound.
        for (open, close) in [
            ("position(", ", 1)"),
            ("(position(", ", 1))"),
            ("x + position(", " , 1)"),
        ] {
            let sql = format!("SELECT {}1{}", open.repeat(24), close.repeat(24));
            let read = Footprint::read(&sql, *backend);
            let is_read = read.is_ok_and(|footprint| footprint.unparsed.is_none());
            assert!(!is_read, "{backend} {sql}");
        }
        // In the square of their number, were each compared with all before it.
        let calls = format!("SELECT 1 FROM a(){}", ", a()".repeat(150_000));
        let read = Footprint::read(&calls, *backend);
        assert!(read.is_ok(), "{backend} {:?}", read.err());
    }
}
