//! Owns a TCP proxy before a server, whose connections break when and how a test says; of PostgreSQL it knows only how
//! a server refuses to be logged into.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Ends of the way, seen from the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Whoever connected to the proxy.
    Client,
    /// The server behind it.
    Server,
}

/// What befalls a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Both sockets are closed (FIN).
    Cut,
    /// The client's socket is reset (RST), the server's closed.
    Reset,
    /// Nothing is carried any more and both sockets stay open, until [`Proxy::heal`] closes them.
    Silence,
}

/// How far a message that springs a trap gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nowhere: what follows it is lost too.
    Nowhere,
    /// To the server; of its answer's first piece so many bytes come back.
    Answer(usize),
}

/// What becomes of new connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Newcomers {
    /// They are carried to the server.
    Carried,
    /// They are accepted and wait, unanswered, until this changes.
    Held,
    /// They are reset at once.
    Reset,
    /// A login is answered with this SQLSTATE and message, as a server does that is not ready.
    Refused(&'static str, &'static str),
}

/// A proxy on a free port of 127.0.0.1. Its tasks end with the runtime that it was started in.
#[derive(Clone, Debug)]
pub struct Proxy {
    port: u16,
    control: Arc<Control>,
}

#[derive(Debug)]
struct Control {
    server: String,
    newcomers: watch::Sender<Newcomers>,
    /// Sent to every connection that is open at that moment.
    blow: watch::Sender<Fault>,
    healed: watch::Sender<()>,
    delay: watch::Sender<Duration>,
    trap: Mutex<Option<Trap>>,
    /// How many traps have sprung.
    sprung: watch::Sender<u64>,
    /// How many pieces clients have sent.
    asked: AtomicU64,
}

#[derive(Clone, Debug)]
struct Trap {
    side: Side,
    needle: Vec<u8>,
    reach: Reach,
    fault: Fault,
}

impl Proxy {
    /// Starts a proxy before the server on this port of 127.0.0.1.
    ///
    /// # Errors
    /// Where no port is to be had.
    pub async fn start(server: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let control = Arc::new(Control {
            server: format!("127.0.0.1:{server}"),
            newcomers: watch::Sender::new(Newcomers::Carried),
            blow: watch::Sender::new(Fault::Cut),
            healed: watch::Sender::new(()),
            delay: watch::Sender::new(Duration::ZERO),
            trap: Mutex::new(None),
            sprung: watch::Sender::new(0),
            asked: AtomicU64::new(0),
        });
        let accepting = Arc::clone(&control);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(welcome(near, Arc::clone(&accepting)));
            }
        });
        Ok(Self { port, control })
    }

    /// A URL of the server's over TCP, by way of the proxy.
    #[must_use]
    pub fn url(&self, direct: &str) -> String {
        let port = format!("@{}/", self.control.server);
        direct.replace(&port, &format!("@127.0.0.1:{}/", self.port))
    }

    /// From now on each piece that is carried, in either direction, waits so long.
    pub fn delay(&self, delay: Duration) {
        self.control.delay.send_replace(delay);
    }

    /// Breaks every connection that is open now.
    pub fn strike(&self, fault: Fault) {
        self.control.blow.send_replace(fault);
    }

    /// Says what becomes of new connections from now on.
    pub fn treat_newcomers(&self, newcomers: Newcomers) {
        self.control.newcomers.send_replace(newcomers);
    }

    /// From now on nothing arrives, in either direction, on old connections and new.
    pub fn fall_silent(&self) {
        self.treat_newcomers(Newcomers::Held);
        self.strike(Fault::Silence);
    }

    /// Breaks the first connection on which `side` sends a piece that holds `needle`, once.
    pub fn trap(&self, side: Side, needle: &str, reach: Reach, fault: Fault) {
        let trap = Trap {
            side,
            needle: needle.as_bytes().to_vec(),
            reach,
            fault,
        };
        *self.control.lock_trap() = Some(trap);
    }

    /// How many traps have sprung.
    #[must_use]
    pub fn sprung(&self) -> u64 {
        *self.control.sprung.borrow()
    }

    /// How many pieces clients have sent: a client that waits for each answer has made as many round trips.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.control.asked.load(Ordering::Relaxed)
    }

    /// Carries everything again; what had fallen silent is closed.
    pub fn heal(&self) {
        *self.control.lock_trap() = None;
        self.control.delay.send_replace(Duration::ZERO);
        self.control.newcomers.send_replace(Newcomers::Carried);
        self.control.healed.send_replace(());
    }
}

impl Control {
    fn lock_trap(&self) -> std::sync::MutexGuard<'_, Option<Trap>> {
        self.trap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The trap that this piece springs; it is gone then.
    fn springs(&self, side: Side, piece: &[u8]) -> Option<Trap> {
        self.lock_trap().take_if(|trap| {
            trap.side == side
                && piece
                    .windows(trap.needle.len())
                    .any(|window| window == trap.needle)
        })
    }

    fn has_sprung(&self) {
        self.sprung.send_modify(|sprung| *sprung += 1);
    }

    async fn wait(&self) {
        let delay = *self.delay.borrow();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }
}

async fn welcome(mut near: TcpStream, control: Arc<Control>) {
    // Before anything is carried, so that a blow meanwhile is not missed.
    let mut blows = control.blow.subscribe();
    let healed = control.healed.subscribe();
    let mut newcomers = control.newcomers.subscribe();
    let Ok(treatment) = newcomers
        .wait_for(|newcomers| *newcomers != Newcomers::Held)
        .await
        .map(|newcomers| newcomers.clone())
    else {
        return;
    };
    // What struck the others while this one waited is not for it.
    blows.mark_unchanged();
    match treatment {
        Newcomers::Reset => drop(near.set_zero_linger()),
        Newcomers::Refused(code, message) => drop(refuse(&mut near, code, message).await),
        Newcomers::Carried | Newcomers::Held => {
            let Ok(mut far) = TcpStream::connect(&control.server).await else {
                return;
            };
            let fault = carry(&mut near, &mut far, &control, &mut blows).await;
            end(near, far, fault, healed).await;
        }
    }
}

/// Carries both ways until one end is closed, a blow falls or a trap springs, and says how the connection is to end.
async fn carry(
    near: &mut TcpStream,
    far: &mut TcpStream,
    control: &Control,
    blows: &mut watch::Receiver<Fault>,
) -> Fault {
    let mut sprung: Option<(usize, Fault)> = None;
    let (mut up, mut down) = ([0; 16_384], [0; 16_384]);
    loop {
        tokio::select! {
            biased;
            _ = blows.changed() => return *blows.borrow_and_update(),
            read = near.read(&mut up) => {
                let Ok(length @ 1..) = read else { return Fault::Cut };
                control.asked.fetch_add(1, Ordering::Relaxed);
                control.wait().await;
                let piece = &up[..length];
                if let Some(trap) = control.springs(Side::Client, piece) {
                    match trap.reach {
                        Reach::Nowhere => {
                            control.has_sprung();
                            return trap.fault;
                        }
                        Reach::Answer(passes) => sprung = Some((passes, trap.fault)),
                    }
                }
                if far.write_all(piece).await.is_err() {
                    return Fault::Cut;
                }
            }
            read = far.read(&mut down) => {
                let Ok(length @ 1..) = read else { return Fault::Cut };
                control.wait().await;
                let piece = &down[..length];
                if let Some(trap) = control.springs(Side::Server, piece) {
                    let passes = match trap.reach {
                        Reach::Nowhere => 0,
                        Reach::Answer(passes) => passes,
                    };
                    sprung = Some((passes, trap.fault));
                }
                let passes = sprung.map_or(length, |(passes, _)| passes.min(length));
                if near.write_all(&piece[..passes]).await.is_err() {
                    return Fault::Cut;
                }
                if let Some((_, fault)) = sprung {
                    control.has_sprung();
                    return fault;
                }
            }
        }
    }
}

async fn end(
    mut near: TcpStream,
    mut far: TcpStream,
    fault: Fault,
    mut healed: watch::Receiver<()>,
) {
    match fault {
        Fault::Cut => {
            let _ = near.shutdown().await;
        }
        Fault::Reset => {
            let _ = near.set_zero_linger();
        }
        Fault::Silence => {
            // Healed before is not healed of this.
            healed.mark_unchanged();
            let _ = healed.changed().await;
        }
    }
    let _ = far.shutdown().await;
}

/// Answers a login as a server does that takes none, having refused TLS.
async fn refuse(near: &mut TcpStream, code: &str, message: &str) -> io::Result<()> {
    const TLS: u32 = 80_877_103;
    loop {
        let length = near.read_u32().await?;
        let request = near.read_u32().await?;
        if request == TLS {
            near.write_all(b"N").await?;
            continue;
        }
        let mut rest = vec![0; length.saturating_sub(8).min(10_000) as usize];
        near.read_exact(&mut rest).await?;
        break;
    }
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap_or(u32::MAX);
    near.write_u8(b'E').await?;
    near.write_u32(length).await?;
    near.write_all(fields.as_bytes()).await?;
    near.shutdown().await
}
