//! Log records as JSON, one object a line.

use std::{fmt, io, str};

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::domain::printable::printable_json;

/// `{"time":"…","level":"INFO","msg":"backend-transition","backend":"nginx0",…}`
pub(super) struct JsonLines;

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
        if !message.has_written {
            writer.write_str("\"\"")?;
        }
        let mut others = JsonFields::new(&mut writer, false);
        event.record(&mut others);
        others.outcome?;
        writer.write_str("}\n")
    }
}

/// Writes the message of a record, or all its other fields. Strings and numbers are
/// written without a copy, as every record passes through here.
struct JsonFields<'a, 'w> {
    writer: &'a mut Writer<'w>,
    is_message: bool,
    has_written: bool,
    outcome: fmt::Result,
}

impl<'a, 'w> JsonFields<'a, 'w> {
    fn new(writer: &'a mut Writer<'w>, is_message: bool) -> Self {
        Self { writer, is_message, has_written: false, outcome: Ok(()) }
    }

    fn push(&mut self, field: &Field, value: impl Serialize) {
        if self.outcome.is_err() || (field.name() == "message") != self.is_message {
            return;
        }
        self.outcome = self.write(field, value);
        self.has_written = true;
    }

    fn write(&mut self, field: &Field, value: impl Serialize) -> fmt::Result {
        if !self.is_message {
            self.writer.write_char(',')?;
            self.json(field.name())?;
            self.writer.write_char(':')?;
        }
        self.json(value)
    }

    fn json(&mut self, value: impl Serialize) -> fmt::Result {
        serde_json::to_writer(TextWriter(self.writer), &value).map_err(|_| fmt::Error)
    }
}

/// serde_json writes text as bytes.
struct TextWriter<'a, 'w>(&'a mut Writer<'w>);

impl io::Write for TextWriter<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = str::from_utf8(bytes).map_err(io::Error::other)?;
        self.0.write_str(&printable_json(text)).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Visit for JsonFields<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if (field.name() == "message") == self.is_message {
            self.push(field, format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, value);
    }
}
