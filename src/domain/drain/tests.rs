//! One drain, by the clock and the counts that it is given.

use super::*;

/// Of packets nothing is known.
fn at(now: Instant) -> PacketReading<'static> {
    PacketReading { packets: None, flow_timeout: 40 * SECOND, begun: now, ended: now }
}

fn drain(timeout: Option<DrainTimeout>, now: Instant) -> Drain {
    let id = DrainId::default().next();
    Drain::new(id, DrainOrder { timeout }, "me", SystemTime::UNIX_EPOCH, now)
}

fn flows(counts: &[u64]) -> FrontendFlows {
    ["api", "www"].into_iter().map(FrontendName::from).zip(counts.iter().copied()).collect()
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn it_is_over_when_no_frontend_has_a_flow() {
    let start = Instant::now();
    let mut drain = drain(None, start);
    assert_eq!(drain.count(flows(&[3, 5]), at(start + SECOND)), None);
    assert_eq!(drain.count(flows(&[0, 1]), at(start + 2 * SECOND)), None);
    assert_eq!((drain.phase(), drain.flows()), (DrainPhase::Draining, Some(1)));
    let last = drain.count(flows(&[0, 0]), at(start + 3 * SECOND));
    assert_eq!(last, Some(LastFlow::NotCounted));
    let view = drain.view(start + 9 * SECOND);
    assert_eq!((view.phase, view.flows), (DrainPhase::Drained, Some((8, 0))));
    assert_eq!((view.lasted, view.ends_in), (3 * SECOND, None), "it no longer lasts");
    let again = drain.count(flows(&[7, 0]), at(start + 9 * SECOND));
    assert_eq!(again, None, "once is enough");
    assert_eq!(drain.phase(), DrainPhase::Drained);
    assert_eq!(drain.time_out(), None);
}

#[test]
fn a_timeout_flushes_where_that_was_ordered() {
    let start = Instant::now();
    for (flush, phase) in [(false, DrainPhase::Overdue), (true, DrainPhase::Flushing)] {
        let mut drain = drain(Some(DrainTimeout { after: 9 * SECOND, flush }), start);
        drain.count(flows(&[2, 0]), at(start + SECOND));
        assert_eq!(drain.view(start + 4 * SECOND).left, Some(5 * SECOND));
        assert_eq!(drain.time_out(), Some(phase));
        assert_eq!(drain.time_out(), None, "once");
        assert_eq!(drain.view(start + 9 * SECOND).left, None);
        let last = drain.count(flows(&[0, 0]), at(start + 10 * SECOND));
        assert!(last.is_some(), "it still may end");
    }
}

#[test]
fn what_cannot_be_counted_is_told_and_no_zero() {
    let start = Instant::now();
    let mut drain = drain(None, start);
    drain.not_counted("VPP is away".into());
    let view = drain.view(start + SECOND);
    assert_eq!((view.flows, view.uncounted.as_deref()), (None, Some("VPP is away")));
    assert_eq!(view.phase, DrainPhase::Draining);
    drain.count(flows(&[2, 0]), at(start + SECOND));
    assert_eq!(drain.view(start + SECOND).uncounted, None);
}

#[test]
fn another_address_is_counted_anew() {
    let start = Instant::now();
    let mut drain = drain(None, start);
    drain.count(flows(&[0, 0]), at(start + SECOND));
    drain.restart_counting();
    let view = drain.view(start + 2 * SECOND);
    assert_eq!((view.phase, view.flows), (DrainPhase::Draining, None));
    assert_eq!(view.lasted, 2 * SECOND);
}

/// Counts 5 flows at this second, with so many packets sent before.
fn count(drain: &mut Drain, start: Instant, second: u32, packets: u64) -> Option<LastFlow> {
    let packets = SentPackets::from([(12, packets)]);
    let packets = Some(&packets);
    drain.count(flows(&[2, 3]), PacketReading { packets, ..at(start + second * SECOND) })
}

#[test]
fn a_count_that_rests_is_over_once_vpp_has_forgotten_every_flow() {
    let start = Instant::now();
    for is_overdue in [false, true] {
        let mut drain = drain(Some(DrainTimeout { after: 9 * SECOND, flush: false }), start);
        assert_eq!(count(&mut drain, start, 1, 100), None);
        assert_eq!(count(&mut drain, start, 8, 130), None);
        if is_overdue {
            drain.time_out();
        }
        assert_eq!(count(&mut drain, start, 49, 130), None);
        let view = drain.view(start + 49 * SECOND);
        assert_eq!(view.quiet, Some((41 * SECOND, 42 * SECOND)));
        assert_eq!(view.flows, Some((5, 5)));
        let last = count(&mut drain, start, 50, 130);
        assert_eq!(last, Some(LastFlow::Forgotten { counted: 5, quiet: 42 * SECOND }));
        let view = drain.view(start + 60 * SECOND);
        assert_eq!((view.phase, view.flows, view.quiet), (DrainPhase::Drained, Some((5, 0)), None));
        assert_eq!((view.lasted, view.in_use), (50 * SECOND, None));
        assert!(view.of_frontends.iter().all(|(_, flows)| *flows == 0));
    }
}

#[test]
fn an_estimate_comes_nearer_between_two_counts() {
    let start = Instant::now();
    let mut falling = drain(None, start);
    for second in 0..=8 {
        let now = start + 2 * second * SECOND;
        falling.count(flows(&[0, u64::from(100 - 10 * second)]), at(now));
    }
    let ends_in = |second| falling.view(start + second * SECOND).ends_in.unwrap();
    assert!(ends_in(16) > 2 * SECOND, "{:?}", ends_in(16));
    assert_eq!(ends_in(18), ends_in(16) - 2 * SECOND);
    assert_eq!(ends_in(600), Duration::ZERO, "it is late");

    // Where no packet comes, the end is that of the quiet, whenever it is looked at.
    let mut quiet = drain(None, start);
    count(&mut quiet, start, 0, 0);
    count(&mut quiet, start, 10, 1000);
    for second in [20, 26] {
        count(&mut quiet, start, second, 1000);
    }
    let view = |second| quiet.view(start + second * SECOND);
    assert_eq!((view(26).in_use, view(26).ends_in), (Some(0), Some(26 * SECOND)));
    assert_eq!(view(30).ends_in, Some(22 * SECOND));
}

#[test]
fn another_address_is_quiet_anew() {
    let start = Instant::now();
    let mut drain = drain(None, start);
    count(&mut drain, start, 1, 100);
    drain.restart_counting();
    assert_eq!(count(&mut drain, start, 50, 100), None);
    assert!(count(&mut drain, start, 92, 100).is_some());
}
