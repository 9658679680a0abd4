//! What was written to VPP for a frontend, what VPP was read to hold, and what is in
//! the way of both.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::facts::{FrontendSituation, MemberSituation, VppLink, VppSituation};
use super::{CauseKind, ExplainStage, Statement};
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::observed::ObservedVip;
use crate::domain::reconcile::{LastWrite, LinkTrace, VipObservation};
use crate::domain::removals::FirstNames;

/// How long a repair is worth a word.
const RECENT: Duration = Duration::from_secs(600);

/// What is in the way between what is desired and VPP.
pub(super) struct Obstacle {
    pub(super) kind: CauseKind,
    /// A clause: `VPP is not connected`.
    pub(super) text: String,
    pub(super) since: Option<SystemTime>,
    pub(super) remedy: String,
}

impl VppSituation {
    fn link_since(&self) -> Option<SystemTime> {
        match &self.trace.link {
            LinkTrace::Never => None,
            LinkTrace::Connected(at) | LinkTrace::Lost { at, .. } => Some(*at),
        }
    }

    /// `None`: VPP has confirmed all that is desired of the frontend.
    pub(super) fn obstacle(&self, frontend: &FrontendSituation) -> Option<Obstacle> {
        let trace = &self.trace;
        let of = |kind, text: &str, since, remedy: &str| {
            Some(Obstacle { kind, text: text.into(), since, remedy: remedy.into() })
        };
        match &self.link {
            VppLink::Off => {
                return of(
                    CauseKind::VppOff,
                    "maglevd runs without a VPP",
                    None,
                    "start maglevd with --vpp-api-addr",
                );
            }
            VppLink::Away(why) => {
                return of(CauseKind::VppAway, why, self.link_since(), "show vpp doctor");
            }
            VppLink::Lacking(what) => {
                return of(CauseKind::VppLacking, what, self.link_since(), "show vpp doctor");
            }
            VppLink::Ready => {}
        }
        let sync = format!("sync vpp lb state {}", frontend.name);
        if let Some(refusal) = &trace.refusal {
            let text = format!("VPP refuses {refusal}");
            return of(CauseKind::Refused, &text, trace.frontend.refused_at, &sync);
        }
        if !trace.may_write {
            return of(
                CauseKind::StartupDelay,
                "startup-min-delay is not over, and nothing is written before",
                None,
                "`startup-min-delay` in the configuration file",
            );
        }
        if !trace.is_read {
            return of(CauseKind::NotProgrammed, "VPP is being read", self.link_since(), &sync);
        }
        if !trace.programmed {
            let text = "VPP has not confirmed the last change yet";
            return of(CauseKind::NotProgrammed, text, None, &sync);
        }
        None
    }

    /// The last write of a server, if it mended what somebody else did a short while ago.
    pub(super) fn repair(&self, server: Option<IpAddr>, now: SystemTime) -> Option<LastWrite> {
        let writes = &self.trace.frontend;
        let mut all = match server {
            Some(server) => writes.servers.get(&server).into_iter().chain(&writes.vip).collect(),
            None => writes.servers.values().chain(&writes.vip).collect::<Vec<_>>(),
        };
        all.retain(|write| {
            let age = now.duration_since(write.at).unwrap_or_default();
            write.is_drift && age < RECENT
        });
        all.into_iter().max_by_key(|write| write.at).copied()
    }

    /// Entries of the table that lead to a server, and the weight that VPP has of it.
    pub(super) fn server(&self, address: IpAddr) -> Option<(u32, u8)> {
        let VipObservation::Present(_, vip) = &self.trace.vip else { return None };
        vip.servers.get(&address).map(|server| (server.buckets, server.weight))
    }
}

/// What follows of an obstacle, as a clause.
pub(super) fn what_vpp_does(obstacle: CauseKind) -> &'static str {
    match obstacle {
        CauseKind::VppAway => "what VPP does is not known",
        _ => "VPP was not told yet",
    }
}

/// `weight 0 (was 100)`
pub(super) fn written(write: &LastWrite) -> String {
    let mut text = match (write.action, write.weight) {
        ("vip-add", _) => "the VIP was added".into(),
        ("vip-del", _) => "the VIP was removed".into(),
        ("as-add", Some(weight)) => format!("the server was added with weight {weight}"),
        ("as-add", None) => "the server was added".into(),
        ("as-del", _) => "the server was removed".into(),
        (_, Some(weight)) => format!("weight {weight} was written"),
        (action, None) => format!("{action} was written"),
    };
    if let Some(before) = write.before {
        text.push_str(&format!(" (was {before})"));
    }
    if write.is_drift {
        let did = match write.action {
            "vip-add" | "as-add" => "removed",
            "vip-del" | "as-del" => "added",
            _ => "changed",
        };
        text.push_str(&format!(", as somebody else had {did} it"));
    }
    text
}

/// What was written of a server, or of a whole frontend.
pub(super) fn write_statement(
    frontend: &FrontendSituation,
    vpp: &VppSituation,
    server: Option<IpAddr>,
) -> Statement {
    let traced = &vpp.trace.frontend;
    let last = match server {
        Some(server) => traced.servers.get(&server).or(traced.vip.as_ref()),
        None => traced.servers.values().chain(&traced.vip).max_by_key(|write| write.at),
    };
    let last_text =
        last.map_or_else(|| "nothing had to be written since maglevd started".to_owned(), written);
    let statement = match vpp.obstacle(frontend) {
        None => Statement::new(
            ExplainStage::Write,
            format!("{last_text}; VPP confirmed all that is due"),
        )
        .since(last.map(|write| write.at).or(traced.programmed_at)),
        Some(obstacle) => Statement::new(
            ExplainStage::Write,
            format!("not programmed: {}; {last_text}", obstacle.text),
        )
        .since(obstacle.since.or(last.map(|write| write.at)))
        .remedy(obstacle.remedy),
    };
    statement.of(&frontend.name)
}

/// What VPP was read to hold of a server.
pub(super) fn server_read_back(
    frontend: &FrontendSituation,
    vpp: &VppSituation,
    member: &MemberSituation,
) -> Statement {
    let entries = frontend.table_length.get();
    let text = match (&vpp.trace.vip, member.address) {
        (_, None) => "it is no server yet: its name does not resolve".into(),
        (VipObservation::Unknown, _) => "VPP was not read over the present connection yet".into(),
        (VipObservation::Absent(_), _) => "VPP does not have the VIP".into(),
        (VipObservation::Present(dialect, seen), Some(address)) => {
            match (vpp.server(address), dialect) {
                (None, LbDialect::Membership) if has_row(seen, address) => {
                    "VPP has removed the server, and keeps its established flows".into()
                }
                (None, _) => "VPP does not have the server".into(),
                (Some((buckets, weight)), LbDialect::Weights) => format!(
                    "VPP has weight {weight} and {buckets} of {entries} entries of its table for it"
                ),
                (Some((buckets, _)), LbDialect::Membership) => format!(
                    "VPP has no weights, and {buckets} of {entries} entries of its table for it"
                ),
            }
        }
    };
    Statement::new(ExplainStage::ReadBack, text)
        .of(&frontend.name)
        .since(vpp.trace.frontend.read_at)
}

/// Whether a removed server is not collected yet, with flows that may lead to it.
fn has_row(seen: &ObservedVip, address: IpAddr) -> bool {
    seen.retired.iter().any(|row| row.address == address && row.flows != Some(0))
}

/// What VPP was read to hold of a frontend.
pub(super) fn frontend_read_back(frontend: &FrontendSituation, vpp: &VppSituation) -> Statement {
    let text = match &vpp.trace.vip {
        VipObservation::Unknown => "VPP was not read over the present connection yet".into(),
        VipObservation::Absent(_) => "VPP does not have the VIP".into(),
        VipObservation::Present(_, vip) => {
            let with_entries = vip.servers.values().filter(|server| server.buckets > 0).count();
            let state =
                if vpp.trace.serving { "it serves" } else { "not confirmed by a reading yet" };
            format!(
                "VPP has {} servers, {with_entries} with entries in the table; {state}",
                vip.servers.len()
            )
        }
    };
    Statement::new(ExplainStage::ReadBack, text)
        .of(&frontend.name)
        .since(vpp.trace.frontend.read_at)
}

/// Servers in VPP that the frontend does not have, and VIPs of no frontend: both stay.
pub(super) fn what_stays(frontend: &FrontendSituation, vpp: &VppSituation) -> Vec<Statement> {
    let mut statements = Vec::new();
    if !vpp.trace.held.is_empty() {
        let text = format!(
            "VIPs of no frontend stay in VPP, since removing them would be too much to be meant: {}",
            FirstNames(&vpp.trace.held)
        );
        let held = Statement::new(ExplainStage::ReadBack, text);
        statements.push(held.remedy("sync vpp lb state force"));
    }
    if let VipObservation::Present(_, vip) = &vpp.trace.vip {
        let members = || frontend.pools.iter().flat_map(|pool| &pool.members);
        let strangers = vip
            .servers
            .keys()
            .filter(|address| !members().any(|member| member.address == Some(**address)));
        let strangers: Vec<_> = strangers.copied().collect();
        if !strangers.is_empty() && members().any(|member| member.address.is_none()) {
            let text = format!(
                "servers of no backend stay in VPP until all names resolve: {}",
                FirstNames(&strangers)
            );
            statements.push(Statement::new(ExplainStage::ReadBack, text).of(&frontend.name));
        }
    }
    statements
}

/// The weight of a backend, and its part of the new flows.
pub(super) fn share_statement(
    frontend: &FrontendSituation,
    pool: &str,
    member: &MemberSituation,
    dialect: LbDialect,
) -> Statement {
    let source = match &member.overridden {
        Some(origin) => format!(
            "an operator's weight {} in place of the file's {}{}",
            member.weight,
            member.configured,
            origin.in_brackets()
        ),
        None => format!("the file's weight {}", member.weight),
    };
    let source = match member.slow_start() {
        Some(slow) => format!("{source}; {slow}"),
        None => source,
    };
    let (name, backend) = (&frontend.name, &member.name);
    let text = match (member.effective, frontend.total_weight(dialect)) {
        (TargetWeight::Keep, _) => format!("{source}; VPP keeps what it has until it is known"),
        (TargetWeight::Weight(weight), Some(total)) if total > 0 => {
            let effective = dialect.effective(weight.get());
            let percent = f64::from(effective) * 100.0 / total as f64;
            let part = match dialect {
                LbDialect::Weights => format!("effective {weight} of {total}"),
                LbDialect::Membership => {
                    format!("{effective} of {total} equal parts, without weights")
                }
            };
            format!("{source}; {part}: {percent:.1} % of the new flows")
        }
        (TargetWeight::Weight(weight), _) => format!("{source}; effective {weight}"),
    };
    let back = member.configured;
    let statement = Statement::new(ExplainStage::Share, text).of(name);
    let set = format!("set frontend {name} pool {pool} backend {backend} weight");
    if member.overridden.is_some() {
        statement.remedy(format!("{set} {back}"))
    } else {
        statement.remedy(format!("{set} <0-100>"))
    }
}
