//! `grpc.health.v1`: serving from when the daemon has started until it stops.

use actix::Addr;
use tokio::sync::watch;
use tonic::server::NamedService;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::actors::watchdog::{AwaitStart, Watchdog};
use crate::api::MaglevService;
use crate::api::transport::listener::DaemonPhase;
use crate::pb::maglev_server::MaglevServer;

/// What is asked after: the service, and by the empty name the daemon.
const NAMES: [&str; 2] = ["", <MaglevServer<MaglevService> as NamedService>::NAME];

/// Says that nobody is served yet. To be called before anybody can ask.
pub(in crate::api) async fn begin(health: &HealthReporter) {
    say(health, ServingStatus::NotServing).await;
}

/// Says how it is, and ends with the last who watches it.
pub(in crate::api) async fn report(
    mut health: HealthReporter,
    overseer: Addr<Watchdog>,
    mut phase: watch::Receiver<DaemonPhase>,
) {
    // An error says that the sender is gone: then it is time, too.
    let has_started = tokio::select! {
        started = overseer.send(AwaitStart) => started == Ok(true),
        _ = phase.wait_for(|phase| *phase >= DaemonPhase::Leaving) => false,
    };
    if has_started {
        say(&health, ServingStatus::Serving).await;
    }
    let _ = phase.wait_for(|phase| *phase >= DaemonPhase::Leaving).await;
    say(&health, ServingStatus::NotServing).await;
    let _ = phase.wait_for(|phase| *phase >= DaemonPhase::Stopped).await;
    // Streams of those who watch end with what they watch.
    for name in NAMES {
        health.clear_service_status(name).await;
    }
}

async fn say(health: &HealthReporter, status: ServingStatus) {
    for name in NAMES {
        health.set_service_status(name, status).await;
    }
}
