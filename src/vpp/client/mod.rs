//! A client of VPP: a task owns the socket and the session, handles are cheap
//! clones. It never decides anything: it reads, and it writes what it is told.

mod apply;
mod budget;
mod calls;
mod connect;
mod driver;
mod error;
mod observe;
mod portions;
mod read_servers;
mod read_state;
mod required_messages;
mod stale_client_workaround;
#[cfg(test)]
mod tests;

use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

pub use super::session::{EndReason, SessionStats, Traffic};
pub use connect::ConnectError;
pub use error::{Applied, CallError, Remedy, Retval};

use super::cli_text::ApiClient;
use super::wire::{CliInband, ControlPing, MessageTable, ShowVersionReply};
use driver::DriverCommand;

/// How a client connects and behaves.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The name in `show api clients`, at most 63 bytes.
    pub name: String,
    /// How long the handshake may take.
    pub handshake: Duration,
    /// How long VPP may take to answer a call that was sent.
    pub patience: Duration,
    /// How long VPP may take to say goodbye.
    pub goodbye: Duration,
    /// Most calls in flight; urgent ones may double it.
    pub window: usize,
    /// Bytes of VPP's send buffer that replies may take; `None`: three
    /// quarters of `net.core.wmem_default`.
    pub send_budget: Option<usize>,
    /// Run the line that makes VPP notice dead clients, after what may have
    /// filled its send buffer.
    pub cure: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            name: "maglevd".into(),
            handshake: Duration::from_secs(5),
            patience: Duration::from_secs(5),
            goodbye: Duration::from_secs(1),
            window: 16,
            send_budget: None,
            cure: true,
        }
    }
}

/// What runs at the other end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VppVersion {
    /// `26.10-rc0~374-gb575ec2c56d`
    pub version: String,
    /// `2026-11-22T11:53:09`
    pub build_date: String,
    /// Often empty.
    pub build_directory: String,
    /// VPP's process id.
    pub pid: u32,
}

impl VppVersion {
    fn new(version: &ShowVersionReply, pid: u32) -> Self {
        Self {
            version: version.version.to_string(),
            build_date: version.build_date.to_string(),
            build_directory: version.build_directory.to_string(),
            pid,
        }
    }
}

/// A handle on one connection. When the last one is dropped, the connection
/// says goodbye and ends.
#[derive(Clone, Debug)]
pub struct VppClient {
    shared: Arc<ClientShared>,
    greeting: Arc<ServerInfo>,
}

/// What was learnt right after the handshake.
#[derive(Debug, Default)]
struct ServerInfo {
    info: VppVersion,
    reaped: Vec<ApiClient>,
}

#[derive(Debug)]
struct ClientShared {
    commands: mpsc::Sender<DriverCommand>,
    ended: watch::Receiver<Option<EndReason>>,
    /// What was counted, once the connection has ended.
    counted: watch::Receiver<SessionStats>,
    table: MessageTable,
    missing: Vec<String>,
    patience: Duration,
    budget: usize,
    cure: bool,
    goodbye_handle: GoodbyeHandle,
    /// The process at the other end, if it is visible.
    peer: Option<i32>,
    /// Bytes of the last `show lb vips`; 0 before the first.
    listing_size: AtomicUsize,
}

impl VppClient {
    /// Messages that we need and this VPP lacks, for people. Without them
    /// calls fail with [`CallError::Missing`].
    #[must_use]
    pub fn missing(&self) -> &[String] {
        &self.shared.missing
    }

    /// What runs at the other end, as it was told at connect.
    #[must_use]
    pub fn info(&self) -> &VppVersion {
        &self.greeting.info
    }

    /// Dead clients that VPP listed until our connecting made it notice them.
    #[must_use]
    pub fn reaped(&self) -> &[ApiClient] {
        &self.greeting.reaped
    }

    /// Asks for a sign of life; VPP's process id comes back.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn ping(&self) -> Result<u32, CallError> {
        Ok(self.ask(&ControlPing).await?.vpe_pid)
    }

    /// Runs a line of VPP's CLI and gives what it printed. The line must be
    /// one whose output is short.
    ///
    /// # Errors
    /// See [`CallError`]; an unknown command is [`CallError::Refused`].
    pub async fn cli(&self, line: &str) -> Result<String, CallError> {
        let reply = self.ask(&CliInband { cmd: line.into() }).await?;
        Ok(String::from_utf8_lossy(&reply.reply).into_owned())
    }

    /// What this connection has counted; all of it, once it has ended.
    pub async fn stats(&self) -> SessionStats {
        let (to, stats) = oneshot::channel();
        if self.shared.commands.send(DriverCommand::Stats(to)).await.is_ok()
            && let Ok(stats) = stats.await
        {
            return stats;
        }
        self.shared.counted.borrow().clone()
    }

    /// Says goodbye and waits for VPP's answer, at most as long as the options
    /// allow. Calls in flight are answered before, calls not sent fail.
    pub async fn close(&self) -> EndReason {
        // A task that is gone already cannot be told, and need not be.
        drop(self.shared.commands.send(DriverCommand::Leave).await);
        self.ended().await
    }

    /// Waits until the connection has ended and tells how.
    pub async fn ended(&self) -> EndReason {
        let mut ended = self.shared.ended.clone();
        let why = ended.wait_for(Option::is_some).await.map(|why| *why);
        // A task that ended without a word went down with its runtime.
        why.ok().flatten().unwrap_or(EndReason::LeftUnconfirmed)
    }

    /// The process that listens on the API socket, as our namespace numbers it;
    /// `None` once the connection has ended, and if the process is not visible.
    #[must_use]
    pub fn peer_process(&self) -> Option<i32> {
        self.shared.goodbye_handle.stream.upgrade()?;
        self.shared.peer
    }

    /// A goodbye for a process that is about to abort.
    #[must_use]
    pub fn goodbye_handle(&self) -> GoodbyeHandle {
        self.shared.goodbye_handle.clone()
    }
}

/// A goodbye that can be said without the connection's task, from a panic
/// hook: VPP then lets go of us although nobody closes properly.
#[derive(Clone, Debug)]
pub struct GoodbyeHandle {
    stream: Weak<UnixStream>,
    frame: Arc<[u8]>,
}

impl GoodbyeHandle {
    fn new(stream: &Arc<UnixStream>, frame: Vec<u8>) -> Self {
        Self { stream: Arc::downgrade(stream), frame: frame.into() }
    }

    /// Writes the goodbye if the connection still stands and takes it at once.
    /// Does not block. The connection is of no use after it.
    pub fn say(&self) -> bool {
        let Some(stream) = self.stream.upgrade() else { return false };
        let flags = rustix::net::SendFlags::DONTWAIT | rustix::net::SendFlags::NOSIGNAL;
        rustix::net::send(&stream, &self.frame, flags) == Ok(self.frame.len())
    }
}
