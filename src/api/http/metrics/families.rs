//! The whole page, and the families of backends, frontends and event streams.

use std::time::UNIX_EPOCH;

use actix::MailboxError;

use super::page::{MetricFamily, MetricsPage, count, counter, flag, gauge};
use super::{probes, process, vpp};
use crate::actors::broadcaster::GetBroadcasterStats;
use crate::actors::controller::{GetOverview, Overview};
use crate::api::actors::Actors;
use crate::domain::balancing::weights::{FrontendState, TargetWeight};
use crate::domain::health::State;

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
const FRONTEND_STATE: MetricFamily =
    gauge("frontend_state", "1 for the state that a frontend is in, 0 for the others.");
const WEIGHT: MetricFamily =
    gauge("frontend_pool_backend_weight", "The weight that the file or an operator gives.");
const EFFECTIVE: MetricFamily = gauge(
    "frontend_pool_backend_effective_weight",
    "The weight that VPP should hold; none while it is left as it is.",
);
const SUBSCRIBERS: MetricFamily = gauge("event_subscribers", "Open event streams.");
const MISSED: MetricFamily =
    counter("events_missed_total", "Events that streams lost because they fell behind.");

/// Fills the page with the answers of every actor.
pub(super) async fn collect(actors: &Actors, page: &mut MetricsPage) -> Result<(), MailboxError> {
    page.family(&BUILD_INFO);
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("commit", env!("MAGLEV_COMMIT"))];
    page.series(&BUILD_INFO, &labels, 1.0);
    let overview = actors.controller.send(GetOverview).await?;
    page.single(&RELOAD_SUCCESSFUL, flag(overview.reload.successful));
    let loaded = overview.reload.last_success.duration_since(UNIX_EPOCH).unwrap_or_default();
    page.single(&RELOAD_SUCCESS_TIME, loaded.as_secs_f64());
    backends(&overview, page);
    frontends(&overview, page);
    probes::collect(actors, page).await?;
    vpp::collect(actors, page).await?;
    let stats = actors.broadcaster.send(GetBroadcasterStats).await?;
    page.single(&SUBSCRIBERS, count(stats.subscribers as u64));
    page.single(&MISSED, count(stats.missed));
    process::collect(page);
    Ok(())
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

fn frontends(overview: &Overview, page: &mut MetricsPage) {
    page.family(&FRONTEND_STATE);
    for frontend in &overview.frontends {
        for state in FrontendState::ALL {
            let labels = [("frontend", frontend.name.as_str()), ("state", state.as_str())];
            page.series(&FRONTEND_STATE, &labels, flag(frontend.state == state));
        }
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
