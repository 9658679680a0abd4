//! Where log records go: standard output as JSON or text, or the journal, and
//! the Broadcaster. How much is logged can be changed while the daemon runs.

use std::io::{self, IsTerminal};
use std::{fmt, str};

use crate::domain::events::{LogLevel, LogRecord};
use crate::host::log_stream::{LogDemand, LogStream};
use clap::ValueEnum;
use serde::Serialize;
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber, warn};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

use crate::host::journal::{self, Journal, JournalFields};
use crate::host::log_writer::LogWriter;

/// How log records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
    /// To systemd's journal, with a field of its own for each that a record has.
    Journal,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Journal => "journal",
        })
    }
}

/// Logging that has started.
pub struct Logging {
    /// Says which records somebody watches; for the Broadcaster.
    pub demand: LogDemand,
    /// Those records.
    pub records: mpsc::Receiver<LogRecord>,
    /// Writes the daemon's own log.
    pub writer: LogWriter,
    /// What that log takes.
    pub levels: LogLevels,
}

/// The least important records that are logged, which can be changed while the
/// daemon runs.
#[derive(Clone)]
pub struct LogLevels {
    /// As the flag has it.
    pub configured: LogLevel,
    filter: reload::Handle<Targets, Registry>,
}

impl LogLevels {
    /// From now on records of `level` and worse are logged.
    pub fn set(&self, level: LogLevel) {
        // It fails only once nobody logs any more.
        let _ = self.filter.reload(ours(level));
        warn!(to = level.as_str(), "log-level-set");
    }
}

/// Our records of this level and worse, and of the libraries only what is wrong.
fn ours(level: LogLevel) -> Targets {
    let wanted = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    Targets::new()
        .with_default(wanted.min(LevelFilter::WARN))
        .with_target("vpp_maglev", wanted)
        .with_target("maglevd", wanted)
}

/// Starts logging.
///
/// # Errors
/// The system has no thread to write with, or no journal although that was asked
/// for.
pub fn start(level: LogLevel, format: Option<LogFormat>) -> io::Result<Logging> {
    let terminal = io::stdout().is_terminal();
    let journal = match format {
        Some(LogFormat::Journal) => Some(Journal::open()?),
        None if journal::is_stdout() => Journal::open().ok(),
        _ => None,
    };
    let format = match (format, &journal) {
        (Some(format), _) => format,
        (None, Some(_)) => LogFormat::Journal,
        (None, None) if terminal => LogFormat::Text,
        (None, None) => LogFormat::Json,
    };
    let to: Box<dyn io::Write + Send> = match journal {
        Some(journal) => Box::new(journal),
        None => Box::new(io::stdout()),
    };
    let writer = LogWriter::start(to, |count| {
        warn!(count, "log-records-dropped: whoever reads the log is too slow");
    })?;
    let (filter, handle) = reload::Layer::new(ours(level));
    let output = tracing_subscriber::fmt::layer().with_writer(writer.clone());
    let output = match format {
        LogFormat::Json => output.event_format(JsonLines).with_filter(filter).boxed(),
        LogFormat::Journal => output.event_format(JournalFields).with_filter(filter).boxed(),
        LogFormat::Text => {
            output.with_target(false).with_ansi(terminal).with_filter(filter).boxed()
        }
    };
    let demand = LogDemand::default();
    let (stream, records) = LogStream::new();
    tracing_subscriber::registry().with(output).with(stream.with_filter(demand.clone())).init();
    let levels = LogLevels { configured: level, filter: handle };
    Ok(Logging { demand, records, writer, levels })
}

/// `{"time":"…","level":"INFO","msg":"backend-transition","backend":"nginx0",…}`
struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
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
        let level = match *event.metadata().level() {
            Level::ERROR => "ERROR",
            Level::WARN => "WARN",
            Level::INFO => "INFO",
            _ => "DEBUG",
        };
        writer.write_str("{\"time\":\"")?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, "\",\"level\":\"{level}\",\"msg\":")?;
        let mut message = JsonFields::new(&mut writer, true);
        event.record(&mut message);
        message.outcome?;
        if !message.written {
            writer.write_str("\"\"")?;
        }
        let mut others = JsonFields::new(&mut writer, false);
        event.record(&mut others);
        others.outcome?;
        writer.write_str("}\n")
    }
}

/// Writes the message of a record, or all its other fields, with no copy of
/// what need not be formatted first: every record passes through here.
struct JsonFields<'a, 'w> {
    to: &'a mut Writer<'w>,
    is_message: bool,
    written: bool,
    outcome: fmt::Result,
}

impl<'a, 'w> JsonFields<'a, 'w> {
    fn new(to: &'a mut Writer<'w>, is_message: bool) -> Self {
        Self { to, is_message, written: false, outcome: Ok(()) }
    }

    fn put(&mut self, field: &Field, value: impl Serialize) {
        if self.outcome.is_err() || (field.name() == "message") != self.is_message {
            return;
        }
        self.outcome = self.write(field, value);
        self.written = true;
    }

    fn write(&mut self, field: &Field, value: impl Serialize) -> fmt::Result {
        if !self.is_message {
            self.to.write_char(',')?;
            self.json(field.name())?;
            self.to.write_char(':')?;
        }
        self.json(value)
    }

    fn json(&mut self, value: impl Serialize) -> fmt::Result {
        serde_json::to_writer(Text(self.to), &value).map_err(|_| fmt::Error)
    }
}

/// Takes the text that serde_json writes as bytes.
struct Text<'a, 'w>(&'a mut Writer<'w>);

impl io::Write for Text<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = str::from_utf8(bytes).map_err(io::Error::other)?;
        self.0.write_str(text).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Visit for JsonFields<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if (field.name() == "message") == self.is_message {
            self.put(field, format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}
