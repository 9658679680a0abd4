//! Where log records go: standard output, as JSON or text, and the Broadcaster.

use std::fmt;
use std::io::IsTerminal;

use serde_json::Value;
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
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

/// Starts logging. Returns what the Broadcaster needs: the records that
/// somebody watches, and the handle that says which those are.
pub fn start(level: LogLevel, format: Option<LogFormat>) -> (LogDemand, mpsc::Receiver<LogRecord>) {
    let terminal = std::io::stdout().is_terminal();
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
    let output = tracing_subscriber::fmt::layer();
    let output = match format {
        LogFormat::Json => output.event_format(JsonLines).with_filter(ours()).boxed(),
        LogFormat::Text => {
            output.with_target(false).with_ansi(terminal).with_filter(ours()).boxed()
        }
    };
    tracing_subscriber::registry().with(output).with(stream.with_filter(demand.clone())).init();
    (demand, records)
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
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = JsonFields::default();
        event.record(&mut fields);
        let level = match *event.metadata().level() {
            Level::ERROR => "ERROR",
            Level::WARN => "WARN",
            Level::INFO => "INFO",
            _ => "DEBUG",
        };
        let head = [("time", time), ("level", level.into()), ("msg", fields.message)];
        let head = head.map(|(key, value)| format!("\"{key}\":{}", Value::from(value)));
        write!(writer, "{{{}", head.join(","))?;
        for (key, value) in fields.others {
            write!(writer, ",{}:{value}", Value::from(key))?;
        }
        writeln!(writer, "}}")
    }
}

#[derive(Default)]
struct JsonFields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

impl JsonFields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.others.push((field.name(), value.into()));
    }
}

impl Visit for JsonFields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" { self.message = text } else { self.put(field, text) }
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
