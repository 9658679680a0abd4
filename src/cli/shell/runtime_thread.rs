//! Tasks beside the editor: the connection lives on while a line is typed, so
//! that it answers the daemon's keepalives and sees it go.

use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::cli::error::CliError;

/// A runtime on a thread of its own. It ends when this is dropped.
pub(super) struct Engine {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`CliError::Local`] where the system gives none.
    pub(super) fn start() -> Result<Self, CliError> {
        let failed = |source| CliError::Local { attempted: "start", source };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("engine".into())
            .spawn(move || {
                // Either way of ending is the wish to end.
                let _ = runtime.block_on(stopped);
                // A name's resolution cannot be cancelled; nobody waits for it.
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Runs a task while this thread waits for it.
    pub(super) fn wait<T>(&self, task: impl Future<Output = T>) -> T {
        self.handle.block_on(task)
    }

    /// To run tasks from elsewhere.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was told by the hook; there is no more to do.
            let _ = thread.join();
        }
    }
}
