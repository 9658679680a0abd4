//! The fields of log records as text for people: `backend-transition backend=nginx0`.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

use crate::domain::printable::printable;

/// Formats as tracing-subscriber does, with nothing in the values that acts on a
/// terminal.
pub(super) struct TextFields;

impl<'w> FormatFields<'w> for TextFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut line = TextFieldWriter { writer, is_first: true, outcome: Ok(()) };
        fields.record(&mut line);
        line.outcome
    }
}

struct TextFieldWriter<'w> {
    writer: Writer<'w>,
    is_first: bool,
    outcome: fmt::Result,
}

impl TextFieldWriter<'_> {
    fn write(&mut self, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
        if !std::mem::take(&mut self.is_first) {
            self.writer.write_char(' ')?;
        }
        let value = printable(&format!("{value:?}"));
        match (field.name(), self.writer.has_ansi_escapes()) {
            ("message", _) => self.writer.write_str(&value),
            // Italic, and then faint.
            (name, true) => {
                write!(self.writer, "\x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m{value}")
            }
            (name, false) => write!(self.writer, "{name}={value}"),
        }
    }
}

impl Visit for TextFieldWriter<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.record_debug(field, &format_args!("{value}"));
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.outcome.is_ok() {
            self.outcome = self.write(field, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::host::logging::journal::JournalFields;
    use crate::host::logging::json_lines::JsonLines;

    #[derive(Clone, Default)]
    struct LineSink(Arc<Mutex<Vec<u8>>>);

    impl Write for LineSink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl LineSink {
        fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }
    }

    const HOSTILE: &str = "L7STS \u{9b}2J\u{202e}\u{1b}[31m";

    fn log() {
        tracing::info!(backend = %"nginx0", why = %HOSTILE, quoted = HOSTILE, count = 3, "probe-done");
    }

    #[test]
    fn nothing_of_a_value_acts_on_a_terminal_in_any_format() {
        let sink = LineSink::default();
        let layer = || {
            let writer = sink.clone();
            tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone())
        };
        let text = tracing_subscriber::registry().with(layer().fmt_fields(TextFields));
        tracing::subscriber::with_default(text, log);
        let line = sink.take();
        let escaped = r"L7STS \u{9b}2J\u{202e}\u{1b}[31m";
        let expected =
            format!("probe-done backend=nginx0 why={escaped} quoted=\"{escaped}\" count=3\n");
        assert!(line.ends_with(&expected), "{line:?}");

        let json = tracing_subscriber::registry().with(layer().event_format(JsonLines));
        tracing::subscriber::with_default(json, log);
        let line = sink.take();
        let expected = r#""why":"L7STS \u009b2J\u202e\u001b[31m""#;
        assert!(line.contains(expected), "{line:?}");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["why"], HOSTILE);

        let journal = tracing_subscriber::registry()
            .with(layer().event_format(JournalFields { program: "maglevd" }));
        tracing::subscriber::with_default(journal, log);
        let record = sink.take();
        assert!(record.contains(&format!("\nMAGLEV_WHY={escaped}\n")), "{record:?}");
    }
}
