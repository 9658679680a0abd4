//! Explains a frontend: which pool has its new flows and why, or what keeps them away.

use std::time::SystemTime;

use super::facts::{FrontendSituation, MemberSituation, VppSituation};
use super::members::{own_reason, pool_statement, reasons};
use super::own::reload_statement;
use super::vpp::{
    frontend_read_back, share_statement, what_stays, what_vpp_does, write_statement, written,
};
use super::{Cause, CauseKind, ExplainStage, Explanation, Statement};
use crate::domain::balancing::weights::FrontendState;
use crate::domain::removals::FirstNames;

/// Backends that have statements of their own: what is wrong first.
const BACKENDS: usize = 32;

#[must_use]
pub fn explain(frontend: &FrontendSituation, vpp: &VppSituation, now: SystemTime) -> Explanation {
    let mut chain = Vec::new();
    let all = frontend.pools.iter().flat_map(|pool| pool.members.iter().map(move |it| (pool, it)));
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|(_, member)| own_reason(member).is_none());
    for (_, member) in all.iter().take(BACKENDS) {
        chain.push(verdict_statement(frontend, member));
    }
    if let Some(more @ 1..) = all.len().checked_sub(BACKENDS) {
        let text = format!("{more} more backends, of which none is worse");
        chain.push(Statement::new(ExplainStage::Verdict, text).remedy("show backends"));
    }
    chain.extend(frontend.reload_refused.map(reload_statement));
    chain.push(pool_statement(frontend));
    for (pool, member) in all.iter().take(BACKENDS) {
        let share = share_statement(frontend, pool.name.as_str(), member, vpp.trace.vip.dialect());
        chain.push(Statement { text: format!("{}: {}", member.name, share.text), ..share });
    }
    chain.push(write_statement(frontend, vpp, None));
    chain.push(frontend_read_back(frontend, vpp));
    chain.extend(what_stays(frontend, vpp));
    Explanation { cause: cause(frontend, vpp, now), chain }
}

fn verdict_statement(frontend: &FrontendSituation, member: &MemberSituation) -> Statement {
    let doubted = if member.is_doubted { ", and its failures are not believed" } else { "" };
    let text = match own_reason(member) {
        Some(reason) => format!("{reason}{doubted}"),
        None => format!("{} is {}{doubted}", member.name, member.state),
    };
    Statement::new(ExplainStage::Verdict, text)
        .of(&frontend.name)
        .since(member.out_since())
        .remedy(format!("explain backend {}", member.name))
}

fn cause(frontend: &FrontendSituation, vpp: &VppSituation, now: SystemTime) -> Cause {
    let name = &frontend.name;
    let members = || frontend.pools.iter().flat_map(|pool| &pool.members);
    let last_change = || members().filter_map(|member| member.since).max();
    let obstacle = vpp.obstacle(frontend);
    let Some(active) = frontend.active() else {
        let not_told = obstacle.map(|it| format!(" (VPP may not know: {})", it.text));
        let not_told = not_told.unwrap_or_default();
        return match (frontend.state, frontend.awaited()) {
            (FrontendState::Unknown, Some((pool, member))) => {
                let text = format!(
                    "{name} keeps the weights that VPP has because pool {} waits for {}, whose state is unknown",
                    pool.name, member.name
                );
                Cause::new(CauseKind::PoolWaits, text, member.since)
            }
            _ => {
                let why = reasons(members());
                let text = format!(
                    "{name} gets no new flows because no backend can take them: {why}{not_told}"
                );
                let since = members().filter_map(MemberSituation::out_since).max();
                Cause::new(CauseKind::NoBackend, text, since)
            }
        };
    };
    if frontend.is_open() {
        let text = format!(
            "{name} sends new flows to all enabled backends of pool {} because it fails open: {}",
            active.name,
            frontend.open_figures()
        );
        return Cause::new(CauseKind::FailsOpen, text, frontend.open_since);
    }
    if let Some(obstacle) = obstacle {
        let text = format!(
            "{name} should send new flows to pool {}, and {} because {}",
            active.name,
            what_vpp_does(obstacle.kind),
            obstacle.text
        );
        return Cause::new(obstacle.kind, text, obstacle.since);
    }
    if let Some(why) = &vpp.unreached {
        let text = format!("{name} gets no new flows because {why}");
        return Cause::new(CauseKind::Unreached, text, None);
    }
    if let Some(earlier) = frontend.earlier() {
        let text = format!(
            "{name} sends new flows to pool {} because no backend of an earlier pool can take them: {}",
            active.name,
            reasons(earlier.clone())
        );
        let since = earlier.filter_map(MemberSituation::out_since).max();
        return Cause::new(CauseKind::Failover, text, since);
    }
    let (all, serving) =
        (active.members.len(), active.members.iter().filter(|member| member.serves()).count());
    let sends =
        format!("{name} sends new flows to {serving} of {all} backends of pool {}", active.name);
    if serving < all {
        let without = active.members.iter().filter(|member| !member.serves());
        let since = without.clone().filter_map(MemberSituation::out_since).max();
        return Cause::new(CauseKind::Degraded, format!("{sends}: {}", reasons(without)), since);
    }
    let none_left = active.members.iter().filter(|member| {
        let server = member.address.and_then(|address| vpp.server(address));
        member.serves() && matches!(server, Some((0, 1..)))
    });
    let none_left: Vec<_> = none_left.map(|member| member.name.as_str()).collect();
    if !none_left.is_empty() {
        let (left, length) = (serving - none_left.len(), frontend.table_length.get());
        let text = format!(
            "{name} sends new flows to {left} of {all} backends of pool {}, since its table has \
             {length} entries and none left for {}",
            active.name,
            FirstNames(&none_left)
        );
        return Cause::new(CauseKind::NoEntry, text, None);
    }
    if let Some(doubted) = active.members.iter().find(|member| member.is_doubted) {
        let text = format!("{sends}, although {} fails, which is not believed", doubted.name);
        return Cause::new(CauseKind::Doubted, text, None);
    }
    let mut slow = active.members.iter().filter_map(|it| Some((it, it.slow_start()?)));
    if let Some((member, slow)) = slow.next() {
        let text = format!("{sends}, of which {} gets only some yet: {slow}", member.name);
        return Cause::new(CauseKind::SlowStart, text, member.since);
    }
    if let Some(write) = vpp.repair(None, now) {
        let text = format!("{sends} again: {}", written(&write));
        return Cause::new(CauseKind::Repaired, text, Some(write.at));
    }
    Cause::new(CauseKind::Serves, sends, last_change())
}
