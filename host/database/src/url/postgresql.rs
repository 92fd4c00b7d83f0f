//! Owns the parts of a PostgreSQL URL: host, user, TLS, and the driver's options made of them.

use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::{DatabaseUrl, PostgresTarget, Target, UrlError, decoded};

/// The longest connect_timeout, in seconds: an hour.
const MOST_SECONDS: u32 = 3600;

/// Parameters that libpq and SQLAlchemy's drivers know and this host does not. Only these names are repeated in a message:
/// what stands in a parameter's place may be a password.
const OTHERS: [&str; 22] = [
    "channel_binding",
    "client_encoding",
    "fallback_application_name",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "passfile",
    "pool_size",
    "replication",
    "require_auth",
    "requirepeer",
    "service",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcompression",
    "sslcrl",
    "target_session_attrs",
    "tcp_user_timeout",
];

const KNOWN: &str = "sslmode, sslrootcert, sslcert, sslkey, host, port, user, password, dbname, options, connect_timeout, application_name";

pub(super) fn read(rest: &str) -> Result<DatabaseUrl, UrlError> {
    let Some(rest) = rest.strip_prefix("//") else {
        return Err(UrlError(
            "the PostgreSQL URL can't be read: it is postgresql://user:password@host:port/name, with special characters in the password percent-encoded".to_owned(),
        ));
    };
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // A password with one of / ? # in it ends the authority too early, and its @ comes later: nothing of it may be taken
    // for a host, a database or a parameter, which messages name.
    if rest.contains('@') {
        return Err(UrlError(
            "the PostgreSQL URL has an @ behind the host: percent-encode special characters in user, password and parameters, @ as %40, / as %2F, ? as %3F, # as %23".to_owned(),
        ));
    }
    if rest.contains('#') {
        return Err(UrlError(
            "the PostgreSQL URL has a #: percent-encode it as %23".to_owned(),
        ));
    }
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, authority),
    };
    let (user, password) = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
        Some((user, password)) => (decoded(user, "user")?, decoded(password, "password")?),
        None => (String::new(), String::new()),
    };
    let (host, port) = host_and_port(place)?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let database = decoded(path.trim_start_matches('/'), "database name")?;
    let mut parts = Parts {
        host: given(host),
        port,
        user: given(user),
        password: given(password),
        database: given(database),
        ..Parts::default()
    };
    for (at, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value, "parameter")?;
        parts.set(at + 1, &decoded(key, "parameter")?, value)?;
    }
    parts.build()
}

fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// The host without the brackets of an IPv6 address, and the port. The host may be a socket's folder, percent-encoded.
fn host_and_port(place: &str) -> Result<(String, Option<u16>), UrlError> {
    if place.contains(',') {
        return Err(UrlError(
            "the PostgreSQL URL names several hosts; name one".to_owned(),
        ));
    }
    let unreadable = || {
        UrlError(
            "the PostgreSQL URL's host can't be read: an IPv6 address stands in brackets, as in [::1]:5432"
                .to_owned(),
        )
    };
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(unreadable)?;
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(unreadable());
            }
            match port.strip_prefix(':') {
                Some(port) => (host, port),
                None if port.is_empty() => (host, ""),
                None => return Err(unreadable()),
            }
        }
        None => place.split_once(':').unwrap_or((place, "")),
    };
    let host = decoded(host, "host")?;
    if host.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return Err(UrlError(
            "the PostgreSQL URL's host has a space or a control character in it".to_owned(),
        ));
    }
    Ok((
        host,
        match port {
            "" => None,
            port => Some(port_number(port)?),
        },
    ))
}

/// Never quotes what it is given: it may be a part of a password.
fn port_number(text: &str) -> Result<u16, UrlError> {
    text.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
        UrlError(
            "the PostgreSQL URL's port is not a number from 1 to 65535 (it is postgresql://user:password@host:port/name, with special characters in the password percent-encoded)"
                .to_owned(),
        )
    })
}

/// libpq's: whole seconds, for which opening a connection may wait.
fn connect_timeout(text: &str) -> Result<Duration, UrlError> {
    match text.parse::<u32>() {
        Ok(seconds @ 1..=MOST_SECONDS) => Ok(Duration::from_secs(seconds.into())),
        _ => Err(UrlError(format!(
            "the PostgreSQL URL's connect_timeout is not a number of seconds from 1 to {MOST_SECONDS} (nothing waits for ever here)"
        ))),
    }
}

/// What a PostgreSQL URL says, piece by piece.
#[derive(Default)]
struct Parts {
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    ssl_mode: Option<String>,
    ssl: Vec<(SslFile, String)>,
    options: Option<String>,
    connect_timeout: Option<Duration>,
}

enum SslFile {
    Root,
    Certificate,
    Key,
}

impl Parts {
    /// Takes the parameter that stands `at` that place, from 1.
    fn set(&mut self, at: usize, key: &str, value: String) -> Result<(), UrlError> {
        match key {
            "sslmode" | "ssl-mode" => self.ssl_mode = Some(value.to_ascii_lowercase()),
            "sslrootcert" => self.ssl.push((SslFile::Root, value)),
            "sslcert" => self.ssl.push((SslFile::Certificate, value)),
            "sslkey" => self.ssl.push((SslFile::Key, value)),
            "host" | "hostaddr" if value.contains(',') => {
                return Err(UrlError(
                    "the PostgreSQL URL names several hosts; name one".to_owned(),
                ));
            }
            // Empty ones are libpq's for "not given".
            "host" | "hostaddr" => self.host = given(value).or(self.host.take()),
            "port" if value.is_empty() => {}
            "port" => self.port = Some(port_number(&value)?),
            "user" => self.user = given(value).or(self.user.take()),
            "password" => self.password = given(value).or(self.password.take()),
            "dbname" => self.database = given(value).or(self.database.take()),
            // SQLAlchemy writes spaces as +, which no setting's name has.
            "options" => self.options = Some(value.replace('+', " ")),
            "connect_timeout" => self.connect_timeout = Some(connect_timeout(&value)?),
            // The host names its own connections.
            "application_name" => {}
            other if OTHERS.contains(&other) => {
                return Err(UrlError(format!(
                    "the PostgreSQL URL's parameter {other} is not known to this host; known are {KNOWN}"
                )));
            }
            _ => {
                return Err(UrlError(format!(
                    "the PostgreSQL URL's parameter number {at} has an unknown name; known are {KNOWN}"
                )));
            }
        }
        Ok(())
    }

    fn build(self) -> Result<DatabaseUrl, UrlError> {
        let mut ssl_mode = self
            .ssl_mode
            .clone()
            .or_else(|| std::env::var("PGSSLMODE").ok())
            .unwrap_or_else(|| "prefer".to_owned());
        let has_root = self
            .ssl
            .iter()
            .any(|(file, _)| matches!(file, SslFile::Root));
        let mode = match ssl_mode.as_str() {
            "disable" | "allow" => PgSslMode::Disable,
            "prefer" => PgSslMode::Prefer,
            // libpq's rule: a root certificate given to `require` is used.
            "require" if has_root => PgSslMode::VerifyCa,
            "require" => PgSslMode::Require,
            "verify-ca" => PgSslMode::VerifyCa,
            "verify-full" => PgSslMode::VerifyFull,
            _ => return Err(UrlError("the PostgreSQL URL's sslmode is one of disable, allow, prefer, require, verify-ca, verify-full".to_owned())),
        };
        let mut options = self.base()?;
        let is_socket = self.host.as_deref().map_or_else(
            || options.get_socket().is_some() || options.get_host().starts_with('/'),
            |host| host.starts_with('/'),
        );
        if let Some(password) = &self.password {
            options = options.password(password);
        }
        if let Some(extra) = &self.options {
            for (name, value) in startup_options(extra)? {
                options = options.options([(name, value)]);
            }
        }
        for (file, path) in &self.ssl {
            options = match file {
                SslFile::Root => options.ssl_root_cert(path),
                SslFile::Certificate => options.ssl_client_cert(path),
                SslFile::Key => options.ssl_client_key(path),
            };
        }
        // A Unix socket has no TLS, and libpq does not ask it.
        if is_socket {
            ssl_mode = "disable".to_owned();
        }
        options = options.ssl_mode(if is_socket { PgSslMode::Disable } else { mode });
        let user = options.get_username().to_owned();
        let database = options.get_database().unwrap_or(&user).to_owned();
        let place = options.get_socket().map_or_else(
            || format!("{}:{}", options.get_host(), options.get_port()),
            |socket| format!("{}:{}", socket.display(), options.get_port()),
        );
        let shown = format!(
            "postgresql://{user}{}@{place}/{database}?sslmode={ssl_mode}",
            if self.password.is_some() { ":***" } else { "" }
        );
        let has_password = self.password.is_some() || std::env::var_os("PGPASSWORD").is_some();
        let tls_second = ssl_mode == "allow";
        let target = PostgresTarget {
            options: options.disable_statement_logging(),
            place,
            user,
            database,
            ssl_mode,
            tls_second,
            has_password,
        };
        Ok(DatabaseUrl {
            target: Target::Postgresql(Box::new(target)),
            shown,
            connect_timeout: self.connect_timeout,
        })
    }

    /// Everything but password and TLS. It goes through sqlx's own URL reader, which alone looks into `~/.pgpass`.
    fn base(&self) -> Result<PgConnectOptions, UrlError> {
        let mut url = url::Url::parse("postgres:///")
            .map_err(|_| UrlError("the PostgreSQL URL can't be read".to_owned()))?;
        {
            let mut pairs = url.query_pairs_mut();
            let port = self.port.map(|port| port.to_string());
            for (key, value) in [
                ("host", self.host.as_deref()),
                ("port", port.as_deref()),
                ("user", self.user.as_deref()),
                ("dbname", self.database.as_deref()),
            ] {
                if let Some(value) = value {
                    pairs.append_pair(key, value);
                }
            }
        }
        PgConnectOptions::from_url(&url)
            .map_err(|_| UrlError("the PostgreSQL URL can't be read".to_owned()))
    }
}

/// Reads `-c name=value` and `--name=value`, as libpq's `options` has them.
fn startup_options(text: &str) -> Result<Vec<(String, String)>, UrlError> {
    let mut words = text.split_whitespace();
    let mut read = Vec::new();
    while let Some(word) = words.next() {
        let setting = if word == "-c" {
            words.next()
        } else {
            word.strip_prefix("--").or_else(|| word.strip_prefix("-c"))
        };
        match setting.and_then(|setting| setting.split_once('=')) {
            Some((name, value)) => read.push((name.to_owned(), value.to_owned())),
            None => {
                return Err(UrlError(
                    "the PostgreSQL URL's options are `-c name=value`".to_owned(),
                ));
            }
        }
    }
    Ok(read)
}
