//! Owns each way to violate a constraint, and what of it a guest is told.

use poolhouse_database::ConstraintKind::{self, Check, Exclusion, ForeignKey, NotNull, Unique};
use poolhouse_database::Error;

use crate::both::{Opened, postgresql, sqlite};

/// Statement, kind, name, table, columns.
type Violation = (
    &'static str,
    ConstraintKind,
    &'static str,
    &'static str,
    &'static [&'static str],
);

async fn each_is_told(opened: &Opened, violations: &[Violation]) {
    let mut wrong = Vec::new();
    for (sql, kind, name, table, columns) in violations {
        let error = opened.execute(sql, &[]).await.unwrap_err();
        let is_told = matches!(&error, Error::Constraint { kind: got, message, name: got_name, table: got_table, columns: got_columns }
            if got == kind && !message.is_empty() && got_name == name && got_table == table && got_columns == columns);
        if !is_told {
            wrong.push(format!("{sql}: {error:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn on_sqlite() {
    let opened = sqlite().await;
    opened
        .ddl(
            "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT UNIQUE);
            CREATE TABLE c (a INTEGER NOT NULL, b INTEGER, p INTEGER REFERENCES p (id) ON DELETE RESTRICT, CONSTRAINT positive CHECK (a > 0), CHECK (b < 100), UNIQUE (a, b));
            CREATE TABLE keyed (x TEXT, y TEXT, PRIMARY KEY (x, y)) WITHOUT ROWID;
            CREATE TABLE bare (x);
            CREATE TABLE lowered (x TEXT, active INTEGER);
            CREATE UNIQUE INDEX \"lower's\" ON lowered (lower(x));
            CREATE UNIQUE INDEX one_active ON lowered (active) WHERE active = 1;
            CREATE TABLE typed (n INTEGER, t TEXT) STRICT;
            CREATE TABLE \"odd, table\" (\"a, b\" INTEGER, c INTEGER, UNIQUE (\"a, b\", c));
            CREATE TABLE guarded (x);
            CREATE TRIGGER guard BEFORE INSERT ON guarded BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: guarded.x'); END;
            CREATE TABLE strict_parent (id INTEGER PRIMARY KEY);
            CREATE TABLE child (id INTEGER REFERENCES strict_parent);
            INSERT INTO p VALUES (1, 'a'); INSERT INTO c VALUES (1, 1, 1); INSERT INTO keyed VALUES ('a', 'b'); INSERT INTO bare (rowid, x) VALUES (1, 1);
            INSERT INTO lowered VALUES ('A', 1); INSERT INTO \"odd, table\" VALUES (1, 1);
            INSERT INTO strict_parent VALUES (1); INSERT INTO child VALUES (1)",
        )
        .await;
    each_is_told(
        &opened,
        &[
            ("INSERT INTO p VALUES (1, 'b')", Unique, "", "p", &["id"]),
            ("INSERT INTO p VALUES (2, 'a')", Unique, "", "p", &["code"]),
            (
                "INSERT INTO c VALUES (1, 1, 1)",
                Unique,
                "",
                "c",
                &["a", "b"],
            ),
            (
                "INSERT INTO keyed VALUES ('a', 'b')",
                Unique,
                "",
                "keyed",
                &["x", "y"],
            ),
            (
                "INSERT INTO keyed VALUES (NULL, 'b')",
                NotNull,
                "",
                "keyed",
                &["x"],
            ),
            (
                "INSERT INTO bare (rowid, x) VALUES (1, 2)",
                Unique,
                "",
                "bare",
                &["rowid"],
            ),
            (
                "INSERT INTO lowered VALUES ('a', 0)",
                Unique,
                "lower's",
                "",
                &[],
            ),
            (
                "INSERT INTO lowered VALUES ('b', 1)",
                Unique,
                "",
                "lowered",
                &["active"],
            ),
            (
                "INSERT INTO \"odd, table\" VALUES (1, 1)",
                Unique,
                "",
                "odd, table",
                &["a, b", "c"],
            ),
            (
                "INSERT INTO c VALUES (NULL, 1, 1)",
                NotNull,
                "",
                "c",
                &["a"],
            ),
            ("UPDATE c SET a = NULL", NotNull, "", "c", &["a"]),
            (
                "INSERT INTO c VALUES (-1, 1, 1)",
                Check,
                "positive",
                "",
                &[],
            ),
            (
                "INSERT INTO c VALUES (2, 100, 1)",
                Check,
                "b < 100",
                "",
                &[],
            ),
            ("INSERT INTO c VALUES (2, 2, 7)", ForeignKey, "", "", &[]),
            ("DELETE FROM p WHERE id = 1", ForeignKey, "", "", &[]),
            ("DELETE FROM strict_parent", ForeignKey, "", "", &[]),
        ],
    )
    .await;
    // A datatype is no constraint of the contract's, and a trigger may say what it likes.
    for (sql, code) in [
        ("INSERT INTO typed VALUES ('x', 'y')", "3091"),
        ("INSERT INTO guarded VALUES (1)", "1811"),
    ] {
        let error = opened.execute(sql, &[]).await.unwrap_err();
        assert!(
            matches!(&error, Error::Statement { code: got, .. } if got == code),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn on_postgresql() {
    let opened = postgresql().await;
    opened
        .ddl(
            "CREATE EXTENSION btree_gist;
            CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN present AS int NOT NULL;
            CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE);
            CREATE TABLE c (a int NOT NULL, b int, p int CONSTRAINT parent REFERENCES p (id), d positive, e present DEFAULT 1,
                CONSTRAINT small CHECK (b < 100), CONSTRAINT pair UNIQUE (a, b));
            CREATE TABLE \"Odd, Table\" (\"a)=(\" int, \"Größe\" int, CONSTRAINT \"odd \"\"one\"\"\" UNIQUE (\"a)=(\", \"Größe\"));
            CREATE TABLE lowered (x text, y int); CREATE UNIQUE INDEX lower_x ON lowered (lower(x), y);
            CREATE TABLE booked (room int, during int4range, CONSTRAINT apart EXCLUDE USING gist (room WITH =, during WITH &&));
            CREATE TABLE parts (n int) PARTITION BY RANGE (n);
            CREATE TABLE kept (p int REFERENCES p (id) ON DELETE RESTRICT);
            INSERT INTO p VALUES (1, 'a'), (2, 'b'); INSERT INTO c VALUES (1, 1, 1); INSERT INTO \"Odd, Table\" VALUES (1, 2);
            INSERT INTO lowered VALUES ('A', 1); INSERT INTO booked VALUES (1, '[1,3)'); INSERT INTO kept VALUES (2)",
        )
        .await;
    each_is_told(
        &opened,
        &[
            (
                "INSERT INTO p VALUES (1, 'b')",
                Unique,
                "p_pkey",
                "p",
                &["id"],
            ),
            (
                "INSERT INTO p VALUES (3, 'a')",
                Unique,
                "p_code_key",
                "p",
                &["code"],
            ),
            (
                "INSERT INTO c VALUES (1, 1, 1)",
                Unique,
                "pair",
                "c",
                &["a", "b"],
            ),
            (
                "INSERT INTO \"Odd, Table\" VALUES (1, 2)",
                Unique,
                "odd \"one\"",
                "Odd, Table",
                &["a)=(", "Größe"],
            ),
            (
                "INSERT INTO lowered VALUES ('a', 1)",
                Unique,
                "lower_x",
                "lowered",
                &["y"],
            ),
            (
                "INSERT INTO c VALUES (NULL, 1, 1)",
                NotNull,
                "",
                "c",
                &["a"],
            ),
            (
                "INSERT INTO p VALUES (NULL, 'c')",
                NotNull,
                "",
                "p",
                &["id"],
            ),
            (
                "INSERT INTO c VALUES (2, 1, 1, 1, NULL)",
                NotNull,
                "",
                "",
                &[],
            ),
            ("INSERT INTO c VALUES (2, 100, 1)", Check, "small", "c", &[]),
            (
                "INSERT INTO c VALUES (2, 2, 1, -1)",
                Check,
                "positive_check",
                "",
                &[],
            ),
            ("INSERT INTO parts VALUES (1)", Check, "", "parts", &["n"]),
            (
                "INSERT INTO c VALUES (2, 2, 7)",
                ForeignKey,
                "parent",
                "c",
                &["p"],
            ),
            // The table is the child's, so the columns can't be the parent's.
            ("DELETE FROM p WHERE id = 1", ForeignKey, "parent", "c", &[]),
            (
                "UPDATE p SET id = 9 WHERE id = 1",
                ForeignKey,
                "parent",
                "c",
                &[],
            ),
            (
                "DELETE FROM p WHERE id = 2",
                ForeignKey,
                "kept_p_fkey",
                "kept",
                &[],
            ),
            (
                "INSERT INTO booked VALUES (1, '[2,4)')",
                Exclusion,
                "apart",
                "booked",
                &["room", "during"],
            ),
        ],
    )
    .await;
}
