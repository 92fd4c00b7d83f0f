//! A connector that does as it is told and counts what is open, and the few calls that every test makes; asserts
//! nothing itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use poolhouse_pool::{AcquireError, Connector, Lease, Options, Pool, Quota, Request, Tenant};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Now,
    After(Duration),
    Fail,
    FailAfter(Duration),
    Hang,
    Panic,
}

#[derive(Debug, thiserror::Error)]
#[error("stub refuses")]
pub(crate) struct Refused;

/// One of the calls that the pool makes: what it does from now on, how often it was made, and when last.
pub(crate) struct Call {
    behaviour: Mutex<Behaviour>,
    times: Mutex<Vec<Instant>>,
}

impl Call {
    fn new() -> Self {
        Self {
            behaviour: Mutex::new(Behaviour::Now),
            times: Mutex::new(Vec::new()),
        }
    }

    /// What it does from now on; a call under way goes on as it began.
    pub(crate) fn does(&self, behaviour: Behaviour) {
        *self.behaviour.lock() = behaviour;
    }

    pub(crate) fn count(&self) -> usize {
        self.times.lock().len()
    }

    pub(crate) fn times(&self) -> Vec<Instant> {
        self.times.lock().clone()
    }

    async fn act(&self) -> Result<(), Refused> {
        self.times.lock().push(Instant::now());
        let behaviour = *self.behaviour.lock();
        match behaviour {
            Behaviour::Now => Ok(()),
            Behaviour::After(delay) => {
                sleep(delay).await;
                Ok(())
            }
            Behaviour::Fail => Err(Refused),
            Behaviour::FailAfter(delay) => {
                sleep(delay).await;
                Err(Refused)
            }
            Behaviour::Hang => std::future::pending().await,
            // Past the panic hook, which would print a page for each of thousands.
            Behaviour::Panic => std::panic::resume_unwind(Box::new("as the script says")),
        }
    }
}

/// What each call does, and how many sockets are open.
pub(crate) struct Script {
    pub(crate) connect: Call,
    pub(crate) ping: Call,
    pub(crate) reset: Call,
    pub(crate) cancel: Call,
    pub(crate) close: Call,
    /// What a connector must never see, and saw.
    pub(crate) misuse: Mutex<Vec<&'static str>>,
    /// Keys of the connections that were cancelled.
    pub(crate) cancelled: Mutex<Vec<u32>>,
    keys: AtomicU32,
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

    pub(crate) fn calls(&self) -> [&Call; 5] {
        [
            &self.connect,
            &self.ping,
            &self.reset,
            &self.cancel,
            &self.close,
        ]
    }
}

/// Counts as open from the start of connecting until it is dropped, as a server would see it.
struct Socket(Arc<Script>);

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

/// What cancels a connection's operation from outside.
#[derive(Clone)]
pub(crate) struct Key {
    number: u32,
    cancel: Arc<Notify>,
}

pub(crate) struct Connection {
    /// Set by a test that leaves state behind, cleared by a reset.
    pub(crate) dirty: bool,
    /// Set by a test in the middle of an operation; nothing clears it but the end of that operation.
    pub(crate) busy: bool,
    /// While it is pinged or reset, and for good if that did not end well.
    spoilt: bool,
    key: Key,
    _socket: Socket,
}

impl Connection {
    /// At the beginning of a ping or reset.
    fn look_over(&mut self, script: &Script) {
        if self.busy {
            script
                .misuse
                .lock()
                .push("used in the middle of an operation");
        }
        if std::mem::replace(&mut self.spoilt, true) {
            script
                .misuse
                .lock()
                .push("used after a ping or reset that did not end well");
        }
    }

    /// An operation that nothing but a cancel ends.
    pub(crate) async fn hang(&mut self) {
        self.busy = true;
        self.key.cancel.notified().await;
        self.busy = false;
    }

    /// One that takes a while, unless it is cancelled; answers whether it was.
    pub(crate) async fn work(&mut self, duration: Duration) -> bool {
        tokio::time::timeout(duration, self.hang()).await.is_ok() || {
            self.busy = false;
            false
        }
    }
}

#[derive(Clone)]
pub(crate) struct Stub(pub(crate) Arc<Script>);

impl Connector for Stub {
    type Connection = Connection;
    type Key = Key;
    type Error = Refused;

    async fn connect(&self) -> Result<(Connection, Key), Refused> {
        let socket = Socket::new(&self.0);
        self.0.connect.act().await?;
        let key = Key {
            number: self.0.keys.fetch_add(1, Ordering::SeqCst) + 1,
            cancel: Arc::new(Notify::new()),
        };
        let connection = Connection {
            dirty: false,
            busy: false,
            spoilt: false,
            key: key.clone(),
            _socket: socket,
        };
        Ok((connection, key))
    }

    async fn ping(&self, connection: &mut Connection) -> Result<(), Refused> {
        connection.look_over(&self.0);
        self.0.ping.act().await?;
        connection.spoilt = false;
        Ok(())
    }

    async fn reset(&self, connection: &mut Connection) -> Result<(), Refused> {
        connection.look_over(&self.0);
        self.0.reset.act().await?;
        connection.dirty = false;
        connection.spoilt = false;
        Ok(())
    }

    async fn cancel(&self, key: &Key) {
        if self.0.cancel.act().await.is_ok() {
            self.0.cancelled.lock().push(key.number);
            key.cancel.notify_one();
        }
    }

    async fn close(&self, connection: Connection) {
        // A close that fails has still let go of the socket.
        drop(self.0.close.act().await);
        drop(connection);
    }
}

pub(crate) type Acquired = Result<Lease<Stub>, AcquireError<Refused>>;

pub(crate) fn options(pool_size: u32, max_overflow: i32) -> Options {
    Options {
        pool_size,
        max_overflow,
        ..Options::default()
    }
}

pub(crate) fn pool(options: Options) -> (Pool<Stub>, Arc<Script>) {
    crate::log::install();
    let script = Arc::new(Script {
        connect: Call::new(),
        ping: Call::new(),
        reset: Call::new(),
        cancel: Call::new(),
        close: Call::new(),
        misuse: Mutex::new(Vec::new()),
        cancelled: Mutex::new(Vec::new()),
        keys: AtomicU32::new(0),
        open: AtomicU32::new(0),
        most_open: AtomicU32::new(0),
    });
    (Pool::new(Stub(Arc::clone(&script)), options), script)
}

/// A tenant with no quota.
pub(crate) fn tenant(pool: &Pool<Stub>, name: &str) -> Tenant<Stub> {
    pool.tenant(name, Quota::default()).unwrap()
}

pub(crate) fn chain(chain: u64) -> Request {
    Request {
        chain,
        ..Request::default()
    }
}

pub(crate) fn until(deadline: Instant) -> Request {
    Request {
        until: Some(deadline),
        ..Request::default()
    }
}

/// Acquires for the one tenant that the tests share which need no second.
pub(crate) async fn acquire(pool: &Pool<Stub>, request: Request) -> Acquired {
    tenant(pool, "test").acquire(&request).await
}

pub(crate) async fn acquire_at_once(pool: &Pool<Stub>) -> Acquired {
    let request = Request {
        at_once: true,
        ..Request::default()
    };
    acquire(pool, request).await
}

pub(crate) async fn take(pool: &Pool<Stub>) -> Lease<Stub> {
    acquire(pool, Request::default()).await.unwrap()
}

pub(crate) async fn take_many(pool: &Pool<Stub>, count: usize) -> Vec<Lease<Stub>> {
    let mut leases = Vec::new();
    for _ in 0..count {
        leases.push(take(pool).await);
    }
    leases
}

/// A caller in a task of its own, already asking.
pub(crate) async fn ask(pool: &Pool<Stub>) -> JoinHandle<Acquired> {
    ask_for(pool, "test", Request::default()).await
}

pub(crate) async fn ask_for(
    pool: &Pool<Stub>,
    name: &str,
    request: Request,
) -> JoinHandle<Acquired> {
    let tenant = tenant_as_it_is(pool, name);
    let task = tokio::spawn(async move { tenant.acquire(&request).await });
    quiet().await;
    task
}

/// A handle that leaves the tenant's quota as it is.
fn tenant_as_it_is(pool: &Pool<Stub>, name: &str) -> Tenant<Stub> {
    let tenants = pool.tenants();
    let known = tenants.iter().find(|tenant| &*tenant.name == name);
    let quota = known.map_or_else(Quota::default, |tenant| Quota {
        max: tenant.max,
        reserved: tenant.reserved,
    });
    pool.tenant(name, quota).unwrap()
}

/// Moves the clock on before anything else can run, as when a machine wakes from sleep.
pub(crate) async fn jump(duration: Duration) {
    let mut advance = std::pin::pin!(tokio::time::advance(duration));
    std::future::poll_fn(|context| {
        let _after_the_others = advance.as_mut().poll(context);
        std::task::Poll::Ready(())
    })
    .await;
}

/// Lets every task run until it waits: the paused clock moves on only then.
pub(crate) async fn quiet() {
    sleep(Duration::from_millis(1)).await;
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
