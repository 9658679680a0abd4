//! Tests what the Announcer is told of frontends whose servers nobody sees.

use super::*;
use crate::domain::announce::{AnnounceSettings, DriverSettings};

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

#[test]
fn drivers_are_told_that_nothing_is_announced_and_that_they_are_no_longer_used() {
    let mut config = config();
    config.announcer.drivers = vec![DriverSettings::Command { argv: vec!["/bin/place".into()] }];
    let mut controller = ControllerState::new(Arc::new(config.clone()), START).0;
    let told = controller.announce_update().unwrap();
    assert_eq!((told.settings.drivers.len(), told.frontends.len()), (1, 0));
    assert_eq!(controller.announce_update(), None);
    config.announcer.drivers.clear();
    let _ = controller.reload(Arc::new(config), START);
    assert_eq!(controller.announce_update().unwrap().settings.drivers, []);
    assert_eq!(controller.announce_update(), None);
}
