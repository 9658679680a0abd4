//! A configuration file.

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::error::{LoadError, Loaded};
use super::parse::parse;
use super::source::{ConfigLoad, ConfigSource};

/// Reads and checks the file at `path`. It is read once and whole.
///
/// # Errors
/// As [`parse`], and [`LoadError::Unreadable`].
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let text = fs::read_to_string(path).map_err(|source| LoadError::Unreadable { source })?;
    parse(&text)
}

/// A YAML file, named by its path.
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
}

impl FileSource {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl fmt::Display for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

impl ConfigSource for FileSource {
    fn load(&self) -> ConfigLoad {
        let path = self.path.clone();
        Box::pin(async move {
            match spawn_blocking(move || load(&path)).await {
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
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_file_is_loaded_and_named_by_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("maglev.yaml");
        let source: Arc<dyn ConfigSource> = Arc::new(FileSource::new(&path));
        assert_eq!(source.to_string(), path.display().to_string());
        assert!(matches!(source.load().await, Err(LoadError::Unreadable { .. })));

        fs::write(&path, include_str!("../../config/demo.yaml")).unwrap();
        assert_eq!(source.load().await.unwrap(), load(&path).unwrap());
        assert!(source.changes().is_none());
    }
}
