//! The runtime of a command that runs on the main thread.

use super::error::CliError;

/// Runs a future on this thread.
///
/// # Errors
/// The future's, and [`CliError::Local`] where the system has no runtime.
pub fn block_on<T>(task: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| CliError::Local { attempted: "start", source })?;
    let result = runtime.block_on(task);
    // The resolution of a name cannot be cancelled, and is not waited for.
    runtime.shutdown_background();
    result
}
