//! A connector that does as it is told and counts what is open; asserts nothing itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use poolhouse_pool::{AcquireError, Connector, Holder, Lease, Options, Pool};
use tokio::task::JoinHandle;
use tokio::time::sleep;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Now,
    After(Duration),
    Fail,
    Hang,
    Panic,
}

#[derive(Debug, thiserror::Error)]
#[error("stub refuses")]
pub(crate) struct Refused;

/// What each call does from now on, how often each was made, and how many sockets are open.
pub(crate) struct Script {
    pub(crate) connect: Mutex<Behaviour>,
    pub(crate) ping: Mutex<Behaviour>,
    pub(crate) reset: Mutex<Behaviour>,
    pub(crate) close: Mutex<Behaviour>,
    pub(crate) connects: AtomicU32,
    pub(crate) pings: AtomicU32,
    pub(crate) resets: AtomicU32,
    pub(crate) closes: AtomicU32,
    open: AtomicU32,
    most_open: AtomicU32,
}

impl Script {
    pub(crate) fn open(&self) -> u32 {
        self.open.load(Ordering::SeqCst)
    }

    pub(crate) fn most_open(&self) -> u32 {
        self.most_open.load(Ordering::SeqCst)
    }
}

/// Counts as open from the start of connecting until it is dropped, as a server would see it.
pub(crate) struct Socket(Arc<Script>);

impl Socket {
    fn new(script: &Arc<Script>) -> Self {
        let open = script.open.fetch_add(1, Ordering::SeqCst) + 1;
        script.most_open.fetch_max(open, Ordering::SeqCst);
        Self(Arc::clone(script))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(crate) struct Connection {
    /// Set by a test that leaves state behind, cleared by a reset.
    pub(crate) dirty: bool,
    /// Set by a test in the middle of an operation; nothing clears it but the end of that operation.
    pub(crate) busy: bool,
    _socket: Socket,
}

#[derive(Clone)]
pub(crate) struct Stub(pub(crate) Arc<Script>);

impl Stub {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Script {
            connect: Mutex::new(Behaviour::Now),
            ping: Mutex::new(Behaviour::Now),
            reset: Mutex::new(Behaviour::Now),
            close: Mutex::new(Behaviour::Now),
            connects: AtomicU32::new(0),
            pings: AtomicU32::new(0),
            resets: AtomicU32::new(0),
            closes: AtomicU32::new(0),
            open: AtomicU32::new(0),
            most_open: AtomicU32::new(0),
        }))
    }

    async fn act(behaviour: &Mutex<Behaviour>, calls: &AtomicU32) -> Result<(), Refused> {
        calls.fetch_add(1, Ordering::SeqCst);
        let behaviour = *behaviour.lock();
        match behaviour {
            Behaviour::Now => Ok(()),
            Behaviour::After(delay) => {
                sleep(delay).await;
                Ok(())
            }
            Behaviour::Fail => Err(Refused),
            Behaviour::Hang => std::future::pending().await,
            // Past the panic hook, which would print a page for each of thousands.
            Behaviour::Panic => std::panic::resume_unwind(Box::new("as the script says")),
        }
    }
}

impl Connector for Stub {
    type Connection = Connection;
    type Error = Refused;

    async fn connect(&self) -> Result<Connection, Refused> {
        let socket = Socket::new(&self.0);
        Self::act(&self.0.connect, &self.0.connects).await?;
        Ok(Connection {
            dirty: false,
            busy: false,
            _socket: socket,
        })
    }

    async fn ping(&self, _: &mut Connection) -> Result<(), Refused> {
        Self::act(&self.0.ping, &self.0.pings).await
    }

    async fn reset(&self, connection: &mut Connection) -> Result<(), Refused> {
        Self::act(&self.0.reset, &self.0.resets).await?;
        connection.dirty = false;
        Ok(())
    }

    async fn close(&self, connection: Connection) {
        // A close that fails has still let go of the socket.
        drop(Self::act(&self.0.close, &self.0.closes).await);
        drop(connection);
    }
}

pub(crate) type Acquired = Result<Lease<Stub>, AcquireError<Refused>>;

pub(crate) fn calls(count: &AtomicU32) -> u32 {
    count.load(Ordering::SeqCst)
}

pub(crate) fn options(pool_size: u32, max_overflow: i32) -> Options {
    Options {
        pool_size,
        max_overflow,
        ..Options::default()
    }
}

pub(crate) fn pool(options: Options) -> (Pool<Stub>, Arc<Script>) {
    let stub = Stub::new();
    let script = Arc::clone(&stub.0);
    (Pool::new(stub, options), script)
}

pub(crate) fn holder() -> Holder {
    Holder {
        name: Arc::from("test"),
        chain: 7,
    }
}

pub(crate) async fn take(pool: &Pool<Stub>) -> Lease<Stub> {
    pool.acquire(&holder(), None).await.unwrap()
}

/// A caller in a task of its own, already asking.
pub(crate) async fn ask(pool: &Pool<Stub>) -> JoinHandle<Acquired> {
    let task = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire(&holder(), None).await }
    });
    quiet().await;
    task
}

/// Lets every task run until it waits: the paused clock moves on only then.
pub(crate) async fn quiet() {
    sleep(Duration::from_millis(1)).await;
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
