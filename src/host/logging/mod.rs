//! Sends log records to standard output, as JSON or text, or to the journal, and to
//! event streams. The level can be changed while the daemon runs.

mod journal;
mod json_lines;
mod log_stream;
mod log_writer;
mod rate_limit;
mod target;
mod text_fields;

use std::fmt;
use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tokio::sync::mpsc;
use tracing::level_filters::LevelFilter;
use tracing::warn;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

use crate::domain::events::{LogLevel, LogRecord};
use journal::{Journal, JournalFields};
use json_lines::JsonLines;
use log_stream::LogStream;
use text_fields::TextFields;

pub use log_stream::LogDemand;
pub use log_writer::{FlushOnDrop, LogWriter};
pub use rate_limit::RateLimitedLog;
pub use target::AUDIT;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
    /// To systemd's journal, with its own field for each field of a record.
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
    /// For the Broadcaster: which records event streams ask for.
    pub demand: LogDemand,
    /// Those records.
    pub records: mpsc::Receiver<LogRecord>,
    /// Writes the daemon's own log.
    pub writer: LogWriter,
    /// The level of that log.
    pub levels: LogLevels,
}

/// The level of the log, which can be changed while the daemon runs.
#[derive(Clone)]
pub struct LogLevels {
    /// The level that the flag gives.
    pub configured: LogLevel,
    filter: reload::Handle<Targets, Registry>,
}

impl LogLevels {
    /// Logs records of `level` and worse from now on.
    pub fn set(&self, level: LogLevel) {
        // It fails only once the subscriber is gone.
        let _ = self.filter.reload(filter(level));
        warn!(to = level.as_str(), "log-level-set");
    }
}

/// Libraries whose failures are results of ours.
const QUIET: [&str; 3] = ["hickory_net", "hickory_proto", "hickory_resolver"];

/// Our own records of this level and worse, and warnings and errors of libraries.
/// Those of the resolver would say once more, for each query of each attempt, what
/// our records say with the names of backends.
fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let quiet = QUIET.map(|library| (library, LevelFilter::OFF));
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(quiet)
        .with_target("vpp_maglev", level)
        .with_target("maglevd", level)
        .with_target(AUDIT, LevelFilter::INFO)
}

/// # Errors
/// The system refuses a thread, or there is no journal although `format` asks for it.
pub fn start(level: LogLevel, format: Option<LogFormat>) -> io::Result<Logging> {
    start_as("maglevd", level, format)
}

/// The same of another program.
///
/// # Errors
/// As [`start`].
pub fn start_as(
    program: &'static str,
    level: LogLevel,
    format: Option<LogFormat>,
) -> io::Result<Logging> {
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
    let output: Box<dyn io::Write + Send> = match journal {
        Some(journal) => Box::new(journal),
        None => Box::new(io::stdout()),
    };
    let writer = LogWriter::start(output, |count| {
        warn!(count, "log-records-dropped: whoever reads the log is too slow");
    })?;
    let (filter, handle) = reload::Layer::new(filter(level));
    let output = tracing_subscriber::fmt::layer().with_writer(writer.clone());
    let output = match format {
        LogFormat::Json => output.event_format(JsonLines).with_filter(filter).boxed(),
        LogFormat::Journal => {
            output.event_format(JournalFields { program }).with_filter(filter).boxed()
        }
        LogFormat::Text => {
            let output = output.with_target(false).with_ansi(terminal).fmt_fields(TextFields);
            output.with_filter(filter).boxed()
        }
    };
    let demand = LogDemand::default();
    let (stream, records) = LogStream::new();
    tracing_subscriber::registry().with(output).with(stream.with_filter(demand.clone())).init();
    let levels = LogLevels { configured: level, filter: handle };
    Ok(Logging { demand, records, writer, levels })
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_library_that_repeats_what_we_log_is_not_logged() {
        let filter = filter(LogLevel::Debug);
        for library in ["hickory_net::udp", "hickory_proto::op", "hickory_resolver::name_server"] {
            assert!(!filter.would_enable(library, &Level::ERROR), "{library}");
        }
        assert!(filter.would_enable("h2::proto", &Level::WARN));
        assert!(!filter.would_enable("h2::proto", &Level::INFO));
        assert!(filter.would_enable("vpp_maglev::actors::controller", &Level::DEBUG));
    }

    #[test]
    fn audit_records_are_logged_at_every_level() {
        for level in [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug] {
            assert!(filter(level).would_enable(AUDIT, &Level::INFO), "{level:?}");
        }
    }
}
