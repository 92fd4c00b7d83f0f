//! Owns asking a server which functions somebody has added to its own; leaves what that means to the grants.

use std::collections::BTreeSet;

use sqlx::postgres::PgConnection;
use sqlx::{Executor, Row};

use crate::footprint::is_harmless;

/// Whatever has the name of a function or operator that is not PostgreSQL's own, or of a type whose casts or checks call one: of
/// a cast between an added type and the server's own, the added one. What an extension brings counts only where it does
/// more than compute; triggers can't be called.
const ADDED: &str = "WITH added AS (
    SELECT p.oid, p.proname, p.provolatile, EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::regclass
        AND d.objid = p.oid AND d.deptype = 'e') AS is_extensions
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
        AND p.prorettype NOT IN ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)
), counted AS (SELECT * FROM added WHERE NOT is_extensions OR provolatile <> 'i')
SELECT proname::text, is_extensions::text FROM counted
UNION ALL SELECT o.oprname::text, 'false' FROM pg_catalog.pg_operator o JOIN counted ON counted.oid = o.oprcode
UNION ALL SELECT t.typname::text, 'false' FROM pg_catalog.pg_cast c JOIN counted ON counted.oid = c.castfunc
    JOIN pg_catalog.pg_type t ON t.oid IN (c.castsource, c.casttarget)
    WHERE t.typnamespace <> 'pg_catalog'::regnamespace OR (SELECT count(*) = 2 FROM pg_catalog.pg_type own
        WHERE own.oid IN (c.castsource, c.casttarget) AND own.typnamespace = 'pg_catalog'::regnamespace)
UNION ALL SELECT t.typname::text, 'false' FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_type t ON t.oid = c.contypid
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_constraint'::regclass AND d.objid = c.oid
        AND d.refclassid = 'pg_catalog.pg_proc'::regclass
    JOIN counted ON counted.oid = d.refobjid";

/// The names of what was added. One look when a connection is opened: what is added later is seen by later connections.
pub(super) async fn functions(
    connection: &mut PgConnection,
) -> Result<BTreeSet<String>, sqlx::Error> {
    let rows = connection.fetch_all(sqlx::raw_sql(ADDED)).await?;
    let mut names = BTreeSet::new();
    for row in rows {
        let name = row
            .try_get_raw(0)?
            .as_str()
            .map_err(sqlx::Error::Decode)?
            .to_owned();
        let is_extensions = row.try_get_raw(1)?.as_str().map_err(sqlx::Error::Decode)? == "true";
        if !(is_extensions && is_harmless(&name)) {
            names.insert(name);
        }
    }
    Ok(names)
}
