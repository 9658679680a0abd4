//! Where log records go: standard output, as JSON or text, and the Broadcaster.

use std::io::{self, IsTerminal};
use std::{fmt, str};

use serde::Serialize;
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter as Filter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use vpp_maglev::actors::log_stream::{LogDemand, LogStream};
use vpp_maglev::domain::events::{LogLevel, LogRecord};

use crate::flags::LogFormat;
use crate::log_writer::LogWriter;

/// Logging that has started.
pub struct Logging {
    /// Says which records somebody watches; for the Broadcaster.
    pub demand: LogDemand,
    /// Those records.
    pub records: mpsc::Receiver<LogRecord>,
    /// Writes the daemon's own log.
    pub writer: LogWriter,
}

/// Starts logging.
///
/// # Errors
/// The system has no thread to write with.
pub fn start(level: LogLevel, format: Option<LogFormat>) -> io::Result<Logging> {
    let terminal = io::stdout().is_terminal();
    let format = format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let demand = LogDemand::default();
    let (stream, records) = LogStream::new();
    let wanted = match level {
        LogLevel::Error => Filter::ERROR,
        LogLevel::Warn => Filter::WARN,
        LogLevel::Info => Filter::INFO,
        LogLevel::Debug => Filter::DEBUG,
    };
    // Of the libraries, only what is wrong.
    let ours = || {
        Targets::new()
            .with_default(wanted.min(LevelFilter::WARN))
            .with_target("vpp_maglev", wanted)
            .with_target("maglevd", wanted)
    };
    let writer = LogWriter::start(io::stdout(), |count| {
        warn!(count, "log-records-dropped: whoever reads the log is too slow");
    })?;
    let output = tracing_subscriber::fmt::layer().with_writer(writer.clone());
    let output = match format {
        LogFormat::Json => output.event_format(JsonLines).with_filter(ours()).boxed(),
        LogFormat::Text => {
            output.with_target(false).with_ansi(terminal).with_filter(ours()).boxed()
        }
    };
    tracing_subscriber::registry().with(output).with(stream.with_filter(demand.clone())).init();
    Ok(Logging { demand, records, writer })
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
