//! Writes log records on a thread of its own. A thread that logs only formats the
//! record and queues it, so that a reader of the log that stops does not block the
//! daemon.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

use crate::host::thread_priority::{ThreadPriorities, ThreadPriority};
use crate::host::wake_timer::WakeTimer;

/// Records that may be queued; more are dropped and counted.
const QUEUE: usize = 8192;
/// Bytes that are written together, approximately.
const BATCH: usize = 64 << 10;
/// From the first record of a batch until the thread wakes to write it: while a
/// weight is on its way to VPP, the cores have something better to do.
const WRITE_DELAY: Duration = Duration::from_millis(2);
/// How long a process that ends waits for its last records to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
/// Between two attempts to put a flush into a full queue.
const RETRY_DELAY: Duration = Duration::from_millis(1);

/// The handle of the thread; clones write to the same.
#[derive(Clone)]
pub struct LogWriter {
    queue: SyncSender<LogEntry>,
    wake_timer: Arc<WakeTimer>,
    dropped: Arc<AtomicU64>,
}

enum LogEntry {
    /// One record, with its line break.
    Record(Vec<u8>),
    /// Is answered when everything before it is written.
    Flush(SyncSender<()>),
}

impl LogWriter {
    /// Starts the thread, which writes to `output` until the process ends, and calls
    /// `on_dropped` with the number of records that were dropped.
    ///
    /// # Errors
    /// The system refuses a thread or a timer.
    pub fn start(
        mut output: impl Write + Send + 'static,
        on_dropped: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let priorities = ThreadPriorities::relative_to_this_thread();
        let (queue, records) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let wake_timer = Arc::new(WakeTimer::new()?);
        let writer =
            Self { queue, wake_timer: Arc::clone(&wake_timer), dropped: Arc::clone(&dropped) };
        thread::Builder::new().name("log".into()).spawn(move || {
            priorities.set(ThreadPriority::Low);
            loop {
                wake_timer.wait();
                write_all(&records, &mut output, &dropped, &on_dropped);
            }
        })?;
        Ok(writer)
    }

    /// A guard that flushes when it is dropped.
    pub fn flush_on_drop(&self) -> FlushOnDrop {
        FlushOnDrop(self.clone())
    }

    /// Waits until all records so far are written, or for a second.
    pub fn flush(&self) {
        let (done, written) = sync_channel(1);
        let begun = Instant::now();
        let mut entry = LogEntry::Flush(done);
        // The queue stays full if the reader of the log has stopped.
        while let Err(TrySendError::Full(back)) = self.queue.try_send(entry) {
            if begun.elapsed() > FLUSH_TIMEOUT {
                return;
            }
            entry = back;
            thread::sleep(RETRY_DELAY);
        }
        self.wake_timer.wake_now();
        let _ = written.recv_timeout(FLUSH_TIMEOUT);
    }
}

/// See [`LogWriter::flush_on_drop`].
pub struct FlushOnDrop(LogWriter);

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// Writes until the queue is empty.
fn write_all(
    records: &Receiver<LogEntry>,
    output: &mut impl Write,
    dropped: &AtomicU64,
    on_dropped: impl Fn(u64),
) {
    let mut batch = Vec::new();
    let mut flushes = Vec::new();
    loop {
        let collected = collect(records, &mut batch, &mut flushes);
        // There is no place to report a log that cannot be written.
        let _ = output.write_all(&batch).and_then(|()| output.flush());
        batch.clear();
        for done in flushes.drain(..) {
            // The caller may have given up.
            let _ = done.try_send(());
        }
        let count = dropped.swap(0, Ordering::Relaxed);
        if count > 0 {
            on_dropped(count);
        }
        if collected.is_err() {
            return;
        }
    }
}

/// Takes a batch off the queue; an error if the queue is empty then.
fn collect(
    records: &Receiver<LogEntry>,
    batch: &mut Vec<u8>,
    flushes: &mut Vec<SyncSender<()>>,
) -> Result<(), TryRecvError> {
    while batch.len() < BATCH {
        match records.try_recv()? {
            LogEntry::Record(record) => batch.extend(record),
            LogEntry::Flush(done) => flushes.push(done),
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
    /// Queues one record: the layer writes each in one piece.
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(LogEntry::Record(record.to_vec())) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.wake_timer.wake_in(WRITE_DELAY);
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

    /// An output that blocks until it is opened.
    struct BlockedPipe {
        opened: Receiver<()>,
        written: Sender<Vec<u8>>,
    }

    impl Write for BlockedPipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // It is open once the sender is dropped.
            let _ = self.opened.recv();
            self.written.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_blocked_reader_blocks_no_logger_and_the_dropped_records_are_counted() {
        let (opener, opened) = channel();
        let (written, output) = channel();
        let (counts, dropped_counts) = channel();
        let on_dropped = move |count| counts.send(count).unwrap();
        let log = LogWriter::start(BlockedPipe { opened, written }, on_dropped).unwrap();
        let mut logger = &log;
        // The thread takes at most one batch off the queue before it blocks.
        let record = [b'x'; 1024];
        let count = QUEUE + 2 * BATCH / record.len();
        (0..count).for_each(|_| logger.write_all(&record).unwrap());
        let dropped = usize::try_from(log.dropped.load(Ordering::Relaxed)).unwrap();
        assert!(dropped > 0);
        drop(opener);
        assert_eq!(dropped_counts.recv().unwrap(), dropped as u64);
        log.flush();
        let written: usize = output.try_iter().map(|bytes| bytes.len()).sum();
        assert_eq!(written, (count - dropped) * record.len());
    }

    #[test]
    fn the_last_records_are_written_before_the_end() {
        let (opener, opened) = channel();
        drop(opener);
        let (written, output) = channel();
        let log = LogWriter::start(BlockedPipe { opened, written }, |_| ()).unwrap();
        let guard = log.flush_on_drop();
        (&log).write_all(b"goodbye\n").unwrap();
        drop(guard);
        assert_eq!(output.try_recv().unwrap(), b"goodbye\n");
    }
}
