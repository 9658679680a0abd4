//! Explains a backend: the first thing on the way from its probes to VPP that keeps new
//! flows from it, or that it gets them.

use std::time::SystemTime;

use super::facts::{
    BackendSituation, FrontendSituation, MemberSituation, ProbeSituation, VppSituation,
};
use super::members::{pool_statement, reasons};
use super::own::{
    Own, evidence_statement, operator_statement, own, reload_statement, verdict_statement,
};
use super::vpp::{
    server_read_back, share_statement, what_stays, what_vpp_does, write_statement, written,
};
use super::{Cause, CauseKind, ExplainStage, Explanation, Statement, probes};
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::dataplane::net::Weight;

/// Explains a backend. `vpp` has an entry for each of `backend.frontends`, in order.
#[must_use]
pub fn explain(
    backend: &BackendSituation,
    probed: &ProbeSituation,
    vpp: &[VppSituation],
    now: SystemTime,
) -> Explanation {
    let uses: Vec<Use<'_>> = backend
        .frontends
        .iter()
        .zip(vpp)
        .filter_map(|(it, vpp)| Use::of(backend, it, vpp))
        .collect();
    let mut chain = vec![
        probes::statement(backend, probed),
        verdict_statement(backend),
        evidence_statement(backend),
        operator_statement(backend),
    ];
    chain.extend(backend.reload_refused.map(reload_statement));
    for it in &uses {
        chain.push(it.pool_statement());
        chain.push(share_statement(it.frontend, &it.pool, it.member, it.vpp.trace.vip.dialect()));
        chain.push(write_statement(it.frontend, it.vpp, it.member.address));
        chain.push(server_read_back(it.frontend, it.vpp, it.member));
        for held in what_stays(it.frontend, it.vpp) {
            if !chain.contains(&held) {
                chain.push(held);
            }
        }
    }
    if let Some(more @ 1..) = backend.frontend_count.checked_sub(backend.frontends.len()) {
        let text = format!("{more} more frontends use it, which are not looked at here");
        chain.push(Statement::new(ExplainStage::Pool, text).remedy("explain frontend <name>"));
    }
    Explanation { cause: cause(backend, probed, &uses, now), chain }
}

/// A backend in one of its frontends.
struct Use<'a> {
    frontend: &'a FrontendSituation,
    vpp: &'a VppSituation,
    pool: String,
    member: &'a MemberSituation,
}

impl<'a> Use<'a> {
    /// Of several pools that have it, the one in which it serves, or else the first.
    fn of(
        backend: &BackendSituation,
        frontend: &'a FrontendSituation,
        vpp: &'a VppSituation,
    ) -> Option<Self> {
        let all = frontend.pools.iter().filter_map(|pool| {
            let member = pool.members.iter().find(|member| member.name == backend.name)?;
            Some(Self { frontend, vpp, pool: pool.name.to_string(), member })
        });
        all.reduce(
            |best, next| if !best.member.serves() && next.member.serves() { next } else { best },
        )
    }

    fn pool_statement(&self) -> Statement {
        let statement = pool_statement(self.frontend);
        let in_pool = format!("it is in pool {}; {}", self.pool, statement.text);
        Statement { text: in_pool, ..statement }
    }

    /// Why a backend that is up and in use gets no flows here.
    fn not_chosen(&self) -> (CauseKind, String, Option<SystemTime>) {
        let (name, pool) = (&self.frontend.name, &self.pool);
        if self.member.weight == Weight::ZERO {
            let origin = self.member.overridden.as_deref();
            let (whose, by) = match origin {
                Some(origin) => ("an operator", origin.in_brackets()),
                None => ("the file", String::new()),
            };
            let text = format!("{whose} set its weight to 0 in pool {pool} of {name}{by}");
            return (CauseKind::WeightZero, text, origin.map(|origin| origin.term.since));
        }
        if let Some((waits, awaited)) = self.frontend.awaited().filter(|_| self.keeps()) {
            let text = format!(
                "pool {} of {name} waits for {}, whose state is unknown",
                waits.name, awaited.name
            );
            return (CauseKind::PoolWaits, text, awaited.since);
        }
        let serving = self.frontend.active().map_or("another pool", |pool| pool.name.as_str());
        let text = format!("pool {pool} of {name} is standby: pool {serving} serves");
        (CauseKind::Standby, text, None)
    }

    fn keeps(&self) -> bool {
        self.member.effective == TargetWeight::Keep
    }

    /// What is in the way in VPP.
    fn trouble(&self) -> Option<(CauseKind, String, Option<SystemTime>)> {
        if let Some(obstacle) = self.vpp.obstacle(self.frontend) {
            return Some((obstacle.kind, obstacle.text, obstacle.since));
        }
        if let Some(why) = &self.vpp.unreached {
            return Some((CauseKind::Unreached, why.clone(), None));
        }
        match self.member.address.and_then(|address| self.vpp.server(address)) {
            Some((0, weight @ 1..)) => {
                let length = self.frontend.table_length.get();
                let text = format!(
                    "the table of {} has {length} entries and none left for weight {weight}",
                    self.frontend.name
                );
                Some((CauseKind::NoEntry, text, None))
            }
            _ => None,
        }
    }
}

fn cause(
    backend: &BackendSituation,
    probed: &ProbeSituation,
    uses: &[Use<'_>],
    now: SystemTime,
) -> Cause {
    let name = &backend.name;
    if uses.is_empty() {
        let text = format!("{name} gets no new flows because no frontend uses it");
        return Cause::new(CauseKind::Unused, text, None);
    }
    let serving: Vec<_> = uses.iter().filter(|it| it.member.serves()).collect();
    let keeping = uses.iter().any(Use::keeps);
    let trouble = uses.iter().find_map(|it| it.vpp.obstacle(it.frontend));
    let not_told = trouble.map(|it| format!(" (VPP may not know: {})", it.text));
    let not_told = not_told.unwrap_or_default();
    match own(backend, probed) {
        Own::Out(_, why, _) if let Some(open) = serving.iter().find(|it| it.frontend.is_open()) => {
            let frontend = open.frontend;
            let text = format!(
                "{name} gets new flows although {why}: {} fails open, {}",
                frontend.name,
                frontend.open_figures()
            );
            Cause::new(CauseKind::FailsOpen, text, frontend.open_since)
        }
        Own::Out(kind, why, since) => {
            let text = format!("{name} gets no new flows because {why}{not_told}");
            Cause::new(kind, text, since)
        }
        Own::Open(kind, why, since) if !serving.is_empty() => {
            Cause::new(kind, format!("{name} keeps getting new flows although {why}"), since)
        }
        Own::Open(kind, why, since) if keeping => {
            let text = format!("{name} keeps the weight that VPP has because {why}");
            Cause::new(kind, text, since)
        }
        Own::Open(kind, why, since) => {
            Cause::new(kind, format!("{name} gets no new flows because {why}{not_told}"), since)
        }
        Own::Well => of_well(backend, uses, &serving, now),
    }
}

/// The cause of a backend that is up and in use.
fn of_well(
    backend: &BackendSituation,
    uses: &[Use<'_>],
    serving: &[&Use<'_>],
    now: SystemTime,
) -> Cause {
    let name = &backend.name;
    let of = |it: &Use<'_>| it.frontend.name.to_string();
    let names = serving.iter().map(|it| of(it)).collect::<Vec<_>>().join(", ");
    if let Some(out) = uses.iter().find(|it| !it.member.serves()) {
        let (kind, why, since) = out.not_chosen();
        let text = match (serving.is_empty(), out.keeps()) {
            (true, true) => format!("{name} keeps the weight that VPP has because {why}"),
            (true, false) => format!("{name} gets no new flows because {why}"),
            (false, _) => {
                format!("{name} gets new flows of {names}, and none of {} because {why}", of(out))
            }
        };
        return Cause::new(kind, text, since);
    }
    let trouble = serving.iter().find_map(|it| Some((it, it.trouble()?)));
    if let Some((it, (kind, why, since))) = trouble {
        let of = of(it);
        let text = match kind {
            CauseKind::NoEntry | CauseKind::Unreached => {
                format!("{name} gets no new flows of {of} because {why}")
            }
            _ => format!(
                "{name} should get new flows of {of}, and {} because {why}",
                what_vpp_does(kind)
            ),
        };
        return Cause::new(kind, text, since);
    }
    if let Some((it, earlier)) = serving.iter().find_map(|it| Some((it, it.frontend.earlier()?))) {
        let (of, why) = (of(it), reasons(earlier.clone()));
        let text = format!(
            "{name} gets new flows of {of} because no backend of an earlier pool can take them: {why}"
        );
        let since = earlier.filter_map(MemberSituation::out_since).max();
        return Cause::new(CauseKind::Failover, text, since);
    }
    let repaired = serving.iter().find_map(|it| Some((it, it.vpp.repair(it.member.address, now)?)));
    if let Some((it, write)) = repaired {
        let text = format!("{name} gets new flows of {} again: {}", of(it), written(&write));
        return Cause::new(CauseKind::Repaired, text, Some(write.at));
    }
    if let Some((it, slow)) = serving.iter().find_map(|it| Some((it, it.member.slow_start()?))) {
        let text = format!("{name} gets only some of its new flows of {} yet: {slow}", of(it));
        let since = backend.last_transition.as_ref().map(|last| last.at);
        return Cause::new(CauseKind::SlowStart, text, since);
    }
    let set = serving.iter().find_map(|it| Some((it, it.member.overridden.as_deref()?)));
    if let Some((it, origin)) = set {
        let (weight, configured) = (it.member.weight, it.member.configured);
        let text = format!(
            "{name} gets new flows of {} with an operator's weight {weight} in place of the file's \
             {configured}{}",
            of(it),
            origin.in_brackets()
        );
        return Cause::new(CauseKind::WeightSet, text, Some(origin.term.since));
    }
    let why = match &backend.check {
        Some(_) => "its health check passes",
        None => "it has no health check, and counts as up",
    };
    let since = backend.last_transition.as_ref().map(|last| last.at);
    Cause::new(CauseKind::Serves, format!("{name} gets new flows of {names}: {why}"), since)
}
