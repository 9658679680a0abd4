//! The daemon's life: start every actor, listen, reload on SIGHUP, and leave
//! VPP as it is on SIGTERM.

use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use actix::prelude::*;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tracing::{info, warn};
use vpp_maglev::VERSION;
use vpp_maglev::actors::broadcaster::{Broadcaster, Limits, Publish, Shutdown};
use vpp_maglev::actors::controller::{self, Controller, Reload, log_warnings};
use vpp_maglev::actors::event_batcher::EventBatcher;
use vpp_maglev::actors::gone;
use vpp_maglev::actors::reconciler::Reconciler;
use vpp_maglev::actors::vpp_connection::{Close, VppConnection};
use vpp_maglev::actors::watchdog::{
    HeartbeatResponder, Parts, Reloaded, Reloading, Stopping, Watchdog,
};
use vpp_maglev::api::{self, Actors, ListenError, ListenerConfig, MaglevService, Serving};
use vpp_maglev::config::{self, LoadError, Loaded};
use vpp_maglev::domain::config::Config;
use vpp_maglev::domain::events::{Event, LogLevel, LogRecord};
use vpp_maglev::probe::{NamespaceError, ProbeEnvironment};
use vpp_maglev::vpp::client::ClientOptions;
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedError, EmbeddedOptions};

use crate::demo::{Demo, DemoError};
use crate::flags::Flags;
use vpp_maglev::host::cpu_affinity;
use vpp_maglev::host::logging::{self, LogLevels, Logging};
use vpp_maglev::host::panic_hook::end_on_panic;
use vpp_maglev::host::sd_notify;
use vpp_maglev::host::thread_priority::{ThreadPriorities, ThreadPriority};

/// How long requests under way may take when the daemon stops.
const STOP_PATIENCE: Duration = Duration::from_secs(2);
/// Log records that go to the Broadcaster together, at most.
const RECORDS: usize = 256;

/// Why the daemon did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error("{}: {fault}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: LoadError,
    },
    /// The network namespace of probes cannot be entered.
    #[error("healthchecker.netns: {0}")]
    Namespace(#[from] NamespaceError),
    /// A gRPC address cannot be used.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The metrics address cannot be used.
    #[error(transparent)]
    Metrics(#[from] api::http::metrics::MetricsError),
    /// The embedded dataplane did not start.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The demo did not start.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The system refused something that every process needs.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// Why the daemon did not start.
pub fn run(mut flags: Flags) -> Result<(), StartError> {
    let logs = logging::start(flags.log_level, flags.log_format)?;
    let _last = logs.writer.last_records();
    end_on_panic(logs.writer.clone(), None);
    let demo = if flags.demo { Some(Demo::prepare(&flags.config)?) } else { None };
    if let Some(demo) = &demo {
        flags.config = demo.config_path().to_owned();
        flags.vpp_api_addr = "embedded".into();
    }
    info!(version = VERSION, config = %flags.config.display(), "starting");
    let Loaded { config, warnings } = read(&flags.config)?
        .map_err(|fault| StartError::Config { path: flags.config.clone(), fault })?;
    log_warnings(&warnings);
    drop(warnings);
    use_all_descriptors();
    let ground = ProbeEnvironment::prepare(&config.healthchecker)?;
    let embedded = match flags.vpp_api_addr.as_str() {
        "embedded" => Some(Embedded::start_private(EmbeddedOptions::default())?),
        _ => None,
    };
    if let Some(embedded) = &embedded {
        info!(api = %embedded.api_path().display(), "dataplane-ready");
    }
    let ranks = ThreadPriorities::around_this_thread();
    let runtime = ranks.runtime(ThreadPriority::First)?;
    let system = System::with_tokio_rt(|| runtime);
    let outcome =
        system.block_on(live(&flags, (config, ground), embedded.as_ref(), demo, logs, ranks));
    drop(embedded);
    // Nothing is left to be done. An actor that is dropped runs once more, and
    // one that has not started yet starts then: with no reactor, it panics.
    std::mem::forget(system);
    outcome
}

/// Reads the configuration on a thread that ends with it: the memory that this
/// took and gave back serves the next thread, and does not lie between what the
/// present one keeps.
fn read(path: &Path) -> io::Result<Result<Loaded, LoadError>> {
    let path = path.to_owned();
    let reader = thread::Builder::new().name("config".into());
    let read = reader.spawn(move || config::load(&path))?.join();
    Ok(read.unwrap_or_else(|panic| resume_unwind(panic)))
}

/// Raises the limit on descriptors as far as it may be: by default it is low
/// for the sake of programs that use `select`.
fn use_all_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // What is refused leaves the limit, which the slots are derived from.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

async fn live(
    flags: &Flags,
    (config, ground): (Config, ProbeEnvironment),
    embedded: Option<&Embedded>,
    demo: Option<Demo>,
    logs: Logging,
    ranks: ThreadPriorities,
) -> Result<(), StartError> {
    // Before anything listens, so that no early signal kills us half-way.
    let hangup = signal(SignalKind::hangup())?;
    let [more, as_configured] = [SignalKind::user_defined1(), SignalKind::user_defined2()];
    let louder = (signal(more)?, signal(as_configured)?);
    let stop = stop_signal()?;
    let demo = match demo {
        Some(demo) => Some(demo.start(&config).await?),
        None => None,
    };
    let sockets = match embedded {
        Some(embedded) => VppSockets {
            api: Some(embedded.api_path().to_owned()),
            stats: Some(embedded.stats_path().to_owned()),
        },
        None => VppSockets { api: path(&flags.vpp_api_addr), stats: path(&flags.vpp_stats_addr) },
    };
    let writer = logs.writer.clone();
    actix_rt::spawn(log_as_told(louder, logs.levels.clone()));
    let (actors, herald, outward) = start_actors(flags, (config, ground), sockets, logs, ranks)?;
    ranks.take(ThreadPriority::First);
    let listening = listen(flags, &actors, &outward).await?;
    for address in &listening.addresses {
        info!(%address, "grpc-listening");
    }
    if let Some(demo) = &demo {
        // It stands below what was logged so far.
        writer.flush();
        demo.introduce(&listening.addresses);
    }
    tokio::select! {
        () = stop => {}
        () = reload_on(hangup, &actors, &listening) => {}
    }
    info!("stopping");
    listening.leave();
    actors.overseer.send(Stopping).await.unwrap_or_else(|_| gone("Overseer"));
    actors.vpp.send(Close).await.unwrap_or_else(|_| gone("VppConnection"));
    // Ends the event streams, so that their requests can end.
    herald.send(Shutdown).await.unwrap_or_else(|_| gone("Herald"));
    if tokio::time::timeout(STOP_PATIENCE, listening.stop()).await.is_err() {
        warn!("some requests were cut off");
    }
    Ok(())
}

/// Reloads at every SIGHUP, one after the other, and tells the service manager.
async fn reload_on(mut hangup: Signal, actors: &Actors, listening: &Serving) {
    while hangup.recv().await.is_some() {
        let monotonic_us = sd_notify::monotonic_us();
        let told = actors.overseer.send(Reloading { monotonic_us }).await;
        told.unwrap_or_else(|_| gone("Overseer"));
        // Its outcome is in the log.
        let _ = actors.checker.send(Reload).await.unwrap_or_else(|_| gone("Checker"));
        if let Some(certificates) = listening.certificates() {
            // So is this.
            let _ = certificates.renew().await;
        }
        actors.overseer.send(Reloaded).await.unwrap_or_else(|_| gone("Overseer"));
    }
}

/// SIGUSR1 has everything logged, SIGUSR2 what the flag says.
async fn log_as_told((mut more, mut as_configured): (Signal, Signal), levels: LogLevels) {
    loop {
        let level = tokio::select! {
            Some(()) = more.recv() => LogLevel::Debug,
            Some(()) = as_configured.recv() => levels.configured,
            else => return,
        };
        levels.set(level);
    }
}

/// VPP's sockets; `None`: not wanted.
struct VppSockets {
    api: Option<PathBuf>,
    stats: Option<PathBuf>,
}

/// The path that a flag gives, unless it is empty.
fn path(flag: &str) -> Option<PathBuf> {
    (!flag.is_empty()).then(|| PathBuf::from(flag))
}

/// Threads: one for what decides, one for what is watched and asked, one a core
/// for probes, so that neither ten thousand probes nor a thousand watchers stand
/// in front of a weight, and one that looks after all of these.
fn start_actors(
    flags: &Flags,
    (config, ground): (Config, ProbeEnvironment),
    sockets: VppSockets,
    logs: Logging,
    ranks: ThreadPriorities,
) -> io::Result<(Actors, Addr<EventBatcher>, Arbiter)> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let probing = (0..cores).map(|_| Ok(ranks.arbiter(ThreadPriority::Usual)?.handle()));
    let probing: Vec<_> = probing.collect::<io::Result<_>>()?;
    let outward = ranks.arbiter(ThreadPriority::Last)?;
    let boot_id = fastrand::u64(1..);
    let limits = Limits { held: flags.event_history, ..Limits::default() };
    let broadcaster = Broadcaster::start_in_arbiter(&outward.handle(), move |_| {
        Broadcaster::new(boot_id, limits, logs.demand)
    });
    let to = broadcaster.clone();
    outward.spawn(forward(logs.records, to));
    let herald = EventBatcher::of(&broadcaster);

    let options =
        ClientOptions { stale_client_workaround: flags.vpp_cure, ..ClientOptions::default() };
    let vpp = VppConnection::new(sockets.api, options, herald.clone()).with_stats(sockets.stats);
    end_on_panic(logs.writer, Some(vpp.goodbye_handle()));
    actix_rt::spawn(cpu_affinity::leave_to(vpp.peer()));
    let vpp = vpp.start();
    let reconciler = Reconciler::new(vpp.clone(), herald.clone()).start();
    let recipients = controller::Recipients::from(&reconciler);
    let pulses = probing.iter().enumerate().map(|(number, arbiter)| {
        let pulse = HeartbeatResponder::start_in_arbiter(arbiter, |_| HeartbeatResponder);
        (format!("probers-{number}"), pulse.recipient())
    });
    let broadcasts = ("Broadcaster".to_owned(), broadcaster.clone().recipient());
    let others = pulses.chain([broadcasts]).collect();
    let path = flags.config.clone();
    let checker = Controller::new(path, config, probing, herald.clone(), recipients);
    let checker = checker.on(ground).start();
    let parts = Parts {
        census: checker.clone().recipient(),
        link: vpp.clone().recipient(),
        sight: reconciler.clone().recipient(),
        others,
    };
    // On a thread that none of those it asks can hold up.
    let beside = ranks.arbiter(ThreadPriority::Usual)?;
    let overseer = Watchdog::start_in_arbiter(&beside.handle(), move |_| {
        Watchdog::new(parts, sd_notify::to_service_manager(), sd_notify::watchdog())
    });
    Ok((Actors { checker, reconciler, vpp, broadcaster, overseer }, herald, outward))
}

/// Opens the gRPC sockets and the metrics page on the arbiter that serves the
/// outside.
async fn listen(flags: &Flags, actors: &Actors, outward: &Arbiter) -> Result<Serving, StartError> {
    let actors = actors.clone();
    let offer = ListenerConfig {
        addresses: flags.grpc_addr.clone(),
        reflection: flags.reflection,
        tls: flags.grpc_tls().map_err(ListenError::from)?,
        unix: flags.grpc_unix(),
    };
    let metrics = flags.metrics_addr.clone();
    let (answer, answered) = tokio::sync::oneshot::channel();
    outward.spawn(async move {
        let open = async {
            if !metrics.is_empty() {
                let address = api::http::metrics::serve(actors.clone(), &metrics).await?;
                info!(address, "metrics-listening");
            }
            Ok(api::serve(MaglevService::new(actors), &offer).await?)
        };
        // The other end waits for as long as it lives.
        let _ = answer.send(open.await);
    });
    answered.await.unwrap_or_else(|_| Ok(Serving::none()))
}

/// Hands log records to the Broadcaster as they come.
async fn forward(mut records: mpsc::Receiver<LogRecord>, to: Addr<Broadcaster>) {
    let mut waiting = Vec::new();
    while records.recv_many(&mut waiting, RECORDS).await > 0 {
        let events = waiting.drain(..).map(|record| Event::Log(record.into())).collect();
        to.send(Publish(events)).await.unwrap_or_else(|_| gone("Broadcaster"));
    }
}

/// Ends when the daemon is told to stop. From this call on, and not only once
/// it is awaited, the signals no longer end the process by themselves.
///
/// # Errors
/// The system refused a handler.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
