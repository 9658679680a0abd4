//! Readings of VPP's flows: for which drains each counts, and for which not.

use super::*;
use crate::domain::resolution::{BackendAddress, HostName, IpFamily, Resolution};

#[test]
fn one_reading_serves_all_drains_and_none_is_wanted_twice() {
    let mut bed = DrainTestBed::new();
    bed.drain("a", None);
    bed.drain("b", None);
    bed.confirm();
    assert!(bed.fire());
    bed.drain("c", None);
    bed.confirm();
    bed.answer(&[(1, 7), (2, 0), (3, 5)]);
    let flows =
        |bed: &DrainTestBed, name| bed.controller.backend(name).unwrap().drain.unwrap().flows();
    assert_eq!([flows(&bed, "a"), flows(&bed, "b")], [Some(7), Some(0)]);
    assert_eq!(flows(&bed, "c"), None, "it was not paused yet when VPP was asked");
    let stale = bed.flow_timer;
    bed.drain("a", None);
    assert_ne!(bed.flow_timer, stale);
    assert_eq!(bed.controller.flow_timer_fired(stale.unwrap()), [], "another is set");
}

#[test]
fn a_reading_that_fails_does_not_tell_what_one_costs() {
    let mut bed = DrainTestBed::new();
    bed.drain("a", None);
    bed.confirm();
    for _ in 0..4 {
        assert!(bed.fire());
        let away = Err("VPP is away".into());
        let effects = bed.controller.flows_read(&away, 5 * SECOND, bed.moment());
        let [ControllerEffect::SetFlowTimer(_, wait)] = effects[..] else { panic!("{effects:?}") };
        assert_eq!(wait, 60 * SECOND);
        bed.execute(effects);
    }
    let uncounted = bed.controller.backend("a").unwrap().drain.unwrap();
    assert_eq!(uncounted.view(bed.start).uncounted.as_deref(), Some("VPP is away"));
}

#[test]
fn what_was_counted_of_another_address_is_forgotten() {
    let mut named = config();
    let host = HostName { name: "a".into(), family: IpFamily::V4 };
    backend(&mut named, "a").address = BackendAddress::Name(host.clone());
    let mut bed = DrainTestBed::of(named);
    let resolve = |bed: &mut DrainTestBed, number: u8| {
        let at = Resolution::At([10, 0, 0, number].into());
        let effects = bed.controller.resolved(&"a".into(), &host, at, START);
        bed.execute(effects);
        bed.confirm();
    };
    resolve(&mut bed, 1);
    bed.drain("a", None);
    bed.confirm();
    assert!(bed.fire());
    bed.answer(&[(1, 7), (9, 90)]);
    resolve(&mut bed, 9);
    assert!(bed.fire());
    bed.answer(&[(1, 7), (9, 90)]);
    let drain = bed.controller.backend("a").unwrap().drain.unwrap().view(bed.start);
    assert_eq!(drain.flows, Some((90, 90)), "the first count is that of the new address");
}

#[test]
fn a_count_from_before_a_change_is_none() {
    let mut bed = DrainTestBed::new();
    bed.drain("a", None);
    bed.confirm();
    assert!(bed.fire());
    // Something is to be written again, say after a restart of VPP.
    let lost = FrontendProgress { frontend: "web".into(), programmed: false, serving: false };
    bed.controller.progressed(bed.controller.generation(), vec![lost]);
    bed.answer(&[(1, 0)]);
    assert_eq!(bed.phase("a"), Some(DrainPhase::Draining));
    let effects = bed.controller.flows_read(&Ok(FlowCounts::default()), SECOND, bed.moment());
    assert_eq!(effects, [], "nobody asked");
}

#[test]
fn another_backend_at_its_address_that_serves_is_told() {
    let mut config = config();
    backend(&mut config, "b").address = [10, 0, 0, 1].into();
    let mut bed = DrainTestBed::new();
    let effects = bed.controller.reload(Arc::new(config), START);
    bed.execute(effects);
    transition(&mut bed.controller, "b", State::Up);
    bed.drain("a", None);
    bed.confirm();
    assert!(!bed.fire(), "its count would never fall");
    let drain = bed.controller.backend("a").unwrap().drain.unwrap();
    let why = drain.view(bed.start + bed.now).uncounted.unwrap();
    assert!(why.contains("another backend at its address takes flows"), "{why}");
}
