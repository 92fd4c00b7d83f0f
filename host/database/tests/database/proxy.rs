//! Owns a way to the server that can fall silent: nothing is carried any more, and every socket stays open.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::server::server;

/// A proxy before the run's server. Its tasks end with the test's runtime.
pub(crate) struct Proxy {
    /// A URL to a new, empty database, by way of the proxy.
    pub(crate) url: String,
    silent: watch::Sender<bool>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let socket_url = server().database().await;
        let database = socket_url.split('?').next().unwrap();
        let database = database.rsplit('/').next().unwrap();
        let direct = server().tcp_url("postgres", poolhouse_test_postgres::PASSWORD, database);
        let (before, place) = direct.rsplit_once('@').unwrap();
        let place = place.split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silent, watched) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&place).await.unwrap();
                let (near, far) = (near.into_split(), far.into_split());
                tokio::spawn(carry(near.0, far.1, watched.clone()));
                tokio::spawn(carry(far.0, near.1, watched.clone()));
            }
        });
        Self {
            url: format!("{before}@127.0.0.1:{port}/{database}"),
            silent,
        }
    }

    /// From now on nothing arrives, in either direction.
    pub(crate) fn fall_silent(&self) {
        self.silent.send_replace(true);
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut silent: watch::Receiver<bool>) {
    let mut buffer = [0; 8192];
    loop {
        let read = tokio::select! {
            biased;
            _ = silent.wait_for(|silent| *silent) => break,
            read = from.read(&mut buffer) => read,
        };
        let Ok(length @ 1..) = read else { return };
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
    std::future::pending().await
}
