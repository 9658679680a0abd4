//! Events that clients can subscribe to, and the ring that holds the last of them.

mod announcement_news;
mod audit_record;
mod change;
mod dataplane_change;
mod drain_change;
mod event;
mod fail_open_change;
mod log_record;
mod ring;
mod timeline;

pub use self::ring::{Replay, Ring, Selection};
pub use announcement_news::{AnnouncementNews, AnnouncementTurn};
pub use audit_record::{AuditOutcome, AuditRecord};
pub use change::{Change, Changed};
pub use dataplane_change::{DataplaneChange, DataplaneKind};
pub use drain_change::DrainChange;
pub use event::{Event, Numbered, Seq, Transition};
pub use fail_open_change::FailOpenChange;
pub use log_record::{LogLevel, LogRecord};
pub use timeline::{TimelineNames, TimelineSubject};
