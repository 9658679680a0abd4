//! What explanations are told, and what commands would do.

use super::*;
use std::time::Instant;

use crate::domain::explain::facts::MemberSituation;
use crate::domain::health::damping::DampedReturn;
use crate::domain::moment::Moment;
use crate::domain::readiness::ReloadRefusal;

fn now() -> Moment {
    Moment { monotonic: Instant::now(), wall: START }
}

fn member(controller: &ControllerState, name: &str) -> MemberSituation {
    let web = controller.frontend_situation("web", now()).unwrap();
    let mut members = web.pools.into_iter().flat_map(|pool| pool.members);
    members.find(|member| member.name.as_str() == name).unwrap()
}

#[test]
fn a_situation_is_what_was_decided() {
    let mut controller = started();
    let a = controller.backend_situation("a", now()).unwrap();
    assert!(a.is_awaited && a.last_transition.is_none() && a.frontend_count == 1);
    assert_eq!(a.check.unwrap().fall, 1);
    assert!(member(&controller, "a").is_awaited);
    assert_eq!(controller.frontend_situation("web", now()).unwrap().active_pool, None);

    transition(&mut controller, "a", State::Up);
    let set = controller.set_weight("web", "main", "a", Weight::ZERO, ("me", START));
    assert!(set.is_ok());
    let a = member(&controller, "a");
    assert!(!a.is_awaited && !a.serves() && &*a.overridden.unwrap().who == "me");
    assert_eq!((a.weight, a.configured, &*a.why), (Weight::ZERO, Weight::FULL, "probe"));

    let paused = controller.administer("b", AdminCommand::Pause, ("me", START));
    assert!(paused.is_ok());
    let b = controller.backend_situation("b", now()).unwrap();
    assert_eq!((b.admin, &*b.overridden.unwrap().who), (Admin::Paused, "me"));
    let is_overridden = |name| member(&controller, name).is_admin_overridden;
    assert!(is_overridden("b") && !is_overridden("a"));

    controller.expire_startup_grace(START);
    assert!(!member(&controller, "c").is_awaited);
    assert!(controller.backend_situation("ghost", now()).is_err());
    assert!(controller.frontend_situation("ghost", now()).is_err());
}

#[test]
fn a_return_that_waits_and_a_reload_that_was_refused_are_told() {
    let mut controller = started();
    transition(&mut controller, "a", State::Down);
    let now = now();
    let (since, wait) = (now.monotonic, Duration::from_secs(9));
    let damped = DampedReturn { since, wait, falls: 2 };
    controller.damped(controller.backends["a"].prober, &"a".into(), Some(damped), now);
    assert_eq!(member(&controller, "a").damped_until, Some(START + wait));
    assert_eq!(member(&controller, "b").damped_until, None);

    let refused = |controller: &ControllerState| {
        let of_frontend = controller.frontend_situation("web", now).unwrap().reload_refused;
        (controller.backend_situation("a", now).unwrap().reload_refused, of_frontend)
    };
    assert_eq!(refused(&controller), (None, None));
    controller.reload_refused(ReloadRefusal::Fault);
    let fault = Some(ReloadRefusal::Fault);
    assert_eq!(refused(&controller), (fault, fault));
    controller.reload(Arc::new(config()), START);
    assert_eq!(refused(&controller), (None, None));
}
