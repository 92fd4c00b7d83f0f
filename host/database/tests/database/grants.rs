//! Owns what grants allow: the pure function, and that a chain obeys it.

use std::collections::BTreeSet;

use poolhouse_database::{
    Actor, Backend, Error, Footprint, Grants, Refusal, Tables, Within, toml_key,
};

use crate::both::{both, everything};

fn grants(read: &[&str], write: &[&str], migrate: bool) -> Grants {
    Grants {
        read: Tables::from_iter(read.iter().copied()),
        write: Tables::from_iter(write.iter().copied()),
        migrate,
        ..Grants::default()
    }
}

#[test]
fn the_table() {
    let read = |table: &str| Err(Refusal::Read(table.to_owned()));
    let write = |table: &str| Err(Refusal::Write(table.to_owned()));
    let all = everything().grants;
    for (sql, grants, expected) in [
        ("SELECT * FROM a", grants(&["a"], &[], false), Ok(())),
        ("SELECT * FROM a", grants(&["b"], &[], false), read("a")),
        ("SELECT * FROM a", grants(&[], &["a"], false), read("a")),
        (
            "SELECT * FROM a JOIN b USING (id)",
            grants(&["a"], &[], false),
            read("b"),
        ),
        ("SELECT 1", grants(&["a"], &[], false), Ok(())),
        ("SELECT 1", Grants::default(), Err(Refusal::Nothing)),
        (
            "INSERT INTO a VALUES (1)",
            grants(&[], &["a"], false),
            Ok(()),
        ),
        (
            "INSERT INTO a VALUES (1)",
            grants(&["a"], &[], false),
            write("a"),
        ),
        (
            "INSERT INTO a VALUES (1) RETURNING id",
            grants(&[], &["a"], false),
            read("a"),
        ),
        (
            "INSERT INTO a SELECT * FROM b",
            grants(&["a"], &["a"], false),
            read("b"),
        ),
        ("UPDATE a SET x = 1", grants(&["a"], &["a"], false), Ok(())),
        ("UPDATE a SET x = 1", grants(&[], &["a"], false), read("a")),
        (
            "WITH d AS (DELETE FROM a RETURNING *) SELECT * FROM d",
            grants(&["a"], &[], false),
            write("a"),
        ),
        (
            "SELECT * FROM a FOR UPDATE",
            grants(&["a"], &[], false),
            write("a"),
        ),
        (
            "CREATE TABLE a (id int)",
            grants(&["a"], &["a"], false),
            Err(Refusal::Ddl),
        ),
        ("CREATE TABLE a (id int)", grants(&[], &["a"], true), Ok(())),
        (
            "CREATE TABLE b (id int)",
            grants(&[], &["a"], true),
            write("b"),
        ),
        (
            "CREATE TABLE a (id int REFERENCES b (id))",
            grants(&["b"], &["a"], true),
            write("b"),
        ),
        ("DROP TABLE b", grants(&["b"], &["a"], true), write("b")),
        (
            "SELECT * FROM poolhouse_migrations",
            all.clone(),
            Err(Refusal::Host("poolhouse_migrations".to_owned())),
        ),
        (
            "DELETE FROM public.poolhouse_migrations",
            all.clone(),
            Err(Refusal::Host("poolhouse_migrations".to_owned())),
        ),
        (
            "SELECT * FROM \"other\".\"Poolhouse_Migrations\"",
            all.clone(),
            Err(Refusal::Host("other.Poolhouse_Migrations".to_owned())),
        ),
        (
            "SELECT query_to_xml('SELECT * FROM users', true, true, '')",
            grants(&["a"], &["a"], true),
            Err(Refusal::Function("query_to_xml".to_owned())),
        ),
        (
            "SELECT query_to_xml('SELECT * FROM users', true, true, '')",
            Grants {
                functions: BTreeSet::new(),
                ..all.clone()
            },
            Err(Refusal::Function("query_to_xml".to_owned())),
        ),
        (
            "SELECT pg_catalog.Query_To_Xml('SELECT * FROM users', true, true, '')",
            Grants {
                functions: ["QUERY_TO_XML".to_owned()].into(),
                ..grants(&["a"], &[], false)
            },
            Ok(()),
        ),
        (
            "SELECT other.f()",
            Grants {
                functions: ["other.f".to_owned()].into(),
                ..Grants::default()
            },
            Ok(()),
        ),
        (
            "SELECT other.f()",
            Grants {
                functions: ["f".to_owned()].into(),
                ..Grants::default()
            },
            Err(Refusal::Function("other.f".to_owned())),
        ),
        ("SELECT * FROM pg_authid", all.clone(), read("pg_authid")),
        (
            "SELECT * FROM information_schema.tables",
            all.clone(),
            read("information_schema.tables"),
        ),
        (
            "SELECT * FROM db.pg_catalog.pg_class",
            all.clone(),
            read("db.pg_catalog.pg_class"),
        ),
        (
            "SELECT * FROM sqlite_sequence",
            all.clone(),
            read("sqlite_sequence"),
        ),
        ("SELECT * FROM pg_catalog.pg_proc", all.clone(), Ok(())),
        (
            "SELECT * FROM pg_stat_activity",
            grants(&["pg_catalog.pg_stat_activity"], &[], false),
            Ok(()),
        ),
        (
            "SELECT * FROM poolhouse_anything",
            grants(&["poolhouse_anything"], &[], false),
            Err(Refusal::Host("poolhouse_anything".to_owned())),
        ),
        (
            "CREATE TABLE poolhouse_migrations (id int)",
            all.clone(),
            Err(Refusal::Host("poolhouse_migrations".to_owned())),
        ),
        (
            "ALTER TABLE a RENAME TO \"Poolhouse_Migrations\"",
            all.clone(),
            Err(Refusal::Host("Poolhouse_Migrations".to_owned())),
        ),
        (
            "DROP INDEX poolhouse_migrations_pkey",
            all.clone(),
            Err(Refusal::Host("poolhouse_migrations_pkey".to_owned())),
        ),
        (
            "ALTER TABLE other.a RENAME TO b",
            grants(&[], &["other.a", "b"], true),
            write("other.b"),
        ),
        (
            "SELECT * FROM \"other.c\"",
            grants(&["other.c"], &[], false),
            read("\"other.c\""),
        ),
        (
            "SELECT set_config('role', 'x', false)",
            grants(&["a"], &[], false),
            Err(Refusal::Function("set_config".to_owned())),
        ),
        (
            "SELECT public.lower('x')",
            grants(&["a"], &[], false),
            Err(Refusal::Function("public.lower".to_owned())),
        ),
        (
            "SELECT pg_catalog.lower('x'), upper('y'), now()",
            grants(&["a"], &[], false),
            Ok(()),
        ),
        (
            "SELECT * FROM other.a",
            grants(&["a"], &[], false),
            read("other.a"),
        ),
        ("SELECT * FROM public.a", grants(&["a"], &[], false), Ok(())),
        (
            "SELECT * FROM pg_catalog.pg_authid",
            grants(&["a"], &[], false),
            read("pg_catalog.pg_authid"),
        ),
    ] {
        let footprint = Footprint::read(sql, Backend::Postgresql).unwrap();
        assert_eq!(grants.allow(&footprint), expected, "{sql}");
    }
}

#[test]
fn the_messages_have_the_lines_to_add() {
    let message = Refusal::Read("users".to_owned()).message("order-manager");
    assert_eq!(
        message,
        "plugin \"order-manager\" may not read table \"users\"; add to [plugins.order-manager] in host.toml: database = { read = [\"users\"] }, beside what it may do already"
    );
    for (refusal, plugin, words) in [
        (
            Refusal::Write("users".to_owned()),
            "a b",
            ["[plugins.\"a b\"]", "write = [\"users\"]"],
        ),
        (
            Refusal::Read("a\u{1}\"\\é".to_owned()),
            "ü.x",
            ["[plugins.\"ü.x\"]", "read = [\"a\\u0001\\\"\\\\é\"]"],
        ),
        (Refusal::Ddl, "x", ["[plugins.x]", "migrate = true"]),
        (Refusal::Nothing, "x", ["[plugins.x]", "read = [\"TABLE\"]"]),
    ] {
        let message = refusal.message(plugin);
        assert!(
            words.iter().all(|word| message.contains(word)),
            "{refusal:?}: {message}"
        );
        assert!(
            message.contains("database = {") && message.contains("host.toml"),
            "{message}"
        );
    }
}

#[test]
fn keys_are_toml() {
    for (name, key) in [
        ("order-manager", "order-manager"),
        ("a_1", "a_1"),
        ("", "\"\""),
        ("a.b", "\"a.b\""),
        ("a'b", "\"a'b\""),
        ("a\"b\\c", "\"a\\\"b\\\\c\""),
        ("ü\0\n\u{7f}\u{200b}", "\"ü\\u0000\\u000A\\u007F\u{200b}\""),
    ] {
        assert_eq!(toml_key(name), key, "{name:?}");
    }
}

#[tokio::test]
async fn a_chain_obeys() {
    for opened in both().await {
        opened
            .ddl("CREATE TABLE a (id INTEGER); CREATE TABLE b (id INTEGER)")
            .await;
        let actor = Actor::new("narrow", grants(&["a"], &["a"], true));
        let mut chain = opened.chain();
        chain
            .execute(&actor, Within::Session, "INSERT INTO a VALUES (1)", &[])
            .await
            .unwrap();
        for sql in [
            "SELECT * FROM b",
            "SELECT * FROM a WHERE id IN (SELECT id FROM b)",
            "DELETE FROM b",
            "CREATE TABLE a (id INTEGER)",
            "DROP TABLE a",
            "SELECT * FROM poolhouse_migrations",
        ] {
            let error = chain
                .query(&actor, Within::Session, sql, &[])
                .await
                .unwrap_err();
            assert!(matches!(&error, Error::Denied(_)), "{sql}: {error:?}");
        }
        let none = Actor::new(
            "none",
            Grants {
                read: Tables::Some(BTreeSet::new()),
                ..Grants::default()
            },
        );
        // Whatever is granted, and whatever it is.
        let all = everything();
        for actor in [&none, &actor, &all] {
            for sql in [
                "CREATE TABLE c (id INTEGER)",
                "CREATE TABLE a (id INTEGER)",
                "CREATE TABLE poolhouse_migrations (id INTEGER)",
                "CREATE INDEX b_id ON b (id)",
                "ALTER TABLE a ADD COLUMN x TEXT",
                "DROP TABLE a",
                "/* b */ -- a\n drop index b_id",
                "CREATE VIEW v AS SELECT 1",
                "CREATE TEMP TABLE c (id INTEGER)",
                "CREATE TABLE c (id INTEGER); DROP TABLE a",
                "CREATE TABLE c (",
            ] {
                for outcome in [
                    chain
                        .query(actor, Within::Session, sql, &[])
                        .await
                        .map(|_| ()),
                    chain
                        .execute(actor, Within::Session, sql, &[])
                        .await
                        .map(|_| ()),
                ] {
                    let Err(Error::Denied(message)) = outcome else {
                        panic!("{sql}: {outcome:?}")
                    };
                    let words = [
                        "DDL belongs in the plugin's migrations",
                        &format!("[plugins.{}]", actor.plugin),
                        "database = {",
                        "migrate = true",
                    ];
                    assert!(
                        words.iter().all(|word| message.contains(word)),
                        "{sql}: {message}"
                    );
                }
            }
        }
        assert!(matches!(
            chain.query(&none, Within::Session, "SELECT 1", &[]).await,
            Err(Error::Denied(_))
        ));
        assert!(matches!(
            chain.begin(&none, Default::default()).await,
            Err(Error::Denied(_))
        ));
    }
}
