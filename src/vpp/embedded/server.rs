//! The one task that owns an embedded VPP: it accepts, serves, applies injected
//! faults, and publishes its counters. Nothing of it is shared.

mod dispatch;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};
use tracing::{debug, error, warn};

use super::clients::{Clients, Serial};
use super::error::EmbeddedError;
use super::options::{Clock, EmbeddedOptions, Paths};
use super::plugin::PluginApi;
use super::process::{Process, ReplyDraft};
use super::reader::{self, ClientEvent};
use super::requests::RequestTable;
use super::segment::EmbeddedSegment;
use super::sockets::{Listeners, send_descriptor};
use crate::host::logging::RateLimitedLog;
use crate::vpp::embedded::fault_injection::{EmbeddedSnapshot, InjectedFaults, WriteRecord};

/// A request of the [`Control`](super::Control) handle.
pub(super) type ServerCommand = Box<dyn FnOnce(&mut EmbeddedServer) + Send>;

/// Reads that may wait for the server; further readers wait themselves.
const EVENTS: usize = 64;
/// The time between two of VPP's heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The state of an embedded VPP and of its sockets.
pub(super) struct EmbeddedServer {
    options: EmbeddedOptions,
    paths: Paths,
    requests: RequestTable,
    pub(super) process: Process,
    segment: EmbeddedSegment,
    listeners: Option<Listeners>,
    pub(super) clients: Clients,
    pub(super) faults: InjectedFaults,
    pub(super) writes: VecDeque<WriteRecord>,
    /// Requests received, by name.
    pub(super) received: BTreeMap<&'static str, u64>,
    held: Vec<ReplyDraft>,
    /// It serves nothing, like a VPP whose main thread is stuck.
    pub(super) frozen: bool,
    pub(super) stopping: bool,
    serial: u64,
    events: mpsc::Sender<ClientEvent>,
    incoming: Option<mpsc::Receiver<ClientEvent>>,
    activity: watch::Sender<u64>,
}

impl EmbeddedServer {
    /// A VPP that listens. Runs inside a tokio runtime.
    pub(super) fn new(
        paths: Paths,
        options: EmbeddedOptions,
        activity: watch::Sender<u64>,
    ) -> Result<Self, EmbeddedError> {
        let (events, incoming) = mpsc::channel(EVENTS);
        let requests = RequestTable::new(&options);
        let process = Process::new(&options, requests.ids());
        let segment = new_segment(&process, &options)?;
        Ok(Self {
            listeners: Some(Listeners::bind(&paths)?),
            requests,
            process,
            segment,
            options,
            paths,
            clients: Clients::new(),
            faults: InjectedFaults::default(),
            writes: VecDeque::new(),
            received: BTreeMap::new(),
            held: Vec::new(),
            frozen: false,
            stopping: false,
            serial: 0,
            events,
            incoming: Some(incoming),
            activity,
        })
    }

    /// Serves until a command sets `stopping`.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<ServerCommand>) {
        let Some(mut incoming) = self.incoming.take() else { return };
        let accept_log = RateLimitedLog::of_condition(|withheld| {
            warn!(withheld, "vpp-embedded-accept-failed: more of them, unlogged");
        });
        while !self.stopping {
            let awake = !self.frozen;
            let next_heartbeat = self.until_heartbeat();
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(command) => command(&mut self),
                    None => break,
                },
                Some(event) = incoming.recv(), if awake => self.on(event),
                client = accept(self.listeners.as_ref().map(|l| &l.api.socket), &accept_log), if awake => {
                    self.connected(client);
                }
                client = accept(self.listeners.as_ref().map(|l| &l.stats.socket), &accept_log), if awake => {
                    if let Err(error) = send_descriptor(&client, self.segment.descriptor()) {
                        debug!(%error, "vpp-embedded-stats-client");
                    }
                }
                () = tokio::time::sleep(next_heartbeat), if awake => self.publish_heartbeat(),
            }
            self.activity.send_modify(|count| *count += 1);
        }
    }

    /// Starts again, empty, with connections closed and sockets bound anew.
    pub(super) fn restart(&mut self) -> Result<(), EmbeddedError> {
        self.halt();
        self.listeners = None;
        self.listeners = Some(Listeners::bind(&self.paths)?);
        Ok(())
    }

    /// Starts again as a VPP of another release.
    pub(super) fn restart_as(&mut self, api: PluginApi) -> Result<(), EmbeddedError> {
        self.options.api = api;
        self.requests = RequestTable::new(&self.options);
        self.restart()
    }

    /// Ends as a VPP ends that is stopped; `killed`: that leaves its files.
    pub(super) fn stop_listening(&mut self, killed: bool) {
        self.halt();
        match self.listeners.take() {
            Some(listeners) if killed => listeners.leave_files(),
            _ => {}
        }
    }

    /// Drops everything that ends with a process.
    fn halt(&mut self) {
        self.clients.clear();
        self.held.clear();
        self.frozen = false;
        self.process = Process::new(&self.options, self.requests.ids());
        match new_segment(&self.process, &self.options) {
            Ok(segment) => self.segment = segment,
            Err(error) => error!(%error, "vpp-embedded-stats-failed"),
        }
    }

    /// Sends what was held back.
    pub(super) fn release(&mut self) {
        for answer in std::mem::take(&mut self.held) {
            self.send(&answer);
        }
    }

    pub(super) fn snapshot(&mut self) -> EmbeddedSnapshot {
        self.process.catch_up();
        let (clients, dead_clients) = self.clients.names();
        EmbeddedSnapshot {
            running: self.listeners.is_some(),
            uptime: self.process.uptime(),
            conf: self.process.plugin.conf(),
            vips: self.process.plugin.vip_rows(),
            servers: self.process.plugin.server_rows(),
            clients,
            dead_clients,
            faults: self.faults.len(),
            held: self.held.len(),
        }
    }

    fn connected(&mut self, stream: UnixStream) {
        self.serial += 1;
        let serial = Serial(self.serial);
        let stream = Arc::new(stream);
        let reader = reader::start(serial, Arc::clone(&stream), self.events.clone());
        self.clients.add(serial, stream, reader);
    }

    fn on(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Bodies(serial, bodies) => {
                for body in bodies {
                    // It may have been closed by the message before.
                    let Some(slot) = self.clients.slot(serial) else { return };
                    self.request(slot, &body);
                }
            }
            ClientEvent::Room(serial) => {
                if let Some(slot) = self.clients.slot(serial) {
                    let sent = self.clients.has_room(slot);
                    self.after_send(slot, sent);
                }
            }
            ClientEvent::Ended { client, failed } => {
                if failed {
                    self.clients.errno_was_set();
                }
                if let Some(slot) = self.clients.slot(client) {
                    self.clients.ended(slot);
                }
            }
        }
    }

    fn until_heartbeat(&self) -> Duration {
        if self.options.clock == Clock::Manual {
            return Duration::MAX;
        }
        let past = self.process.uptime().as_nanos() % HEARTBEAT.as_nanos();
        HEARTBEAT - Duration::from_nanos(u64::try_from(past).unwrap_or(0))
    }

    /// Writes the heartbeat to the segment, after the collector has run.
    pub(super) fn publish_heartbeat(&mut self) {
        self.process.catch_up();
        let heartbeats = u64::from(self.process.now()) / HEARTBEAT.as_secs();
        if let Err(error) = self.segment.set_heartbeat(heartbeats) {
            error!(%error, "vpp-embedded-stats-failed");
        }
    }

    /// Writes the counters that changed to the segment.
    pub(super) fn publish_counters(&mut self) {
        let plugin = &mut self.process.plugin;
        let changed = plugin.take_changed_counters();
        if changed.is_empty() {
            return;
        }
        let slots = u32::try_from(plugin.vip_slots()).unwrap_or(u32::MAX);
        if let Err(error) = self.segment.count(slots, &changed, |slot| plugin.counters(slot)) {
            error!(%error, "vpp-embedded-stats-failed");
        }
    }
}

fn new_segment(
    process: &Process,
    options: &EmbeddedOptions,
) -> Result<EmbeddedSegment, EmbeddedError> {
    EmbeddedSegment::new(process.boot_time(), options.workers).map_err(EmbeddedError::Stats)
}

/// The next connection; never, while there is no listener.
async fn accept(listener: Option<&tokio::net::UnixListener>, log: &RateLimitedLog) -> UnixStream {
    let Some(listener) = listener else { return std::future::pending().await };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                // Out of descriptors, most likely: wait until some are closed.
                if let Some(withheld) = log.is_due() {
                    warn!(%error, withheld, "vpp-embedded-accept-failed");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
