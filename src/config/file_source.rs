//! A configuration file.

use std::fmt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::error::{LoadError, Loaded, ReadError};
use super::files;
use super::parse::parse;
use super::read;
use super::source::{ConfigLoad, ConfigSource};

/// How long a file may take to read.
const READ_TIME: Duration = Duration::from_secs(10);

/// How long a reader waits for the one before it, which reads and parses.
const TURN_TIME: Duration = Duration::from_secs(30);

/// Reads and checks the file at `path`. It is read once and whole.
///
/// # Errors
/// As [`parse`], [`LoadError::Unreadable`], [`LoadError::Syntax`] for a file that seems
/// cut off, and [`LoadError::Faults`] for files that it names and that are of no use.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    load_holding(path, READ_TIME, ())
}

/// Holds `turn` until the file is read and parsed; also where the reader has to be left
/// behind, until it returns.
fn load_holding<T: Send + 'static>(
    path: &Path,
    time: Duration,
    turn: T,
) -> Result<Loaded, LoadError> {
    let path = path.to_owned();
    let (text, turn) = read::within(time, move || (read::text(&path, time), turn))?;
    let loaded = parse(&text?)?;
    let config = loaded.config.clone();
    let (faults, _turn) = read::within(time, move || (files::faults(&config, time), turn))?;
    if faults.is_empty() { Ok(loaded) } else { Err(LoadError::Faults(faults)) }
}

/// A YAML file, named by its path. It is read by one reader at a time, in the order of
/// their requests: a file that cannot be read takes one thread and not many.
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
    turn: Arc<Semaphore>,
    read_time: Duration,
    turn_time: Duration,
}

impl FileSource {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let turn = Arc::new(Semaphore::new(1));
        Self { path: path.into(), turn, read_time: READ_TIME, turn_time: TURN_TIME }
    }
}

impl fmt::Display for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

impl ConfigSource for FileSource {
    fn load(&self) -> ConfigLoad {
        let Self { path, turn, read_time, turn_time } = self.clone();
        Box::pin(async move {
            let Ok(Ok(turn)) = timeout(turn_time, turn.acquire_owned()).await else {
                return Err(ReadError::Busy { seconds: turn_time.as_secs() }.into());
            };
            match spawn_blocking(move || load_holding(&path, read_time, turn)).await {
                Ok(loaded) => loaded,
                Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
                Err(_) => Err(LoadError::Interrupted),
            }
        })
    }

    /// A file is often written in several steps, so none of them triggers a load.
    fn changes(&self) -> Option<watch::Receiver<()>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    const DEMO: &str = include_str!("../../config/demo.yaml");

    #[tokio::test]
    async fn a_file_is_loaded_and_named_by_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("maglev.yaml");
        let source: Arc<dyn ConfigSource> = Arc::new(FileSource::new(&path));
        assert_eq!(source.to_string(), path.display().to_string());
        assert!(matches!(source.load().await, Err(LoadError::Unreadable { .. })));

        fs::write(&path, DEMO).unwrap();
        assert_eq!(source.load().await.unwrap(), load(&path).unwrap());
        assert!(source.changes().is_none());
    }

    #[tokio::test]
    async fn a_file_that_never_ends_delays_those_behind_it_and_no_longer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("maglev.yaml");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let read_time = Duration::from_millis(50);
        let source = FileSource { read_time, ..FileSource::new(&path) };
        let (first, second) = tokio::join!(source.load(), source.load());
        for refused in [first, second] {
            let message = refused.unwrap_err().to_string();
            assert!(message.starts_with("cannot be read: it does not end within"), "{message}");
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, DEMO).unwrap();
        let source = FileSource { read_time: READ_TIME, ..source };
        assert_eq!(source.load().await.unwrap(), load(&path).unwrap());
    }

    #[tokio::test]
    async fn one_reader_is_at_the_file_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("maglev.yaml");
        fs::write(&path, DEMO).unwrap();
        let turn_time = Duration::from_millis(50);
        let source = FileSource { turn_time, ..FileSource::new(&path) };
        // As a read has it that does not return.
        let turn = Arc::clone(&source.turn).try_acquire_owned().unwrap();
        let message = source.load().await.unwrap_err().to_string();
        assert!(message.starts_with("cannot be read: an earlier attempt"), "{message}");
        drop(turn);
        assert!(source.load().await.is_ok());
    }
}
