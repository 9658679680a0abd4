//! The text of the file: JSON, one object for each override. A text that was cut off
//! anywhere is none, as the object of the whole is not closed.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::domain::announce::orders::{AnnounceOrder, AnnounceScope};
use crate::domain::announce::placement::VipPrefixError;
use crate::domain::dataplane::net::{Weight, WeightOutOfRange};
use crate::domain::drain::{DrainOrder, DrainTimeout};
use crate::domain::health::Admin;
use crate::domain::moment::Moment;
use crate::domain::names::is_usable;
use crate::domain::overrides::{
    Overridden, OverrideEntry, OverrideOrigin, OverrideSet, OverrideTerm, Reason, ReasonError,
};
use crate::domain::printable::is_control;
use crate::domain::utc::{parse_rfc3339, unix_rfc3339};

/// What the file says that it is.
const FORMAT: &str = "vpp-maglev overrides";
/// The newest version, which has orders of announcements, the one before, which has drains,
/// and the oldest that is read. A set is written in the oldest that has all that is in it,
/// so that an older daemon reads it.
const VERSION: u64 = 3;
const WITHOUT_ANNOUNCEMENTS: u64 = 2;
const WITHOUT_DRAINS: u64 = 1;
/// The longest name of an operator: a certificate's name and an address.
const LONGEST_WHO: usize = 512;

/// Why a text is not that of overrides.
#[derive(Debug, Error)]
pub enum DocumentError {
    #[error("it is not whole, or not of maglevd: {0}")]
    NotJson(#[from] serde_json::Error),
    #[error("it is a file of \"{0}\"")]
    Foreign(String),
    #[error("it is of version {0}, and this maglevd reads versions {WITHOUT_DRAINS} to {VERSION}")]
    OtherVersion(u64),
    #[error("override {place}: {fault}")]
    Entry {
        /// From 1 on.
        place: usize,
        fault: EntryFault,
    },
}

/// What is wrong with one override.
#[derive(Debug, Error)]
pub enum EntryFault {
    #[error("\"{0}\" is not a usable name")]
    Name(String),
    #[error("\"{0}\" is not enabled, paused or disabled")]
    Admin(String),
    #[error(transparent)]
    Weight(#[from] WeightOutOfRange),
    #[error("it sets what the configuration has")]
    NoOverride,
    #[error("\"{0}\" is not a moment as 2026-03-01T00:00:00.000000000Z")]
    Moment(String),
    #[error("who set it is not one line of at most {LONGEST_WHO} characters")]
    Who,
    #[error(transparent)]
    Reason(#[from] ReasonError),
    #[error("its drain is of a backend that is not paused")]
    DrainWithoutPause,
    #[error("its drain flushes without a timeout")]
    FlushWithoutTimeout,
    #[error("\"{0}\" is not announce, drain or withdraw")]
    Order(String),
    #[error(transparent)]
    Prefix(#[from] VipPrefixError),
    #[error("it is the second for the same item")]
    Second,
}

#[derive(Deserialize)]
struct DocumentHead {
    format: String,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    version: u64,
    overrides: Vec<StoredEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum StoredEntry {
    Weight {
        frontend: String,
        pool: String,
        backend: String,
        weight: u8,
        configured: u8,
        who: String,
        why: Option<String>,
        since: String,
        until: Option<String>,
    },
    Admin {
        backend: String,
        state: String,
        configured: String,
        who: String,
        why: Option<String>,
        since: String,
        until: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        drain: Option<StoredDrain>,
    },
    Announcement {
        /// With its length, or "all".
        prefix: String,
        order: String,
        who: String,
        why: Option<String>,
        since: String,
        until: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredDrain {
    /// `None`: it takes as long as it takes.
    timeout_ns: Option<u64>,
    flush: bool,
}

/// The text of the file.
///
/// # Errors
/// None of these types causes one.
pub fn encode(overrides: &OverrideSet) -> serde_json::Result<Vec<u8>> {
    let has_drains = overrides.entries().any(|entry| entry.origin.drain.is_some());
    let has_announcements =
        overrides.entries().any(|entry| matches!(entry.what, Overridden::Announcement { .. }));
    let version = match (has_announcements, has_drains) {
        (true, _) => VERSION,
        (false, true) => WITHOUT_ANNOUNCEMENTS,
        (false, false) => WITHOUT_DRAINS,
    };
    let overrides = overrides.entries().map(|entry| StoredEntry::of(&entry)).collect();
    let document = Document { format: FORMAT.into(), version, overrides };
    let mut text = serde_json::to_vec_pretty(&document)?;
    text.push(b'\n');
    Ok(text)
}

/// The overrides of a text, which is read `now`.
///
/// # Errors
/// It is not the whole text of a file that this version writes.
pub fn decode(text: &[u8], now: Moment) -> Result<OverrideSet, DocumentError> {
    let head: DocumentHead = serde_json::from_slice(text)?;
    if head.format != FORMAT {
        return Err(DocumentError::Foreign(head.format));
    }
    if !(WITHOUT_DRAINS..=VERSION).contains(&head.version) {
        return Err(DocumentError::OtherVersion(head.version));
    }
    let document: Document = serde_json::from_slice(text)?;
    let mut overrides = OverrideSet::default();
    for (place, entry) in (1..).zip(document.overrides) {
        let entry = entry.parse(now).and_then(|entry| {
            let is_first = overrides.insert(entry);
            is_first.then_some(()).ok_or(EntryFault::Second)
        });
        entry.map_err(|fault| DocumentError::Entry { place, fault })?;
    }
    Ok(overrides)
}

impl StoredEntry {
    fn of(entry: &OverrideEntry) -> Self {
        let OverrideOrigin { who, why, term, drain } = &*entry.origin;
        let (who, why) = (who.to_string(), why.as_ref().map(ToString::to_string));
        let (since, until) = (unix_rfc3339(term.since), term.until.map(unix_rfc3339));
        match &entry.what {
            Overridden::Admin { backend, value, configured } => Self::Admin {
                backend: backend.to_string(),
                state: value.as_str().into(),
                configured: configured.as_str().into(),
                who,
                why,
                since,
                until,
                drain: drain.map(StoredDrain::of),
            },
            Overridden::Weight { frontend, pool, backend, value, configured } => Self::Weight {
                frontend: frontend.to_string(),
                pool: pool.to_string(),
                backend: backend.to_string(),
                weight: value.get(),
                configured: configured.get(),
                who,
                why,
                since,
                until,
            },
            Overridden::Announcement { scope, order } => {
                let (prefix, order) = (scope.to_string(), order.as_str().into());
                Self::Announcement { prefix, order, who, why, since, until }
            }
        }
    }

    fn parse(self, now: Moment) -> Result<OverrideEntry, EntryFault> {
        let (what, who, why, since, until, drain) = match self {
            Self::Weight {
                frontend,
                pool,
                backend,
                weight,
                configured,
                who,
                why,
                since,
                until,
            } => {
                let what = Overridden::Weight {
                    frontend: name(&frontend)?.into(),
                    pool: name(&pool)?.into(),
                    backend: name(&backend)?.into(),
                    value: Weight::try_from(i64::from(weight))?,
                    configured: Weight::try_from(i64::from(configured))?,
                };
                if weight == configured {
                    return Err(EntryFault::NoOverride);
                }
                (what, who, why, since, until, None)
            }
            Self::Admin { backend, state, configured, who, why, since, until, drain } => {
                let (value, configured) = (admin(&state)?, admin(&configured)?);
                if value == configured {
                    return Err(EntryFault::NoOverride);
                }
                if drain.is_some() && value != Admin::Paused {
                    return Err(EntryFault::DrainWithoutPause);
                }
                let what = Overridden::Admin { backend: name(&backend)?.into(), value, configured };
                (what, who, why, since, until, drain)
            }
            Self::Announcement { prefix, order, who, why, since, until } => {
                let order = AnnounceOrder::from_word(&order).ok_or(EntryFault::Order(order))?;
                let scope = match prefix.as_str() {
                    AnnounceScope::ALL_WORD => AnnounceScope::All,
                    prefix => AnnounceScope::Prefix(prefix.parse()?),
                };
                (Overridden::Announcement { scope, order }, who, why, since, until, None)
            }
        };
        if who.chars().count() > LONGEST_WHO || who.chars().any(is_control) {
            return Err(EntryFault::Who);
        }
        let why = why.as_deref().map(Reason::try_from).transpose()?;
        let until = until.as_deref().map(moment).transpose()?;
        let term = OverrideTerm::restored(moment(&since)?, until, now);
        let drain = drain.map(StoredDrain::parse).transpose()?;
        let origin = OverrideOrigin { who: who.into(), why, term, drain };
        Ok(OverrideEntry { what, origin: Arc::new(origin) })
    }
}

impl StoredDrain {
    fn of(order: DrainOrder) -> Self {
        let DrainOrder { timeout } = order;
        let nanoseconds = |it: DrainTimeout| u64::try_from(it.after.as_nanos()).unwrap_or(u64::MAX);
        Self {
            timeout_ns: timeout.map(nanoseconds),
            flush: timeout.is_some_and(|timeout| timeout.flush),
        }
    }

    fn parse(self) -> Result<DrainOrder, EntryFault> {
        let Self { timeout_ns, flush } = self;
        if flush && timeout_ns.is_none() {
            return Err(EntryFault::FlushWithoutTimeout);
        }
        let timeout = timeout_ns.map(Duration::from_nanos);
        Ok(DrainOrder { timeout: timeout.map(|after| DrainTimeout { after, flush }) })
    }
}

fn name(text: &str) -> Result<&str, EntryFault> {
    if is_usable(text) { Ok(text) } else { Err(EntryFault::Name(text.into())) }
}

fn admin(text: &str) -> Result<Admin, EntryFault> {
    let all = [Admin::Enabled, Admin::Paused, Admin::Disabled];
    let found = all.into_iter().find(|admin| admin.as_str() == text);
    found.ok_or_else(|| EntryFault::Admin(text.into()))
}

fn moment(text: &str) -> Result<SystemTime, EntryFault> {
    let at = parse_rfc3339(text).and_then(|at_ns| u64::try_from(at_ns).ok());
    let at = at.ok_or_else(|| EntryFault::Moment(text.into()))?;
    Ok(UNIX_EPOCH + Duration::from_nanos(at))
}

#[cfg(test)]
mod tests;
