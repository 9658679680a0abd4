//! Tests the Reconciler on paused time against a fake VPP, whose answers the tests
//! release one by one.

mod bed;
mod fake;
mod model;
mod pass;
mod read_back;
mod stale;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bed::{ReconcilerTestBed, SYNC_INTERVAL, flushing, frontend, idle};
use fake::{LostReply, spec, vip};

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
    let mut bed = ReconcilerTestBed::new();
    bed.replace(&[frontend(1, &[100])], Duration::from_secs(5)).await;
    bed.connect(1).await;
    bed.change(&[frontend(1, &[7])]).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(bed.take_log(), NOTHING);
    // A dry run is answered all the same.
    assert_eq!(bed.sync(Scope::All, true).await.unwrap(), ["+f1", "+f1 s1=7"]);
    assert_eq!(bed.take_log(), ["observe"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bed.take_log(), ["observe", "+f1, +f1 s1=7"]);
}

#[actix_rt::test]
async fn nothing_is_planned_from_what_was_not_read() {
    let mut bed = ReconcilerTestBed::new();
    bed.vpp().observe_fails = true;
    bed.replace(&[frontend(1, &[100])], Duration::ZERO).await;
    bed.connect(1).await;
    bed.change(&[frontend(1, &[7])]).await;
    assert_eq!(bed.take_log(), ["observe"]);
    // The next drift pass reads VPP.
    bed.vpp().observe_fails = false;
    tokio::time::sleep(SYNC_INTERVAL).await;
    assert_eq!(bed.take_log(), ["observe", "+f1, +f1 s1=7"]);

    // What was read before a restart is not valid after it.
    bed.lose(1).await;
    bed.vpp().observed.vips.clear();
    bed.change(&[frontend(1, &[8])]).await;
    assert_eq!(bed.take_log(), NOTHING);
    bed.connect(2).await;
    assert_eq!(bed.take_log(), ["observe", "+f1, +f1 s1=8"]);
}

#[actix_rt::test]
async fn a_vpp_gets_its_settings_before_its_vips() {
    let mut bed = ReconcilerTestBed::new();
    let conf = bed.vpp().observed.conf.known().expect("the fake tells it");
    bed.vpp().observed.conf = crate::domain::config::LbConf { flow_timeout_s: 1, ..conf }.into();
    bed.replace(&[frontend(1, &[0]), frontend(2, &[0])], Duration::ZERO).await;
    bed.change(&[frontend(2, &[100])]).await;
    bed.vpp().hold_answers = true;
    bed.connect(1).await;
    // Changes before the observation is answered belong to its plan.
    bed.change(&[frontend(1, &[100])]).await;
    bed.release_all().await;
    assert_eq!(bed.take_log(), ["observe", "conf, +f1, +f1 s1=100, +f2, +f2 s1=100"]);
}

#[actix_rt::test]
async fn changes_that_come_together_are_written_together_and_at_once() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100, 0]), frontend(2, &[100])]).await;
    bed.vpp().hold_answers = true;
    bed.change(&[frontend(1, &[0, 100]), frontend(2, &[0])]).await;
    assert_eq!(bed.take_log(), ["!f1 s2=100, f1 s1=0, f2 s1=0"]);
    // While these are in flight, more changes are collected. The last change of a
    // frontend counts, and one that is reverted meanwhile is reverted in VPP.
    bed.change(&[frontend(2, &[50])]).await;
    bed.change(&[frontend(1, &[100, 0])]).await;
    bed.change(&[frontend(2, &[60])]).await;
    assert_eq!(bed.take_log(), NOTHING);
    bed.release().await;
    assert_eq!(bed.take_log(), ["!f1 s1=100, f1 s2=0, f2 s1=60"]);
    bed.release().await;
    assert_eq!(bed.take_log(), NOTHING);
}

#[actix_rt::test]
async fn a_flip_overtakes_the_rest_of_a_pass() {
    let mut bed = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    let mut all = vec![frontend(1, &[100]), frontend(2, &[50])];
    all.extend((3..200).map(|number| frontend(number, &[100])));
    bed.vpp().hold_answers = true;
    bed.replace(&all, Duration::ZERO).await;
    assert_eq!(bed.take_log(), ["observe"]);
    bed.release().await;
    // Two of several batches are in flight, with f2 in one of them.
    let [batch, _] = &bed.take_log()[..] else { panic!("two batches") };
    assert!(batch.starts_with("f2 s1=50, +f3, +f3 s1=100, +f4"), "{batch}");

    bed.change(&[frontend(1, &[0])]).await;
    assert_eq!(bed.take_log(), ["!f1 s1=0"]);
    // f2 waits for the answer of its batch; f199, which is in none yet, is written at
    // once with its new weight.
    bed.change(&[frontend(2, &[0]), frontend(199, &[7])]).await;
    assert_eq!(bed.take_log(), NOTHING);
    bed.vpp().held_answers.swap(0, 2);
    bed.release().await;
    assert_eq!(bed.take_log(), ["!+f199, +f199 s1=7"]);
    bed.vpp().held_answers.swap(0, 1);
    bed.release().await;
    // The pass continues beside the flip, and f2 waits for the flip.
    let [batch] = &bed.take_log()[..] else { panic!("one batch") };
    assert!(batch.contains("+f20"), "{batch}");
    bed.vpp().held_answers.swap(0, 1);
    bed.release().await;
    let log = bed.take_log();
    assert_eq!(log[0], "!f2 s1=0");
    bed.release_all().await;
    let log = bed.take_log();
    assert!(log.iter().all(|line| !line.starts_with('!') && !line.contains("f199")), "{log:?}");
    assert_eq!(bed.vpp().observed.vips.len(), 199);
    assert_eq!(bed.sync(Scope::All, true).await.unwrap(), NOTHING);
}

#[actix_rt::test]
async fn a_flip_in_flight_is_not_written_again_by_a_pass() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100])]).await;
    bed.vpp().hold_answers = true;
    let sync = bed.begin_sync(Scope::All, false);
    idle().await;
    // The observation shows VPP before the flip.
    bed.change(&[flushing(1, &[0], Some(FlushSeq::NONE.next()))]).await;
    assert_eq!(bed.take_log(), ["observe", "!f1 s1=0 flush"]);
    bed.release().await;
    assert_eq!(bed.take_log(), NOTHING);
    bed.release_all().await;
    assert_eq!(bed.take_log(), NOTHING);
    assert_eq!(sync.await.unwrap().unwrap().results, []);
}

#[actix_rt::test]
async fn a_dry_run_does_not_lose_a_change() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    bed.vpp().hold_answers = true;
    bed.change(&[frontend(1, &[0])]).await;
    let dry = bed.begin_sync(Scope::All, true);
    bed.change(&[frontend(2, &[0])]).await;
    assert_eq!(bed.take_log(), ["!f1 s1=0", "observe"]);
    // The observation is answered first; the flip of f1 is still in flight.
    bed.vpp().held_answers.swap(0, 1);
    bed.release().await;
    bed.release_all().await;
    assert_eq!(bed.take_log(), ["!f2 s1=0"]);
    dry.await.unwrap().unwrap();
}

#[actix_rt::test]
async fn a_refused_step_stops_only_its_frontend_until_the_next_pass() {
    let mut bed = ReconcilerTestBed::new();
    bed.vpp().refused.insert(vip(1));
    bed.replace(&[frontend(1, &[100]), frontend(2, &[100])], Duration::ZERO).await;
    bed.connect(1).await;
    let written = ["observe", "+f1, +f1 s1=100, +f2, +f2 s1=100"];
    assert_eq!(bed.take_log(), written);
    assert_eq!(bed.sync(Scope::All, false).await.unwrap(), ["+f1 failed", "+f1 s1=100 failed"]);
    bed.take_log();
    // A refused flip leads to one pass, and not to one after another.
    bed.change(&[frontend(1, &[50])]).await;
    assert_eq!(bed.take_log(), ["!+f1, +f1 s1=50", "observe", "+f1, +f1 s1=50"]);
    bed.vpp().refused.clear();
    assert_eq!(bed.take_log(), NOTHING);
    tokio::time::sleep(SYNC_INTERVAL).await;
    assert_eq!(bed.take_log(), ["observe", "+f1, +f1 s1=50"]);
}

#[actix_rt::test]
async fn a_lost_reply_leads_to_a_new_observation() {
    let flush = |weight| flushing(1, &[weight], Some(FlushSeq::NONE.next()));
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100])]).await;
    bed.vpp().lost_replies.push_back(LostReply::BeforeWrite);
    bed.change(&[frontend(1, &[7])]).await;
    assert_eq!(bed.take_log(), ["!f1 s1=7", "observe", "f1 s1=7"]);
    bed.vpp().lost_replies.push_back(LostReply::AfterWrite);
    bed.change(&[frontend(1, &[8])]).await;
    assert_eq!(bed.take_log(), ["!f1 s1=8", "observe"]);
    // A flush cannot be observed, so it is written again.
    bed.vpp().lost_replies.push_back(LostReply::AfterWrite);
    bed.change(&[flush(0)]).await;
    assert_eq!(bed.take_log(), ["!f1 s1=0 flush", "observe", "f1 s1=0 flush"]);
    bed.change(&[flush(0)]).await;
    assert_eq!(bed.take_log(), NOTHING);
}

#[actix_rt::test]
async fn a_pass_that_loses_a_reply_fails_and_is_made_again() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100])]).await;
    bed.vpp().observed.vips.clear();
    bed.vpp().lost_replies.push_back(LostReply::BeforeWrite);
    let error = bed.sync(Scope::All, false).await.unwrap_err();
    assert!(matches!(error, SyncError::Dataplane(DataplaneError::Failed(_))), "{error}");
    idle().await;
    assert_eq!(bed.take_log(), ["observe", "+f1, +f1 s1=100", "observe", "+f1, +f1 s1=100"]);
}

#[actix_rt::test]
async fn a_sync_of_one_frontend_touches_no_other_vip() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    let step = |step| plan::apply(&mut bed.vpp().observed, &step);
    step(Step::AddVip(spec(9)));
    step(Step::RemoveVip(vip(1)));
    step(Step::RemoveVip(vip(2)));
    let one = Scope::One("f001".into());
    assert_eq!(bed.sync(one.clone(), true).await.unwrap(), ["+f1", "+f1 s1=100"]);
    assert_eq!(bed.sync(one, false).await.unwrap(), ["+f1", "+f1 s1=100"]);
    assert_eq!(bed.take_log(), ["observe", "observe", "+f1, +f1 s1=100"]);
    let rest = ["+f2", "+f2 s1=100", "-f9"];
    assert_eq!(bed.sync(Scope::All, true).await.unwrap(), rest);
    assert_eq!(bed.sync(Scope::All, false).await.unwrap(), rest);

    let ghost = bed.sync(Scope::One("ghost".into()), false).await;
    assert_eq!(ghost, Err(SyncError::NoFrontend("ghost".into())));
}

#[actix_rt::test]
async fn requested_syncs_are_answered_when_vpp_is_lost() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100])]).await;
    bed.vpp().hold_answers = true;
    let (first, second) = (bed.begin_sync(Scope::All, false), bed.begin_sync(Scope::All, false));
    idle().await;
    bed.lose(1).await;
    let lost = Err(SyncError::Dataplane(DataplaneError::NotConnected("gone".into())));
    assert_eq!(first.await.unwrap(), lost);
    assert_eq!(second.await.unwrap(), lost);
}

#[actix_rt::test]
async fn a_pass_continues_with_the_configuration_of_a_reload() {
    let mut bed = ReconcilerTestBed::new();
    let many: Vec<_> = (1..=100).map(|number| frontend(number, &[100])).collect();
    bed.vpp().hold_answers = true;
    bed.replace(&many, Duration::ZERO).await;
    bed.connect(1).await;
    bed.release().await;
    assert_eq!(bed.take_log().len(), 3);
    bed.replace(&many[..1], Duration::ZERO).await;
    bed.release_all().await;
    let log = bed.take_log();
    assert!(log[0].starts_with("-f2 s1, -f2, "), "{log:?}");
    assert!(log.iter().all(|line| !line.contains('+')), "{log:?}");
    assert_eq!(bed.vpp().observed.vips.keys().collect::<Vec<_>>(), [&vip(1)]);
}

#[actix_rt::test]
async fn what_vpp_keeps_refusing_is_reported_and_retried_with_backoff() {
    let mut bed = ReconcilerTestBed::new();
    bed.vpp().refused.insert(vip(1));
    bed.replace(&[frontend(1, &[100])], Duration::ZERO).await;
    bed.connect(1).await;
    let mut tries = String::new();
    for _ in 0..12 {
        let tried = bed.take_log().iter().any(|line| line.contains("+f1"));
        tries.push(if tried { 'x' } else { '.' });
        tokio::time::sleep(SYNC_INTERVAL).await;
    }
    assert_eq!(tries, "xx.x...x....");
    let refusal = || bed.reconciler.send(GetRefusalOf("f001".into()));
    let refused = refusal().await.unwrap().unwrap();
    assert!(refused.starts_with("as-add 192.0.2.1/32 tcp/80 10.0.0.1 weight 100: "), "{refused}");
    let stats = bed.reconciler.send(GetReconcilerStats).await.unwrap();
    assert_eq!((stats.refused.len(), stats.last_success), (1, None));

    // An operator's sync ignores the backoff, and a retry that succeeds is no drift.
    bed.vpp().refused.clear();
    assert_eq!(bed.sync(Scope::All, false).await.unwrap(), ["+f1", "+f1 s1=100"]);
    assert_eq!(refusal().await.unwrap(), None);
    let stats = bed.reconciler.send(GetReconcilerStats).await.unwrap();
    assert!(stats.refused.is_empty() && stats.last_success.is_some());
    assert_eq!(stats.drift, BTreeMap::new());
}

#[actix_rt::test]
async fn drift_is_what_nothing_on_our_side_explains() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    let counted = async || bed.reconciler.send(GetReconcilerStats).await.unwrap();
    let at_first = counted().await;
    assert_eq!(at_first.drift, BTreeMap::new(), "a first pass adopts, and repairs no drift");
    assert_eq!(at_first.steps, [(("all", "as-add"), 2), (("all", "vip-add"), 2)].into());

    // After the read-back.
    tokio::time::sleep(Duration::from_secs(1)).await;
    bed.vpp().observed.vips.remove(&vip(2));
    tokio::time::sleep(SYNC_INTERVAL).await;
    assert_eq!(bed.take_log(), ["observe", "+f2, +f2 s1=100"]);
    assert_eq!(counted().await.drift, [("as-add", 1), ("vip-add", 1)].into());

    // A change that arrives while the pass observes is no drift.
    bed.vpp().hold_answers = true;
    tokio::time::sleep(SYNC_INTERVAL).await;
    bed.change(&[frontend(1, &[50])]).await;
    bed.release_all().await;
    assert_eq!(bed.take_log(), ["observe", "!f1 s1=50"]);
    let at_last = counted().await;
    assert_eq!(at_last.drift, [("as-add", 1), ("vip-add", 1)].into());
    assert_eq!(at_last.steps[&("vip", "as-weight")], 1);
}
