//! The source of the configuration, and how it is loaded before the daemon runs.

use std::io;
use std::sync::Arc;

use tokio::runtime::Builder;
use vpp_maglev::config::{ConfigSource, FileSource, LoadError, Loaded};

use crate::flags::Flags;

/// The source that `--config` names.
pub fn config_source(flags: &Flags) -> Arc<dyn ConfigSource> {
    Arc::new(FileSource::new(&flags.config))
}

/// Loads on a runtime that ends with it. So does the thread that parses, and the
/// allocator gives the memory that it used to the next thread, where it would
/// otherwise be scattered among what the configuration keeps.
///
/// # Errors
/// The system refuses what a runtime needs.
pub fn load_once(source: &dyn ConfigSource) -> io::Result<Result<Loaded, LoadError>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(source.load()))
}
