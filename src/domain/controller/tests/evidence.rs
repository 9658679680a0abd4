//! Tests what is seen of doubts, and that a reload sets their limit.

use std::time::Instant;

use super::*;
use crate::domain::evidence::doubts::{DoubtOrder, Suspicion};
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::evidence::hold::{HoldChangeKind, HoldOutcome};
use crate::domain::health::doubt::{Doubt, DoubtId, DoubtKind};
use crate::domain::moment::Moment;
use crate::domain::resolution::IpFamily;

const GROUP: ProbeGroup = ProbeGroup { family: IpFamily::V4, source: None };

fn moment(start: Instant, seconds: u64) -> Moment {
    let since = Duration::from_secs(seconds);
    Moment { monotonic: start + since, wall: START + since }
}

/// The prober of `a`, the only backend that is up, reports a failure that decides.
fn doubt(controller: &mut ControllerState, kind: DoubtKind, now: Moment) -> Vec<ControllerEffect> {
    let prober = controller.backends["a"].prober;
    let doubt = Doubt { id: DoubtId(1), kind, why: "L4TOUT timeout".into() };
    controller.suspected((prober, &"a".into()), GROUP, &Suspicion::Doubted(doubt), now)
}

fn holds(effects: &[ControllerEffect]) -> Vec<HoldChangeKind> {
    let kind = |effect: &ControllerEffect| match effect {
        ControllerEffect::Publish(Event::Hold(change)) => Some(change.kind),
        _ => None,
    };
    effects.iter().filter_map(kind).collect()
}

#[test]
fn a_lone_backend_that_fails_is_held_and_counted_once_until_the_limit() {
    let start = Instant::now();
    let mut controller = started();
    transition(&mut controller, "a", State::Up);
    let effects = doubt(&mut controller, DoubtKind::Asking { since: start }, moment(start, 1));
    assert_eq!(holds(&effects), [HoldChangeKind::Began { limit: Duration::from_secs(5) }]);
    let effects = doubt(&mut controller, DoubtKind::Held { since: start }, moment(start, 1));
    assert_eq!(holds(&effects), []);
    let shown = controller.backend("a").unwrap().doubt.unwrap();
    assert_eq!((shown.since, shown.is_held), (START + Duration::from_secs(1), true));
    assert_eq!(&*shown.why, "L4TOUT timeout; no other backend passes either");
    assert_eq!(
        controller.evidence_notes(),
        ["verdicts held (ipv4): 1 backend of those that fail keeps its state, because no other \
          backend or witness passes"]
    );
    assert_eq!(controller.counts().backends_up, 1);

    // Its prober is stopped.
    let prober = controller.backends["a"].prober;
    let over = Suspicion::Over { passed: None };
    let effects = controller.suspected((prober, &"a".into()), GROUP, &over, moment(start, 3));
    let (outcome, lasted) = (HoldOutcome::Dropped, Duration::from_secs(2));
    assert_eq!(holds(&effects), [HoldChangeKind::Ended { outcome, lasted }]);
    assert_eq!(controller.hold_stats().lasted[&outcome].sum(), lasted);
    assert_eq!(
        (controller.evidence_notes(), controller.backend("a").unwrap().doubt),
        (vec![], None)
    );
}

#[test]
fn that_this_machine_cannot_probe_is_reported_once_for_all() {
    let start = Instant::now();
    let mut controller = started();
    let mut report = |name: &str, kind: Option<DoubtKind>| {
        let suspicion = match kind {
            None => Suspicion::Over { passed: None },
            Some(kind) => Suspicion::Doubted(Doubt { id: DoubtId(1), kind, why: "SOCKERR".into() }),
        };
        let prober = controller.backends[name].prober;
        let now = moment(start, 1);
        let effects = controller.suspected((prober, &name.into()), GROUP, &suspicion, now);
        let changes = effects.into_iter().filter_map(|effect| match effect {
            ControllerEffect::ProbingChanged { impossible } => {
                Some(impossible.map(|(name, why)| format!("{name} {why}")))
            }
            _ => None,
        });
        (changes.collect::<Vec<_>>(), controller.evidence_notes().len())
    };
    let unable = Some(DoubtKind::Unable);
    assert_eq!(report("a", unable), (vec![Some("a SOCKERR".into())], 1));
    assert_eq!(report("b", unable), (vec![], 1));
    assert_eq!(report("a", None), (vec![], 1));
    assert_eq!(report("b", None), (vec![None], 0));
}

#[test]
fn questions_are_counted() {
    let start = Instant::now();
    let mut controller = started();
    for name in ["a", "b"] {
        transition(&mut controller, name, State::Up);
    }
    let effects = doubt(&mut controller, DoubtKind::Asking { since: start }, moment(start, 1));
    let asks = |effect: &&ControllerEffect| matches!(effect, ControllerEffect::Ask { .. });
    assert_eq!((effects.iter().filter(asks).count(), holds(&effects)), (1, vec![]));
    assert_eq!(controller.hold_stats().questions, 1);
}

#[test]
fn a_reload_sets_the_limit() {
    let start = Instant::now();
    let mut controller = started();
    transition(&mut controller, "a", State::Up);
    let mut without = config();
    without.healthchecker.doubt_limit = Duration::ZERO;
    controller.reload(Arc::new(without), START);
    let effects = doubt(&mut controller, DoubtKind::Asking { since: start }, moment(start, 1));
    assert_eq!(holds(&effects), []);
    assert!(
        matches!(effects[..], [ControllerEffect::Doubt(DoubtOrder::Judge { .. })]),
        "{effects:?}"
    );
}

#[test]
fn the_start_waits_neither_for_the_doubted_nor_longer_than_the_grace() {
    let start = Instant::now();
    let mut controller = started();
    assert_eq!(controller.counts().backends_unknown, 3);
    doubt(&mut controller, DoubtKind::Unable, moment(start, 1));
    assert_eq!(controller.counts().backends_unknown, 2);
    controller.expire_startup_grace(START);
    assert_eq!(controller.counts().backends_unknown, 0);
}
