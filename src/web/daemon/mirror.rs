//! The actor that mirrors one daemon.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actix::prelude::*;
use tracing::{info, warn};

use super::connect;
use super::messages::{
    ApplyMirrorUpdate, DaemonSummary, GetDaemonState, GetDaemonSummary, MirrorRefused,
    SetFingerprint, ShutDownMirror, SideRead,
};
use super::reads;
use super::view::{DaemonView, ViewTime};
use crate::client::connection::DaemonClient;
use crate::client::mirror::MirrorUpdate;
use crate::domain::web::pending::batch_due;
use crate::pb::event::Event;
use crate::web::comparer::CompareSoon;
use crate::web::tabs::{PublishFrame, TabBroker};

/// A batch that is longer has the tabs read the state anew, which is compressed and the
/// same for all.
const LONGEST_BATCH: usize = 256 << 10;
/// How long changes of overrides are gathered before they are read.
const OVERRIDES_DELAY: Duration = Duration::from_millis(300);
/// How often a backend is explained, at most.
const EXPLAIN_INTERVAL: Duration = Duration::from_millis(50);
/// How long after a failure, as of a daemon that cannot explain, the next is asked for.
const EXPLAIN_RETRY: Duration = Duration::from_secs(30);
/// How long after a whole round of explanations the next begins.
const EXPLAIN_ROUND: Duration = Duration::from_secs(2);

pub(in crate::web) struct DaemonMirror {
    client: DaemonClient,
    tabs: Addr<TabBroker>,
    comparer: Recipient<CompareSoon>,
    view: DaemonView,
    last_batch: Option<Instant>,
    batch_timer: Option<SpawnHandle>,
    overrides_timer: Option<SpawnHandle>,
    /// The last backend that was explained in this round.
    explained: String,
    feed: Option<SpawnHandle>,
}

impl DaemonMirror {
    pub(in crate::web) fn new(
        name: &str,
        client: DaemonClient,
        tabs: Addr<TabBroker>,
        comparer: Recipient<CompareSoon>,
    ) -> Self {
        let view = DaemonView::new(name, &client.server().to_string(), now());
        Self {
            client,
            tabs,
            comparer,
            view,
            last_batch: None,
            batch_timer: None,
            overrides_timer: None,
            explained: String::new(),
            feed: None,
        }
    }

    /// Sees to it that tabs are told of what has changed.
    fn schedule_batch(&mut self, context: &mut Context<Self>) {
        if self.view.pending.is_empty() || self.batch_timer.is_some() {
            return;
        }
        let at = Instant::now();
        let delay = batch_due(self.last_batch, at).saturating_duration_since(at);
        self.batch_timer = Some(context.run_later(delay, |mirror, _| mirror.publish_batch()));
    }

    fn publish_batch(&mut self) {
        self.batch_timer = None;
        self.last_batch = Some(Instant::now());
        let batch = self.view.batch_json();
        self.tabs.do_send(if batch.len() > LONGEST_BATCH {
            PublishFrame::Reset { why: "very much has changed" }
        } else {
            PublishFrame::Event { kind: "batch", json: batch.into() }
        });
    }

    fn read_overrides_soon(&mut self, context: &mut Context<Self>) {
        if self.overrides_timer.is_none() {
            let timer = context.run_later(OVERRIDES_DELAY, |mirror, context| {
                mirror.overrides_timer = None;
                reads::overrides(mirror.client.clone(), context.address().recipient());
            });
            self.overrides_timer = Some(timer);
        }
    }

    /// Asks why the next backend is as it is, one after the other.
    fn explain_next(&mut self, context: &mut Context<Self>) {
        let next =
            self.view.unexplained(&self.explained).filter(|_| self.view.connection.state == "up");
        let Some(view) = next.cloned() else {
            self.explained.clear();
            context.run_later(EXPLAIN_ROUND, Self::explain_next);
            return;
        };
        self.explained.clone_from(&view.name);
        reads::explanation(self.client.clone(), view, context.address().recipient());
    }
}

impl Actor for DaemonMirror {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        let mirror = context.address();
        let (updates, refusals) = (mirror.clone().recipient(), mirror.recipient());
        let feeding = connect::follow(self.client.clone(), updates, refusals);
        self.feed = Some(context.spawn(fut::wrap_future(feeding)));
        context.run_later(EXPLAIN_ROUND, Self::explain_next);
    }
}

impl Handler<ApplyMirrorUpdate> for DaemonMirror {
    type Result = ();

    fn handle(
        &mut self,
        ApplyMirrorUpdate(update): ApplyMirrorUpdate,
        context: &mut Context<Self>,
    ) {
        let was = self.view.connection.state;
        let is_snapshot = matches!(update, MirrorUpdate::Snapshot(_));
        let changes_overrides = match &update {
            MirrorUpdate::Event(event) => matches!(event.event, Some(Event::Change(_))),
            update => matches!(update, MirrorUpdate::Snapshot(_)),
        };
        self.view.apply(update, now());
        if changes_overrides {
            self.read_overrides_soon(context);
            self.comparer.do_send(CompareSoon);
        }
        let connection = &self.view.connection;
        if is_snapshot && was != "up" {
            info!(daemon = %self.client.server(), "daemon-connected");
            reads::timeline(self.client.clone(), context.address().recipient());
            reads::identity(self.client.clone(), context.address().recipient());
        } else if connection.state != was {
            let why = connection.why.clone().unwrap_or_default();
            warn!(daemon = %self.client.server(), why, "daemon-lost");
        }
        self.schedule_batch(context);
    }
}

impl Handler<MirrorRefused> for DaemonMirror {
    type Result = ();

    fn handle(&mut self, MirrorRefused(error): MirrorRefused, context: &mut Context<Self>) {
        if self.view.connection.state != "refused" {
            warn!(daemon = %self.client.server(), %error, "daemon-refuses");
        }
        self.view.set_connection("refused", Some(error.to_string()), now());
        self.schedule_batch(context);
    }
}

impl Handler<GetDaemonState> for DaemonMirror {
    type Result = MessageResult<GetDaemonState>;

    fn handle(&mut self, _: GetDaemonState, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.view.state_json().into())
    }
}

impl Handler<GetDaemonSummary> for DaemonMirror {
    type Result = DaemonSummary;

    fn handle(&mut self, _: GetDaemonSummary, _: &mut Context<Self>) -> DaemonSummary {
        let (frontends, backends) = self.view.counts();
        DaemonSummary { state: self.view.connection.state, frontends, backends }
    }
}

impl Handler<SetFingerprint> for DaemonMirror {
    type Result = ();

    fn handle(&mut self, SetFingerprint(fingerprint): SetFingerprint, context: &mut Context<Self>) {
        self.view.set_fingerprint(fingerprint);
        self.schedule_batch(context);
    }
}

impl Handler<SideRead> for DaemonMirror {
    type Result = ();

    fn handle(&mut self, read: SideRead, context: &mut Context<Self>) {
        match read {
            SideRead::Overrides(answer) => self.view.set_overrides(&answer),
            SideRead::Timeline(timeline) => self.view.seed_timeline(&timeline.events),
            SideRead::Identity(identity) => self.view.set_identity(identity),
            SideRead::Explained { asked, explanation } => {
                let next = match explanation {
                    Some(explanation) => {
                        self.view.explain(&asked, &explanation);
                        EXPLAIN_INTERVAL
                    }
                    None => EXPLAIN_RETRY,
                };
                context.run_later(next, Self::explain_next);
            }
        }
        self.schedule_batch(context);
    }
}

impl Handler<ShutDownMirror> for DaemonMirror {
    type Result = ();

    fn handle(&mut self, _: ShutDownMirror, context: &mut Context<Self>) {
        context.stop();
    }
}

fn now() -> ViewTime {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ViewTime { at: Instant::now(), unix_ns: i64::try_from(unix.as_nanos()).unwrap_or(i64::MAX) }
}
