//! Writes log records from a thread of its own: whoever logs only formats and
//! queues, and a reader of the log that stops does not stop the daemon.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

use crate::host::thread_priority::{ThreadPriorities, ThreadPriority};
use crate::host::wake_timer::WakeTimer;

/// Records that may wait to be written; more are dropped, and counted.
const WAITING: usize = 8192;
/// Records that are written at once, about.
const BATCH: usize = 64 << 10;
/// From the first record until the thread is woken to write it, with what came
/// meanwhile: with a weight on its way to VPP, every core has something better
/// to do.
const GATHER: Duration = Duration::from_millis(2);
/// How long a process that ends waits for its last records to be written.
const LAST: Duration = Duration::from_secs(1);
/// How often it looks whether a full queue has room again.
const RETRY: Duration = Duration::from_millis(1);

/// The way to the thread. Clones lead to the same.
#[derive(Clone)]
pub struct LogWriter {
    queue: SyncSender<LogEntry>,
    bell: Arc<WakeTimer>,
    dropped: Arc<AtomicU64>,
}

enum LogEntry {
    /// One record, with its line's end.
    Record(Vec<u8>),
    /// Tell when everything before this is written.
    Flush(SyncSender<()>),
}

impl LogWriter {
    /// Starts the thread, which writes to `output` for as long as the process
    /// lives, and has `tell` tell how many records were dropped.
    ///
    /// # Errors
    /// The system has no thread or no timer to give.
    pub fn start(
        mut output: impl Write + Send + 'static,
        tell: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let ranks = ThreadPriorities::around_this_thread();
        let (queue, records) = sync_channel(WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let bell = Arc::new(WakeTimer::new()?);
        let writer = Self { queue, bell: Arc::clone(&bell), dropped: Arc::clone(&dropped) };
        thread::Builder::new().name("log".into()).spawn(move || {
            ranks.take(ThreadPriority::Last);
            loop {
                bell.wait();
                write_all(&records, &mut output, &dropped, &tell);
            }
        })?;
        Ok(writer)
    }

    /// Waits, when it is dropped, for what was logged until then.
    pub fn last_records(&self) -> LastRecords {
        LastRecords(self.clone())
    }

    /// Waits until everything so far is written, or for a second.
    pub fn flush(&self) {
        let (done, written) = sync_channel(1);
        let begun = Instant::now();
        let mut entry = LogEntry::Flush(done);
        // A reader that has stopped is not waited for any longer.
        while let Err(TrySendError::Full(back)) = self.queue.try_send(entry) {
            if begun.elapsed() > LAST {
                return;
            }
            entry = back;
            thread::sleep(RETRY);
        }
        self.bell.ring();
        let _ = written.recv_timeout(LAST);
    }
}

/// See [`LogWriter::last_records`].
pub struct LastRecords(LogWriter);

impl Drop for LastRecords {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// Writes what is queued, until there is nothing left.
fn write_all(
    records: &Receiver<LogEntry>,
    output: &mut impl Write,
    dropped: &AtomicU64,
    tell: impl Fn(u64),
) {
    let mut batch = Vec::new();
    let mut waiting = Vec::new();
    loop {
        let collected = collect(records, &mut batch, &mut waiting);
        // There is nowhere to tell that the log cannot be written.
        let _ = output.write_all(&batch).and_then(|()| output.flush());
        batch.clear();
        for done in waiting.drain(..) {
            // Whoever waited may have given up.
            let _ = done.try_send(());
        }
        let count = dropped.swap(0, Ordering::Relaxed);
        if count > 0 {
            tell(count);
        }
        if collected.is_err() {
            return;
        }
    }
}

/// Takes a batch off the queue; an error if that left nothing there.
fn collect(
    records: &Receiver<LogEntry>,
    batch: &mut Vec<u8>,
    waiting: &mut Vec<SyncSender<()>>,
) -> Result<(), TryRecvError> {
    while batch.len() < BATCH {
        match records.try_recv()? {
            LogEntry::Record(record) => batch.extend(record),
            LogEntry::Flush(done) => waiting.push(done),
        }
    }
    Ok(())
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &LogWriter {
    /// Queues one record: the layer gives each in one piece.
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(LogEntry::Record(record.to_vec())) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.bell.ring_in(GATHER);
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// A log that nobody reads until it is told to.
    struct Pipe {
        open: Receiver<()>,
        read: Sender<Vec<u8>>,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // The other end is gone: everybody may write.
            let _ = self.open.recv();
            self.read.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stops_stops_nobody_and_is_told_what_it_lost() {
        let (opener, open) = channel();
        let (read, pipe) = channel();
        let (tell, told) = channel();
        let tell = move |count| tell.send(count).unwrap();
        let log = LogWriter::start(Pipe { open, read }, tell).unwrap();
        let mut to = &log;
        // The thread takes a batch at most off the queue before it is stuck.
        let record = [b'x'; 1024];
        let count = WAITING + 2 * BATCH / record.len();
        (0..count).for_each(|_| to.write_all(&record).unwrap());
        let lost = usize::try_from(log.dropped.load(Ordering::Relaxed)).unwrap();
        assert!(lost > 0);
        drop(opener);
        assert_eq!(told.recv().unwrap(), lost as u64);
        log.flush();
        let written: usize = pipe.try_iter().map(|bytes| bytes.len()).sum();
        assert_eq!(written, (count - lost) * record.len());
    }

    #[test]
    fn the_last_records_are_written_before_the_end() {
        let (opener, open) = channel();
        drop(opener);
        let (read, pipe) = channel();
        let log = LogWriter::start(Pipe { open, read }, |_| ()).unwrap();
        let last = log.last_records();
        (&log).write_all(b"goodbye\n").unwrap();
        drop(last);
        assert_eq!(pipe.try_recv().unwrap(), b"goodbye\n");
    }
}
