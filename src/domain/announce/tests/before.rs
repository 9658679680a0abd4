//! What is decided before VPP was read and every backend has a verdict.

use super::*;

fn not_ready(orders: [Option<GivenOrder>; 2]) -> AnnounceFacts {
    let mut all = facts(frontend(0));
    all.is_ready = false;
    let its = all.prefixes[&prefix(1)].clone();
    for (number, order) in (1..).zip(orders) {
        all.prefixes.insert(prefix(number), PrefixFacts { order, ..its.clone() });
    }
    all
}

/// The standing of the first prefix, and what is wanted of both.
fn decided(case: &mut Case, second: u64, facts: &AnnounceFacts) -> Option<Vec<VipPrefix>> {
    case.at(seconds(second), facts);
    case.last.wanted.as_ref().map(|wanted| wanted.keys().copied().collect())
}

#[test]
fn only_an_order_withdraws_and_what_is_placed_besides_stays() {
    let placed = [1, 2, 3].map(|number| (number, RoutePlacement::Announced));
    let mut case = Case::new(&placed);
    for given in [None, order(AnnounceOrder::Announce), order(AnnounceOrder::Drain)] {
        assert_eq!(decided(&mut case, 0, &not_ready([given, None])), None);
    }
    let withdrawn = not_ready([order(AnnounceOrder::Withdraw), None]);
    assert_eq!(decided(&mut case, 1, &withdrawn), Some(vec![prefix(2), prefix(3)]));
    let [change] = case.last.changes.as_slice() else { panic!("{:?}", case.last) };
    assert_eq!((change.prefix, change.to), (prefix(1), VipStanding::Withdrawn));
    assert_eq!(change.why.to_string(), "ann ordered: withdraw");
    let view = case.state.view(&withdrawn, prefix(1), case.moment(seconds(1))).unwrap();
    assert_eq!((view.standing, view.changes, view.withdraws), (VipStanding::Withdrawn, 1, 1));
    assert_eq!(decided(&mut case, 2, &withdrawn), Some(vec![prefix(2), prefix(3)]));
    assert_eq!(case.last.changes, []);
    // What is not known to be well is not announced again by the end of an order.
    assert_eq!(decided(&mut case, 3, &not_ready([None, None])), Some(vec![prefix(2), prefix(3)]));
    let mut ready = facts(frontend(100));
    ready.prefixes.insert(prefix(2), ready.prefixes[&prefix(1)].clone());
    assert_eq!(decided(&mut case, 4, &ready), Some(vec![prefix(1), prefix(2)]));
}
