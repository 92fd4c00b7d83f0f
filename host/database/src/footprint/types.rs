//! Owns which types the columns of a migration may have: PostgreSQL takes the name of any table for one, and would keep
//! that table from changing.

use sqlparser::ast::DataType;

use crate::error::Error;
use crate::url::Backend;

const POSTGRESQL: &str = "smallint int integer bigint int2 int4 int8 real float float4 float8 double decimal dec numeric boolean \
    bool text char character varchar bpchar bytea date time timestamp timestamptz timetz interval uuid json jsonb jsonpath bit \
    varbit xml inet cidr macaddr macaddr8 money serial bigserial smallserial serial2 serial4 serial8 tsvector tsquery int4range \
    int8range numrange tsrange tstzrange daterange int4multirange int8multirange nummultirange tsmultirange tstzmultirange \
    datemultirange point line lseg box path polygon circle name oid pg_lsn nchar citext hstore ltree vector geometry geography";

/// Refuses a type that is not known to be no table's. On SQLite a type is a word without a meaning of its own.
pub(super) fn check(data_type: &DataType, backend: Backend) -> Result<(), Error> {
    if backend == Backend::Sqlite {
        return Ok(());
    }
    let written = data_type.to_string().to_ascii_lowercase();
    let name = written.strip_prefix("pg_catalog.").unwrap_or(&written);
    let end = name.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let word = name.get(..end.unwrap_or(name.len())).unwrap_or_default();
    let is_whole = !name
        .get(word.len()..)
        .is_some_and(|rest| rest.starts_with('.'));
    if is_whole
        && POSTGRESQL
            .split_ascii_whitespace()
            .any(|known| known == word)
    {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the type {data_type} is not known to be a type of PostgreSQL's own, and the name of a table is a type as well: use one of its own, such as text with a CHECK"
    )))
}
