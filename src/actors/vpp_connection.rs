//! Holds the connection to VPP: dials for ever, numbers each connection with
//! an epoch, and reads and writes over it for other actors. The stats segment is
//! opened with each connection; without one, VPP is programmed all the same.

mod fib;
mod flows;
mod handlers;
mod messages;
mod ping;
mod reaped;
mod segment;
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
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::events::{DataplaneChange, DataplaneKind, Event};
use crate::vpp::client::{ClientOptions, ConnectError, GoodbyeHandle, VppClient};
use crate::vpp::stats::{StatsError, StatsSegment};

/// Time between two pings.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// The first wait after a failed attempt to connect; it doubles up to the last.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LAST_BACKOFF: Duration = Duration::from_secs(5);
/// The longest wait while nothing listens: an attempt costs microseconds, and a
/// VPP that starts forwards nothing until it is programmed.
const ABSENT_BACKOFF: Duration = Duration::from_millis(250);

pub struct VppConnection {
    /// `None`: the daemon runs without a VPP.
    socket: Option<PathBuf>,
    /// `None`: no counters are read.
    stats_socket: Option<PathBuf>,
    options: ClientOptions,
    ping_interval: Duration,
    phase: ConnectionPhase,
    epoch: Epoch,
    backoff: Duration,
    /// An attempt to connect has ended, either way.
    has_tried: bool,
    /// Of the connections that have ended.
    ended_stats: ConnectionStats,
    /// Connections that have not ended: the present one, and those that are being
    /// closed.
    clients: Vec<(Epoch, VppClient)>,
    /// The failure of the last attempt, which is logged once and not with each.
    logged_failure: Option<String>,
    /// The same of the stats segment.
    logged_stats_error: Option<StatsError>,
    events: EventBatcher,
    subscriber: Option<ConnectionSubscriber>,
    /// The goodbye of the present connection.
    goodbye_handle: watch::Sender<Option<GoodbyeHandle>>,
    /// The process at the other end.
    peer: watch::Sender<Option<i32>>,
}

struct ConnectionSubscriber {
    connected: Outbox<Connected>,
    lost: Outbox<Lost>,
}

enum ConnectionPhase {
    /// The daemon runs without a VPP.
    Idle,
    /// The socket is being opened, or the handshake goes on.
    Dialing,
    /// Not connected, and why; the next attempt waits.
    BackingOff(String),
    Up(Up),
    /// Connected, and this many pings in a row were not answered. A VPP that is
    /// silent is not gone: it may answer again.
    Silent(Up, u32),
    /// The daemon stops.
    Closing,
}

struct Up {
    /// The epoch in which the connection was made. After an unanswered ping the
    /// connection continues as a new epoch.
    dialed: Epoch,
    client: VppClient,
    info: VppInfo,
    stats: Result<Arc<StatsSegment>, CountersError>,
}

impl VppConnection {
    /// A connection to the API socket at `socket`, or to none.
    #[must_use]
    pub fn new(socket: Option<PathBuf>, options: ClientOptions, events: EventBatcher) -> Self {
        let phase = match socket {
            Some(_) => ConnectionPhase::Dialing,
            None => ConnectionPhase::Idle,
        };
        Self {
            socket,
            stats_socket: None,
            options,
            ping_interval: PING_INTERVAL,
            phase,
            epoch: Epoch::default(),
            backoff: FIRST_BACKOFF,
            has_tried: false,
            ended_stats: ConnectionStats::default(),
            clients: Vec::new(),
            logged_failure: None,
            logged_stats_error: None,
            events,
            subscriber: None,
            goodbye_handle: watch::Sender::new(None),
            peer: watch::Sender::new(None),
        }
    }

    /// The goodbye of the present connection, for a panic hook: VPP may never
    /// notice that a process was aborted.
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

    /// Adds the counters of the VPP whose stats socket this is.
    #[must_use]
    pub fn with_stats(self, stats_socket: Option<PathBuf>) -> Self {
        Self { stats_socket, ..self }
    }

    /// Sets the time between two pings, which is ten seconds otherwise.
    #[cfg(test)]
    fn with_ping_interval(self, ping_interval: Duration) -> Self {
        Self { ping_interval, ..self }
    }

    fn dial(&mut self, ctx: &mut Context<Self>) {
        let Some(socket) = self.socket.clone() else { return };
        debug!(socket = %socket.display(), "vpp-dial");
        self.phase = ConnectionPhase::Dialing;
        let options = self.options.clone();
        let stats_socket = self.stats_socket.clone();
        let dialed = self.epoch.next();
        let attempt = async move {
            let client = VppClient::connect(&socket, options).await?;
            let info = VppInfo::of(&client, dialed);
            // VPP has just answered, so this takes no time either.
            let stats = segment::open(stats_socket, &client).await;
            Ok(Up { dialed, client, info, stats })
        };
        ctx.spawn(attempt.into_actor(self).map(|result, this, ctx| {
            this.has_tried = true;
            match result {
                // The client is dropped here, and says goodbye by itself.
                _ if matches!(this.phase, ConnectionPhase::Closing) => {}
                Ok(up) => this.on_connected(up, ctx),
                Err(why) => this.on_dial_failed(&why, ctx),
            }
        }));
    }

    fn on_connected(&mut self, up: Up, ctx: &mut Context<Self>) {
        if matches!(self.phase, ConnectionPhase::Closing) {
            // Its last handle is dropped here, and says goodbye.
            return;
        }
        self.logged_failure = None;
        let info = &up.info;
        let dialect = info.dialect.map_or("none", LbDialect::as_str);
        info!(version = info.version, pid = info.pid, epoch = up.dialed.0, dialect, "vpp-connect");
        if !info.missing.is_empty() {
            let missing = info.missing.join(" ");
            warn!(
                missing,
                "vpp-messages-missing: backends are probed and nothing is programmed; this VPP's lb plugin is too old or not loaded"
            );
        }
        if info.dialect == Some(LbDialect::Membership) {
            warn!(
                version = info.version,
                "vpp-no-weights: this VPP's lb plugin has no weights: servers with a weight above 0 get equal shares of new flows, and slow starts cannot ramp; VPP 26.10 has them"
            );
        }
        self.publish(DataplaneKind::Connected, format!("VPP {}", info.version));
        self.report_reaped(&up.info.reaped);
        self.log_stats(&up.stats);
        self.goodbye_handle.send_replace(Some(up.client.goodbye_handle()));
        self.peer.send_replace(up.client.peer_process());
        let (dialed, client) = (up.dialed, up.client.clone());
        self.clients.push((dialed, client.clone()));
        let ended = async move { (client.ended().await.to_string(), client.stats().await) };
        ctx.spawn(ended.into_actor(self).map(move |(why, stats), this, ctx| {
            this.clients.retain(|(of, _)| *of != dialed);
            this.ended_stats.add(&stats);
            this.on_lost(dialed, why, ctx);
        }));
        self.begin_epoch(up, ctx);
    }

    /// Begins a new epoch: VPP answers, for the first time or again.
    fn begin_epoch(&mut self, mut up: Up, ctx: &mut Context<Self>) {
        self.epoch = self.epoch.next();
        up.info.epoch = self.epoch;
        let (programmable, dialed) = (up.info.missing.is_empty(), up.dialed);
        self.phase = ConnectionPhase::Up(up);
        if let Some(subscriber) = self.subscriber.as_ref().filter(|_| programmable) {
            subscriber.connected.send(Connected { epoch: self.epoch });
        }
        self.ping_later(dialed, ctx);
    }

    fn on_dial_failed(&mut self, error: &ConnectError, ctx: &mut Context<Self>) {
        let why = error.to_string();
        if self.logged_failure.as_ref() != Some(&why) {
            warn!(why, "vpp-connect-failed");
            self.logged_failure = Some(why.clone());
        }
        if error.is_absence() {
            return self.dial_in(ABSENT_BACKOFF, why, ctx);
        }
        self.back_off(why, ctx);
    }

    fn on_lost(&mut self, dialed: Epoch, why: String, ctx: &mut Context<Self>) {
        if self.connection_of(dialed).is_none() {
            return;
        }
        warn!(why, epoch = self.epoch.0, "vpp-disconnect");
        self.publish(DataplaneKind::Disconnected, why.clone());
        if matches!(self.phase, ConnectionPhase::Up(_)) {
            self.notify_lost(&why);
        }
        self.back_off(why, ctx);
    }

    fn notify_lost(&self, why: &str) {
        if let Some(subscriber) = &self.subscriber {
            subscriber.lost.send(Lost { epoch: self.epoch, why: why.into() });
        }
    }

    /// Dials after a wait that grows with each failure, until a connection has stood
    /// for a while: a VPP that greets and closes would otherwise be dialed, and logged,
    /// many times a second.
    fn back_off(&mut self, why: String, ctx: &mut Context<Self>) {
        let wait = self.backoff;
        self.backoff = (self.backoff * 2).min(LAST_BACKOFF);
        self.dial_in(wait, why, ctx);
    }

    /// The connection has stood for a while, and VPP answers over it.
    fn reset_backoff(&mut self) {
        self.backoff = FIRST_BACKOFF;
    }

    /// Dials after a wait of at most `longest`. Half of it is random, so that
    /// daemons that lost one VPP do not dial it again in step.
    fn dial_in(&mut self, longest: Duration, why: String, ctx: &mut Context<Self>) {
        if matches!(self.phase, ConnectionPhase::Closing) {
            return;
        }
        self.phase = ConnectionPhase::BackingOff(why);
        let wait = longest.mul_f64(0.5 + fastrand::f64() / 2.0);
        ctx.run_later(wait, |this, ctx| {
            if matches!(this.phase, ConnectionPhase::BackingOff(_)) {
                this.dial(ctx);
            }
        });
    }

    /// The connection that was dialed in this epoch, if it is the present one.
    fn connection_of(&self, dialed: Epoch) -> Option<&Up> {
        match &self.phase {
            ConnectionPhase::Up(up) | ConnectionPhase::Silent(up, _) if up.dialed == dialed => {
                Some(up)
            }
            _ => None,
        }
    }

    fn publish(&self, kind: DataplaneKind, detail: String) {
        let at = SystemTime::now();
        let change = DataplaneChange { frontend: None, kind, server: None, detail, at };
        self.events.publish(Event::Dataplane(change.into()));
    }

    fn client(&self) -> Result<(Epoch, VppClient), DataplaneError> {
        match &self.phase {
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
