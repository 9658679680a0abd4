//! Log records in the native protocol of systemd's journal, so that each field can
//! be searched for: `journalctl MAGLEV_BACKEND=nginx0`.
//! <https://systemd.io/JOURNAL_NATIVE_PROTOCOL>

use std::fmt;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::domain::printable::printable;

/// journald's socket.
const SOCKET: &str = "/run/systemd/journal/socket";
/// Bytes of a value, at most: a record has to fit into a datagram.
const MAX_VALUE: usize = 8 << 10;
/// Separates records on their way to the socket. No record contains it, as no field
/// is empty.
const END: &str = "\n\n";

/// Whether standard output is the journal (`$JOURNAL_STREAM`, systemd.exec(5)).
pub(super) fn is_stdout() -> bool {
    let Ok(stat) = rustix::fs::fstat(io::stdout().as_fd()) else { return false };
    let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    stream == format!("{}:{}", stat.st_dev, stat.st_ino)
}

/// Sends each formatted record as a datagram.
pub(super) struct Journal(UnixDatagram);

impl Journal {
    /// # Errors
    /// There is no journald; the error says what to do.
    pub(super) fn open() -> io::Result<Self> {
        Self::open_at(SOCKET)
    }

    fn open_at(path: &str) -> io::Result<Self> {
        Self::at(path).map_err(|error| {
            let remedy = "start systemd-journald (in a container: mount its socket), or choose \
                          --log-format json or text";
            io::Error::new(
                error.kind(),
                format!("--log-format journal: no journal at {path}: {error}; {remedy}"),
            )
        })
    }

    fn at(path: &str) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        Ok(Self(socket))
    }
}

impl Write for Journal {
    fn write(&mut self, records: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(records);
        for record in text.split_terminator(END) {
            self.0.send(format!("{record}\n").as_bytes())?;
        }
        Ok(records.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Formats `MESSAGE` for people, and every field under its own name.
pub(super) struct JournalFields {
    /// What the journal calls the process.
    pub(super) program: &'static str,
}

impl<S, N> FormatEvent<S, N> for JournalFields
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = FieldLines::default();
        event.record(&mut fields);
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        };
        let FieldLines { message, others } = fields;
        let text: String = others.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        let program = self.program;
        writeln!(writer, "PRIORITY={priority}\nSYSLOG_IDENTIFIER={program}")?;
        writeln!(writer, "MESSAGE={message}{text}")?;
        write!(writer, "MAGLEV_EVENT={}", message.split(':').next().unwrap_or_default())?;
        for (name, value) in &others {
            write!(writer, "\nMAGLEV_{}={value}", name.to_ascii_uppercase().replace('.', "_"))?;
        }
        writer.write_str(END)
    }
}

/// The fields of a record, each value on one line.
#[derive(Default)]
struct FieldLines {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl FieldLines {
    fn push(&mut self, field: &Field, value: &str) {
        let end = value.char_indices().map(|(at, _)| at).take_while(|at| *at <= MAX_VALUE).last();
        let kept = if value.len() > MAX_VALUE { &value[..end.unwrap_or_default()] } else { value };
        let line = printable(&kept.replace(['\n', '\r'], " "));
        if field.name() == "message" {
            self.message = line;
        } else {
            self.others.push((field.name(), line));
        }
    }
}

impl Visit for FieldLines {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Collects formatted records.
    #[derive(Clone, Default)]
    struct RecordSink(Arc<Mutex<Vec<u8>>>);

    impl Write for RecordSink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn without_a_journal_it_is_said_what_to_do() {
        let error = Journal::open_at("/nowhere/socket").err().unwrap().to_string();
        for part in ["--log-format journal", "/nowhere/socket", "--log-format json"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn each_record_is_a_datagram_with_every_field() {
        let sink = RecordSink::default();
        let writer = sink.clone();
        let layer = tracing_subscriber::fmt::layer()
            .event_format(JournalFields { program: "maglevd" })
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!(backend = %"nginx0", why = "L4TOUT\n\nPRIORITY=0", count = 3, "backend-transition");
            tracing::error!(long = "é".repeat(MAX_VALUE), "bug: stopping");
        });
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let journald = UnixDatagram::bind(&path).unwrap();
        let mut journal = Journal::at(path.to_str().unwrap()).unwrap();
        journal.write_all(&sink.0.lock().unwrap()).unwrap();
        let mut bytes = vec![0; 1 << 20];
        let count = journald.recv(&mut bytes).unwrap();
        assert_eq!(
            str::from_utf8(&bytes[..count]).unwrap(),
            "PRIORITY=6\nSYSLOG_IDENTIFIER=maglevd\n\
             MESSAGE=backend-transition backend=nginx0 why=L4TOUT  PRIORITY=0 count=3\n\
             MAGLEV_EVENT=backend-transition\nMAGLEV_BACKEND=nginx0\n\
             MAGLEV_WHY=L4TOUT  PRIORITY=0\nMAGLEV_COUNT=3\n"
        );
        let count = journald.recv(&mut bytes).unwrap();
        let text = str::from_utf8(&bytes[..count]).unwrap();
        assert!(
            text.starts_with("PRIORITY=3\n") && text.contains("\nMAGLEV_EVENT=bug\n"),
            "{text}"
        );
        assert!(count < 3 * MAX_VALUE, "{count}");
    }
}
