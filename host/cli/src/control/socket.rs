//! The Unix socket through which a host that runs is asked: one host has it at a time, and only its own user, or root, is answered.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::{Request, Response};

/// How long a host may take to answer: a reload compiles what has changed.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);
/// The pause after a connection that could not be accepted, such as where no file can be opened.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The host's own end. Its file is removed with it.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// Held for as long as the socket is this host's; the system takes it back from a process that was killed.
    _lock: File,
}

impl Socket {
    /// Makes the socket, in place of one that a host left that was killed.
    ///
    /// # Errors
    /// Where another host has it, something else has its name, or the folder can't be written to.
    pub(crate) fn bind(path: &Path) -> anyhow::Result<Self> {
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            // Whoever could open it could hold it.
            .mode(0o600)
            .open(&lock_path)
            .with_context(|| format!("{} can't be opened", Path::new(&lock_path).display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another host that runs has the control socket {}: name another as `socket` in [control] of host.toml",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(anyhow!(error).context(format!(
                    "{} can't be locked",
                    Path::new(&lock_path).display()
                )));
            }
        }
        match fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => {
                fs::remove_file(path).with_context(|| {
                    format!("the old control socket {} can't be removed", path.display())
                })?
            }
            Ok(_) => bail!(
                "{} is no socket: take it away, or name another as `socket` in [control] of host.toml",
                path.display()
            ),
            Err(_) => {}
        }
        let listener = UnixListener::bind(path)
            .with_context(|| format!("the control socket {} can't be made", path.display()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).with_context(|| {
            format!(
                "the control socket {} can't be closed to others",
                path.display()
            )
        })?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The next who asks, of those who may.
    pub(crate) async fn accept(&self) -> UnixStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) if is_own(&stream) => return stream,
                Ok(_) => tracing::warn!(
                    "the control socket was used by another user, who was not answered"
                ),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // It may have been removed already.
        let _ = fs::remove_file(&self.path);
    }
}

fn is_own(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream
        .peer_cred()
        .is_ok_and(|peer| [own, 0].contains(&peer.uid()))
}

/// Asks the host that runs.
///
/// # Errors
/// Where there is none, it does not answer, or it answers with an error.
pub(crate) async fn connect(path: Option<&Path>, request: Request) -> anyhow::Result<Response> {
    let Some(path) = path else {
        bail!(
            "host.toml has socket = \"\" in [control], so that a host that runs can't be reached: name a socket"
        );
    };
    let absent = || {
        format!(
            "no host answers at the control socket {}: start one with `host run` in this folder, or name its socket as `socket` in [control] of host.toml",
            path.display()
        )
    };
    let stream = UnixStream::connect(path)
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => anyhow!(absent()),
            _ => anyhow!(error).context(format!(
                "the control socket {} can't be used",
                path.display()
            )),
        })?;
    let asked = timeout(ANSWER_TIMEOUT, ask(stream, request)).await;
    let line = asked
        .map_err(|_| anyhow!("the host did not answer within {ANSWER_TIMEOUT:?}"))?
        .context("the host ended before it answered")?;
    match serde_json::from_str(&line) {
        Ok(Response::Error(error)) => bail!(error),
        Ok(response) => Ok(response),
        Err(_) => bail!("the host's answer can't be read: does it run in another version?"),
    }
}

async fn ask(stream: UnixStream, request: Request) -> io::Result<String> {
    let (read, mut write) = stream.into_split();
    let mut request = serde_json::to_string(&request)?;
    request.push('\n');
    write.write_all(request.as_bytes()).await?;
    let mut line = String::new();
    if BufReader::new(read).read_line(&mut line).await? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(line)
}
