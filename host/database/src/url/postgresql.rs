//! Owns the parts of a PostgreSQL URL: host, user, TLS, and the driver's options made of them.

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::{DatabaseUrl, PostgresTarget, Target, UrlError, decoded};

pub(super) fn read(rest: &str) -> Result<DatabaseUrl, UrlError> {
    // The parser's own message could quote the text, so it is not passed on.
    let url = url::Url::parse(&format!("postgres:{rest}"))
        .ok()
        .filter(|_| rest.starts_with("//"));
    let Some(url) = url else {
        return Err(UrlError(
            "the PostgreSQL URL can't be read: it is postgresql://user:password@host:port/name, with special characters in the password percent-encoded".to_owned(),
        ));
    };
    if url.host_str().is_some_and(|host| host.contains(',')) {
        return Err(UrlError(
            "the PostgreSQL URL names several hosts; name one".to_owned(),
        ));
    }
    let user = decoded(url.username(), "user")?;
    let password = url
        .password()
        .map(|password| decoded(password, "password"))
        .transpose()?;
    let host = url
        .host_str()
        .map(|host| decoded(host, "host"))
        .transpose()?
        .filter(|host| !host.is_empty());
    let database = decoded(url.path().trim_start_matches('/'), "database name")?;
    let mut parts = Parts {
        host,
        port: url.port(),
        user: Some(user).filter(|user| !user.is_empty()),
        password,
        database: Some(database).filter(|name| !name.is_empty()),
        ssl_mode: None,
        ssl: Vec::new(),
        options: None,
    };
    for (key, value) in url.query_pairs() {
        parts.set(&key, &value)?;
    }
    parts.build()
}

/// What a PostgreSQL URL says, piece by piece.
struct Parts {
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    ssl_mode: Option<String>,
    ssl: Vec<(SslFile, String)>,
    options: Option<String>,
}

enum SslFile {
    Root,
    Certificate,
    Key,
}

impl Parts {
    fn set(&mut self, key: &str, value: &str) -> Result<(), UrlError> {
        let value = value.to_owned();
        match key {
            "sslmode" | "ssl-mode" => self.ssl_mode = Some(value.to_ascii_lowercase()),
            "sslrootcert" => self.ssl.push((SslFile::Root, value)),
            "sslcert" => self.ssl.push((SslFile::Certificate, value)),
            "sslkey" => self.ssl.push((SslFile::Key, value)),
            "host" | "hostaddr" => self.host = Some(value),
            "port" => {
                self.port = Some(value.parse().map_err(|_| {
                    UrlError("the PostgreSQL URL's port is not a number from 1 to 65535".to_owned())
                })?)
            }
            "user" => self.user = Some(value),
            "password" => self.password = Some(value),
            "dbname" => self.database = Some(value),
            "options" => self.options = Some(value),
            // The host names its own connections.
            "application_name" => {}
            other => {
                return Err(UrlError(format!(
                    "the PostgreSQL URL has an unknown parameter {other:?}; known are sslmode, sslrootcert, sslcert, sslkey, host, port, user, password, dbname, options, application_name"
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
        let tls_second = ssl_mode == "allow";
        let target = PostgresTarget {
            options: options.disable_statement_logging(),
            place,
            user,
            database,
            ssl_mode,
            tls_second,
        };
        Ok(DatabaseUrl {
            target: Target::Postgresql(Box::new(target)),
            shown,
        })
    }

    /// Everything but password and TLS. It goes through sqlx's own URL reader, which alone looks into `~/.pgpass`.
    fn base(&self) -> Result<PgConnectOptions, UrlError> {
        let mut url = url::Url::parse("postgres:///")
            .map_err(|_| UrlError("the PostgreSQL URL can't be read".to_owned()))?;
        {
            let mut pairs = url.query_pairs_mut();
            let port = self.port.map(|port| port.to_string());
            let host = self
                .host
                .as_deref()
                .map(|host| host.trim_start_matches('[').trim_end_matches(']'));
            for (key, value) in [
                ("host", host),
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
