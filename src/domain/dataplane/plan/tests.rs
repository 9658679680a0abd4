//! Tests plans on every desired and every observed state.

mod examples;
mod members;
mod states;
mod unmanaged;

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::domain::balancing::weights::{DesiredServer, FlushSeq, UnmanagedServers};
use crate::domain::dataplane::net::{Encap, Service, TableLength};
use crate::domain::dataplane::observed::{PartialConf, RetiredServer};
use states::{any_desired, any_observed, conf, server, vip, weight};

/// Whether VPP would accept the step, by the rules behind its return codes.
fn accepts(observed: &Observed, step: &Step) -> Result<(), String> {
    let ok = match step {
        Step::SetConf(_) => true,
        Step::AddVip(spec) => observed.vips.iter().all(|(other, seen)| {
            let all = |vip: &Vip| vip.service() == Service::All;
            other.prefix() != spec.vip.prefix()
                || (*other != spec.vip
                    && all(other) == all(&spec.vip)
                    && seen.encap == ObservedEncap::Gre(spec.encap))
        }),
        Step::RemoveVip(vip) => observed.vips.get(vip).is_some_and(|vip| vip.servers.is_empty()),
        Step::AddServer { vip, server, weight } => observed.vips.get(vip).is_some_and(|seen| {
            !seen.servers.contains_key(server)
                && (observed.dialect == LbDialect::Weights || *weight == Weight::MEMBER)
                && seen.encap == ObservedEncap::Gre(Encap::for_server(*server))
        }),
        Step::SetWeight { vip, server, .. } => {
            observed.dialect == LbDialect::Weights
                && observed.vips.get(vip).is_some_and(|seen| seen.servers.contains_key(server))
        }
        // Without weights, the flows of a server that was removed are flushed so.
        Step::RemoveServer { vip, server, flush } => observed.vips.get(vip).is_some_and(|seen| {
            let is_retired = || seen.retired.iter().any(|row| row.address == *server);
            seen.servers.contains_key(server)
                || *flush && observed.dialect == LbDialect::Membership && is_retired()
        }),
    };
    if ok { Ok(()) } else { Err(format!("VPP would refuse {} {step}", step.action())) }
}

fn serves(observed: &Observed, vip: &Vip) -> bool {
    observed.vips.get(vip).is_some_and(|vip| vip.servers.values().any(|server| server.weight > 0))
}

/// Applies a step as VPP and the Reconciler would.
fn perform(observed: &mut Observed, flushed: &mut Flushed, desired: &Desired, planned: &Planned) {
    accepts(observed, &planned.step).unwrap();
    apply(observed, &planned.step);
    if let Some(frontend) = planned.frontend.as_ref().and_then(|name| desired.frontends.get(name)) {
        confirm(flushed, frontend, &planned.step);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn applying_a_plan_reaches_the_desired_state(desired in any_desired(), mut observed in any_observed()) {
        let before = observed.clone();
        let mut flushed = Flushed::new();
        for planned in plan(&desired, &observed, &flushed, &Scope::All) {
            perform(&mut observed, &mut flushed, &desired, &planned);
        }
        prop_assert_eq!(plan(&desired, &observed, &flushed, &Scope::All), vec![]);
        prop_assert_eq!(observed.conf.known(), Some(desired.conf));
        prop_assert_eq!(observed.vips.len(), desired.frontends.len());
        for frontend in desired.frontends.values() {
            let seen = &observed.vips[&frontend.spec.vip];
            if observed.dialect == LbDialect::Membership {
                let was_in = |address| before.vips.get(&frontend.spec.vip).is_some_and(|vip| vip.servers.contains_key(address));
                let members = frontend.servers.iter().filter(|(address, server)| match server.weight {
                    TargetWeight::Weight(weight) => weight > Weight::ZERO,
                    TargetWeight::Keep => was_in(address),
                });
                prop_assert!(seen.servers.keys().eq(members.map(|(address, _)| address)));
                continue;
            }
            prop_assert!(seen.servers.keys().eq(frontend.servers.keys()));
            for (address, server) in &frontend.servers {
                let had = before.vips.get(&frontend.spec.vip).and_then(|vip| vip.servers.get(address));
                let expected = match server.weight {
                    TargetWeight::Weight(weight) => weight.get(),
                    TargetWeight::Keep if seen.servers[address].weight > 100 => continue,
                    TargetWeight::Keep => had.map_or(0, |had| had.weight.min(100)),
                };
                prop_assert_eq!(seen.servers[address].weight, expected);
            }
        }
    }

    #[test]
    fn planning_one_frontend_at_a_time_gives_the_same_plan(desired in any_desired(), observed in any_observed()) {
        let mut flushed = Flushed::new();
        let mut held = observed.clone();
        let mut steps = Vec::new();
        let mut execute = |held: &mut Observed, flushed: &mut Flushed, due: Vec<Planned>| {
            due.iter().for_each(|planned| perform(held, flushed, &desired, planned));
            steps.extend(due);
        };
        let Outline { first, frontends, last } = outline(&desired, &held, &flushed, &Scope::All);
        execute(&mut held, &mut flushed, first);
        for name in &frontends {
            let due = plan_one(&desired, &held, &flushed, name);
            execute(&mut held, &mut flushed, due);
        }
        execute(&mut held, &mut flushed, last);
        prop_assert_eq!(steps, plan(&desired, &observed, &Flushed::new(), &Scope::All));
    }

    #[test]
    fn a_plan_cut_anywhere_is_finished_by_the_next(
        desired in any_desired(), mut observed in any_observed(), cut in any::<prop::sample::Index>(),
    ) {
        let mut flushed = Flushed::new();
        let whole = plan(&desired, &observed, &flushed, &Scope::All);
        for planned in &whole[..cut.index(whole.len() + 1)] {
            perform(&mut observed, &mut flushed, &desired, planned);
        }
        for planned in plan(&desired, &observed, &flushed, &Scope::All) {
            perform(&mut observed, &mut flushed, &desired, &planned);
        }
        prop_assert_eq!(plan(&desired, &observed, &flushed, &Scope::All), vec![]);
    }

    #[test]
    fn a_serving_vip_serves_after_every_step(
        desired in any_desired(), mut observed in any_observed(),
        before in prop::option::of(prop::collection::vec(prop::sample::select(vec![0, 7, 100]), 1..20)),
    ) {
        let mut flushed = Flushed::new();
        // VPP has the VIPs already, and only the weights differ.
        if let Some(weights) = before {
            let steps = plan(&desired, &observed, &flushed, &Scope::All);
            steps.iter().for_each(|planned| apply(&mut observed, &planned.step));
            let servers = observed.vips.values_mut().flat_map(|vip| vip.servers.values_mut());
            if observed.dialect == LbDialect::Weights {
                servers.zip(weights.iter().cycle()).for_each(|(server, weight)| server.weight = *weight);
            }
        }
        let steps = plan(&desired, &observed, &flushed, &Scope::All);
        let torn_down: BTreeSet<_> = steps.iter()
            .filter_map(|planned| match planned.step { Step::RemoveVip(vip) => Some(vip), _ => None })
            .collect();
        let mut after = observed.clone();
        steps.iter().for_each(|planned| apply(&mut after, &planned.step));
        let must_serve: Vec<_> = observed.vips.keys().copied()
            .filter(|vip| !torn_down.contains(vip) && serves(&observed, vip) && serves(&after, vip))
            .collect();
        for planned in steps {
            perform(&mut observed, &mut flushed, &desired, &planned);
            for vip in &must_serve {
                prop_assert!(serves(&observed, vip), "{vip} after {} {}", planned.step.action(), planned.step);
            }
        }
    }

    #[test]
    fn one_frontend_is_synced_alone(desired in any_desired(), observed in any_observed()) {
        for (name, frontend) in &desired.frontends {
            for planned in plan(&desired, &observed, &Flushed::new(), &Scope::One(name.clone())) {
                prop_assert_eq!(planned.step.vip(), Some(frontend.spec.vip));
                prop_assert_eq!(planned.frontend.as_ref(), Some(name));
            }
        }
    }

    /// So a pass need not be replanned for each flip that overtakes it.
    #[test]
    fn writing_one_frontend_does_not_change_the_steps_of_others(
        desired in any_desired(), mut observed in any_observed(), which in any::<prop::sample::Index>(),
    ) {
        if desired.frontends.is_empty() {
            return Ok(());
        }
        let mut flushed = Flushed::new();
        let names: Vec<_> = desired.frontends.keys().cloned().collect();
        let one = which.get(&names);
        let of_others = |observed: &Observed, flushed: &Flushed| {
            let steps = plan(&desired, observed, flushed, &Scope::All);
            let others = steps.into_iter().filter(|planned| planned.frontend.as_ref() != Some(one));
            let mut others: Vec<_> = others.map(|planned| format!("{planned:?}")).collect();
            // VIPs that conflict with a new one are removed first, and last once it exists.
            others.sort();
            others
        };
        let before = of_others(&observed, &flushed);
        for planned in plan(&desired, &observed, &flushed, &Scope::One(one.clone())) {
            apply(&mut observed, &planned.step);
            confirm(&mut flushed, &desired.frontends[one], &planned.step);
        }
        prop_assert_eq!(of_others(&observed, &flushed), before);
    }

    #[test]
    fn a_restart_touches_nothing(mut desired in any_desired(), mut observed in any_observed()) {
        let mut flushed = Flushed::new();
        for planned in plan(&desired, &observed, &flushed, &Scope::All) {
            perform(&mut observed, &mut flushed, &desired, &planned);
        }
        // The new daemon has no verdicts yet, and does not know of earlier flushes.
        for frontend in desired.frontends.values_mut() {
            for server in Arc::make_mut(frontend).servers.values_mut() {
                *server = DesiredServer { weight: TargetWeight::Keep, flush: None };
            }
        }
        prop_assert_eq!(plan(&desired, &observed, &Flushed::new(), &Scope::All), vec![]);
    }
}

/// Cases per property; `PROPTEST_CASES` sets more.
fn cases() -> u32 {
    ProptestConfig::default().cases.max(1000)
}

/// One VIP with two servers of weight 100 and 0.
fn small() -> (Desired, Observed, FrontendName) {
    small_on(LbDialect::Weights)
}

fn small_on(dialect: LbDialect) -> (Desired, Observed, FrontendName) {
    let spec = VipSpec {
        vip: vip(1, 80),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        table_length: TableLength::DEFAULT,
    };
    let desired_server =
        |w| DesiredServer { weight: TargetWeight::Weight(weight(w)), flush: Some(FlushSeq::NONE) };
    let servers = [(1, 100), (2, 0)].map(|(n, w)| (server(Encap::Gre4, n), desired_server(w)));
    let name = FrontendName::from("web");
    let frontend =
        DesiredFrontend { spec, servers: servers.into(), unmanaged: UnmanagedServers::Remove };
    let desired = Desired { conf: conf(1), frontends: [(name.clone(), Arc::new(frontend))].into() };
    let mut observed = Observed::empty(dialect, conf(1));
    for planned in plan(&desired, &observed, &Flushed::new(), &Scope::All) {
        apply(&mut observed, &planned.step);
    }
    (desired, observed, name)
}
