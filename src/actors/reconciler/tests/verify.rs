//! What was written is read back, and flips do not starve a pass.

use std::time::Instant;

use super::bed::{ReconcilerTestBed, SYNC_INTERVAL, changed, frontend, idle};
use super::*;

/// Until what was written is read back.
async fn a_while() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}

async fn steady() -> ReconcilerTestBed {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    a_while().await;
    assert_eq!(bed.read_back(), ["f1 f2"], "a pass that wrote is read back, too");
    bed
}

#[actix_rt::test]
async fn what_a_flip_touched_is_read_back_once_and_nothing_else_is() {
    let bed = steady().await;
    for weight in [50, 40, 30] {
        bed.change(&[frontend(1, &[weight])]).await;
    }
    assert_eq!(bed.read_back(), NOTHING);
    a_while().await;
    assert_eq!(bed.read_back(), ["f1"]);
    assert_eq!(bed.heard(), ["!f1 s1=50", "!f1 s1=40", "!f1 s1=30"]);
    a_while().await;
    assert_eq!(bed.read_back(), NOTHING);
}

#[actix_rt::test]
async fn what_differs_when_it_is_read_back_is_mended_once_and_is_drift() {
    let bed = steady().await;
    bed.change(&[frontend(1, &[50])]).await;
    bed.vpp().set_weight(1, 1, 7);
    a_while().await;
    assert_eq!(bed.heard(), ["!f1 s1=50", "!f1 s1=50"]);
    let stats = bed.reconciler.send(GetReconcilerStats).await.unwrap();
    assert_eq!(stats.drift, [("as-weight", 1)].into());
    // Somebody who keeps doing so is not fought ten times a second.
    bed.vpp().set_weight(1, 1, 7);
    tokio::time::sleep(SYNC_INTERVAL / 2).await;
    assert_eq!(bed.heard(), NOTHING);
    tokio::time::sleep(SYNC_INTERVAL).await;
    assert_eq!(bed.heard(), ["look", "f1 s1=50"]);
}

#[actix_rt::test]
async fn a_vip_that_is_gone_when_it_is_read_back_leads_to_a_look() {
    let bed = steady().await;
    bed.change(&[frontend(1, &[50])]).await;
    bed.vpp().observed.vips.remove(&vip(1));
    a_while().await;
    assert_eq!(bed.heard(), ["!f1 s1=50", "look", "+f1, +f1 s1=50"]);
}

#[actix_rt::test]
async fn a_reading_that_a_flip_overtakes_is_not_believed() {
    let bed = steady().await;
    bed.change(&[frontend(1, &[50]), frontend(2, &[50])]).await;
    bed.vpp().held_back = true;
    a_while().await;
    assert_eq!(bed.read_back(), ["f1 f2"]);
    // The reading shows f1 as it was before this.
    bed.change(&[frontend(1, &[60])]).await;
    bed.vpp().gates.swap(0, 1);
    bed.release().await;
    bed.release_all().await;
    a_while().await;
    assert_eq!(bed.heard(), ["!f1 s1=50, f2 s1=50", "!f1 s1=60"]);
    assert_eq!(bed.read_back(), ["f1"]);

    // The same while the flip is still under way.
    bed.vpp().held_back = true;
    bed.change(&[frontend(2, &[60])]).await;
    bed.release().await;
    a_while().await;
    bed.change(&[frontend(2, &[70])]).await;
    bed.release().await;
    bed.release_all().await;
    a_while().await;
    assert_eq!(bed.heard(), ["!f2 s1=60", "!f2 s1=70"]);
    assert_eq!(bed.read_back(), ["f2", "f2"]);
}

#[actix_rt::test]
async fn a_storm_of_flips_does_not_hold_up_a_pass() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    bed.vpp().observed.vips.remove(&vip(2));
    bed.vpp().held_back = true;
    let sync = bed.begin_sync(Scope::All, false);
    idle().await;
    // Before each answer the next change of f1 is there already.
    for round in 0..40 {
        bed.change(&[frontend(1, &[round])]).await;
        bed.release().await;
    }
    let heard = bed.heard();
    let batch = heard.iter().position(|line| line.contains("+f2")).expect("f2 is written");
    assert!(batch < 12, "{heard:?}");
    // A flip goes out while the portion is under way, too.
    assert!(heard[batch + 1].starts_with("!f1"), "{heard:?}");
    assert!(sync.is_finished());
    let report = sync.await.unwrap().unwrap();
    assert_eq!(report.results.len(), 2, "{report:?}");
    bed.release_all().await;
    assert_eq!(bed.sync(Scope::All, true).await.unwrap(), NOTHING);
}

#[actix_rt::test]
async fn what_is_no_longer_wanted_is_not_written_by_the_rest_of_a_pass() {
    let mut bed = ReconcilerTestBed::new();
    let many: Vec<_> = (1..=100).map(|number| frontend(number, &[100])).collect();
    bed.replace(&many, Duration::ZERO).await;
    bed.connect(1).await;
    bed.vpp().held_back = true;
    let low: Vec<_> = (1..=100).map(|number| frontend(number, &[1])).collect();
    bed.replace(&low, Duration::ZERO).await;
    bed.release().await;
    // f100 is due behind the portion that is under way. Now it is right as it is.
    bed.change(&[frontend(100, &[100])]).await;
    bed.release_all().await;
    assert!(
        bed.heard().iter().all(|line| !line.contains("f100 s1=1 ") && !line.ends_with("f100 s1=1"))
    );
}

#[actix_rt::test]
async fn flips_are_timed_from_the_deciding_result() {
    let bed = steady().await;
    let change = |number, weight, decided| {
        let frontends = vec![frontend(number, &[weight])];
        bed.reconciler.do_send(changed(frontends, decided));
    };
    let decided = Some(Instant::now());
    change(1, 50, decided);
    idle().await;
    // Two frontends of one backend are one flip; an operator's has no result.
    let decided = Some(Instant::now());
    let frontends = vec![frontend(1, &[40]), frontend(2, &[40])];
    bed.reconciler.do_send(changed(frontends, decided));
    idle().await;
    change(1, 30, None);
    idle().await;
    assert_eq!(bed.reconciler.send(GetReconcilerStats).await.unwrap().flips.count(), 2);
}
