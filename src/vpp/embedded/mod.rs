//! A VPP inside the process: binary API and stats sockets with the behaviour of
//! the `lb` plugin, its quirks included, and no packets.
//!
//! It serves `--vpp-api-addr embedded`, `--dataplane-only`, and tests, which
//! can make it misbehave through [`Control`]. `tests/embedded` runs one list
//! of scenarios on it and on a real VPP.
//!
//! What would crash a real VPP ends all connections, and it starts again,
//! empty. It models what a client can see of one VPP without workers' timing;
//! the FIB and every message outside the load balancer's use are left out.

mod cli;
mod clients;
mod control;
mod fault_injection;
mod handlers;
pub mod legacy;
pub mod plugin;
mod pool;
mod process;
mod reader;
mod requests;
mod segment;
mod server;
mod sockets;

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tracing::error;

pub use self::control::Control;
pub use self::fault_injection::{
    EmbeddedSnapshot, FaultCondition, InjectedFault, WriteRecord, WriteRequest,
};
use server::EmbeddedServer;

/// Where the sockets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The binary API.
    pub api: PathBuf,
    /// The stats segment.
    pub stats: PathBuf,
}

impl Paths {
    /// `api.sock` and `stats.sock` in a directory.
    #[must_use]
    pub fn in_dir(dir: &Path) -> Self {
        Self { api: dir.join("api.sock"), stats: dir.join("stats.sock") }
    }
}

/// How VPP's uptime passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// As time does; [`Control::advance`] adds to it.
    #[default]
    Running,
    /// By [`Control::advance`] alone.
    Told,
}

/// What an embedded VPP is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmbeddedOptions {
    /// How its uptime passes.
    pub clock: Clock,
    /// Names of messages that it lacks, as an older VPP would.
    pub without: Vec<&'static str>,
    /// Worker threads that the stats segment shows.
    pub workers: u32,
}

/// Why an embedded VPP did not start, or did not answer.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    /// The socket could not be made.
    #[error("cannot listen on {}: {source}", path.display())]
    Bind {
        /// Where it was to be.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Another process listens there; it is to be stopped, or the address changed.
    #[error("another process listens on {}", .0.display())]
    InUse(PathBuf),
    /// The file there is left alone.
    #[error("{} is there and is not a socket", .0.display())]
    NotASocket(PathBuf),
    /// The private directory could not be made.
    #[error("cannot make the directory {}: {source}", path.display())]
    Directory {
        /// Where it was to be.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// No memory for the stats segment.
    #[error("cannot make the stats segment: {0}")]
    Stats(io::Error),
    /// No thread, or no event queue for it.
    #[error("cannot start the embedded dataplane's thread: {0}")]
    Thread(io::Error),
    /// It was dropped, or its thread died.
    #[error("the embedded dataplane is gone")]
    Gone,
}

/// A running embedded VPP. It stops, and its socket files go, when this is
/// dropped.
#[derive(Debug)]
pub struct Embedded {
    paths: Paths,
    control: Control,
    thread: Option<JoinHandle<()>>,
    /// Made for it, and removed with it.
    directory: Option<PathBuf>,
}

impl Embedded {
    /// Starts a VPP on these sockets, on a thread of its own. Once this
    /// returns, clients can connect.
    ///
    /// # Errors
    /// Why a socket, the stats segment or the thread could not be made.
    pub fn start(paths: Paths, options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let (commands, told) = mpsc::unbounded_channel();
        let (activity, watched) = watch::channel(0);
        let (ready, started) = sync_channel(1);
        let there = paths.clone();
        let serve = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                // The other end waits for this message.
                Err(error) => return drop(ready.send(Err(EmbeddedError::Thread(error)))),
            };
            runtime.block_on(async {
                match EmbeddedServer::new(there, options, activity) {
                    Ok(hub) => {
                        drop(ready.send(Ok(())));
                        hub.run(told).await;
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
            });
        };
        let thread = std::thread::Builder::new().name("embedded-vpp".into());
        let thread = thread.spawn(serve).map_err(EmbeddedError::Thread)?;
        started.recv().map_err(|_| EmbeddedError::Gone)??;
        let control = Control::new(commands, watched);
        Ok(Self { paths, control, thread: Some(thread), directory: None })
    }

    /// The same in a new directory that nobody else can enter, and that is
    /// removed in the end.
    ///
    /// # Errors
    /// As [`Embedded::start`], or why there is no directory.
    pub fn start_private(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (pid, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("vpp-maglev-{pid}-{number}"));
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|source| EmbeddedError::Directory { path: path.clone(), source })?;
        match Self::start(Paths::in_dir(&path), options) {
            Ok(mut started) => {
                started.directory = Some(path);
                Ok(started)
            }
            Err(error) => {
                // The error that counts is the other.
                let _ = std::fs::remove_dir(&path);
                Err(error)
            }
        }
    }

    /// The binary API's socket.
    #[must_use]
    pub fn api_path(&self) -> &Path {
        &self.paths.api
    }

    /// The stats segment's socket.
    #[must_use]
    pub fn stats_path(&self) -> &Path {
        &self.paths.stats
    }

    /// A handle to look into it and to make it misbehave.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // It fails when the thread is gone already.
        let _ = self.control.ask(|hub| hub.stopping = true);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("vpp-embedded-panicked");
        }
        if let Some(directory) = &self.directory {
            // A killed VPP's files are in it, at most.
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}
