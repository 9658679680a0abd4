//! Values that are made of files: read when a probe needs them first, and again when the
//! files have changed.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::fault::ProbeFault;
use super::file_fault::FileFault;

/// How long files are taken for unchanged before they are looked at again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// More than any file that a check names has.
const MAX_SIZE: u64 = 1 << 20;

/// A value made of the files at these paths.
pub(super) struct FromFiles<T> {
    paths: Vec<String>,
    made: RefCell<Option<MadeOfFiles<T>>>,
}

struct MadeOfFiles<T> {
    value: T,
    stamps: Vec<FileStamp>,
    looked: Instant,
}

/// What a file's metadata has of its content: another content comes with another change
/// time, or as another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileStamp {
    file: (u64, u64),
    changed: (i64, i64),
    size: u64,
}

enum FileLook {
    Unchanged,
    Changed { stamps: Vec<FileStamp>, contents: Vec<Vec<u8>> },
}

impl<T: Clone> FromFiles<T> {
    pub(super) fn new(paths: Vec<String>) -> Self {
        Self { paths, made: RefCell::new(None) }
    }

    /// The value of the files as they are, or were a second ago. `make` is given the
    /// content of each, in the order of the paths, and says which of them is of no use.
    pub(super) async fn get(
        &self,
        make: impl FnOnce(&[Vec<u8>]) -> Result<T, (usize, String)>,
    ) -> Result<T, ProbeFault> {
        let now = Instant::now();
        let known = self.made.borrow_mut().as_mut().map(|made| {
            let since = now.saturating_duration_since(made.looked);
            if self.paths.is_empty() || since < LOOK_EVERY {
                return Err(made.value.clone());
            }
            // The probes that begin while this one looks use what there is.
            made.looked = now;
            Ok(made.stamps.clone())
        });
        let stamps = match known {
            Some(Err(value)) => return Ok(value),
            Some(Ok(stamps)) => Some(stamps),
            None => None,
        };
        let paths = self.paths.clone();
        let looked = spawn_blocking(move || look(&paths, stamps.as_deref())).await;
        let found = looked.map_err(|error| ProbeFault::Open(io::Error::other(error)))?;
        let made = found.and_then(|found| match found {
            FileLook::Unchanged => Ok(None),
            FileLook::Changed { stamps, contents } => {
                let value = make(&contents)
                    .map_err(|(at, why)| FileFault { path: self.paths[at].clone(), why })?;
                Ok(Some(MadeOfFiles { value, stamps, looked: now }))
            }
        });
        let mut known = self.made.borrow_mut();
        match made {
            Ok(Some(made)) => *known = Some(made),
            Ok(None) => {}
            Err(fault) => {
                *known = None;
                return Err(ProbeFault::File(Box::new(fault)));
            }
        }
        known
            .as_ref()
            .map(|made| made.value.clone())
            .ok_or_else(|| ProbeFault::Open(io::ErrorKind::Interrupted.into()))
    }
}

/// Reads the files, unless they are as they were at `stamps`.
fn look(paths: &[String], stamps: Option<&[FileStamp]>) -> Result<FileLook, FileFault> {
    let fault = |path: &String, error: &io::Error| FileFault {
        path: path.clone(),
        why: format!("cannot be read: {error}"),
    };
    let found: Vec<_> = paths
        .iter()
        .map(|path| FileStamp::of(path).map_err(|error| fault(path, &error)))
        .collect::<Result<_, _>>()?;
    if Some(&*found) == stamps {
        return Ok(FileLook::Unchanged);
    }
    let too_large = found.iter().zip(paths).find(|(stamp, _)| stamp.size > MAX_SIZE);
    if let Some((_, path)) = too_large {
        return Err(FileFault { path: path.clone(), why: "is larger than 1 MiB".into() });
    }
    let contents = paths.iter().map(|path| fs::read(path).map_err(|error| fault(path, &error)));
    Ok(FileLook::Changed { stamps: found, contents: contents.collect::<Result<_, _>>()? })
}

impl FileStamp {
    fn of(path: &str) -> io::Result<Self> {
        let of = fs::metadata(path)?;
        if !of.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        Ok(Self {
            file: (of.dev(), of.ino()),
            changed: (of.ctime(), of.ctime_nsec()),
            size: of.size(),
        })
    }
}

/// The value is left out: it may be a secret.
impl<T> std::fmt::Debug for FromFiles<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FromFiles").field("paths", &self.paths).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(contents: &[Vec<u8>]) -> Result<String, (usize, String)> {
        let joined = String::from_utf8_lossy(&contents.concat()).into_owned();
        if joined.contains("bad") { Err((1, "is bad".into())) } else { Ok(joined) }
    }

    fn why(result: Result<String, ProbeFault>) -> (String, String) {
        match result {
            Err(ProbeFault::File(fault)) => {
                let FileFault { path, why } = *fault;
                (path, why)
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn files_are_read_again_when_they_change_and_not_before() {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| dir.path().join(name).display().to_string());
        let made = FromFiles::new(paths.to_vec());
        let (path, gone) = why(made.get(text).await);
        assert!(path == paths[0] && gone.starts_with("cannot be read: No such file"), "{gone}");
        fs::write(&paths[0], "one ").unwrap();
        fs::write(&paths[1], "two").unwrap();
        assert_eq!(made.get(text).await.unwrap(), "one two");
        fs::write(&paths[1], "three").unwrap();
        assert_eq!(made.get(text).await.unwrap(), "one two", "not looked at for a second");
        tokio::time::pause();
        tokio::time::advance(LOOK_EVERY).await;
        tokio::time::resume();
        assert_eq!(made.get(text).await.unwrap(), "one three");
        // Unchanged: not made anew.
        tokio::time::pause();
        tokio::time::advance(LOOK_EVERY).await;
        tokio::time::resume();
        assert_eq!(made.get(|_| unreachable!()).await.unwrap(), "one three");
        // What is of no use is named, and what was there before is not used any more.
        fs::write(&paths[1], "bad").unwrap();
        tokio::time::pause();
        tokio::time::advance(LOOK_EVERY).await;
        tokio::time::resume();
        assert_eq!(why(made.get(text).await), (paths[1].clone(), "is bad".into()));
        assert_eq!(why(made.get(text).await).1, "is bad");
        fs::write(&paths[1], "four").unwrap();
        assert_eq!(made.get(text).await.unwrap(), "one four");
    }

    #[tokio::test]
    async fn without_files_it_is_made_once() {
        let made = FromFiles::new(Vec::new());
        assert_eq!(made.get(|_| Ok("made".to_owned())).await.unwrap(), "made");
        tokio::time::pause();
        tokio::time::advance(2 * LOOK_EVERY).await;
        assert_eq!(made.get(|_| unreachable!()).await.unwrap(), "made");
    }

    #[tokio::test]
    async fn what_is_no_file_or_too_large_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let made = FromFiles::new(vec![dir.path().display().to_string()]);
        assert_eq!(why(made.get(text).await).1, "cannot be read: it is no file");
        let large = dir.path().join("large");
        fs::File::create(&large).unwrap().set_len(MAX_SIZE + 1).unwrap();
        let made = FromFiles::new(vec![large.display().to_string()]);
        assert_eq!(why(made.get(text).await).1, "is larger than 1 MiB");
    }

    #[test]
    fn what_files_held_is_not_in_its_description() {
        let made = FromFiles::<String>::new(vec!["/secret".into()]);
        let (value, looked) = ("hunter2".to_owned(), Instant::now());
        *made.made.borrow_mut() = Some(MadeOfFiles { value, stamps: Vec::new(), looked });
        let text = format!("{made:?}");
        assert!(text.contains("/secret") && !text.contains("hunter2"), "{text}");
    }
}
