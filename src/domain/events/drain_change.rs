//! How far the drain of a backend is, as an event.

use std::sync::Arc;
use std::time::SystemTime;

use crate::domain::drain::DrainPhase;
use crate::domain::names::BackendName;

/// An event of a snapshot repeats the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainChange {
    pub backend: BackendName,
    /// What it has come to; `None`: it is followed no longer.
    pub phase: Option<DrainPhase>,
    /// The last count; `None`: they were not counted yet.
    pub flows: Option<u64>,
    /// When it began.
    pub since: SystemTime,
    /// The operator who began it.
    pub who: Arc<str>,
    /// The cause, for people.
    pub why: Arc<str>,
    pub at: SystemTime,
}

impl DrainChange {
    /// The word for it in the API and the log.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.phase.map_or("ended", DrainPhase::as_str)
    }
}
