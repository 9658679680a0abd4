//! A running embedded VPP: its thread, its sockets, its private directory.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, watch};
use tracing::error;

use super::control::Control;
use super::error::EmbeddedError;
use super::options::{EmbeddedOptions, Paths};
use super::server::EmbeddedServer;
use crate::host::claimed_dir::ClaimedDir;

/// A running embedded VPP. It stops, and its socket files go, when this is
/// dropped.
#[derive(Debug)]
pub struct Embedded {
    paths: Paths,
    control: Control,
    thread: Option<JoinHandle<()>>,
    /// Made for it, and removed with it.
    directory: Option<ClaimedDir>,
}

impl Embedded {
    /// Starts a VPP on these sockets, on a thread of its own. Once this
    /// returns, clients can connect.
    ///
    /// # Errors
    /// Why a socket, the stats segment or the thread could not be made.
    pub fn start(paths: Paths, options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let (commands, mailbox) = mpsc::unbounded_channel();
        let (activity, watched) = watch::channel(0);
        let (ready, started) = sync_channel(1);
        let sockets = paths.clone();
        let serve = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                // The other end waits for this message.
                Err(error) => return drop(ready.send(Err(EmbeddedError::Thread(error)))),
            };
            runtime.block_on(async {
                match EmbeddedServer::new(sockets, options, activity) {
                    Ok(server) => {
                        drop(ready.send(Ok(())));
                        server.run(mailbox).await;
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

    /// The same in a new directory that only this user can enter, and that is
    /// removed in the end.
    ///
    /// # Errors
    /// As [`Embedded::start`], or why there is no directory.
    pub fn start_private(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let parent = std::env::temp_dir();
        let directory = ClaimedDir::make(&parent, "vpp-maglev")
            .map_err(|source| EmbeddedError::Directory { path: parent, source })?;
        let mut started = Self::start(Paths::in_dir(directory.path()), options)?;
        started.directory = Some(directory);
        Ok(started)
    }

    #[must_use]
    pub fn api_path(&self) -> &Path {
        &self.paths.api
    }

    #[must_use]
    pub fn stats_path(&self) -> &Path {
        &self.paths.stats
    }

    /// A handle to inspect it and to inject faults.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // It fails when the thread is gone already.
        let _ = self.control.ask(|server| server.stopping = true);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("vpp-embedded-panicked");
        }
    }
}
