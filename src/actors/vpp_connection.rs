//! Holds the connection to VPP: dials for ever, numbers each connection with
//! an epoch, and lends it to those who read and write. The stats segment comes
//! and goes with it; without one, VPP is programmed all the same.

mod handlers;
mod messages;
mod ping;
mod stats;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actix::prelude::*;
use tokio::sync::watch;
use tracing::{debug, info, warn};

pub use messages::*;

use super::Outbox;
use crate::actors::event_batcher::EventBatcher;
use crate::domain::events::{DataplaneChange, DataplaneKind, Event};
use crate::vpp::client::{ClientOptions, ConnectError, GoodbyeHandle, VppClient};
use crate::vpp::stats::{StatsError, StatsSegment};

/// Time between two signs of life.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// The first wait after a failed attempt to connect; it doubles up to the last.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LAST_BACKOFF: Duration = Duration::from_secs(5);
/// The wait while nobody listens: to try costs microseconds and bothers
/// nobody, and a VPP that starts forwards nothing until it is programmed.
const ABSENT: Duration = Duration::from_millis(250);

/// The actor. See the module's description.
pub struct VppConnection {
    /// `None`: no VPP is wanted.
    socket: Option<PathBuf>,
    /// `None`: no counters are wanted.
    stats_socket: Option<PathBuf>,
    options: ClientOptions,
    ping_interval: Duration,
    state: ConnectionPhase,
    epoch: Epoch,
    backoff: Duration,
    /// An attempt to connect has ended, either way.
    has_tried: bool,
    figures: ConnectionStats,
    /// Connections that still count, the present one and those that are leaving.
    counting: Vec<(Epoch, VppClient)>,
    told: Option<String>,
    /// What was said of the stats segment, once and not with every attempt.
    told_of_stats: Option<StatsError>,
    events: EventBatcher,
    listener: Option<ConnectionSubscriber>,
    /// The goodbye that a panic is to say.
    goodbye_handle: watch::Sender<Option<GoodbyeHandle>>,
    /// The process at the other end.
    peer: watch::Sender<Option<i32>>,
}

/// Who hears of the connection's coming and going.
struct ConnectionSubscriber {
    connected: Outbox<Connected>,
    lost: Outbox<Lost>,
}

enum ConnectionPhase {
    /// No VPP is wanted.
    Idle,
    /// The socket is being opened, or hands are being shaken.
    Dialing,
    /// Not connected, and why; the next attempt waits.
    BackingOff(String),
    Up(Up),
    /// Connected, and this many pings in a row were not answered. VPP that is
    /// silent is not VPP that is gone: it may come to itself.
    Silent(Up, u32),
    /// The daemon stops.
    Closing,
}

struct Up {
    /// The epoch in which the connection was made. One that was silent in
    /// between goes on in another.
    dialed: Epoch,
    client: VppClient,
    info: VppInfo,
    stats: Result<Arc<StatsSegment>, DataplaneError>,
}

impl VppConnection {
    /// A connection to the API socket at `socket`, or to none.
    #[must_use]
    pub fn new(socket: Option<PathBuf>, options: ClientOptions, events: EventBatcher) -> Self {
        let state = match socket {
            Some(_) => ConnectionPhase::Dialing,
            None => ConnectionPhase::Idle,
        };
        Self {
            socket,
            stats_socket: None,
            options,
            ping_interval: PING_INTERVAL,
            state,
            epoch: Epoch::default(),
            backoff: FIRST_BACKOFF,
            has_tried: false,
            figures: ConnectionStats::default(),
            counting: Vec::new(),
            told: None,
            told_of_stats: None,
            events,
            listener: None,
            goodbye_handle: watch::Sender::new(None),
            peer: watch::Sender::new(None),
        }
    }

    /// The goodbye of the present connection, for a panic hook: VPP would
    /// never notice that a process that was aborted is gone.
    #[must_use]
    pub fn goodbye_handle(&self) -> watch::Receiver<Option<GoodbyeHandle>> {
        self.goodbye_handle.subscribe()
    }

    /// The process that the last connection was to, as our namespace numbers it;
    /// `None` before the first, and if the process is not visible.
    #[must_use]
    pub fn peer(&self) -> watch::Receiver<Option<i32>> {
        self.peer.subscribe()
    }

    /// The same, and the counters of the VPP that has its stats socket there.
    #[must_use]
    pub fn with_stats(self, stats_socket: Option<PathBuf>) -> Self {
        Self { stats_socket, ..self }
    }

    /// The same, with another time between two signs of life than ten seconds.
    #[must_use]
    pub fn with_ping_interval(self, ping_interval: Duration) -> Self {
        Self { ping_interval, ..self }
    }

    fn dial(&mut self, ctx: &mut Context<Self>) {
        let Some(socket) = self.socket.clone() else { return };
        debug!(socket = %socket.display(), "vpp-dial");
        self.state = ConnectionPhase::Dialing;
        let options = self.options.clone();
        let stats_socket = self.stats_socket.clone();
        let dialed = self.epoch.next();
        let attempt = async move {
            let client = VppClient::connect(&socket, options).await?;
            let info = VppInfo::of(&client, dialed);
            // VPP has just answered, so this takes no time either.
            let stats = stats::open(stats_socket, &client).await;
            Ok(Up { dialed, client, info, stats })
        };
        ctx.spawn(attempt.into_actor(self).map(|result, this, ctx| {
            this.has_tried = true;
            match result {
                // Dropped, it says goodbye by itself.
                _ if matches!(this.state, ConnectionPhase::Closing) => {}
                Ok(up) => this.connected(up, ctx),
                Err(why) => this.failed(&why, ctx),
            }
        }));
    }

    fn connected(&mut self, up: Up, ctx: &mut Context<Self>) {
        if matches!(self.state, ConnectionPhase::Closing) {
            // Its last handle goes here, and says goodbye.
            return;
        }
        self.backoff = FIRST_BACKOFF;
        self.told = None;
        let info = &up.info;
        info!(version = info.version, pid = info.pid, epoch = up.dialed.0, "vpp-connect");
        if !info.missing.is_empty() {
            let missing = info.missing.join(" ");
            warn!(
                missing,
                "vpp-messages-missing: backends are probed and nothing is programmed; this VPP's lb plugin is too old or not loaded"
            );
        }
        self.publish(DataplaneKind::Connected, format!("VPP {}", info.version));
        self.figures.dead_clients += info.reaped.len() as u64;
        if !info.reaped.is_empty() {
            let clients = info.reaped.join(" ");
            warn!(
                clients,
                "vpp-cured: VPP had not noticed that these API clients are gone, and spun"
            );
            self.publish(DataplaneKind::Cured, format!("dead API clients let go: {clients}"));
        }
        self.tell_of_stats(&up.stats);
        self.goodbye_handle.send_replace(Some(up.client.goodbye_handle()));
        self.peer.send_replace(up.client.peer_process());
        let (dialed, client) = (up.dialed, up.client.clone());
        self.counting.push((dialed, client.clone()));
        let ended = async move { (client.ended().await.to_string(), client.stats().await) };
        ctx.spawn(ended.into_actor(self).map(move |(why, stats), this, ctx| {
            this.counting.retain(|(of, _)| *of != dialed);
            this.figures.add(&stats);
            this.lost(dialed, why, ctx);
        }));
        self.up(up, ctx);
    }

    /// VPP answers, for the first time or again: a new epoch begins.
    fn up(&mut self, mut up: Up, ctx: &mut Context<Self>) {
        self.epoch = self.epoch.next();
        up.info.epoch = self.epoch;
        let (programmable, dialed) = (up.info.missing.is_empty(), up.dialed);
        self.state = ConnectionPhase::Up(up);
        if let Some(listener) = self.listener.as_ref().filter(|_| programmable) {
            listener.connected.send(Connected { epoch: self.epoch });
        }
        self.ping_later(dialed, ctx);
    }

    fn failed(&mut self, error: &ConnectError, ctx: &mut Context<Self>) {
        let why = error.to_string();
        if self.told.as_ref() != Some(&why) {
            warn!(why, "vpp-connect-failed");
            self.told = Some(why.clone());
        }
        if error.is_absence() {
            return self.dial_in(ABSENT, why, ctx);
        }
        self.back_off(why, ctx);
    }

    fn lost(&mut self, dialed: Epoch, why: String, ctx: &mut Context<Self>) {
        if self.held(dialed).is_none() {
            return;
        }
        warn!(why, epoch = self.epoch.0, "vpp-disconnect");
        self.publish(DataplaneKind::Disconnected, why.clone());
        if matches!(self.state, ConnectionPhase::Up(_)) {
            self.tell_lost(&why);
        }
        self.back_off(why, ctx);
    }

    fn tell_lost(&self, why: &str) {
        if let Some(listener) = &self.listener {
            listener.lost.send(Lost { epoch: self.epoch, why: why.into() });
        }
    }

    /// Dials after a wait that grows with each failure.
    fn back_off(&mut self, why: String, ctx: &mut Context<Self>) {
        let wait = self.backoff;
        self.backoff = (self.backoff * 2).min(LAST_BACKOFF);
        self.dial_in(wait, why, ctx);
    }

    /// Dials after a wait of at most `longest`. Half of it is chance, so that
    /// daemons that lost one VPP do not come back in step.
    fn dial_in(&mut self, longest: Duration, why: String, ctx: &mut Context<Self>) {
        if matches!(self.state, ConnectionPhase::Closing) {
            return;
        }
        self.state = ConnectionPhase::BackingOff(why);
        let wait = longest.mul_f64(0.5 + fastrand::f64() / 2.0);
        ctx.run_later(wait, |this, ctx| {
            if matches!(this.state, ConnectionPhase::BackingOff(_)) {
                this.dial(ctx);
            }
        });
    }

    /// The connection that was dialed in this epoch, if it is still held.
    fn held(&self, dialed: Epoch) -> Option<&Up> {
        match &self.state {
            ConnectionPhase::Up(up) | ConnectionPhase::Silent(up, _) if up.dialed == dialed => {
                Some(up)
            }
            _ => None,
        }
    }

    fn publish(&self, kind: DataplaneKind, detail: String) {
        let change = DataplaneChange { frontend: None, kind, detail, at: SystemTime::now() };
        self.events.publish(Event::Dataplane(change.into()));
    }

    fn client(&self) -> Result<(Epoch, VppClient), DataplaneError> {
        match &self.state {
            ConnectionPhase::Idle => Err(DataplaneError::Off),
            ConnectionPhase::Dialing => Err(DataplaneError::NotConnected("being dialed".into())),
            ConnectionPhase::BackingOff(why) => Err(DataplaneError::NotConnected(why.clone())),
            ConnectionPhase::Silent(..) => {
                Err(DataplaneError::NotConnected("VPP is silent".into()))
            }
            ConnectionPhase::Closing => Err(DataplaneError::ended()),
            ConnectionPhase::Up(up) if up.info.missing.is_empty() => {
                Ok((self.epoch, up.client.clone()))
            }
            ConnectionPhase::Up(up) => Err(DataplaneError::Missing(up.info.missing.clone())),
        }
    }
}

impl Actor for VppConnection {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.dial(ctx);
    }
}

#[cfg(test)]
mod tests;
