//! Owns reading PostgreSQL's and the driver's errors into the contract's.

use std::io;
use std::time::Duration;

use sqlx::postgres::{PgDatabaseError, PgErrorPosition, PgSeverity};

use crate::error::{ConflictKind, ConstraintKind, Error, TimeoutKind, UnavailableReason};
use crate::statement::Failed;
use crate::url::PostgresTarget;

use super::wrapped::COLUMNS;

/// What became of a statement on an open connection.
pub(super) fn failed(error: sqlx::Error, place: &str) -> Failed {
    if let sqlx::Error::Database(database) = &error
        && let Some(postgres) = database.try_downcast_ref::<PgDatabaseError>()
    {
        let gone = matches!(postgres.severity(), PgSeverity::Fatal | PgSeverity::Panic)
            || is_connection_error(postgres.code());
        if is_stale(postgres) {
            return Failed {
                refused: !gone,
                ..stale()
            };
        }
        return Failed {
            error: statement(postgres, place),
            refused: !gone,
            broken: gone,
        };
    }
    match error {
        sqlx::Error::Encode(source) => Failed::ours(Error::invalid(format!(
            "a parameter can't be sent: {source}"
        ))),
        sqlx::Error::TypeNotFound { type_name } => Failed {
            error: Error::invalid(format!("the type {type_name:?} is not known")),
            refused: true,
            broken: true,
        },
        other => {
            let message = format!(
                "the connection to PostgreSQL at {place} broke: {}",
                io_words(&other).unwrap_or_else(|| other.to_string())
            );
            Failed::broken(Error::unavailable(UnavailableReason::Unreachable, message))
        }
    }
}

/// What became of preparing a statement.
pub(super) fn prepare(error: sqlx::Error, place: &str) -> Failed {
    match error {
        // The driver has read the statement's types from the catalog, and knows not what to make of one.
        sqlx::Error::ColumnDecode { source, .. } => unknown_type(&source.to_string()),
        sqlx::Error::Decode(source) => unknown_type(&source.to_string()),
        sqlx::Error::Protocol(reason) if reason.contains("type OIDs") => unknown_type(&reason),
        other => failed(other, place),
    }
}

/// The server keeps such a statement, and the driver does not know that it does: the connection is closed.
fn unknown_type(reason: &str) -> Failed {
    Failed::broken(Error::invalid(format!(
        "a column or a parameter of the statement has a type that can't be asked for ({reason}; multiranges are such): cast a column to text, for example c::text, and write a placeholder as $N::text::int4multirange"
    )))
}

/// What a statement comes to that was prepared before its table changed: the next connection prepares it anew.
pub(super) fn stale() -> Failed {
    Failed::broken(Error::Conflict {
        kind: ConflictKind::Serialization,
        message: "the table's columns changed since the statement was prepared: run it again"
            .to_owned(),
    })
}

fn is_stale(error: &PgDatabaseError) -> bool {
    match error.code() {
        "0A000" => error
            .message()
            .contains("cached plan must not change result type"),
        // Fewer columns than the text around the statement names.
        "42P10" => error.message().contains(COLUMNS),
        _ => false,
    }
}

/// Why no connection could be opened.
pub(super) fn connect(error: &sqlx::Error, target: &PostgresTarget) -> Error {
    let place = &target.place;
    if let sqlx::Error::Database(database) = error
        && let Some(postgres) = database.try_downcast_ref::<PgDatabaseError>()
    {
        return refused(postgres, target);
    }
    match error {
        sqlx::Error::Tls(source) if source.to_string().contains("does not support TLS") => {
            Error::unavailable(
                UnavailableReason::Tls,
                format!(
                    "PostgreSQL at {place} does not support TLS, but sslmode={} asks for it: turn TLS on in the server, or set sslmode=prefer or disable in `url`",
                    target.ssl_mode
                ),
            )
        }
        sqlx::Error::Tls(source) => tls(place, &source.to_string()),
        sqlx::Error::Io(source) if is_certificate_error(source) => tls(place, &source.to_string()),
        // Over TCP only the files of TLS can be missing.
        sqlx::Error::Io(source)
            if source.kind() == io::ErrorKind::NotFound && target.ssl_mode != "disable" =>
        {
            Error::unavailable(
                UnavailableReason::Tls,
                format!(
                    "TLS to PostgreSQL at {place} can't begin: a file that `url` names as sslrootcert, sslcert or sslkey does not exist"
                ),
            )
        }
        // The server hung up in the middle of the handshake.
        sqlx::Error::Protocol(message) if message.contains("SSLRequest") => Error::unavailable(
            UnavailableReason::Unreachable,
            format!(
                "cannot reach PostgreSQL at {place} (what answers there is not PostgreSQL, or hung up): is `url` in [database] / DATABASE_URL right?"
            ),
        ),
        other => Error::unavailable(
            UnavailableReason::Unreachable,
            format!(
                "cannot reach PostgreSQL at {place} ({}): is the server running, and is `url` in [database] / DATABASE_URL right?",
                io_words(other).unwrap_or_else(|| other.to_string())
            ),
        ),
    }
}

pub(super) fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .map(std::borrow::Cow::into_owned)
}

fn refused(error: &PgDatabaseError, target: &PostgresTarget) -> Error {
    let PostgresTarget {
        place,
        user,
        database,
        ..
    } = target;
    let (reason, message) = match error.code() {
        "28P01" if !target.has_password => (
            UnavailableReason::Authentication,
            format!(
                "PostgreSQL at {place} asks user {user:?} for a password, and `url` in [database] / DATABASE_URL has none: write it as postgresql://user:password@host/name, with special characters percent-encoded"
            ),
        ),
        "28P01" => (
            UnavailableReason::Authentication,
            format!(
                "PostgreSQL at {place} refused the password of user {user:?}: check user and password in `url` in [database] / DATABASE_URL"
            ),
        ),
        "28000" => (
            UnavailableReason::Authentication,
            format!(
                "PostgreSQL at {place} refused user {user:?} ({}): check user, password and sslmode in `url`, and the server's pg_hba.conf",
                error.message()
            ),
        ),
        "3D000" => (
            UnavailableReason::NoDatabase,
            format!(
                "PostgreSQL at {place} has no database {database:?}: create it, or correct the name at the end of `url` in [database] / DATABASE_URL"
            ),
        ),
        "53300" => (
            UnavailableReason::NotReady,
            format!(
                "PostgreSQL at {place} has no connection left ({}): lower pool_size and max_overflow in [database], or raise the server's max_connections",
                error.message()
            ),
        ),
        "57P03" => (
            UnavailableReason::Starting,
            format!(
                "PostgreSQL at {place} is not ready ({}): it is starting up or shutting down, try again shortly",
                error.message()
            ),
        ),
        // The server's own sentence quotes the setting, and what stands in its place may be a password.
        code if code == "42704" || code.starts_with("22") => (
            UnavailableReason::Other,
            format!(
                "PostgreSQL at {place} refused a setting of the session (SQLSTATE {code}): correct `options` in `url` in [database] / DATABASE_URL, or PGOPTIONS"
            ),
        ),
        _ => (
            UnavailableReason::Other,
            format!(
                "PostgreSQL at {place} refused the connection: {} (SQLSTATE {})",
                error.message(),
                error.code()
            ),
        ),
    };
    Error::unavailable(reason, message)
}

fn tls(place: &str, cause: &str) -> Error {
    Error::unavailable(
        UnavailableReason::Tls,
        format!(
            "TLS to PostgreSQL at {place} failed ({cause}): for a certificate that is not trusted give its authority's file as sslrootcert in `url`, or set sslmode=require to take any"
        ),
    )
}

fn is_certificate_error(error: &io::Error) -> bool {
    let text = error.to_string();
    error.kind() == io::ErrorKind::InvalidData
        || text.contains("certificate")
        || text.contains("tls")
}

fn io_words(error: &sqlx::Error) -> Option<String> {
    let sqlx::Error::Io(error) = error else {
        return None;
    };
    Some(match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused".to_owned(),
        io::ErrorKind::NotFound => "no such socket".to_owned(),
        io::ErrorKind::TimedOut => "timed out".to_owned(),
        io::ErrorKind::UnexpectedEof => "it hung up".to_owned(),
        _ => error.to_string(),
    })
}

fn is_connection_error(code: &str) -> bool {
    code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03" | "57P05")
}

fn statement(error: &PgDatabaseError, place: &str) -> Error {
    let message = error.message().to_owned();
    let constraint = |kind| Error::Constraint {
        kind,
        message: message.clone(),
        name: error.constraint().unwrap_or_default().to_owned(),
        table: error.table().unwrap_or_default().to_owned(),
        columns: error
            .column()
            .map(|column| vec![column.to_owned()])
            .unwrap_or_else(|| error.detail().map(key_columns).unwrap_or_default()),
    };
    let conflict = |kind| Error::Conflict {
        kind,
        message: message.clone(),
    };
    match error.code() {
        "23505" => constraint(ConstraintKind::Unique),
        "23503" | "23001" => constraint(ConstraintKind::ForeignKey),
        "23502" => constraint(ConstraintKind::NotNull),
        "23514" => constraint(ConstraintKind::Check),
        "23P01" => constraint(ConstraintKind::Exclusion),
        "40001" => conflict(ConflictKind::Serialization),
        "40P01" => conflict(ConflictKind::Deadlock),
        "55P03" => conflict(ConflictKind::Busy),
        "57014" if message.contains("timeout") => Error::Timeout {
            kind: TimeoutKind::Statement,
            message,
            limit: Duration::ZERO,
        },
        // What it lacks only whoever asked can be told.
        "42501" => Error::Denied(message),
        code if is_connection_error(code)
            || matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic) =>
        {
            Error::unavailable(
                UnavailableReason::NotReady,
                format!("PostgreSQL at {place} ended the connection: {message}"),
            )
        }
        code => Error::Statement {
            code: code.to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
            position: match error.position() {
                Some(PgErrorPosition::Original(position)) => u32::try_from(position).ok(),
                _ => None,
            },
            message,
        },
    }
}

/// `Key (a, b)=(1, 2) already exists.` tells the columns, in whatever language; names in quotes lose them, and an
/// expression is no column. A row that is still referenced from `table` is told by the key of the other table.
fn key_columns(detail: &str) -> Vec<String> {
    if detail.contains("referenced from table") {
        return Vec::new();
    }
    let Some((_, list)) = detail.split_once('(') else {
        return Vec::new();
    };
    let (mut columns, mut part) = (Vec::new(), String::new());
    let (mut depth, mut quote) = (0_usize, None);
    for (at, letter) in list.char_indices() {
        match (letter, quote) {
            (_, Some(open)) if letter == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(letter),
            ('(', None) => depth += 1,
            (')', None) if depth == 0 => {
                // Only values stand behind the key; else it is another sentence.
                let rest = list.get(at..).unwrap_or_default();
                // A partition's key is written with spaces.
                if !rest.starts_with(")=(") && !rest.starts_with(") = (") {
                    return Vec::new();
                }
                columns.extend(column_name(&part));
                return columns;
            }
            (')', None) => depth -= 1,
            (',', None) if depth == 0 => {
                columns.extend(column_name(&part));
                part.clear();
                continue;
            }
            _ => {}
        }
        part.push(letter);
    }
    Vec::new()
}

/// A name as the server writes one; none where it is an expression.
fn column_name(part: &str) -> Option<String> {
    let part = part.trim();
    if let Some(quoted) = part.strip_prefix('"') {
        let name = quoted.strip_suffix('"')?.replace("\"\"", "\u{0}");
        return (!name.contains('"')).then(|| name.replace('\u{0}', "\""));
    }
    let is_plain = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
    (!part.is_empty() && part.chars().all(is_plain)).then(|| part.to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_of_a_key() {
        for (detail, columns) in [
            ("Key (a, b)=(1, 2) already exists.", vec!["a", "b"]),
            (
                "Key (id)=(7) is not present in table \"users\".",
                vec!["id"],
            ),
            ("Key (\"Odd Name\")=(x) already exists.", vec!["Odd Name"]),
            (
                "Key (\"a, b)=(\", \"c\"\"d\")=(x, y) already exists.",
                vec!["a, b)=(", "c\"d"],
            ),
            ("Key (lower(a, ')'), b)=(x, y) already exists.", vec!["b"]),
            (
                "Key (room, during)=(1, [1,3)) conflicts with existing key (room, during)=(1, [2,4)).",
                vec!["room", "during"],
            ),
            ("Schlüssel »(größe)=(1)« existiert bereits.", vec!["größe"]),
            ("Key (id)=(1) is still referenced from table \"c\".", vec![]),
            ("Failing row contains (1, null).", vec![]),
            (
                "Partition key of the failing row contains (n) = (1).",
                vec!["n"],
            ),
            ("Key (a", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(super::key_columns(detail), columns, "{detail}");
        }
    }
}
