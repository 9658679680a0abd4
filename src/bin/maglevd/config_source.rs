//! The source of the configuration, and how it is loaded before the daemon runs.

use std::io;
use std::sync::Arc;

use rustix::process::Signal;
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
/// `Err` with a signal: it came first. A file may never end, and a process that waits
/// for it has to end all the same.
///
/// # Errors
/// The system refuses what a runtime needs.
pub fn load_once(
    source: &dyn ConfigSource,
    signals: impl Future<Output = Signal>,
) -> io::Result<Result<Result<Loaded, LoadError>, Signal>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let loaded = runtime.block_on(async {
        tokio::select! {
            loaded = source.load() => Ok(loaded),
            signal = signals => Err(signal),
        }
    });
    if loaded.is_err() {
        // The thread that reads the file is not waited for.
        runtime.shutdown_background();
    }
    Ok(loaded)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fmt;

    use tokio::sync::watch;
    use vpp_maglev::config::ConfigLoad;

    use super::*;

    /// A file without an end.
    #[derive(Debug)]
    struct EndlessSource;

    impl fmt::Display for EndlessSource {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("endless")
        }
    }

    impl ConfigSource for EndlessSource {
        fn load(&self) -> ConfigLoad {
            Box::pin(async {
                // A read that no signal interrupts.
                let read = tokio::task::spawn_blocking(std::thread::park);
                read.await.unwrap();
                unreachable!("it has no end")
            })
        }

        fn changes(&self) -> Option<watch::Receiver<()>> {
            None
        }
    }

    #[test]
    fn a_load_that_never_ends_is_ended_by_a_signal() {
        let loaded = load_once(&EndlessSource, async { Signal::TERM }).unwrap();
        assert_eq!(loaded.err(), Some(Signal::TERM));
    }
}
