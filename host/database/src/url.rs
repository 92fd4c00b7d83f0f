//! Owns reading a database URL, as SQLAlchemy, libpq and sqlx write them, without ever showing its password; leaves a server's parts to `postgresql`.

mod postgresql;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use sqlx::postgres::PgConnectOptions;

/// Where the database is. Its display and debug forms show `***` for the password.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(crate) target: Target,
    shown: String,
    connect_timeout: Option<Duration>,
}

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// SQLite, a file.
    Sqlite,
    /// PostgreSQL, a server.
    Postgresql,
}

/// A URL that can't be used; one sentence that never holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; set `url` in [database] or DATABASE_URL, for example sqlite://poolhouse.db or postgresql://user:password@host:5432/name"
)]
pub struct UrlError(String);

#[derive(Clone)]
pub(crate) enum Target {
    Sqlite(SqliteTarget),
    Postgresql(Box<PostgresTarget>),
}

/// An SQLite file.
#[derive(Clone, Debug)]
pub(crate) struct SqliteTarget {
    pub(crate) path: PathBuf,
    pub(crate) read_only: bool,
    pub(crate) create: bool,
}

/// A PostgreSQL server, user and database.
#[derive(Clone)]
pub(crate) struct PostgresTarget {
    pub(crate) options: PgConnectOptions,
    /// `host:port`, or the socket's folder.
    pub(crate) place: String,
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) ssl_mode: String,
    /// libpq's `allow`: without TLS first, with it where the server insists.
    pub(crate) tls_second: bool,
    /// Whether the URL or the environment gave one; `~/.pgpass` may have given one all the same.
    pub(crate) has_password: bool,
}

impl DatabaseUrl {
    /// Reads `sqlite:` and `postgresql:` URLs, with SQLAlchemy's `+driver` or without.
    ///
    /// # Errors
    /// One sentence that says what is wrong and shows no password.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(UrlError("the database URL has no scheme".to_owned()));
        };
        let scheme = scheme.to_ascii_lowercase();
        match scheme.split('+').next() {
            Some("sqlite" | "sqlite3") => sqlite(rest),
            Some("postgres" | "postgresql") => postgresql::read(rest),
            _ if scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
                && rest.starts_with("//") =>
            {
                Err(UrlError(format!(
                    "the database URL's scheme {scheme:?} is neither sqlite nor postgresql"
                )))
            }
            _ => Err(UrlError(
                "the database URL does not begin with sqlite:// or postgresql://".to_owned(),
            )),
        }
    }

    /// Which database it names.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match self.target {
            Target::Sqlite(_) => Backend::Sqlite,
            Target::Postgresql(_) => Backend::Postgresql,
        }
    }

    /// How long opening a connection may take (libpq's `connect_timeout`), where the URL says so.
    #[must_use]
    pub fn connect_timeout(&self) -> Option<Duration> {
        self.connect_timeout
    }
}

impl FromStr for DatabaseUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "DatabaseUrl({})", self.shown)
    }
}

impl std::fmt::Display for Backend {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Backend::Sqlite => "sqlite",
            Backend::Postgresql => "postgresql",
        })
    }
}

fn sqlite(rest: &str) -> Result<DatabaseUrl, UrlError> {
    // Messages name the file, so what may be a password must not become a part of its name.
    if rest
        .split_once(':')
        .is_some_and(|(_, rest)| rest.contains('@'))
    {
        return Err(UrlError(
            "the SQLite URL has a user and a password, which a file has not; where they are a part of its name, percent-encode : as %3A and @ as %40".to_owned(),
        ));
    }
    let (path, query) = rest
        .split_once('?')
        .map_or((rest, None), |(path, query)| (path, Some(query)));
    let path = decoded(sqlite_path(path), "path")?;
    if path.is_empty() || path == ":memory:" || path == "/:memory:" {
        return Err(UrlError(
            "an SQLite database in memory can't be shared by the connections of a pool, each would have its own: name a file".to_owned(),
        ));
    }
    if path.starts_with("file:") || path.contains('\0') {
        return Err(UrlError(
            "the SQLite path is a plain path, without `file:` and without NUL".to_owned(),
        ));
    }
    let (mut read_only, mut create) = (false, true);
    for (key, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match (&*key, &*value) {
            ("mode", "ro") => (read_only, create) = (true, false),
            ("mode", "rw") => (read_only, create) = (false, false),
            ("mode", "rwc") => (read_only, create) = (false, true),
            ("mode", _) => {
                return Err(UrlError(
                    "the SQLite URL's mode is one of ro, rw, rwc".to_owned(),
                ));
            }
            _ => {
                return Err(UrlError(
                    "the SQLite URL has an unknown parameter; only mode is known".to_owned(),
                ));
            }
        }
    }
    // Four slashes are an absolute path and two a relative one to everybody.
    let slashes = if path.starts_with('/') { "///" } else { "//" };
    let shown = format!("sqlite:{slashes}{path}");
    Ok(DatabaseUrl {
        target: Target::Sqlite(SqliteTarget {
            path: PathBuf::from(path),
            read_only,
            create,
        }),
        shown,
        connect_timeout: None,
    })
}

/// The path in what follows `sqlite:`. Two slashes name a relative path and four an absolute one. Three are a relative
/// path to SQLAlchemy and an absolute one to others: taken for the name of a file beside us, as in `sqlite:///app.db`,
/// unless it has folders and does not begin with a dot, as in `sqlite:///srv/app.db`.
fn sqlite_path(rest: &str) -> &str {
    let Some(path) = rest.strip_prefix("//") else {
        return rest;
    };
    match path.strip_prefix('/') {
        Some(absolute) if absolute.starts_with('/') => absolute,
        Some(name) if name.starts_with('.') || !name.contains('/') => name,
        _ => path,
    }
}

fn decoded(text: &str, what: &str) -> Result<String, UrlError> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| {
            UrlError(format!(
                "the database URL's {what} is not UTF-8 after percent-decoding"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(url: &str) -> String {
        match DatabaseUrl::parse(url).unwrap().target {
            Target::Sqlite(target) => target.path.display().to_string(),
            Target::Postgresql(_) => panic!("{url}"),
        }
    }

    fn server(url: &str) -> PostgresTarget {
        match DatabaseUrl::parse(url).unwrap().target {
            Target::Postgresql(target) => *target,
            Target::Sqlite(_) => panic!("{url}"),
        }
    }

    #[test]
    fn sqlite_paths() {
        for (url, expected) in [
            ("sqlite:///relative.db", "relative.db"),
            ("sqlite:///./relative/a.db", "./relative/a.db"),
            ("sqlite:///../a.db", "../a.db"),
            ("sqlite:////tmp/absolute.db", "/tmp/absolute.db"),
            ("sqlite:///tmp/absolute.db", "/tmp/absolute.db"),
            ("sqlite:////absolute.db", "/absolute.db"),
            ("sqlite://relative/a.db", "relative/a.db"),
            ("sqlite://beside.db", "beside.db"),
            ("sqlite:beside.db", "beside.db"),
            ("sqlite+pysqlite:///a%20b.db?mode=rwc", "a b.db"),
            ("SQLITE:///x.db", "x.db"),
        ] {
            assert_eq!(path(url), expected, "{url}");
        }
        assert_eq!(
            DatabaseUrl::parse("sqlite:////tmp/a.db")
                .unwrap()
                .to_string(),
            "sqlite:////tmp/a.db"
        );
        assert_eq!(
            DatabaseUrl::parse("sqlite://a.db").unwrap().to_string(),
            "sqlite://a.db"
        );
        for bad in [
            "sqlite::memory:",
            "sqlite://",
            "sqlite:///:memory:",
            "sqlite:///a.db?mode=memory",
            "sqlite:///a.db?x=1",
            "sqlite:file:a.db",
            "sqlite:///%FF",
        ] {
            assert!(DatabaseUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn postgres_parts() {
        let target =
            server("postgresql+psycopg2://ann:p%40ss%2Fword@db.example:6432/shop?sslmode=require");
        assert_eq!(
            (
                target.place.as_str(),
                target.user.as_str(),
                target.database.as_str(),
                target.ssl_mode.as_str()
            ),
            ("db.example:6432", "ann", "shop", "require")
        );
        assert_eq!(target.options.get_port(), 6432);
        let target = server("postgres://ann@localhost/shop?host=/run/pg&port=5433&sslmode=require");
        assert_eq!(
            (target.place.as_str(), target.ssl_mode.as_str()),
            ("/run/pg:5433", "disable")
        );
        let target = server("postgres://ann@[::1]:5432/shop?sslmode=allow");
        assert_eq!(target.options.get_host(), "::1");
        assert!(target.tls_second);
    }

    #[test]
    fn hosts_ports_and_sockets_as_libpq_has_them() {
        for (url, place, user, database) in [
            (
                "postgresql://u:p@/db?host=/run/pg&port=5433",
                "/run/pg:5433",
                "u",
                "db",
            ),
            (
                "postgresql:///db?host=/run/pg&user=u",
                "/run/pg:5432",
                "u",
                "db",
            ),
            (
                "postgresql://u@%2Frun%2Fpg:5433/db",
                "/run/pg:5433",
                "u",
                "db",
            ),
            (
                "postgresql://u:p@h/db?host=other&port=5433",
                "other:5433",
                "u",
                "db",
            ),
            ("postgresql://u@h:/db?port=", "h:5432", "u", "db"),
            ("postgresql://u:a@b@h/db", "h:5432", "u", "db"),
            (
                "postgresql://h/?dbname=db&user=u%40corp&password=a+b",
                "h:5432",
                "u@corp",
                "db",
            ),
            ("postgresql://u@[::1]/db", "::1:5432", "u", "db"),
        ] {
            let target = server(url);
            assert_eq!(
                (
                    target.place.as_str(),
                    target.user.as_str(),
                    target.database.as_str()
                ),
                (place, user, database),
                "{url}"
            );
        }
        let timeout = |text: &str| {
            DatabaseUrl::parse(&format!("postgresql://u@h/db?connect_timeout={text}"))
                .map(|url| url.connect_timeout())
        };
        assert_eq!(timeout("7").unwrap(), Some(Duration::from_secs(7)));
        for (url, words) in [
            ("postgresql://u:p@h:abc/db", "from 1 to 65535"),
            ("postgresql://u:p@h:99999/db", "from 1 to 65535"),
            ("postgresql://u:p@h:0/db", "from 1 to 65535"),
            (
                "postgresql://u:p@/db?host=/run/pg&port=x",
                "from 1 to 65535",
            ),
            ("postgresql://u@h1,h2/db", "several hosts"),
            ("postgresql://u@h/db?host=h1,h2", "several hosts"),
            ("postgresql://u@[::1/db", "[::1]:5432"),
            ("postgresql://u@h/db?connect_timeout=0", "seconds from 1"),
            ("postgresql://u@h/db?connect_timeout=soon", "seconds from 1"),
            (
                "postgresql://u@h/db?target_session_attrs=any",
                "target_session_attrs is not known",
            ),
        ] {
            let error = DatabaseUrl::parse(url).unwrap_err().to_string();
            assert!(error.contains(words), "{url}: {error}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for url in [
            "postgresql://ann:hunter2@host/shop",
            "postgresql://ann:hunter2@host:99999/shop",
            "postgresql://ann:hunter2@ho st/shop",
            "postgresql://ann:hunter2@host/shop?sslmode=maybe",
            "postgresql://ann:hunter2@host/shop?unknown=hunter2",
            "postgresql:ann:hunter2@host/shop",
            "postgresql://ann:hunter2%FF@host/shop",
            "postgresql://ann@host/shop?password=hunter2",
            "mysql://ann:hunter2@host/shop",
            "ann:hunter2@host",
            // Special characters that end the authority too early.
            "postgresql://ann:p@hunter2/word@host/shop",
            "postgresql://ann:p/hunter2@host/shop",
            "postgresql://ann:1/hunter2@host/shop",
            "postgresql://ann:1?hunter2@host/shop",
            "postgresql://ann:1#hunter2@host/shop",
            "postgresql://ann:1?hunter2=@host/shop",
            "postgresql:///ann:hunter2@host/shop",
            "postgresql:/ann:hunter2@host/shop",
            "postgresql://ann:p:hunter2",
            "postgresql://ann:[hunter2]@host:x/shop",
            // Out of its place.
            "postgresql://ann@host/shop?hunter2",
            "postgresql://ann@host/shop?hunter2=x",
            "postgresql://ann@host/shop?passwd=hunter2",
            "postgresql://ann@host/shop?options=hunter2",
            "postgresql://ann@host/shop?sslmode=hunter2",
            "postgresql://ann@host/shop?port=hunter2",
            "postgresql://ann@host/shop?connect_timeout=hunter2",
            "postgresql://ann@host:hunter2/shop",
            "sqlite://ann:hunter2@host/shop.db",
            "sqlite:///ann:hunter2@host/shop.db",
            "sqlite://ann:hunter2/x@host/shop.db",
            "sqlite:postgresql://ann:hunter2@host/shop",
            "sqlite://shop.db?hunter2",
            "sqlite://shop.db?mode=hunter2",
            "sqlite://shop.db?password=hunter2",
            "hunter2",
            "",
        ] {
            let shown = match DatabaseUrl::parse(url) {
                Ok(url) => format!("{url} {url:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!shown.contains("hunter2"), "{url}: {shown}");
            assert!(!shown.contains("%FF"), "{url}: {shown}");
        }
        assert_eq!(
            DatabaseUrl::parse("postgresql://ann:hunter2@host/shop?sslmode=disable")
                .unwrap()
                .to_string(),
            "postgresql://ann:***@host:5432/shop?sslmode=disable"
        );
    }
}
