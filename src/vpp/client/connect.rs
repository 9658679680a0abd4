//! Dialing VPP, the handshake, and what follows it at once.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use thiserror::Error;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};

use super::connection::{AnyVpp, Connection, ConnectionShared};
use super::dialect::Dialect;
use super::driver::Driver;
use super::error::CallError;
use super::goodbye::GoodbyeHandle;
use super::handle::VppClient;
use super::options::ClientOptions;
use super::server_info::{ServerInfo, VppVersion};
use crate::host::accounts::group_name;
use crate::vpp::session::{EndReason, SMALL_REPLY, Session, SessionSettings, SessionStats};
use crate::vpp::wire::{ControlPing, ShowVersion};

/// Commands that may wait for the connection's task.
const MAILBOX: usize = 256;

/// Why there is no connection, and what would help.
#[derive(Debug, Error)]
pub enum ConnectError {
    #[error("{} does not exist: is VPP running, with `socksvr {{ default }}` in its startup.conf?", path.display())]
    NotThere { path: PathBuf },
    #[error("no permission to open {}: run in the group {group}, which owns it", path.display())]
    PermissionDenied {
        path: PathBuf,
        /// The socket's group, by name if it has one.
        group: String,
    },
    #[error("nobody listens on {}: VPP has stopped, or is still starting", path.display())]
    Refused { path: PathBuf },
    #[error("cannot open {}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    /// The connection was accepted and its handshake failed.
    #[error("{} accepts connections, but {why}: is it VPP's API socket, and is VPP busy?", path.display())]
    Handshake { path: PathBuf, why: EndReason },
    /// The first calls after the handshake failed.
    #[error("{} was greeted, but {error}", path.display())]
    FirstCalls { path: PathBuf, error: CallError },
}

impl ConnectError {
    /// Whether nothing listens: VPP is not running, or not yet.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::NotThere { .. } | Self::Refused { .. })
    }
}

impl VppClient {
    /// Connects to the API socket at `path`, does the handshake, and asks which
    /// VPP is running there. Must be called within a tokio runtime, whose task
    /// the connection becomes.
    ///
    /// # Errors
    /// See [`ConnectError`]; every one may pass with time.
    pub async fn connect(path: &Path, options: ClientOptions) -> Result<Self, ConnectError> {
        let refused = |error| dial_error(path, error);
        let stream = UnixStream::connect(path).await.map_err(refused)?;
        let peer = stream.peer_cred().ok().and_then(|peer| peer.pid()).filter(|pid| *pid != 0);
        let stream = Arc::new(stream.into_std().map_err(refused)?);
        let budget = options.send_budget.unwrap_or_else(super::budget::from_system);
        let settings = SessionSettings {
            name: options.name.clone(),
            first_context: fastrand::u32(..),
            window: options.window.max(1),
            budget,
            handshake: options.handshake,
            goodbye: options.goodbye,
        };
        let (commands, mailbox) = mpsc::channel(MAILBOX);
        let (end, ended) = watch::channel(None);
        let (count, final_stats) = watch::channel(SessionStats::default());
        let make = |now| Session::new(settings, now);
        let driver = Driver::new(Arc::clone(&stream), make, mailbox, (end, count));
        let mut driver = driver.map_err(refused)?;
        let handshake = driver.handshake().await;
        handshake.map_err(|why| ConnectError::Handshake { path: path.into(), why })?;

        let table = driver.session().table().cloned().unwrap_or_default();
        let goodbye = driver.session().goodbye_frame().unwrap_or_default();
        let connection = Connection::new(ConnectionShared {
            table,
            commands,
            ended,
            final_stats,
            patience: options.patience,
            budget,
            goodbye_handle: GoodbyeHandle::new(&stream, goodbye),
            peer,
            listing_size: AtomicUsize::new(0),
            stale_client_workaround: options.stale_client_workaround,
        });
        // The stream is the task's alone: when it ends, the socket closes.
        drop(stream);
        tokio::spawn(driver.run());

        match first_calls(&connection).await {
            Ok(server) => {
                let dialect = Dialect::choose(&connection).map_err(Arc::from);
                Ok(Self { connection, dialect, server: Arc::new(server) })
            }
            Err(error) => {
                connection.close().await;
                Err(ConnectError::FirstCalls { path: path.into(), error })
            }
        }
    }
}

/// Asks which VPP it is, runs the stale client workaround, and finds the clients
/// that VPP removed after it.
async fn first_calls(connection: &Connection<AnyVpp>) -> Result<ServerInfo, CallError> {
    let (version_call, version) = connection.single(&ShowVersion, SMALL_REPLY)?;
    let (ping_call, ping) = connection.single(&ControlPing, SMALL_REPLY)?;
    let mut calls = vec![version_call, ping_call];
    // The message table of a VPP with every plugin may have filled its send
    // buffer, so the workaround goes out with the very first calls. A VPP
    // without `cli_inband` is connected to all the same.
    let mut reaping = None;
    if let Some((more, waiting)) = connection.client_reaping()? {
        calls.extend(more);
        reaping = Some(waiting);
    }
    connection.submit(calls).await;
    let version = VppVersion::new(&version.one().await?, ping.one().await?.vpe_pid);
    let reaped = match reaping {
        Some(reaping) => reaping.finish(connection).await?,
        None => Vec::new(),
    };
    Ok(ServerInfo { version, reaped })
}

fn dial_error(path: &Path, error: io::Error) -> ConnectError {
    let path = path.to_path_buf();
    match error.kind() {
        ErrorKind::NotFound => ConnectError::NotThere { path },
        ErrorKind::PermissionDenied => {
            ConnectError::PermissionDenied { group: group_of(&path), path }
        }
        ErrorKind::ConnectionRefused => ConnectError::Refused { path },
        _ => ConnectError::Io { path, error },
    }
}

/// The group that owns `path`, or that owns the directory that hides it.
fn group_of(path: &Path) -> String {
    let owner = path.ancestors().find_map(|part| part.metadata().ok());
    let Some(gid) = owner.map(|metadata| metadata.gid()) else { return "unknown".into() };
    group_name(gid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dial_error_says_what_would_help() {
        let text =
            |kind: ErrorKind| dial_error(Path::new("/nowhere/api.sock"), kind.into()).to_string();
        let absent = |kind: ErrorKind| dial_error(Path::new("/nowhere"), kind.into()).is_absence();
        assert!(absent(ErrorKind::NotFound) && absent(ErrorKind::ConnectionRefused));
        assert!(!absent(ErrorKind::PermissionDenied) && !absent(ErrorKind::OutOfMemory));
        assert!(text(ErrorKind::NotFound).contains("is VPP running"));
        assert!(text(ErrorKind::PermissionDenied).contains("run in the group root"));
        assert!(text(ErrorKind::ConnectionRefused).contains("nobody listens"));
    }
}
