//! Tests what the Announcer is told of frontends whose servers nobody sees.

use std::time::Instant;

use super::*;
use crate::domain::announce::{AnnounceSettings, DriverSettings};
use crate::domain::evidence::doubts::{DoubtOrder, Suspicion};
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::health::doubt::{Doubt, DoubtId, DoubtKind};
use crate::domain::resolution::IpFamily;

/// A daemon whose frontend is announced, and whose backends have just had these verdicts.
fn started_with(verdicts: [State; 3]) -> ControllerState {
    let mut config = config();
    config.announcer.drivers = vec![DriverSettings::Command { argv: vec!["/bin/place".into()] }];
    config.frontends.get_mut("web").unwrap().announce = Some(AnnounceSettings::default());
    let mut controller = ControllerState::new(Arc::new(config), START).0;
    for (name, verdict) in ["a", "b", "c"].into_iter().zip(verdicts) {
        transition(&mut controller, name, verdict);
    }
    controller
}

/// Whether the frontend's failures are told to be without a witness.
fn is_doubted(controller: &mut ControllerState) -> bool {
    let update = controller.announce_update().unwrap();
    update.frontends[0].1.as_ref().unwrap().1.is_unwitnessed
}

#[test]
fn what_is_down_from_the_start_on_is_doubted_while_nothing_of_its_way_is_up() {
    let (up, down) = (State::Up, State::Down);
    assert!(!is_doubted(&mut started_with([down, down, up])));
    let mut blind = started_with([down; 3]);
    assert!(is_doubted(&mut blind));
    transition(&mut blind, "c", up);
    assert!(!is_doubted(&mut blind));
    transition(&mut blind, "c", down);
    assert!(!is_doubted(&mut blind), "it was seen meanwhile");
}

/// The limit is over before anybody has answered: nothing was held.
#[test]
fn what_is_believed_before_anybody_answered_has_no_witness() {
    let start = Instant::now();
    let now = |seconds| {
        let since = Duration::from_secs(seconds);
        Moment { monotonic: start + since, wall: START + since }
    };
    let group = ProbeGroup { family: IpFamily::V4, source: None };
    let mut controller = started_with([State::Up; 3]);
    let _ = controller.announce_update();
    let _ = controller.vpp_presence(true, START);
    let doubt = Doubt {
        id: DoubtId(1),
        kind: DoubtKind::Asking { since: start },
        why: "L4TOUT timeout".into(),
    };
    let prober = controller.backends["a"].prober;
    let suspicion = Suspicion::Doubted(doubt);
    let effects = controller.suspected((prober, &"a".into()), group, &suspicion, now(1));
    let limit = effects.iter().find_map(|effect| match effect {
        ControllerEffect::Doubt(DoubtOrder::SetTimer { timer, after, .. })
            if *after == Duration::from_secs(5) =>
        {
            Some(*timer)
        }
        _ => None,
    });
    let _ = controller.doubt_timer_fired(group, limit.unwrap(), now(6));
    transition(&mut controller, "a", State::Down);
    assert!(is_doubted(&mut controller));
}

#[test]
fn drivers_are_told_that_nothing_is_announced_and_that_they_are_no_longer_used() {
    let mut config = config();
    config.announcer.drivers = vec![DriverSettings::Command { argv: vec!["/bin/place".into()] }];
    config.frontends.get_mut("web").unwrap().announce = None;
    let mut controller = ControllerState::new(Arc::new(config.clone()), START).0;
    let told = controller.announce_update().unwrap();
    assert_eq!((told.settings.drivers.len(), told.frontends.len()), (1, 0));
    assert_eq!(controller.announce_update(), None);
    config.announcer.drivers.clear();
    let _ = controller.reload(Arc::new(config), START);
    assert_eq!(controller.announce_update().unwrap().settings.drivers, []);
    assert_eq!(controller.announce_update(), None);
}
