//! Plans of single changes, step by step.

use super::*;

fn texts(steps: &[Planned]) -> Vec<String> {
    let text = |p: &Planned| format!("{} {} ({})", p.step.action(), p.step, p.disruption);
    steps.iter().map(text).collect()
}

#[test]
fn a_failover_raises_before_it_lowers() {
    let (mut desired, observed, name) = small();
    let frontend = Arc::make_mut(desired.frontends.get_mut(&name).unwrap());
    let weights = [Weight::ZERO, Weight::FULL];
    for (server, weight) in frontend.servers.values_mut().zip(weights) {
        server.weight = TargetWeight::Weight(weight);
    }
    assert_eq!(
        texts(&plan(&desired, &observed, &Flushed::new(), &Scope::All)),
        [
            "as-weight 192.0.2.1/32 tcp/80 10.0.0.2 weight 100 (new-flows)",
            "as-weight 192.0.2.1/32 tcp/80 10.0.0.1 weight 0, flush (flush)",
        ]
    );
}

#[test]
fn a_flush_goes_out_once_even_at_weight_0_and_again_if_it_was_not_confirmed() {
    let (mut desired, observed, name) = small();
    let frontend = Arc::make_mut(desired.frontends.get_mut(&name).unwrap());
    frontend.servers.get_mut(&server(Encap::Gre4, 2)).unwrap().flush = Some(FlushSeq::NONE.next());
    let mut flushed = Flushed::new();
    let steps = plan(&desired, &observed, &flushed, &Scope::All);
    assert_eq!(texts(&steps), ["as-weight 192.0.2.1/32 tcp/80 10.0.0.2 weight 0, flush (flush)"]);
    assert_eq!(plan(&desired, &observed, &flushed, &Scope::All), steps, "its reply was lost");
    confirm(&mut flushed, &desired.frontends[&name], &steps[0].step);
    assert_eq!(plan(&desired, &observed, &flushed, &Scope::All), []);
}

#[test]
fn a_changed_table_length_is_a_disruptive_rebuild() {
    let (mut desired, observed, name) = small();
    let frontend = Arc::make_mut(desired.frontends.get_mut(&name).unwrap());
    frontend.spec.table_length = TableLength::MAX;
    assert_eq!(
        texts(&plan(&desired, &observed, &Flushed::new(), &Scope::All)),
        [
            "as-del 192.0.2.1/32 tcp/80 10.0.0.1, flush (disruptive)",
            "as-del 192.0.2.1/32 tcp/80 10.0.0.2, flush (disruptive)",
            "vip-del 192.0.2.1/32 tcp/80 (disruptive)",
            "vip-add 192.0.2.1/32 tcp/80 gre4 table 32768 (none)",
            "as-add 192.0.2.1/32 tcp/80 10.0.0.1 weight 100 (new-flows)",
            "as-add 192.0.2.1/32 tcp/80 10.0.0.2 weight 0 (none)",
        ]
    );
}

#[test]
fn what_was_not_read_counts_as_right() {
    let (mut desired, mut observed, name) = small();
    let frontend = Arc::make_mut(desired.frontends.get_mut(&name).unwrap());
    frontend.spec.src_ip_sticky = true;
    let vip = frontend.spec.vip;
    for (sticky, steps) in [(None, 0), (Some(true), 0), (Some(false), 6)] {
        let seen = observed.vips.get_mut(&vip).unwrap();
        seen.src_ip_sticky = sticky;
        assert_eq!(plan(&desired, &observed, &Flushed::new(), &Scope::All).len(), steps);
    }
}
