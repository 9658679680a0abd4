//! A fake daemon that runs beside a test, for tests that run maglevc itself.

use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::{broadcast, oneshot};
use vpp_maglev::pb::event::Event;

use super::{Behaviour, FakeDaemon, on_tcp, on_unix};
use crate::support::wait::DEADLINE;

/// A fake daemon on a thread of its own, with all its connections.
pub(crate) struct BackgroundDaemon {
    /// What to give to `--server`.
    pub(crate) address: String,
    happen: broadcast::Sender<Event>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl BackgroundDaemon {
    /// On a free port of loopback.
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        Self::run(move || Box::pin(on_tcp(behaviour)))
    }

    /// On a Unix socket in `directory`, where an earlier one may have been.
    pub(crate) fn start_in(directory: &Path, behaviour: Behaviour) -> Self {
        let directory = directory.to_owned();
        Self::run(move || Box::pin(async move { on_unix(behaviour, &directory).await }))
    }

    fn run(
        start: impl FnOnce() -> std::pin::Pin<Box<dyn Future<Output = FakeDaemon>>> + Send + 'static,
    ) -> Self {
        let (sender, started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let fake = start().await;
                sender.send((fake.address.clone(), fake.happen.clone())).unwrap();
                let _ = stopped.await;
            });
        });
        let (address, happen) = started.recv_timeout(DEADLINE).unwrap();
        Self { address, happen, stop: Some(stop), thread: Some(thread) }
    }

    /// Makes something happen, for those who watch at this moment.
    pub(crate) fn happens(&self, event: Event) {
        self.happen.send(event).unwrap();
    }
}

impl Drop for BackgroundDaemon {
    /// Cuts every connection, as a killed daemon does.
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}
