//! The Reconciler on paused time against a VPP that tests hold by the reins.

mod fake;
mod model;
mod pass;
mod verify;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fake::{LostReply, spec, vip};
use world::{ReconcilerTestBed, SYNC_INTERVAL, flushing, frontend, idle};

use super::*;
use crate::domain::balancing::weights::FlushSeq;
use crate::domain::config::LbSettings;
use crate::domain::dataplane::connection::{Epoch, Outcome};
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{self, Desired, Scope};
use crate::domain::dataplane::step::Step;
use crate::domain::names::FrontendName;

const NOTHING: [&str; 0] = [];

#[actix_rt::test]
async fn nothing_is_written_before_startup_min_delay() {
    let mut world = ReconcilerTestBed::new();
    world.replace(&[frontend(1, &[100])], Duration::from_secs(5)).await;
    world.connect(1).await;
    world.change(&[frontend(1, &[7])]).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(world.heard(), NOTHING);
    // To be told what would be written is another thing.
    assert_eq!(world.sync(Scope::All, true).await.unwrap(), ["+f1", "+f1 s1=7"]);
    assert_eq!(world.heard(), ["look"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.heard(), ["look", "+f1, +f1 s1=7"]);
}

#[actix_rt::test]
async fn nothing_is_planned_from_what_was_not_read() {
    let mut world = ReconcilerTestBed::new();
    world.vpp().blind = true;
    world.replace(&[frontend(1, &[100])], Duration::ZERO).await;
    world.connect(1).await;
    world.change(&[frontend(1, &[7])]).await;
    assert_eq!(world.heard(), ["look"]);
    // It is seen by and by.
    world.vpp().blind = false;
    tokio::time::sleep(SYNC_INTERVAL).await;
    assert_eq!(world.heard(), ["look", "+f1, +f1 s1=7"]);

    // What was seen before a restart is not there any more.
    world.lose(1).await;
    world.vpp().observed.vips.clear();
    world.change(&[frontend(1, &[8])]).await;
    assert_eq!(world.heard(), NOTHING);
    world.connect(2).await;
    assert_eq!(world.heard(), ["look", "+f1, +f1 s1=8"]);
}

#[actix_rt::test]
async fn a_vpp_gets_its_settings_before_its_vips() {
    let mut world = ReconcilerTestBed::new();
    world.vpp().observed.conf.flow_timeout_s = 1;
    world.replace(&[frontend(1, &[0]), frontend(2, &[0])], Duration::ZERO).await;
    world.change(&[frontend(2, &[100])]).await;
    world.vpp().held_back = true;
    world.connect(1).await;
    // What changes before the look is answered belongs to what it leads to.
    world.change(&[frontend(1, &[100])]).await;
    world.release_all().await;
    assert_eq!(world.heard(), ["look", "conf, +f1, +f1 s1=100, +f2, +f2 s1=100"]);
}

#[actix_rt::test]
async fn what_changes_together_goes_out_together_and_at_once() {
    let world = ReconcilerTestBed::steady(&[frontend(1, &[100, 0]), frontend(2, &[100])]).await;
    world.vpp().held_back = true;
    world.change(&[frontend(1, &[0, 100]), frontend(2, &[0])]).await;
    assert_eq!(world.heard(), ["!f1 s2=100, f1 s1=0, f2 s1=0"]);
    // While these are under way, more changes gather, the last word counts,
    // and what is undone meanwhile is undone in VPP.
    world.change(&[frontend(2, &[50])]).await;
    world.change(&[frontend(1, &[100, 0])]).await;
    world.change(&[frontend(2, &[60])]).await;
    assert_eq!(world.heard(), NOTHING);
    world.release().await;
    assert_eq!(world.heard(), ["!f1 s1=100, f1 s2=0, f2 s1=60"]);
    world.release().await;
    assert_eq!(world.heard(), NOTHING);
}

#[actix_rt::test]
async fn a_flip_overtakes_what_is_left_of_a_pass() {
    let mut world = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    let mut all = vec![frontend(1, &[100]), frontend(2, &[50])];
    all.extend((3..200).map(|number| frontend(number, &[100])));
    world.vpp().held_back = true;
    world.replace(&all, Duration::ZERO).await;
    assert_eq!(world.heard(), ["look"]);
    world.release().await;
    // The first of several portions are under way, with f2 in one of them.
    let [portion, _] = &world.heard()[..] else { panic!("two portions") };
    assert!(portion.starts_with("f2 s1=50, +f3, +f3 s1=100, +f4"), "{portion}");

    world.change(&[frontend(1, &[0])]).await;
    assert_eq!(world.heard(), ["!f1 s1=0"]);
    // What the portion leaves of f2 is not known before its answer is there;
    // what none touches yet is written at once, with its new weight.
    world.change(&[frontend(2, &[0]), frontend(199, &[7])]).await;
    assert_eq!(world.heard(), NOTHING);
    world.vpp().gates.swap(0, 2);
    world.release().await;
    assert_eq!(world.heard(), ["!+f199, +f199 s1=7"]);
    world.vpp().gates.swap(0, 1);
    world.release().await;
    // The pass goes on beside the flip, and f2 waits for that.
    let [portion] = &world.heard()[..] else { panic!("one portion") };
    assert!(portion.contains("+f20"), "{portion}");
    world.vpp().gates.swap(0, 1);
    world.release().await;
    let heard = world.heard();
    assert_eq!(heard[0], "!f2 s1=0");
    world.release_all().await;
    let heard = world.heard();
    assert!(heard.iter().all(|line| !line.starts_with('!') && !line.contains("f199")), "{heard:?}");
    assert_eq!(world.vpp().observed.vips.len(), 199);
    assert_eq!(world.sync(Scope::All, true).await.unwrap(), NOTHING);
}

#[actix_rt::test]
async fn a_flip_that_is_under_way_is_not_written_a_second_time_by_a_pass() {
    let world = ReconcilerTestBed::steady(&[frontend(1, &[100])]).await;
    world.vpp().held_back = true;
    let sync = world.begin_sync(Scope::All, false);
    idle().await;
    // The look has passed already what the flip is about to change.
    world.change(&[flushing(1, &[0], Some(FlushSeq::NONE.next()))]).await;
    assert_eq!(world.heard(), ["look", "!f1 s1=0 flush"]);
    world.release().await;
    assert_eq!(world.heard(), NOTHING);
    world.release_all().await;
    assert_eq!(world.heard(), NOTHING);
    assert_eq!(sync.await.unwrap().unwrap().results, []);
}

#[actix_rt::test]
async fn a_dry_run_does_not_swallow_a_change() {
    let world = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    world.vpp().held_back = true;
    world.change(&[frontend(1, &[0])]).await;
    let dry = world.begin_sync(Scope::All, true);
    world.change(&[frontend(2, &[0])]).await;
    assert_eq!(world.heard(), ["!f1 s1=0", "look"]);
    // The look is answered first, the flip of f1 is still under way.
    world.vpp().gates.swap(0, 1);
    world.release().await;
    world.release_all().await;
    assert_eq!(world.heard(), ["!f2 s1=0"]);
    dry.await.unwrap().unwrap();
}

#[actix_rt::test]
async fn a_refused_step_stops_its_frontend_alone_until_the_next_pass() {
    let mut world = ReconcilerTestBed::new();
    world.vpp().refused.insert(vip(1));
    world.replace(&[frontend(1, &[100]), frontend(2, &[100])], Duration::ZERO).await;
    world.connect(1).await;
    let written = ["look", "+f1, +f1 s1=100, +f2, +f2 s1=100"];
    assert_eq!(world.heard(), written);
    assert_eq!(world.sync(Scope::All, false).await.unwrap(), ["+f1 failed", "+f1 s1=100 failed"]);
    world.heard();
    // A refused flip is looked into once, and not for ever.
    world.change(&[frontend(1, &[50])]).await;
    assert_eq!(world.heard(), ["!+f1, +f1 s1=50", "look", "+f1, +f1 s1=50"]);
    world.vpp().refused.clear();
    assert_eq!(world.heard(), NOTHING);
    tokio::time::sleep(SYNC_INTERVAL).await;
    assert_eq!(world.heard(), ["look", "+f1, +f1 s1=50"]);
}

#[actix_rt::test]
async fn a_lost_reply_leads_to_a_fresh_look() {
    let flush = |weight| flushing(1, &[weight], Some(FlushSeq::NONE.next()));
    let world = ReconcilerTestBed::steady(&[frontend(1, &[100])]).await;
    world.vpp().losses.push_back(LostReply::BeforeItWasDone);
    world.change(&[frontend(1, &[7])]).await;
    assert_eq!(world.heard(), ["!f1 s1=7", "look", "f1 s1=7"]);
    world.vpp().losses.push_back(LostReply::AfterItWasDone);
    world.change(&[frontend(1, &[8])]).await;
    assert_eq!(world.heard(), ["!f1 s1=8", "look"]);
    // Whether flows were forgotten cannot be seen, so they are once more.
    world.vpp().losses.push_back(LostReply::AfterItWasDone);
    world.change(&[flush(0)]).await;
    assert_eq!(world.heard(), ["!f1 s1=0 flush", "look", "f1 s1=0 flush"]);
    world.change(&[flush(0)]).await;
    assert_eq!(world.heard(), NOTHING);
}

#[actix_rt::test]
async fn a_pass_that_loses_a_reply_says_so_and_is_made_again() {
    let world = ReconcilerTestBed::steady(&[frontend(1, &[100])]).await;
    world.vpp().observed.vips.clear();
    world.vpp().losses.push_back(LostReply::BeforeItWasDone);
    let error = world.sync(Scope::All, false).await.unwrap_err();
    assert!(matches!(error, SyncError::Dataplane(DataplaneError::Failed(_))), "{error}");
    idle().await;
    assert_eq!(world.heard(), ["look", "+f1, +f1 s1=100", "look", "+f1, +f1 s1=100"]);
}

#[actix_rt::test]
async fn a_sync_of_one_frontend_touches_no_other_vip() {
    let world = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    let step = |step| plan::apply(&mut world.vpp().observed, &step);
    step(Step::AddVip(spec(9)));
    step(Step::RemoveVip(vip(1)));
    step(Step::RemoveVip(vip(2)));
    let one = Scope::One("f001".into());
    assert_eq!(world.sync(one.clone(), true).await.unwrap(), ["+f1", "+f1 s1=100"]);
    assert_eq!(world.sync(one, false).await.unwrap(), ["+f1", "+f1 s1=100"]);
    assert_eq!(world.heard(), ["look", "look", "+f1, +f1 s1=100"]);
    let rest = ["+f2", "+f2 s1=100", "-f9"];
    assert_eq!(world.sync(Scope::All, true).await.unwrap(), rest);
    assert_eq!(world.sync(Scope::All, false).await.unwrap(), rest);

    let ghost = world.sync(Scope::One("ghost".into()), false).await;
    assert_eq!(ghost, Err(SyncError::NoFrontend("ghost".into())));
}

#[actix_rt::test]
async fn answers_of_an_earlier_connection_are_not_taken_for_the_present_ones() {
    // A look that is answered when its connection is long gone.
    let mut world = ReconcilerTestBed::new();
    world.vpp().held_back = true;
    world.replace(&[frontend(1, &[100])], Duration::ZERO).await;
    world.connect(1).await;
    world.lose(1).await;
    world.connect(2).await;
    assert_eq!(world.heard(), ["look", "look"]);
    world.release().await;
    assert_eq!(world.heard(), NOTHING);
    world.release().await;
    assert_eq!(world.heard(), ["+f1, +f1 s1=100"]);

    // A write in the same place; VPP has restarted, empty.
    world.lose(2).await;
    world.vpp().observed.vips.clear();
    world.connect(3).await;
    assert_eq!(world.heard(), ["look"]);
    world.release().await;
    assert_eq!(world.heard(), NOTHING);
    world.release().await;
    assert_eq!(world.heard(), ["+f1, +f1 s1=100"]);
    world.release_all().await;
    assert_eq!(world.heard(), NOTHING);
}

#[actix_rt::test]
async fn whoever_waits_for_a_sync_is_told_when_vpp_is_lost() {
    let world = ReconcilerTestBed::steady(&[frontend(1, &[100])]).await;
    world.vpp().held_back = true;
    let (first, second) =
        (world.begin_sync(Scope::All, false), world.begin_sync(Scope::All, false));
    idle().await;
    world.lose(1).await;
    let gone = Err(SyncError::Dataplane(DataplaneError::NotConnected("gone".into())));
    assert_eq!(first.await.unwrap(), gone);
    assert_eq!(second.await.unwrap(), gone);
}

#[actix_rt::test]
async fn a_reload_in_the_middle_of_a_pass_is_what_the_pass_goes_on_with() {
    let mut world = ReconcilerTestBed::new();
    let many: Vec<_> = (1..=100).map(|number| frontend(number, &[100])).collect();
    world.vpp().held_back = true;
    world.replace(&many, Duration::ZERO).await;
    world.connect(1).await;
    world.release().await;
    assert_eq!(world.heard().len(), 3);
    world.replace(&many[..1], Duration::ZERO).await;
    world.release_all().await;
    let heard = world.heard();
    assert!(heard[0].starts_with("-f2 s1, -f2, "), "{heard:?}");
    assert!(heard.iter().all(|line| !line.contains('+')), "{heard:?}");
    assert_eq!(world.vpp().observed.vips.keys().collect::<Vec<_>>(), [&vip(1)]);
}

#[actix_rt::test]
async fn what_vpp_keeps_refusing_is_shown_and_tried_less_often() {
    let mut world = ReconcilerTestBed::new();
    world.vpp().refused.insert(vip(1));
    world.replace(&[frontend(1, &[100])], Duration::ZERO).await;
    world.connect(1).await;
    let mut tries = String::new();
    for _ in 0..12 {
        let tried = world.heard().iter().any(|line| line.contains("+f1"));
        tries.push(if tried { 'x' } else { '.' });
        tokio::time::sleep(SYNC_INTERVAL).await;
    }
    assert_eq!(tries, "xx.x...x....");
    let refusal = || world.reconciler.send(GetRefusalOf("f001".into()));
    let told = refusal().await.unwrap().unwrap();
    assert!(told.starts_with("as-add 192.0.2.1/32 tcp/80 10.0.0.1 weight 100: "), "{told}");
    let figures = world.reconciler.send(GetReconcilerStats).await.unwrap();
    assert_eq!((figures.refused.len(), figures.last_success), (1, None));

    // An operator does not wait, and what goes well is no drift.
    world.vpp().refused.clear();
    assert_eq!(world.sync(Scope::All, false).await.unwrap(), ["+f1", "+f1 s1=100"]);
    assert_eq!(refusal().await.unwrap(), None);
    let figures = world.reconciler.send(GetReconcilerStats).await.unwrap();
    assert!(figures.refused.is_empty() && figures.last_success.is_some());
    assert_eq!(figures.drift, BTreeMap::new());
}

#[actix_rt::test]
async fn drift_is_what_nothing_on_our_side_explains() {
    let world = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    let counted = async || world.reconciler.send(GetReconcilerStats).await.unwrap();
    let at_first = counted().await;
    assert_eq!(at_first.drift, BTreeMap::new(), "a first pass adopts and mends no drift");
    assert_eq!(at_first.steps, [(("all", "as-add"), 2), (("all", "vip-add"), 2)].into());

    // What was written has been read back by then.
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.vpp().observed.vips.remove(&vip(2));
    tokio::time::sleep(SYNC_INTERVAL).await;
    assert_eq!(world.heard(), ["look", "+f2, +f2 s1=100"]);
    assert_eq!(counted().await.drift, [("as-add", 1), ("vip-add", 1)].into());

    // A change that arrives while the pass looks is none.
    world.vpp().held_back = true;
    tokio::time::sleep(SYNC_INTERVAL).await;
    world.change(&[frontend(1, &[50])]).await;
    world.release_all().await;
    assert_eq!(world.heard(), ["look", "!f1 s1=50"]);
    let at_last = counted().await;
    assert_eq!(at_last.drift, [("as-add", 1), ("vip-add", 1)].into());
    assert_eq!(at_last.steps[&("vip", "as-weight")], 1);
}
