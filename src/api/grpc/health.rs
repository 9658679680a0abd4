//! `grpc.health.v1`: `SERVING` from when the daemon has started until it stops.

use actix::Addr;
use tokio::sync::watch;
use tonic::server::NamedService;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::service::MaglevService;
use crate::actors::watchdog::{AwaitStart, Watchdog};
use crate::api::transport::phase::DaemonPhase;
use crate::pb::maglev_server::MaglevServer;

/// The services that clients ask about. The empty name is the whole daemon.
const NAMES: [&str; 2] = ["", <MaglevServer<MaglevService> as NamedService>::NAME];

/// To be called before the first client connects.
pub(in crate::api) async fn set_not_serving(health: &HealthReporter) {
    set(health, ServingStatus::NotServing).await;
}

/// Keeps the status, until [`DaemonPhase::Stopped`]. A phase whose sender is gone
/// counts as that.
pub(in crate::api) async fn report(
    mut health: HealthReporter,
    watchdog: Addr<Watchdog>,
    mut phase: watch::Receiver<DaemonPhase>,
) {
    let has_started = tokio::select! {
        started = watchdog.send(AwaitStart) => started == Ok(true),
        _ = phase.wait_for(|phase| *phase >= DaemonPhase::Leaving) => false,
    };
    if has_started {
        set(&health, ServingStatus::Serving).await;
    }
    let _ = phase.wait_for(|phase| *phase >= DaemonPhase::Leaving).await;
    set(&health, ServingStatus::NotServing).await;
    let _ = phase.wait_for(|phase| *phase >= DaemonPhase::Stopped).await;
    // Ends the streams of clients that watch the status.
    for name in NAMES {
        health.clear_service_status(name).await;
    }
}

async fn set(health: &HealthReporter, status: ServingStatus) {
    for name in NAMES {
        health.set_service_status(name, status).await;
    }
}
