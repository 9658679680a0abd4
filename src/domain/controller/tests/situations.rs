//! What explanations are told, and what commands would do.

use super::*;
use crate::domain::explain::facts::MemberSituation;

fn member(controller: &ControllerState, name: &str) -> MemberSituation {
    let web = controller.frontend_situation("web").unwrap();
    let mut members = web.pools.into_iter().flat_map(|pool| pool.members);
    members.find(|member| member.name.as_str() == name).unwrap()
}

#[test]
fn a_situation_is_what_was_decided() {
    let mut controller = started();
    let a = controller.backend_situation("a").unwrap();
    assert!(a.is_awaited && a.last_transition.is_none() && a.frontend_count == 1);
    assert_eq!(a.check.unwrap().fall, 1);
    assert!(member(&controller, "a").is_awaited);
    assert_eq!(controller.frontend_situation("web").unwrap().active_pool, None);

    transition(&mut controller, "a", State::Up);
    let set = controller.set_weight("web", "main", "a", Weight::ZERO, ("me", START));
    assert!(set.is_ok());
    let a = member(&controller, "a");
    assert!(!a.is_awaited && !a.serves() && a.is_overridden());
    assert_eq!((a.weight, a.configured, &*a.why), (Weight::ZERO, Weight::FULL, "probe"));

    let paused = controller.administer("b", AdminCommand::Pause, ("me", START));
    assert!(paused.is_ok());
    let b = controller.backend_situation("b").unwrap();
    assert_eq!((b.admin, b.is_overridden), (Admin::Paused, true));

    controller.expire_startup_grace(START);
    assert!(!member(&controller, "c").is_awaited);
    assert!(controller.backend_situation("ghost").is_err());
    assert!(controller.frontend_situation("ghost").is_err());
}

#[test]
fn what_is_asked_is_what_would_be_done_and_changes_nothing() {
    let commands =
        [AdminCommand::Pause, AdminCommand::Resume, AdminCommand::Enable, AdminCommand::Disable];
    for before in commands {
        for command in commands {
            let mut controller = started();
            let _ = controller.administer("a", before, ("me", START));
            let present = controller.backend("a").unwrap();
            let would = controller.would_administer("a", command);
            assert_eq!(controller.backend("a").unwrap(), present);
            let done = controller.administer("a", command, ("me", START)).map(|_| ());
            assert_eq!(would, done, "{command} after {before}");
        }
    }
    let mut controller = started();
    for (frontend, pool, backend) in [
        ("web", "main", "a"),
        ("ghost", "main", "a"),
        ("web", "ghost", "a"),
        ("web", "main", "c"),
        ("web", "main", "ghost"),
    ] {
        let would = controller.would_set_weight(frontend, pool, backend);
        let set = controller.set_weight(frontend, pool, backend, Weight::ZERO, ("me", START));
        assert_eq!(would, set.map(|_| ()), "{frontend} {pool} {backend}");
    }
    let ghost = controller.would_administer("ghost", AdminCommand::Pause);
    assert_eq!(ghost, Err(CommandRefused::NoBackend("ghost".into())));
}
