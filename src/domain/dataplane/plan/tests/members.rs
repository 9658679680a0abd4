//! Plans on a VPP without weights, step by step.

use super::*;

fn texts(steps: &[Planned]) -> Vec<String> {
    let text = |p: &Planned| format!("{} {} ({})", p.step.action(), p.step, p.disruption);
    steps.iter().map(text).collect()
}

/// What is due after the frontend's servers have these targets, in order.
fn due(
    (desired, observed, name): &(Desired, Observed, FrontendName),
    flushed: &Flushed,
    targets: &[(u8, Option<FlushSeq>)],
) -> Vec<Planned> {
    let mut desired = desired.clone();
    let frontend = Arc::make_mut(desired.frontends.get_mut(name).unwrap());
    for (server, (target, flush)) in frontend.servers.values_mut().zip(targets) {
        *server = DesiredServer { weight: TargetWeight::Weight(weight(*target)), flush: *flush };
    }
    plan(&desired, observed, flushed, &Scope::All)
}

const FIRST: Option<FlushSeq> = Some(FlushSeq::NONE);

#[test]
fn servers_of_weight_0_are_not_added_and_those_in_the_table_have_weight_1() {
    let (desired, observed, name) = small_on(LbDialect::Membership);
    let seen = &observed.vips[&desired.frontends[&name].spec.vip];
    assert_eq!(seen.weights(), [(server(Encap::Gre4, 1), 1)]);
    assert_eq!(seen.servers.values().next().unwrap().buckets, 1024);
}

#[test]
fn a_failover_adds_before_it_removes() {
    let state = small_on(LbDialect::Membership);
    assert_eq!(
        texts(&due(&state, &Flushed::new(), &[(0, FIRST), (7, None)])),
        [
            "as-add 192.0.2.1/32 tcp/80 10.0.0.2 weight 1 (new-flows)",
            "as-del 192.0.2.1/32 tcp/80 10.0.0.1, flush (flush)",
        ]
    );
}

#[test]
fn a_drain_keeps_flows_and_a_flush_of_the_drained_takes_them() {
    let mut state = small_on(LbDialect::Membership);
    let mut flushed = Flushed::new();
    let drain = due(&state, &flushed, &[(0, None), (0, None)]);
    assert_eq!(texts(&drain), ["as-del 192.0.2.1/32 tcp/80 10.0.0.1 (new-flows)"]);
    drain.iter().for_each(|planned| apply(&mut state.1, &planned.step));
    assert!(state.1.is_uncollected, "its row waits");
    assert_eq!(due(&state, &flushed, &[(0, None), (0, None)]), []);
    // Disabled meanwhile: its flows are to be forgotten, once.
    let targets = [(0, Some(FlushSeq::NONE.next())), (0, None)];
    let flush = due(&state, &flushed, &targets);
    assert_eq!(texts(&flush), ["as-del 192.0.2.1/32 tcp/80 10.0.0.1, flush (flush)"]);
    for planned in &flush {
        apply(&mut state.1, &planned.step);
        let mut frontend = (*state.0.frontends[&state.2]).clone();
        for (server, (_, flush)) in frontend.servers.values_mut().zip(targets) {
            server.flush = flush;
        }
        confirm(&mut flushed, &frontend, &planned.step);
    }
    assert_eq!(due(&state, &flushed, &targets), []);
    // The row was read again, and flows that came back before do not matter.
    let vip = state.1.vips.values_mut().next().unwrap();
    vip.retired[0].flows = None;
    assert_eq!(due(&state, &flushed, &targets), []);
}

#[test]
fn a_server_that_comes_back_is_added_and_its_row_is_in_use() {
    let mut state = small_on(LbDialect::Membership);
    for targets in [[(0, None), (0, None)], [(100, None), (0, None)]] {
        for planned in due(&state, &Flushed::new(), &targets) {
            accepts(&state.1, &planned.step).unwrap();
            apply(&mut state.1, &planned.step);
        }
    }
    let vip = state.1.vips.values().next().unwrap();
    assert_eq!((vip.servers.len(), vip.retired.len()), (1, 0));
}

#[test]
fn flows_of_a_drained_server_that_is_left_out_since_are_flushed_once() {
    let (mut desired, mut observed, name) = small_on(LbDialect::Membership);
    let address = server(Encap::Gre4, 9);
    let vip = observed.vips.values_mut().next().unwrap();
    vip.retired.push(RetiredServer { address, removed_at_s: None, weight: 1, flows: Some(3) });
    let steps = plan(&desired, &observed, &Flushed::new(), &Scope::All);
    assert_eq!(texts(&steps), ["as-del 192.0.2.1/32 tcp/80 10.0.0.9, flush (flush)"]);
    let keep = Arc::make_mut(desired.frontends.get_mut(&name).unwrap());
    keep.unmanaged = UnmanagedServers::Keep;
    assert_eq!(plan(&desired, &observed, &Flushed::new(), &Scope::All), []);
    steps.iter().for_each(|planned| apply(&mut observed, &planned.step));
    assert_eq!(plan(&small().0, &observed, &Flushed::new(), &Scope::All), []);
}

#[test]
fn settings_that_vpp_does_not_tell_are_written_once_and_harm_only_flows_of_another_table() {
    let (desired, mut observed, _) = small_on(LbDialect::Membership);
    let conf = desired.conf;
    for (sticky_buckets, disruption) in
        [(vec![], "none"), (vec![1], "none"), (vec![1, 4], "disruptive")]
    {
        let partial = PartialConf {
            sources: Some((conf.ip4_src, conf.ip6_src)),
            sticky_buckets: sticky_buckets.into_iter().collect(),
        };
        observed.conf = ObservedConf::Partial(partial.clone());
        let steps = plan(&desired, &observed, &Flushed::new(), &Scope::All);
        assert_eq!((steps.len(), steps[0].step.action()), (1, "conf-set"));
        assert_eq!(steps[0].disruption.as_str(), disruption);
        apply(&mut observed, &steps[0].step);
        // Read again over the same connection.
        observed.conf = ObservedConf::Partial(partial).completed(&observed.conf);
        assert_eq!(plan(&desired, &observed, &Flushed::new(), &Scope::All), []);
        // Somebody else changed an address.
        let sources = Some(([10, 9, 9, 9].into(), conf.ip6_src));
        let partial = PartialConf { sources, ..PartialConf::default() };
        observed.conf = ObservedConf::Partial(partial).completed(&observed.conf);
        assert_eq!(plan(&desired, &observed, &Flushed::new(), &Scope::All).len(), 1);
    }
}
