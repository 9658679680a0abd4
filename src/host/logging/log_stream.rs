//! Log records for event streams: a tracing layer that queues records without
//! blocking, and only those that a stream asks for.

use std::fmt::{Debug, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::SystemTime;

use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};

use super::target::AUDIT;
use crate::domain::events::{LogLevel, LogRecord};

/// Records that may be queued; more are dropped and counted.
const QUEUE: usize = 8192;

/// The most detailed level that a stream asks for. The Broadcaster sets it, and the
/// layer reads it for every record.
#[derive(Clone, Debug, Default)]
pub struct LogDemand(Arc<AtomicU8>);

impl LogDemand {
    /// Records of `level` and worse are queued from now on; `None`: no records.
    pub fn set(&self, level: Option<LogLevel>) {
        let number = match level {
            None => 0,
            Some(LogLevel::Error) => 1,
            Some(LogLevel::Warn) => 2,
            Some(LogLevel::Info) => 3,
            Some(LogLevel::Debug) => 4,
        };
        if self.0.swap(number, Ordering::Relaxed) != number {
            tracing::callsite::rebuild_interest_cache();
        }
    }

    fn filter(&self) -> LevelFilter {
        match self.0.load(Ordering::Relaxed) {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            _ => LevelFilter::DEBUG,
        }
    }
}

impl<S: Subscriber> Filter<S> for LogDemand {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        is_own(metadata) && *metadata.level() <= self.filter()
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_own(metadata) && *metadata.level() <= self.filter() {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.filter())
    }
}

/// Whether a record is the daemon's own. The libraries that send a record to a
/// client log as well, and to stream those records would never end.
fn is_own(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    target.starts_with("vpp_maglev") || target.starts_with("maglevd") || target == AUDIT
}

/// The layer.
pub(super) struct LogStream {
    records: mpsc::Sender<LogRecord>,
    dropped: AtomicU64,
}

impl LogStream {
    /// The layer, and the queue that it fills.
    #[must_use]
    pub(super) fn new() -> (Self, mpsc::Receiver<LogRecord>) {
        let (records, receiver) = mpsc::channel(QUEUE);
        (Self { records, dropped: AtomicU64::new(0) }, receiver)
    }
}

impl<S: Subscriber> Layer<S> for LogStream {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = RecordFields::default();
        event.record(&mut fields);
        let mut record = LogRecord {
            at: SystemTime::now(),
            level: level(*event.metadata().level()),
            message: fields.message,
            fields: fields.others,
        };
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            record.fields.push(("dropped_before", dropped.to_string()));
        }
        if self.records.try_send(record).is_err() {
            self.dropped.fetch_add(dropped + 1, Ordering::Relaxed);
        }
    }
}

fn level(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        _ => LogLevel::Debug,
    }
}

/// The fields of a record as text.
#[derive(Default)]
struct RecordFields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Visit for RecordFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.others.push((field.name(), value.to_owned()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(text, "{value:?}");
        self.record_str(field, &text);
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn records_are_queued_only_while_they_are_asked_for() {
        let demand = LogDemand::default();
        let (stream, mut records) = LogStream::new();
        let subscriber = tracing_subscriber::registry().with(stream.with_filter(demand.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let log = || {
                tracing::debug!(backend = "a", took = ?1, "probe-done");
                tracing::info!(target: "h2::frame", "of a library");
            };
            log();
            assert!(records.try_recv().is_err());
            demand.set(Some(LogLevel::Info));
            log();
            assert!(records.try_recv().is_err());
            demand.set(Some(LogLevel::Debug));
            log();
            let record = records.try_recv().unwrap();
            assert_eq!((record.level, record.message.as_str()), (LogLevel::Debug, "probe-done"));
            assert_eq!(record.fields, [("backend", "a".to_owned()), ("took", "1".to_owned())]);
            assert!(records.try_recv().is_err());
        });
    }
}
