//! Of what there is much, what is said first, and that there is more.

use super::super::facts::{MemberSituation, PoolSituation};
use super::*;
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::dataplane::net::Weight;
use crate::domain::health::State;

#[test]
fn more_frontends_than_are_looked_at_are_counted() {
    let mut bed = Bed::new();
    bed.backend.frontend_count = 40;
    let chain = bed.explain_backend().chain;
    let last = chain.last().unwrap();
    assert_eq!(last.text, "39 more frontends use it, which are not looked at here");
}

impl Bed {
    /// Pool `main` has so many backends, of which the last ones are down.
    fn of_members(count: usize, down: usize) -> Self {
        let mut bed = Self::new();
        let web1 = bed.member("web1").clone();
        let member = |number: usize| {
            let is_down = number > count - down;
            let state = if is_down { State::Down } else { State::Up };
            let name = format!("web{number}").as_str().into();
            MemberSituation { name, state, why: "L4TOUT timeout".into(), ..web1.clone() }
        };
        bed.frontend().pools[0].members = (1..=count).map(member).collect();
        bed
    }
}

#[test]
fn what_is_wrong_comes_first_and_the_rest_is_counted() {
    let chain = Bed::of_members(40, 2).explain_frontend().chain;
    let of = |stage| {
        let texts = chain.iter().filter(move |it| it.stage == stage).map(|it| &*it.text);
        texts.collect::<Vec<_>>()
    };
    let verdicts = of(ExplainStage::Verdict);
    let first = ["web39 is down (L4TOUT timeout)", "web40 is down (L4TOUT timeout)", "web1 is up"];
    assert_eq!(verdicts[..3], first);
    assert_eq!((verdicts.len(), verdicts[32]), (33, "9 more backends, of which none is worse"));
    assert!(of(ExplainStage::Share)[0].starts_with("web39: "));
    let whole = Bed::of_members(31, 0).explain_frontend().chain;
    assert!(whole.iter().all(|it| !it.text.contains("more backends")));
}

#[test]
fn of_many_reasons_five_are_told() {
    for (down, end) in [(5, "web5 is down (L4TOUT timeout)"), (7, ", and 2 more")] {
        let mut bed = Bed::of_members(down, down);
        bed.nothing_serves();
        bed.frontend().pools.truncate(1);
        let cause = bed.explain_frontend().cause.text;
        assert!(cause.ends_with(end), "{cause}");
    }
}

#[test]
fn of_several_pools_the_one_in_which_a_backend_serves_is_told() {
    let mut bed = Bed::new();
    let effective = TargetWeight::Weight(Weight::ZERO);
    let members = vec![MemberSituation { effective, ..bed.member("web1").clone() }];
    bed.frontend().pools.insert(0, PoolSituation { name: "first".into(), members });
    bed.frontend().active_pool = Some(1);
    let pool = |bed: &Bed| {
        let chain = bed.explain_backend().chain;
        chain.into_iter().find(|it| it.stage == ExplainStage::Pool).unwrap().text
    };
    assert!(pool(&bed).starts_with("it is in pool main; "), "{}", pool(&bed));
}

#[test]
fn servers_of_no_backend_stay_while_a_name_does_not_resolve() {
    let mut bed = Bed::new();
    bed.member("spare1").address = None;
    let stays = "servers of no backend stay in VPP until all names resolve: 10.0.0.3";
    for explanation in [bed.explain_backend(), bed.explain_frontend()] {
        assert_eq!(explanation.chain.last().unwrap().text, stays);
    }
}
