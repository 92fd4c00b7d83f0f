//! Owns the list of what can be left behind, and of the ways to give a connection back.

/// How a connection comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GivenBack {
    Released,
    Dropped,
    /// The future that worked on it was dropped.
    Cancelled,
}

/// Something left behind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dirt {
    Sql(&'static str),
    /// The same, and it fails.
    Failing(&'static str),
    HalfReadCopy,
    HalfReadStatement,
}

pub(super) const WAYS: [GivenBack; 3] = [
    GivenBack::Released,
    GivenBack::Dropped,
    GivenBack::Cancelled,
];

/// What the reset of a PostgreSQL session takes away: the same connection is lent again.
pub(super) const POSTGRESQL: &[(&str, Dirt)] = &[
    ("a transaction", Dirt::Sql("BEGIN")),
    ("a write", Dirt::Sql("BEGIN; INSERT INTO t VALUES (7)")),
    ("a savepoint", Dirt::Sql("BEGIN; SAVEPOINT s")),
    (
        "a failed transaction",
        Dirt::Failing("BEGIN; INSERT INTO t VALUES (7); SELECT 1/0"),
    ),
    ("a setting", Dirt::Sql("SET statement_timeout = '7s'")),
    ("a search path", Dirt::Sql("SET search_path TO nowhere")),
    ("a name", Dirt::Sql("SET application_name = 'somebody'")),
    ("an encoding", Dirt::Sql("SET client_encoding = 'LATIN1'")),
    (
        "a setting of ours",
        Dirt::Sql("SET client_min_messages = 'debug1'"),
    ),
    (
        "a mode of transactions",
        Dirt::Sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"),
    ),
    ("a role", Dirt::Sql("SET ROLE somebody")),
    ("a user", Dirt::Sql("SET SESSION AUTHORIZATION somebody")),
    ("a channel", Dirt::Sql("LISTEN gossip")),
    (
        "a lock of the session",
        Dirt::Sql("SELECT pg_advisory_lock(7)"),
    ),
    (
        "locks taken twice",
        Dirt::Sql("SELECT pg_advisory_lock(7), pg_advisory_lock(7), pg_advisory_lock_shared(8)"),
    ),
    (
        "a lock of the transaction",
        Dirt::Sql("BEGIN; SELECT pg_advisory_xact_lock(7)"),
    ),
    (
        "a temporary table",
        Dirt::Sql("CREATE TEMP TABLE t AS SELECT 1 AS id"),
    ),
    (
        "a temporary function",
        Dirt::Sql("CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    ),
    (
        "a cursor",
        Dirt::Sql("BEGIN; DECLARE c CURSOR FOR SELECT 1"),
    ),
    (
        "a cursor that outlives its transaction",
        Dirt::Sql("DECLARE c CURSOR WITH HOLD FOR SELECT 1"),
    ),
    ("a sequence's value", Dirt::Sql("SELECT nextval('s')")),
];

/// What it does not, or not surely: the connection is closed.
pub(super) const POSTGRESQL_CLOSED: &[(&str, Dirt)] = &[
    ("a prepared statement", Dirt::Sql("PREPARE p AS SELECT 1")),
    ("no prepared statement", Dirt::Sql("DEALLOCATE ALL")),
    ("a half-read COPY", Dirt::HalfReadCopy),
];

pub(super) const SQLITE: &[(&str, Dirt)] = &[
    ("a transaction", Dirt::Sql("BEGIN")),
    (
        "a write",
        Dirt::Sql("BEGIN IMMEDIATE; INSERT INTO t VALUES (7)"),
    ),
    (
        "a savepoint",
        Dirt::Sql("SAVEPOINT s; INSERT INTO t VALUES (7)"),
    ),
    (
        "a failed transaction",
        Dirt::Failing("BEGIN; INSERT INTO t VALUES (7); SELECT nothing"),
    ),
    ("a half-read statement", Dirt::HalfReadStatement),
];

pub(super) const SQLITE_CLOSED: &[(&str, Dirt)] = &[
    ("foreign keys", Dirt::Sql("PRAGMA foreign_keys = 0")),
    ("no writes", Dirt::Sql("PRAGMA query_only = 1")),
    ("LIKE", Dirt::Sql("PRAGMA case_sensitive_like = 1")),
    ("the schema", Dirt::Sql("PRAGMA writable_schema = 1")),
    ("checks", Dirt::Sql("PRAGMA ignore_check_constraints = 1")),
    ("triggers", Dirt::Sql("PRAGMA recursive_triggers = 1")),
    ("the cache", Dirt::Sql("PRAGMA cache_size = 7")),
    ("the wait", Dirt::Sql("PRAGMA busy_timeout = 7")),
    ("durability", Dirt::Sql("PRAGMA synchronous = OFF")),
    ("a size", Dirt::Sql("PRAGMA max_page_count = 777")),
    (
        "a temporary table",
        Dirt::Sql("CREATE TEMP TABLE t (id INTEGER)"),
    ),
    (
        "a temporary view",
        Dirt::Sql("CREATE TEMP VIEW t AS SELECT 7 AS id"),
    ),
    (
        "a temporary trigger",
        Dirt::Sql("CREATE TEMP TRIGGER spy AFTER INSERT ON main.t BEGIN DELETE FROM t; END"),
    ),
    ("another file", Dirt::Sql("ATTACH ':memory:' AS other")),
];
