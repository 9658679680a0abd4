//! Reads the text of a file within bounds: a device, a pipe that nobody writes to or
//! a network's file system may never come to an end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::error::{LoadError, ReadError};

/// The largest file: a hundred thousand frontends take some 25 MiB.
pub(super) const MAX_SIZE: usize = 32 << 20;

/// The text of the file at `path`, whole.
pub(super) fn text(path: &Path, time: Duration) -> Result<String, LoadError> {
    let bytes = bytes(path, MAX_SIZE, time)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        ReadError::NotUtf8 { line: 1 + valid.iter().filter(|byte| **byte == b'\n').count() }
    })?;
    refuse_cut_off(&text)?;
    Ok(text)
}

/// A last line without an end is what is left of a file that was written to a full
/// disk, or that is read while it is copied. The rest may be what a VIP stands in.
fn refuse_cut_off(text: &str) -> Result<(), LoadError> {
    let Some(last) = text.rsplit('\n').next().filter(|last| !last.is_empty()) else {
        return Ok(());
    };
    Err(LoadError::Syntax {
        line: text.matches('\n').count() + 1,
        column: last.chars().count() + 1,
        message: "the last line has no end, so the file may be cut off: \
                  write it anew, and end it with a line feed"
            .into(),
    })
}

/// The file at `path`, whole, if it has no more than `limit` bytes.
pub(super) fn bytes(path: &Path, limit: usize, time: Duration) -> Result<Vec<u8>, ReadError> {
    let deadline = Instant::now() + time;
    // Without it, to open a pipe waits for a writer. Files know no waiting.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let mut bytes = Vec::new();
    loop {
        if !is_ready(&file, deadline)? {
            return Err(ReadError::TooSlow { seconds: time.as_secs() });
        }
        match file.by_ref().take(1 << 20).read_to_end(&mut bytes) {
            Ok(0) => return Ok(bytes),
            // What came before it was kept.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        if bytes.len() > limit {
            return Err(ReadError::TooLarge { limit });
        }
    }
}

/// Waits until there is something to read, the end included; false at the deadline.
fn is_ready(file: &File, deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&left)) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Does `work` on a thread of its own and waits for it, at most for `time`: nothing
/// else ends a read of a file system that does not answer. The thread that is left
/// behind drops what `work` holds when it ends.
pub(super) fn within<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ReadError> {
    let (done, result) = mpsc::sync_channel(1);
    thread::Builder::new().name("config-reader".into()).spawn(move || {
        // Nobody waits any more if that fails.
        let _ = done.send(work());
    })?;
    result.recv_timeout(time).map_err(|_| ReadError::TooSlow { seconds: time.as_secs() })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    const SOON: Duration = Duration::from_millis(50);
    const LATE: Duration = Duration::from_secs(60);

    fn refused(path: &Path, time: Duration) -> String {
        text(path, time).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_read_whole_and_one_that_is_cut_off_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("maglev.yaml");
        for whole in ["", "a: 1\n", "a: 1\r\n", "\n"] {
            fs::write(&path, whole).unwrap();
            assert_eq!(text(&path, LATE).unwrap(), whole);
        }
        for (cut, place) in [
            ("a: 1", "line 1, column 5: "),
            ("a:\n  é", "line 2, column 4: "),
            ("\n\r", "line 2, "),
        ] {
            fs::write(&path, cut).unwrap();
            let message = refused(&path, LATE);
            assert!(message.starts_with(place), "{message}");
            assert!(message.contains("the last line has no end"), "{message}");
        }
        fs::write(&path, b"a: 1\nb: \xff\n").unwrap();
        assert!(refused(&path, LATE).starts_with("cannot be read: line 2 is not UTF-8"));
    }

    #[test]
    fn what_never_ends_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let message = refused(Path::new("/dev/zero"), LATE);
        assert!(message.starts_with("cannot be read: it is larger than 32 MiB"), "{message}");
        // A pipe that nobody writes to, and one whose writer goes on for ever.
        let fifo = dir.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert!(refused(&fifo, SOON).starts_with("cannot be read: it does not end within"));
        let writer = OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
        (&writer).write_all(b"maglev:\n").unwrap();
        assert!(refused(&fifo, SOON).starts_with("cannot be read: it does not end within"));
        assert!(refused(dir.path(), LATE).starts_with("cannot be read: Is a directory"));
    }

    #[test]
    fn a_pipe_with_an_end_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let large = "# a comment\n".repeat(100_000);
        let (path, written) = (fifo.clone(), large.clone());
        let writer = thread::spawn(move || fs::write(path, written).unwrap());
        assert_eq!(text(&fifo, LATE).unwrap(), large);
        writer.join().unwrap();
    }

    #[test]
    fn work_that_does_not_return_is_left_behind() {
        let (release, released) = mpsc::channel::<()>();
        let (held, let_go) = mpsc::channel::<()>();
        let work = move || {
            let _held = held;
            released.recv()
        };
        assert!(matches!(within(SOON, work), Err(ReadError::TooSlow { .. })));
        // Still held, until the work ends.
        assert_eq!(let_go.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(release);
        assert_eq!(let_go.recv(), Err(mpsc::RecvError));
        assert_eq!(within(LATE, || 7).unwrap(), 7);
    }
}
