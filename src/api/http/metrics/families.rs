//! The whole page, and the families of backends, frontends and event streams.

use std::time::UNIX_EPOCH;

use actix::MailboxError;

use super::page::{MetricFamily, MetricsPage, count, counter, flag, gauge, histogram};
use super::{announcements, denied, overrides, probes, process, vpp};
use crate::actors::announcer::{GetAnnouncements, ListedAnnouncements};
use crate::actors::broadcaster::{BroadcasterStats, GetBroadcasterStats};
use crate::actors::controller::{
    GetConfig, GetOverrides, GetOverview, GetProbes, OverrideListing, Overview, Probes,
};
use crate::api::actors::Actors;
use crate::api::rights::denied::DeniedCalls;
use crate::domain::announce::AnnouncementListing;
use crate::domain::balancing::weights::{FrontendState, TargetWeight};
use crate::domain::drain::DrainPhase;
use crate::domain::health::State;
use crate::domain::health::certificate::CertificateView;

const BUILD_INFO: MetricFamily = gauge("build_info", "The running maglevd; always 1.");
const RELOAD_SUCCESSFUL: MetricFamily = gauge(
    "config_last_reload_successful",
    "0 while the last reload was refused, so that an older configuration is in use.",
);
const RELOAD_SUCCESS_TIME: MetricFamily = gauge(
    "config_last_reload_success_timestamp_seconds",
    "When the configuration in use was loaded, as Unix time.",
);
const BACKEND_STATE: MetricFamily =
    gauge("backend_state", "1 for the state that a backend is in, 0 for the others.");
const BACKEND_HEALTH: MetricFamily = gauge("backend_health", "1 while a backend is up.");
const BACKEND_ENABLED: MetricFamily =
    gauge("backend_enabled", "0 while the file or an operator has a backend disabled.");
const TRANSITIONS: MetricFamily = counter(
    "backend_transitions_total",
    "Changes of a backend's state since it was configured, by where from and where to.",
);
const BACKEND_UNRESOLVED: MetricFamily = gauge(
    "backend_unresolved",
    "1 while a backend's DNS name does not resolve; the last address is kept.",
);
const DOUBT: MetricFamily = gauge(
    "doubt",
    "1 while a backend fails and keeps its state, because nobody else passes or it cannot be probed.",
);
const CERTIFICATE: MetricFamily = gauge(
    "backend_certificate_end_timestamp_seconds",
    "When a backend's certificate ends, in Unix time, where its check gives certificate-warning.",
);
const CERTIFICATE_SOON: MetricFamily = gauge(
    "backend_certificate_expires_soon",
    "1 while that is within certificate-warning, or past.",
);
const DAMPED: MetricFamily =
    gauge("backend_damped", "1 while a backend passes and is kept out, because it flaps.");
const HOLD: MetricFamily = histogram(
    "hold_seconds",
    "How long the verdicts of a group of probes waited for evidence, by how that ended.",
);
const QUESTIONS: MetricFamily = counter(
    "doubt_questions_total",
    "How often others were asked whether they pass, because a backend failed without a witness.",
);
const DRAIN_FLOWS: MetricFamily = gauge(
    "drain_flows",
    "VPP's count of the flows that a drained backend has left; none until they were counted.",
);
const DRAIN_OVERDUE: MetricFamily = gauge(
    "drain_overdue",
    "1 while a drained backend has flows left although the drain's timeout is over.",
);
const FRONTEND_STATE: MetricFamily =
    gauge("frontend_state", "1 for the state that a frontend is in, 0 for the others.");
const FAIL_OPEN: MetricFamily = gauge(
    "frontend_fail_open",
    "1 while a frontend fails open: too little of its weight is up for its health checks to be believed.",
);
const WEIGHT: MetricFamily =
    gauge("frontend_pool_backend_weight", "The weight that the file or an operator gives.");
const EFFECTIVE: MetricFamily = gauge(
    "frontend_pool_backend_effective_weight",
    "The weight that VPP should hold; none while it is left as it is.",
);
const SUBSCRIBERS: MetricFamily = gauge("event_subscribers", "Open event streams.");
const MISSED: MetricFamily =
    counter("events_missed_total", "Events that streams lost because they fell behind.");

/// Backends and frontends that an actor is asked for at a time: a weight that has
/// to be written does not wait for all of them.
const BACKENDS: usize = 64;
const FRONTENDS: usize = 8;

/// What every actor answers.
pub(super) struct ScrapeAnswers {
    overview: Overview,
    overrides: OverrideListing,
    announcements: AnnouncementListing,
    probes: Probes,
    vpp: vpp::VppAnswers,
    streams: BroadcasterStats,
    denied: DeniedCalls,
}

pub(super) async fn collect(
    actors: &Actors,
    denied: &DeniedCalls,
) -> Result<ScrapeAnswers, MailboxError> {
    let config = actors.controller.send(GetConfig).await?;
    let names: Vec<_> = config.backends.keys().cloned().collect();
    let nothing = GetOverview { backends: vec![], frontends: vec![] };
    let mut overview = actors.controller.send(nothing).await?;
    let mut probes = actors.controller.send(GetProbes(vec![])).await?;
    for some in names.chunks(BACKENDS) {
        let asked = GetOverview { backends: some.to_vec(), frontends: vec![] };
        overview.backends.extend(actors.controller.send(asked).await?.backends);
        let of_some = actors.controller.send(GetProbes(some.to_vec())).await?;
        probes.backends.extend(of_some.backends);
    }
    let names: Vec<_> = config.frontends.keys().cloned().collect();
    for some in names.chunks(FRONTENDS) {
        let asked = GetOverview { backends: vec![], frontends: some.to_vec() };
        overview.frontends.extend(actors.controller.send(asked).await?.frontends);
    }
    let overrides = actors.controller.send(GetOverrides).await?;
    let ListedAnnouncements(announcements) = actors.announcer.send(GetAnnouncements).await?;
    let vpp = vpp::collect(actors).await?;
    let streams = actors.broadcaster.send(GetBroadcasterStats).await?;
    let denied = denied.clone();
    Ok(ScrapeAnswers { overview, overrides, announcements, probes, vpp, streams, denied })
}

/// The whole page.
pub(super) fn write(answers: &ScrapeAnswers, page: &mut MetricsPage) {
    page.family(&BUILD_INFO);
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("commit", env!("MAGLEV_COMMIT"))];
    page.series(&BUILD_INFO, &labels, 1.0);
    let reload = &answers.overview.reload;
    page.single(&RELOAD_SUCCESSFUL, flag(reload.refusal.is_none()));
    let loaded = reload.last_success.duration_since(UNIX_EPOCH).unwrap_or_default();
    page.single(&RELOAD_SUCCESS_TIME, loaded.as_secs_f64());
    backends(&answers.overview, page);
    evidence(&answers.overview, page);
    drains(&answers.overview, page);
    frontends(&answers.overview, page);
    overrides::write(&answers.overrides, page);
    announcements::write(&answers.announcements, page);
    denied::write(&answers.denied, page);
    probes::write(&answers.probes, page);
    vpp::write(&answers.vpp, page);
    page.single(&SUBSCRIBERS, count(answers.streams.subscribers as u64));
    page.single(&MISSED, count(answers.streams.missed));
    process::collect(page, "maglevd");
}

fn backends(overview: &Overview, page: &mut MetricsPage) {
    page.family(&BACKEND_STATE);
    for backend in &overview.backends {
        for state in State::ALL {
            let labels = [("backend", backend.name.as_str()), ("state", state.as_str())];
            page.series(&BACKEND_STATE, &labels, flag(backend.state == state));
        }
    }
    page.family(&BACKEND_HEALTH);
    for backend in &overview.backends {
        let up = flag(backend.state == State::Up);
        page.series(&BACKEND_HEALTH, &[("backend", backend.name.as_str())], up);
    }
    page.family(&BACKEND_ENABLED);
    for backend in &overview.backends {
        let enabled = flag(backend.enabled);
        page.series(&BACKEND_ENABLED, &[("backend", backend.name.as_str())], enabled);
    }
    page.family(&TRANSITIONS);
    for backend in &overview.backends {
        for ((from, to), number) in &backend.transition_counts {
            let labels =
                [("backend", backend.name.as_str()), ("from", from.as_str()), ("to", to.as_str())];
            page.series(&TRANSITIONS, &labels, count(*number));
        }
    }
    page.family(&BACKEND_UNRESOLVED);
    for backend in overview.backends.iter().filter(|it| it.settings.address.name().is_some()) {
        let unresolved = flag(backend.unresolved.is_some());
        page.series(&BACKEND_UNRESOLVED, &[("backend", backend.name.as_str())], unresolved);
    }
}

/// What is known of certificates, by backend.
fn certificates(overview: &Overview) -> impl Iterator<Item = (&str, CertificateView)> {
    overview
        .backends
        .iter()
        .filter_map(|backend| Some((backend.name.as_str(), backend.certificate?)))
}

fn evidence(overview: &Overview, page: &mut MetricsPage) {
    page.family(&DOUBT);
    for backend in &overview.backends {
        let doubted = flag(backend.doubt.is_some());
        page.series(&DOUBT, &[("backend", backend.name.as_str())], doubted);
    }
    page.family(&DAMPED);
    for backend in &overview.backends {
        let damped = flag(backend.damping.is_some());
        page.series(&DAMPED, &[("backend", backend.name.as_str())], damped);
    }
    page.family(&CERTIFICATE);
    for (backend, certificate) in certificates(overview) {
        let since_1970 = certificate.ends.duration_since(UNIX_EPOCH);
        let ends = since_1970.unwrap_or_default().as_secs();
        page.series(&CERTIFICATE, &[("backend", backend)], count(ends));
    }
    page.family(&CERTIFICATE_SOON);
    for (backend, certificate) in certificates(overview) {
        page.series(&CERTIFICATE_SOON, &[("backend", backend)], flag(certificate.is_soon));
    }
    page.family(&HOLD);
    for (outcome, lasted) in &overview.holds.lasted {
        page.histogram(&HOLD, &[("outcome", outcome.as_str())], lasted);
    }
    page.single(&QUESTIONS, count(overview.holds.questions));
}

fn drains(overview: &Overview, page: &mut MetricsPage) {
    let drained =
        || overview.backends.iter().filter_map(|it| Some((it.name.as_str(), it.drain.as_deref()?)));
    page.family(&DRAIN_FLOWS);
    for (name, drain) in drained() {
        let Some(flows) = drain.flows() else { continue };
        page.series(&DRAIN_FLOWS, &[("backend", name)], count(flows));
    }
    page.family(&DRAIN_OVERDUE);
    for (name, drain) in drained() {
        let overdue = flag(drain.phase() == DrainPhase::Overdue);
        page.series(&DRAIN_OVERDUE, &[("backend", name)], overdue);
    }
}

fn frontends(overview: &Overview, page: &mut MetricsPage) {
    page.family(&FRONTEND_STATE);
    for frontend in &overview.frontends {
        for state in FrontendState::ALL {
            let labels = [("frontend", frontend.name.as_str()), ("state", state.as_str())];
            page.series(&FRONTEND_STATE, &labels, flag(frontend.state == state));
        }
    }
    page.family(&FAIL_OPEN);
    for frontend in &overview.frontends {
        let Some(decision) = frontend.fail_open else { continue };
        let open = flag(decision.open_pool().is_some());
        page.series(&FAIL_OPEN, &[("frontend", frontend.name.as_str())], open);
    }
    for family in [&WEIGHT, &EFFECTIVE] {
        page.family(family);
        for frontend in &overview.frontends {
            for pool in &frontend.pools {
                for backend in &pool.backends {
                    let effective = match backend.effective {
                        TargetWeight::Weight(weight) => Some(weight),
                        TargetWeight::Keep => None,
                    };
                    let is_effective = family.name == EFFECTIVE.name;
                    let weight = if is_effective { effective } else { Some(backend.weight) };
                    let Some(weight) = weight else { continue };
                    let labels = [
                        ("frontend", frontend.name.as_str()),
                        ("pool", pool.name.as_str()),
                        ("backend", backend.name.as_str()),
                    ];
                    page.series(family, &labels, f64::from(weight.get()));
                }
            }
        }
    }
}
