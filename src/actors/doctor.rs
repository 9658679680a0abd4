//! Collects the facts that [`domain::doctor`](crate::domain::doctor) judges: when
//! somebody asks, all of them; and after passes, at most once a minute, whether the
//! VIPs lead to `lb`, which the frontends' warnings say.

mod messages;

use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use actix::MailboxError;
use actix::prelude::*;
use tracing::{debug, warn};

pub use messages::*;

use super::announcer::VipsRouted;
use super::controller::{Controller, GetConfig, GetDesired};
use super::mailbox_closed;
use super::reconciler::{GetReconcilerStats, PassEnded, Reconciler, SubscribePasses};
use super::vpp_connection::{FibRead, GetVppInfo, ReadFib, ReapClients, VppConnection};
use crate::domain::dataplane::connection::{DataplaneError, Epoch};
use crate::domain::dataplane::fib::FibEntry;
use crate::domain::doctor::{
    ConnectedVpp, DoctorFacts, FibQuery, Finding, FrontendFacts, PassFacts, RouteChecks,
    SocketFacts, VppFacts, VppSocket, examine, vip_warning,
};
use crate::host::socket_access::{default_send_buffer, process_identity, socket_access};

/// The actor. See the module's description.
pub struct Doctor {
    vpp: Addr<VppConnection>,
    controller: Addr<Controller>,
    reconciler: Addr<Reconciler>,
    sockets: Vec<(VppSocket, PathBuf)>,
    checks: RouteChecks,
    /// Told whether VIPs lead to `lb`; `None`: nobody.
    announcer: Option<Recipient<VipsRouted>>,
    /// A check is under way.
    checking: bool,
}

impl Doctor {
    /// A Doctor of the VPP behind these sockets; without them, of no VPP.
    #[must_use]
    pub fn new(
        vpp: Addr<VppConnection>,
        controller: Addr<Controller>,
        reconciler: Addr<Reconciler>,
        (api, stats): (Option<PathBuf>, Option<PathBuf>),
    ) -> Self {
        let api = api.map(|path| (VppSocket::Api, path));
        // Without a VPP there are no counters either.
        let stats = stats.filter(|_| api.is_some()).map(|path| (VppSocket::Stats, path));
        let sockets = api.into_iter().chain(stats).collect();
        let checks = RouteChecks::default();
        let announcer = None;
        Self { vpp, controller, reconciler, sockets, checks, announcer, checking: false }
    }

    /// Tells this actor of VIPs that lead to `lb`, and of those that do not.
    #[must_use]
    pub fn telling(self, announcer: Recipient<VipsRouted>) -> Self {
        Self { announcer: Some(announcer), ..self }
    }

    /// Takes what was read of the VIPs' entries.
    fn record(&mut self, read: &FibRead) {
        let entries = read.facts.entries.clone();
        if let Some(announcer) = &self.announcer {
            let routed = entries.iter().filter(|(_, entry)| **entry != FibEntry::Absent);
            let routed = routed.map(|(prefix, entry)| (prefix.addr(), entry.leads_to_lb()));
            announcer.do_send(VipsRouted(routed.collect()));
        }
        for prefix in self.checks.record(read.epoch, entries, Instant::now()) {
            let entry = self.checks.entry(prefix);
            if let Some(why) = entry.and_then(|entry| vip_warning(prefix, entry)) {
                warn!(vip = %prefix, why, "vip-not-reached: its packets do not reach lb");
            }
        }
    }

    /// Looks the VIPs up, if that is due.
    fn check(&mut self, epoch: Epoch, query: FibQuery, ctx: &mut Context<Self>) {
        if self.checking || !self.checks.is_due(epoch, &query, Instant::now()) {
            return;
        }
        self.checking = true;
        let read = self.vpp.send(ReadFib(query)).into_actor(self);
        ctx.spawn(read.map(|read, this, _| {
            this.checking = false;
            match read.unwrap_or_else(|_| mailbox_closed("VppConnection")) {
                Ok(read) => this.record(&read),
                // The next pass tries again.
                Err(error) => debug!(%error, "vip-check-failed"),
            }
        }));
    }
}

impl Actor for Doctor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.reconciler.do_send(SubscribePasses(ctx.address().recipient()));
    }
}

impl Handler<PassEnded> for Doctor {
    type Result = ();

    fn handle(&mut self, PassEnded(epoch): PassEnded, ctx: &mut Self::Context) {
        let config = self.controller.send(GetConfig).into_actor(self);
        ctx.spawn(config.map(move |config, this, ctx| {
            let config = config.unwrap_or_else(|_| mailbox_closed("Controller"));
            let vips = config.frontends.values().map(|frontend| frontend.vip);
            this.check(epoch, FibQuery::of_vips(vips), ctx);
        }));
    }
}

impl Handler<GetVipWarning> for Doctor {
    type Result = Option<String>;

    fn handle(&mut self, GetVipWarning(vip): GetVipWarning, _: &mut Self::Context) -> Self::Result {
        let prefix = vip.prefix();
        self.checks.entry(prefix).and_then(|entry| vip_warning(prefix, entry))
    }
}

impl Handler<GetUnreachedVips> for Doctor {
    type Result = usize;

    fn handle(&mut self, _: GetUnreachedVips, _: &mut Self::Context) -> usize {
        self.checks.unreached()
    }
}

impl Handler<Examine> for Doctor {
    type Result = ResponseActFuture<Self, Result<Vec<Finding>, MailboxError>>;

    fn handle(&mut self, _: Examine, _: &mut Self::Context) -> Self::Result {
        let collected = collect(
            self.vpp.clone(),
            self.controller.clone(),
            self.reconciler.clone(),
            self.sockets.clone(),
        );
        Box::pin(collected.into_actor(self).map(|collected, this, _| {
            let (facts, read) = collected?;
            if let Some(read) = read {
                this.record(&read);
            }
            Ok(examine(&facts))
        }))
    }
}

/// All facts, and what was read of the forwarding table for them.
async fn collect(
    vpp: Addr<VppConnection>,
    controller: Addr<Controller>,
    reconciler: Addr<Reconciler>,
    sockets: Vec<(VppSocket, PathBuf)>,
) -> Result<(DoctorFacts, Option<FibRead>), MailboxError> {
    let config = controller.send(GetConfig).await?;
    let desired = controller.send(GetDesired).await?;
    let frontends = FrontendFacts::of(&desired.desired);
    let stats = reconciler.send(GetReconcilerStats).await?;
    let passes = PassFacts {
        age: stats.last_success.map(|at| SystemTime::now().duration_since(at).unwrap_or_default()),
        interval: config.lb.sync_interval,
        refused: stats.refused,
    };
    let (vpp, read) = vpp_facts(&vpp, &frontends).await?;
    let host = tokio::task::spawn_blocking(move || {
        let facts = |(of, path): (VppSocket, PathBuf)| SocketFacts {
            of,
            path: path.display().to_string(),
            access: socket_access(&path),
        };
        let sockets: Vec<_> = sockets.into_iter().map(facts).collect();
        (sockets, process_identity(), default_send_buffer().ok())
    });
    let (sockets, identity, send_buffer) = host.await.map_err(|_| MailboxError::Closed)?;
    Ok((DoctorFacts { sockets, identity, vpp, send_buffer, frontends, passes }, read))
}

async fn vpp_facts(
    vpp: &Addr<VppConnection>,
    frontends: &[FrontendFacts],
) -> Result<(VppFacts, Option<FibRead>), MailboxError> {
    let info = match vpp.send(GetVppInfo).await? {
        Ok(info) => info,
        Err(DataplaneError::Off) => return Ok((VppFacts::Off, None)),
        Err(error) => return Ok((VppFacts::Away(error.to_string()), None)),
    };
    let dead_clients = vpp.send(ReapClients).await?.unwrap_or(info.reaped);
    let read = vpp.send(ReadFib(FibQuery::of_all(frontends))).await?;
    let fib = read.as_ref().map(|read| read.facts.clone()).map_err(ToString::to_string);
    let (version, dialect, missing) = (info.version, info.dialect, info.missing);
    let connected = ConnectedVpp { version, dialect, missing, dead_clients, fib };
    Ok((VppFacts::Connected(connected), read.ok()))
}
