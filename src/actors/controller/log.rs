//! Logs what the Controller decides about evidence, damping and failing open, how far drains
//! are, and what becomes of overrides.

use std::sync::Arc;

use tracing::{info, warn};

use crate::domain::balancing::fail_open::UpWeight;
use crate::domain::drain::DrainPhase;
use crate::domain::events::{DrainChange, FailOpenChange};
use crate::domain::evidence::hold::{HoldChange, HoldChangeKind};
use crate::domain::health::certificate::{CertificateNews, CertificateView};
use crate::domain::health::damping::DampedReturn;
use crate::domain::names::{BackendName, PoolName};
use crate::domain::overrides::{OverrideEnd, OverrideEntry, OverrideOrigin, Reason};
use crate::domain::utc::unix_rfc3339;
use crate::state::KeepError;

/// Once for all backends of a group.
pub(super) fn hold(HoldChange { group, kind, .. }: &HoldChange) {
    match kind {
        HoldChangeKind::Began { limit } => warn!(
            probes = %group, ?limit,
            "verdicts-held: backends fail, and no other backend or witness passes; they stay as they are"
        ),
        HoldChangeKind::Ended { outcome, lasted } => info!(
            probes = %group, outcome = outcome.as_str(), ?lasted,
            "verdicts-released"
        ),
    }
}

/// That this machine cannot probe a backend, the first one, or can probe all again.
pub(super) fn probing(impossible: Option<&(BackendName, Arc<str>)>) {
    match impossible {
        Some((backend, why)) => warn!(
            %backend, why = &**why,
            "probes-impossible: this machine cannot probe this backend, and perhaps others; they stay as they are"
        ),
        None => info!("probes-possible: every backend can be probed again"),
    }
}

/// That a backend passes again and is kept out.
pub(super) fn damped(backend: &BackendName, DampedReturn { wait, falls, .. }: &DampedReturn) {
    info!(%backend, falls, ?wait, "backend-damped: it passes again, and has to for this time");
}

/// That a server's certificate ends soon, or has been renewed.
pub(super) fn certificate(
    backend: &BackendName,
    news: CertificateNews,
    seen: Option<CertificateView>,
) {
    let ends = seen.map(|seen| unix_rfc3339(seen.ends)).unwrap_or_default();
    match news {
        CertificateNews::EndsSoon => warn!(
            %backend, ends,
            "certificate-ends: the server's certificate ends soon, or has ended: renew it"
        ),
        CertificateNews::Renewed => {
            info!(%backend, ends, "certificate-renewed: the server shows another certificate");
        }
    }
}

/// That a frontend begins to fail open, or ceases to.
pub(super) fn fail_open(change: &FailOpenChange) {
    let FailOpenChange { frontend, is_open, pool, decision, why, .. } = change;
    let pool = pool.as_ref().map_or("", PoolName::as_str);
    let threshold = decision.map(|decision| decision.threshold.to_string()).unwrap_or_default();
    let UpWeight { up, total, .. } = decision.map(|decision| decision.weight).unwrap_or_default();
    let why = &**why;
    if *is_open {
        let effect = "every enabled backend of the pool counts as up";
        warn!(%frontend, pool, up, total, threshold, why, effect, "frontend-fail-open");
    } else {
        let effect = "health checks are believed again";
        warn!(%frontend, pool, up, total, threshold, why, effect, "frontend-fail-open-ended");
    }
}

pub(super) fn override_began(OverrideEntry { what, origin }: &OverrideEntry) {
    let OverrideOrigin { who, why, term, drain: _ } = &**origin;
    let (why, until) = (reason(why.as_ref()), term.until.map(unix_rfc3339));
    info!(%what, who = &**who, why, until, "override-set");
}

/// `who` ended it, and said why; it had been set by another perhaps.
pub(super) fn override_ended(
    OverrideEntry { what, origin }: &OverrideEntry,
    end: OverrideEnd,
    who: &str,
    why: Option<&Reason>,
) {
    let (set_by, set_why) = (&*origin.who, reason(origin.why.as_ref()));
    match end {
        OverrideEnd::Unset => {
            info!(%what, who, why = reason(why), set_by, set_why, "override-unset");
        }
        OverrideEnd::Expired => {
            info!(%what, set_by, set_why, "override-expired: its time is over");
        }
        OverrideEnd::Reconfigured => warn!(
            %what, set_by, set_why,
            "override-dropped: the file now says something else, or has no such item"
        ),
    }
}

/// Operators' changes fail, or what has ended by itself is still in the file.
pub(super) fn not_kept(error: &KeepError) {
    warn!(%error, "overrides-not-kept");
}

/// The first write that succeeds after one that failed.
pub(super) fn kept_again() {
    info!("overrides-kept-again");
}

fn reason(why: Option<&Reason>) -> Option<&str> {
    why.map(Reason::as_str)
}
/// How far a drain is.
pub(super) fn drain(change: &DrainChange) {
    let DrainChange { backend, flows, who, why, .. } = change;
    let (phase, why) = (change.kind(), &**why);
    match change.phase {
        Some(DrainPhase::Overdue) => {
            let remedy = "drain it again, then flush; or disable it";
            warn!(%backend, phase, flows, %who, why, remedy, "backend-drain");
        }
        _ => info!(%backend, phase, flows, %who, why, "backend-drain"),
    }
}
