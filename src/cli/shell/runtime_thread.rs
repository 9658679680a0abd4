//! A runtime beside the editor: while a line is typed, the connection answers
//! the daemon's keepalives and notices its loss.

use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::cli::error::CliError;

/// A runtime on a thread of its own. It ends when this is dropped.
pub(super) struct RuntimeThread {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RuntimeThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`CliError::Local`] where the system has no thread or runtime.
    pub(super) fn start() -> Result<Self, CliError> {
        let failed = |source| CliError::Local { attempted: "start", source };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("runtime".into())
            .spawn(move || {
                // A message or the end of the sender: both end the thread.
                let _ = runtime.block_on(stopped);
                // The resolution of a name cannot be cancelled, and is not waited for.
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Runs a task, and waits for it on this thread.
    pub(super) fn wait<T>(&self, task: impl Future<Output = T>) -> T {
        self.handle.block_on(task)
    }

    /// Spawns tasks from other threads.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for RuntimeThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The panic hook has reported a panic of the thread.
            let _ = thread.join();
        }
    }
}
