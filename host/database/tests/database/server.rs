//! The run's PostgreSQL server, with the driver's own connections to look at it from outside.

use poolhouse_test_postgres::PostgresServer;
use poolhouse_test_postgres::proxy::Proxy;
use sqlx::Connection;

/// The server of this run.
pub(crate) fn server() -> Server {
    Server(poolhouse_test_postgres::shared().unwrap())
}

#[derive(Clone, Copy)]
pub(crate) struct Server(&'static PostgresServer);

impl Server {
    /// A URL to a new, empty database.
    pub(crate) async fn database(self) -> String {
        tokio::task::spawn_blocking(move || self.0.database().unwrap())
            .await
            .unwrap()
    }

    /// A proxy before the server, and a URL to a new, empty database by way of it.
    pub(crate) async fn proxied(self) -> (Proxy, String) {
        let url = self.database().await;
        let proxy = Proxy::start(self.0.port()).await.unwrap();
        let by_proxy = proxy.url(&url);
        assert_ne!(by_proxy, url);
        (proxy, by_proxy)
    }

    /// A URL over the Unix socket, where no password is asked for.
    pub(crate) fn url(self, database: &str) -> String {
        self.0.socket_url(database)
    }

    /// A URL over TCP, where one is.
    pub(crate) fn tcp_url(self, user: &str, password: &str, database: &str) -> String {
        self.0.url(user, password, database)
    }

    /// A connection of the driver's own.
    pub(crate) async fn admin(self, database: &str) -> sqlx::PgConnection {
        sqlx::PgConnection::connect(&self.url(database))
            .await
            .unwrap()
    }
}
