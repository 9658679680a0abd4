//! Another network namespace than the daemon's own (`healthchecker.netns`,
//! `announce.netlink.netns`).
//!
//! A socket belongs for ever to the namespace of the thread that opened it. So
//! one thread enters the namespace and opens sockets for all probers; every
//! other thread stays outside, VPP's sockets and the gRPC service with it.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use thiserror::Error;
use tokio::sync::oneshot;

/// Where `ip netns add` puts namespaces by their names.
const DIRECTORY: &str = "/run/netns";

/// A namespace with the thread that is in it. The thread ends with the last
/// clone.
#[derive(Clone, Debug)]
pub struct Namespace(Arc<NamespaceState>);

#[derive(Debug)]
struct NamespaceState {
    name: String,
    path: PathBuf,
    jobs: mpsc::Sender<Job>,
}

/// Work for the thread; its argument is whether the namespace could be entered.
type Job = Box<dyn FnOnce(Result<(), NamespaceError>) + Send>;

/// Identifies a namespace, also against a later one of its name: an inode is not
/// used again while a thread or a socket is in its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

/// Why no socket can be opened in a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NamespaceError {
    #[error("there is no network namespace {name:?}: make it with `ip netns add {name}`")]
    Missing { name: String },
    /// `setns` was refused.
    #[error("network namespace {name:?} cannot be entered: give the daemon CAP_SYS_ADMIN")]
    NotPermitted { name: String },
    /// Something else went wrong.
    #[error("network namespace {name:?} cannot be entered: {kind}; look at {DIRECTORY}/{name}")]
    Failed { name: String, kind: io::ErrorKind },
}

impl Namespace {
    /// Starts a thread in the namespace `name`.
    ///
    /// # Errors
    /// There is none, or it may not be entered.
    pub fn enter(name: &str) -> Result<Self, NamespaceError> {
        let namespace = Self::start(name).map_err(|error| failed(name, &error))?;
        let (answer, answered) = mpsc::channel();
        // A thread that is gone has dropped the sender of its answer as well.
        let _ = namespace.0.jobs.send(Box::new(move |entered| {
            let _ = answer.send(entered);
        }));
        answered.recv().unwrap_or_else(|_| Err(gone(name)))?;
        Ok(namespace)
    }

    /// The same for a namespace that may be made later: until then nothing can be opened
    /// in it.
    #[must_use]
    pub fn later(name: &str) -> Self {
        Self::start(name).unwrap_or_else(|_| {
            let (jobs, _) = mpsc::channel();
            Self(Arc::new(NamespaceState { name: name.into(), path: PathBuf::new(), jobs }))
        })
    }

    fn start(name: &str) -> io::Result<Self> {
        let path = Path::new(DIRECTORY).join(name);
        let (jobs, queue) = mpsc::channel::<Job>();
        let mut thread = NamespaceThread { name: name.into(), path: path.clone(), entered: None };
        std::thread::Builder::new().name("netns".into()).spawn(move || {
            for job in queue {
                job(thread.enter());
            }
        })?;
        Ok(Self(Arc::new(NamespaceState { name: name.into(), path, jobs })))
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Of the namespace that has the name now.
    pub(super) fn identity(&self) -> Result<Identity, NamespaceError> {
        identity(&self.0.path).map_err(|error| failed(&self.0.name, &error))
    }

    /// Opens something on the thread inside. A namespace that was removed is an
    /// error, and one that was made anew is entered first.
    pub async fn open<T: Send + 'static>(
        &self,
        open: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<io::Result<T>, NamespaceError> {
        let (answer, answered) = oneshot::channel();
        let job = move |entered: Result<(), NamespaceError>| {
            // If the probe was cancelled meanwhile, the socket is closed here.
            let _ = answer.send(entered.map(|()| open()));
        };
        let _ = self.0.jobs.send(Box::new(job));
        answered.await.unwrap_or_else(|_| Err(gone(&self.0.name)))
    }
}

/// The state of the thread in the namespace.
struct NamespaceThread {
    name: String,
    path: PathBuf,
    entered: Option<Identity>,
}

impl NamespaceThread {
    fn enter(&mut self) -> Result<(), NamespaceError> {
        let failed = |error: io::Error| failed(&self.name, &error);
        let wanted = identity(&self.path).map_err(failed)?;
        if self.entered != Some(wanted) {
            let file = File::open(&self.path).map_err(failed)?;
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
                .map_err(|errno| failed(errno.into()))?;
            self.entered = Some(wanted);
        }
        Ok(())
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    fs::metadata(path).map(|file| Identity(file.dev(), file.ino()))
}

fn failed(name: &str, error: &io::Error) -> NamespaceError {
    let name = name.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound => NamespaceError::Missing { name },
        io::ErrorKind::PermissionDenied => NamespaceError::NotPermitted { name },
        kind => NamespaceError::Failed { name, kind },
    }
}

/// The thread inside has ended, which it does not before its last `Namespace`.
fn gone(name: &str) -> NamespaceError {
    NamespaceError::Failed { name: name.into(), kind: io::ErrorKind::BrokenPipe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_namespace_is_named_with_the_remedy() {
        let error = Namespace::enter("no-such-namespace-7f3a").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no network namespace \"no-such-namespace-7f3a\": \
             make it with `ip netns add no-such-namespace-7f3a`"
        );
    }
}
