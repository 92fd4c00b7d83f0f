//! Owns a server of a test's own, to be stopped and started while the test goes on.

use poolhouse_test_postgres::{PostgresServer, Shutdown};

use crate::settled::{Tested, name, small};

pub(crate) struct Stoppable(Option<PostgresServer>);

impl Stoppable {
    /// A server, and a pool on a database of it.
    pub(crate) async fn start() -> (Self, Tested) {
        let start = || PostgresServer::start(&[]).unwrap();
        let server = tokio::task::spawn_blocking(start).await.unwrap();
        let mut server = Self(Some(server));
        let (url, direct) = server
            .during(|server| {
                let url = server.database().unwrap();
                let direct = server.socket_url(name(&url));
                (url, direct)
            })
            .await;
        (server, Tested::open(small(&url), direct, None).await)
    }

    pub(crate) async fn stop(&mut self, how: Shutdown) {
        self.during(move |server| server.stop(how).unwrap()).await;
    }

    pub(crate) async fn start_again(&mut self) {
        self.during(|server| server.start_again().unwrap()).await;
    }

    /// Does something slow with the server while the runtime goes on.
    async fn during<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut PostgresServer) -> T + Send + 'static,
    ) -> T {
        let mut server = self.0.take().unwrap();
        let working = tokio::task::spawn_blocking(move || {
            let result = work(&mut server);
            (server, result)
        });
        let (server, result) = working.await.unwrap();
        self.0 = Some(server);
        result
    }
}
