//! Starts the actors, each on its thread.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use actix::prelude::*;
use tokio::sync::mpsc;
use vpp_maglev::actors::announcer::Announcer;
use vpp_maglev::actors::broadcaster::{Broadcaster, Limits, Publish};
use vpp_maglev::actors::controller::{Controller, Recipients};
use vpp_maglev::actors::doctor::Doctor;
use vpp_maglev::actors::event_batcher::EventBatcher;
use vpp_maglev::actors::mailbox_closed;
use vpp_maglev::actors::override_keeper::OverrideKeeper;
use vpp_maglev::actors::ping::HeartbeatResponder;
use vpp_maglev::actors::reconciler::Reconciler;
use vpp_maglev::actors::vpp_connection::VppConnection;
use vpp_maglev::actors::watchdog::{Watchdog, WatchedActors};
use vpp_maglev::announce::RouteDriver;
use vpp_maglev::api::Actors;
use vpp_maglev::config::ConfigSource;
use vpp_maglev::domain::config::Config;
use vpp_maglev::domain::events::{Event, LogRecord};
use vpp_maglev::host::logging::Logging;
use vpp_maglev::host::panic_hook::end_on_panic;
use vpp_maglev::host::thread_priority::{ThreadPriorities, ThreadPriority};
use vpp_maglev::host::{cpu_affinity, sd_notify};
use vpp_maglev::probe::ProbeEnvironment;
use vpp_maglev::vpp::client::ClientOptions;

use crate::goodbye::say_goodbye;
use crate::kept_state::KeptState;

/// Log records that are published together, at most.
const RECORD_BATCH: usize = 256;

/// What the actors are made of.
pub struct ActorInputs {
    pub source: Arc<dyn ConfigSource>,
    pub config: Config,
    pub probe_environment: ProbeEnvironment,
    /// `None`: overrides are not kept over restarts.
    pub kept: Option<KeptState>,
    /// `None`: no VPP.
    pub vpp_api: Option<PathBuf>,
    /// `None`: no counters.
    pub vpp_stats: Option<PathBuf>,
    pub client_options: ClientOptions,
    pub event_history: usize,
    pub logging: Logging,
    pub priorities: ThreadPriorities,
}

pub struct RunningActors {
    pub actors: Actors,
    pub events: EventBatcher,
    /// The thread of the Broadcaster, on which gRPC and HTTP are served as well.
    pub serving_arbiter: Arbiter,
}

/// Starts all actors. The calling thread decides. One other serves the outside, one
/// per core probes, and one watches all others: neither ten thousand probes nor a
/// thousand subscribers delay a weight.
///
/// # Errors
/// The system refuses a thread.
pub fn start_actors(inputs: ActorInputs) -> io::Result<RunningActors> {
    let ActorInputs { source, config, probe_environment, logging, priorities, .. } = inputs;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let probing = (0..cores).map(|_| Ok(priorities.arbiter(ThreadPriority::Normal)?.handle()));
    let probing: Vec<_> = probing.collect::<io::Result<_>>()?;
    let serving_arbiter = priorities.arbiter(ThreadPriority::Low)?;
    let boot_id = fastrand::u64(1..);
    let limits = Limits { history: inputs.event_history, ..Limits::default() };
    let broadcaster = Broadcaster::start_in_arbiter(&serving_arbiter.handle(), move |_| {
        Broadcaster::new(boot_id, limits, logging.demand)
    });
    serving_arbiter.spawn(publish_records(logging.records, broadcaster.clone()));
    let events = EventBatcher::new(&broadcaster);

    let has_vpp = inputs.vpp_api.is_some();
    let sockets = (inputs.vpp_api.clone(), inputs.vpp_stats.clone());
    let vpp = VppConnection::new(inputs.vpp_api, inputs.client_options, events.clone());
    let vpp = vpp.with_stats(inputs.vpp_stats);
    end_on_panic(logging.writer, say_goodbye(vpp.goodbye_handle()));
    actix_rt::spawn(cpu_affinity::avoid_cores_of(vpp.peer()));
    let vpp = vpp.start();
    let reconciler = Reconciler::new(vpp.clone(), events.clone()).start();
    let recipients = Recipients::from(&reconciler);
    let responders = probing.iter().enumerate().map(|(number, arbiter)| {
        let responder = HeartbeatResponder::start_in_arbiter(arbiter, |_| HeartbeatResponder);
        (format!("probers-{number}"), responder.recipient())
    });
    let others = responders.chain([("Broadcaster".to_owned(), broadcaster.clone().recipient())]);
    let others = others.collect();
    let controller = Controller::new(source, config, probing, events.clone(), recipients);
    let controller = match inputs.kept {
        None => controller,
        Some(KeptState { dir, overrides }) => {
            // On a thread of its own, which a disk may block.
            let writing = priorities.arbiter(ThreadPriority::Normal)?;
            let keeper = OverrideKeeper::start_in_arbiter(&writing.handle(), move |_| {
                OverrideKeeper::new(dir)
            });
            controller.keeping(overrides, keeper.recipient())
        }
    };
    let controller = controller.on(probe_environment).with_flow_counter(vpp.clone().recipient());
    // On a thread of its own, which a routing daemon may keep waiting.
    let announcing = priorities.arbiter(ThreadPriority::Normal)?;
    let make_driver = Box::new(RouteDriver::of);
    let announcer = Announcer::new(make_driver, announcing.handle(), events.clone());
    let announcer = announcer.telling(reconciler.clone().recipient()).start();
    let controller = controller.with_announcer(announcer.clone().recipient());
    let controller = if has_vpp { controller.awaiting_vpp() } else { controller };
    let controller = controller.start();
    // On the outward thread: the facts of thousands of frontends delay no weight.
    let doctor = Doctor::new(vpp.clone(), controller.clone(), reconciler.clone(), sockets);
    let doctor = doctor.telling(announcer.clone().recipient());
    let doctor = Doctor::start_in_arbiter(&serving_arbiter.handle(), |_| doctor);
    let watched = WatchedActors {
        controller: controller.clone().recipient(),
        vpp: vpp.clone().recipient(),
        reconciler: reconciler.clone().recipient(),
        others,
    };
    // On a thread of its own, which no watched actor can block.
    let watching = priorities.arbiter(ThreadPriority::Normal)?;
    let watchdog = Watchdog::start_in_arbiter(&watching.handle(), move |_| {
        Watchdog::new(watched, sd_notify::service_manager(), sd_notify::watchdog_timeout())
    });
    let actors = Actors { controller, reconciler, vpp, doctor, announcer, broadcaster, watchdog };
    Ok(RunningActors { actors, events, serving_arbiter })
}

/// Publishes log records as events.
async fn publish_records(mut records: mpsc::Receiver<LogRecord>, broadcaster: Addr<Broadcaster>) {
    let mut batch = Vec::new();
    while records.recv_many(&mut batch, RECORD_BATCH).await > 0 {
        let events = batch.drain(..).map(|record| Event::Log(record.into())).collect();
        broadcaster.send(Publish(events)).await.unwrap_or_else(|_| mailbox_closed("Broadcaster"));
    }
}
