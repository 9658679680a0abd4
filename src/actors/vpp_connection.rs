//! Holds the connection to VPP: dials for ever, numbers each connection with
//! an epoch, and lends it to those who read and write. The stats segment comes
//! and goes with it; without one, VPP is programmed all the same.

mod messages;
mod stats;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actix::prelude::*;
use tracing::{debug, info, warn};

pub use messages::*;

use super::Outbox;
use super::broadcaster::{Broadcaster, Publish};
use crate::domain::events::{DataplaneChange, DataplaneKind, Event};
use crate::vpp::client::{Client, ClientOptions, ConnectError};
use crate::vpp::stats::{Segment, StatsError};

/// Time between two signs of life.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// The first wait after a failed attempt to connect; it doubles up to the last.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LAST_BACKOFF: Duration = Duration::from_secs(5);

/// The actor. See the module's description.
pub struct VppConnection {
    /// `None`: no VPP is wanted.
    socket: Option<PathBuf>,
    /// `None`: no counters are wanted.
    stats_socket: Option<PathBuf>,
    options: ClientOptions,
    state: State,
    epoch: Epoch,
    backoff: Duration,
    told: Option<String>,
    /// What was said of the stats segment, once and not with every attempt.
    told_of_stats: Option<StatsError>,
    broadcaster: Addr<Broadcaster>,
    events: Option<Outbox<Publish>>,
    listener: Option<Listener>,
}

/// Who hears of the connection's coming and going.
struct Listener {
    connected: Outbox<Connected>,
    lost: Outbox<Lost>,
}

enum State {
    /// No VPP is wanted.
    Off,
    /// Not connected, and why.
    Away(String),
    Up(Up),
    /// The daemon stops.
    Closing,
}

struct Up {
    client: Client,
    info: VppInfo,
    stats: Result<Arc<Segment>, LinkError>,
}

impl VppConnection {
    /// A connection to the API socket at `socket`, or to none.
    #[must_use]
    pub fn new(
        socket: Option<PathBuf>,
        options: ClientOptions,
        broadcaster: Addr<Broadcaster>,
    ) -> Self {
        let state = match socket {
            Some(_) => State::Away("not tried yet".into()),
            None => State::Off,
        };
        Self {
            socket,
            stats_socket: None,
            options,
            state,
            epoch: Epoch::default(),
            backoff: FIRST_BACKOFF,
            told: None,
            told_of_stats: None,
            broadcaster,
            events: None,
            listener: None,
        }
    }

    /// The same, and the counters of the VPP that has its stats socket there.
    #[must_use]
    pub fn with_stats(self, stats_socket: Option<PathBuf>) -> Self {
        Self { stats_socket, ..self }
    }

    fn dial(&mut self, ctx: &mut Context<Self>) {
        let Some(socket) = self.socket.clone() else { return };
        debug!(socket = %socket.display(), "vpp-dial");
        let options = self.options.clone();
        let stats_socket = self.stats_socket.clone();
        let epoch = self.epoch.next();
        let attempt = async move {
            let client = Client::connect(&socket, options).await?;
            let info = VppInfo::of(&client, epoch);
            // VPP has just answered, so this takes no time either.
            let stats = stats::open(stats_socket, &client).await;
            Ok(Up { client, info, stats })
        };
        ctx.spawn(attempt.into_actor(self).map(|result, this, ctx| match result {
            Ok(up) => this.connected(up, ctx),
            Err(why) => this.failed(&why, ctx),
        }));
    }

    fn connected(&mut self, up: Up, ctx: &mut Context<Self>) {
        self.epoch = up.info.epoch;
        self.backoff = FIRST_BACKOFF;
        self.told = None;
        info!(version = up.info.version, pid = up.info.pid, epoch = self.epoch.0, "vpp-connect");
        let missing = up.info.missing.clone();
        if !missing.is_empty() {
            warn!(
                missing = missing.join(" "),
                "vpp-messages-missing: backends are probed and nothing is programmed; this VPP's lb plugin is too old or not loaded"
            );
        }
        self.publish(DataplaneKind::Connected, format!("VPP {}", up.info.version));
        self.tell_of_stats(&up.stats);
        let (epoch, ended) = (self.epoch, up.client.clone());
        self.state = State::Up(up);
        if let Some(listener) = self.listener.as_ref().filter(|_| missing.is_empty()) {
            listener.connected.send(Connected { epoch });
        }
        let ended = async move { ended.ended().await.to_string() };
        ctx.spawn(ended.into_actor(self).map(move |why, this, ctx| this.lost(epoch, why, ctx)));
        self.ping_later(epoch, ctx);
    }

    fn failed(&mut self, why: &ConnectError, ctx: &mut Context<Self>) {
        let why = why.to_string();
        if self.told.as_ref() != Some(&why) {
            warn!(why, "vpp-connect-failed");
            self.told = Some(why.clone());
        }
        self.state = State::Away(why);
        self.dial_later(ctx);
    }

    fn lost(&mut self, epoch: Epoch, why: String, ctx: &mut Context<Self>) {
        if epoch != self.epoch || !matches!(self.state, State::Up(_)) {
            return;
        }
        warn!(why, epoch = epoch.0, "vpp-disconnect");
        self.publish(DataplaneKind::Disconnected, why.clone());
        if let Some(listener) = &self.listener {
            listener.lost.send(Lost { epoch, why: why.clone() });
        }
        self.state = State::Away(why);
        self.dial_later(ctx);
    }

    /// Dials after a wait that grows with each failure. Half of it is chance,
    /// so that daemons that lost one VPP do not come back in step.
    fn dial_later(&mut self, ctx: &mut Context<Self>) {
        let wait = self.backoff.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.backoff = (self.backoff * 2).min(LAST_BACKOFF);
        ctx.run_later(wait, |this, ctx| {
            if matches!(this.state, State::Away(_)) {
                this.dial(ctx);
            }
        });
    }

    fn ping_later(&mut self, epoch: Epoch, ctx: &mut Context<Self>) {
        ctx.run_later(PING_INTERVAL, move |this, ctx| {
            let State::Up(up) = &this.state else { return };
            if this.epoch != epoch {
                return;
            }
            let client = up.client.clone();
            let ping = async move {
                let answer = client.ping().await;
                if answer.is_err() {
                    // Silent is not gone: VPP holds the socket and says
                    // nothing. A new connection is the only remedy there is.
                    client.close().await;
                }
                answer
            };
            ctx.spawn(ping.into_actor(this).map(move |answer, this, ctx| match answer {
                Ok(_) => {
                    this.open_stats_again(epoch, ctx);
                    this.ping_later(epoch, ctx);
                }
                Err(why) => this.lost(epoch, format!("VPP is silent: {why}"), ctx),
            }));
        });
    }

    fn publish(&self, kind: DataplaneKind, detail: String) {
        let change = DataplaneChange { frontend: None, kind, detail, at: SystemTime::now() };
        if let Some(events) = &self.events {
            events.send(Publish(Event::Dataplane(change)));
        }
    }

    fn client(&self) -> Result<(Epoch, Client), LinkError> {
        match &self.state {
            State::Off => Err(LinkError::Off),
            State::Away(why) => Err(LinkError::NotConnected(why.clone())),
            State::Closing => Err(LinkError::ended()),
            State::Up(up) if up.info.missing.is_empty() => Ok((self.epoch, up.client.clone())),
            State::Up(up) => Err(LinkError::Missing(up.info.missing.clone())),
        }
    }
}

impl Actor for VppConnection {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.events = Some(Outbox::new(self.broadcaster.clone().recipient()));
        self.dial(ctx);
    }
}

impl Handler<Listen> for VppConnection {
    type Result = ();

    fn handle(&mut self, Listen { connected, lost }: Listen, _: &mut Self::Context) {
        let listener = Listener { connected: Outbox::new(connected), lost: Outbox::new(lost) };
        if let Ok((epoch, _)) = self.client() {
            listener.connected.send(Connected { epoch });
        }
        self.listener = Some(listener);
    }
}

impl Handler<Observe> for VppConnection {
    type Result = ResponseFuture<Result<Seen, LinkError>>;

    fn handle(&mut self, _: Observe, _: &mut Self::Context) -> Self::Result {
        let client = self.client();
        Box::pin(async move {
            let (epoch, client) = client?;
            let observed = client.read_state().await.map_err(LinkError::failed)?;
            Ok(Seen { epoch, observed })
        })
    }
}

impl Handler<Apply> for VppConnection {
    type Result = ResponseFuture<Result<Vec<Outcome>, LinkError>>;

    fn handle(&mut self, apply: Apply, _: &mut Self::Context) -> Self::Result {
        let client = match self.client() {
            Ok((epoch, client)) if epoch == apply.epoch => Ok(client),
            Ok(_) => Err(LinkError::reconnected()),
            Err(error) => Err(error),
        };
        Box::pin(async move {
            let outcomes = client?.apply(apply.steps, apply.urgent).await;
            Ok(outcomes.into_iter().map(Outcome::from).collect())
        })
    }
}

impl Handler<GetVppInfo> for VppConnection {
    type Result = ResponseFuture<Result<VppInfo, LinkError>>;

    fn handle(&mut self, _: GetVppInfo, _: &mut Self::Context) -> Self::Result {
        let up = match &self.state {
            State::Up(up) => Ok((up.info.clone(), up.stats.clone())),
            _ => Err(self.client().err().unwrap_or(LinkError::Off)),
        };
        Box::pin(async move {
            let (info, stats) = up?;
            Ok(VppInfo { booted_at: stats::booted_at(stats).await, ..info })
        })
    }
}

impl Handler<Close> for VppConnection {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Close, _: &mut Self::Context) -> Self::Result {
        let before = std::mem::replace(&mut self.state, State::Closing);
        Box::pin(async move {
            if let State::Up(up) = before {
                up.client.close().await;
                info!("vpp-disconnect: left as it is");
            }
        })
    }
}
