//! Where the configuration comes from.

use std::fmt;
use std::pin::Pin;

use tokio::sync::watch;

use super::error::{LoadError, Loaded};

/// A configuration that is being loaded.
pub type ConfigLoad = Pin<Box<dyn Future<Output = Result<Loaded, LoadError>> + Send>>;

/// A place that a configuration is loaded from. Its `Display` is the name that
/// operators know it by, in logs and errors: a path, or a URL.
pub trait ConfigSource: fmt::Debug + fmt::Display + Send + Sync {
    /// Reads the configuration and checks it, as a whole. Must be called in a
    /// tokio runtime. Work that takes long is done on a thread for blocking work.
    fn load(&self) -> ConfigLoad;

    /// Is notified when there may be another configuration than before; several
    /// changes may be one notification. `None`: the source announces nothing, and
    /// an operator says when to load it again.
    fn changes(&self) -> Option<watch::Receiver<()>>;
}
