//! Opening sockets in a network namespace.

use std::io;

use super::fault::ProbeFault;
use super::namespace::Namespace;

/// Opens something in `namespace`; `None` is the caller's own.
pub(super) async fn open_in<T: Send + 'static>(
    namespace: Option<&Namespace>,
    open: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<io::Result<T>, ProbeFault> {
    match namespace {
        None => Ok(open()),
        Some(namespace) => namespace.open(open).await.map_err(ProbeFault::Namespace),
    }
}
