//! Tests that what was written is read back, and that flips do not starve a pass.

use std::time::Instant;

use super::bed::{ReconcilerTestBed, SYNC_INTERVAL, changed, frontend, idle};
use super::*;

/// Waits until what was written has been read back.
async fn read_back_delay() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}

async fn steady() -> ReconcilerTestBed {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    read_back_delay().await;
    assert_eq!(bed.take_read_back(), ["f1 f2"], "what a pass wrote is read back, too");
    bed
}

#[actix_rt::test]
async fn what_flips_wrote_is_read_back_once_and_nothing_else_is() {
    let bed = steady().await;
    for weight in [50, 40, 30] {
        bed.change(&[frontend(1, &[weight])]).await;
    }
    assert_eq!(bed.take_read_back(), NOTHING);
    read_back_delay().await;
    assert_eq!(bed.take_read_back(), ["f1"]);
    assert_eq!(bed.take_log(), ["!f1 s1=50", "!f1 s1=40", "!f1 s1=30"]);
    read_back_delay().await;
    assert_eq!(bed.take_read_back(), NOTHING);
}

#[actix_rt::test]
async fn a_difference_in_a_read_back_is_repaired_once_and_is_drift() {
    let bed = steady().await;
    bed.change(&[frontend(1, &[50])]).await;
    bed.vpp().set_weight(1, 1, 7);
    // The repair would be read back after another 100 ms.
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert_eq!(bed.take_log(), ["!f1 s1=50", "!f1 s1=50"]);
    let stats = bed.reconciler.send(GetReconcilerStats).await.unwrap();
    assert_eq!(stats.drift, [("as-weight", 1)].into());
    // If it happens again, the next drift pass repairs it, and not each read-back.
    bed.vpp().set_weight(1, 1, 7);
    tokio::time::sleep(SYNC_INTERVAL / 2).await;
    assert_eq!(bed.take_log(), NOTHING);
    tokio::time::sleep(SYNC_INTERVAL).await;
    assert_eq!(bed.take_log(), ["observe", "f1 s1=50"]);
}

#[actix_rt::test]
async fn a_vip_that_is_missing_in_a_read_back_leads_to_an_observation() {
    let bed = steady().await;
    bed.change(&[frontend(1, &[50])]).await;
    bed.vpp().observed.vips.remove(&vip(1));
    read_back_delay().await;
    assert_eq!(bed.take_log(), ["!f1 s1=50", "observe", "+f1, +f1 s1=50"]);
}

#[actix_rt::test]
async fn a_read_back_that_a_flip_overtakes_is_ignored() {
    let bed = steady().await;
    bed.change(&[frontend(1, &[50]), frontend(2, &[50])]).await;
    bed.vpp().hold_answers = true;
    read_back_delay().await;
    assert_eq!(bed.take_read_back(), ["f1 f2"]);
    // The read-back shows f1 as it was before this.
    bed.change(&[frontend(1, &[60])]).await;
    bed.vpp().held_answers.swap(0, 1);
    bed.release().await;
    bed.release_all().await;
    read_back_delay().await;
    assert_eq!(bed.take_log(), ["!f1 s1=50, f2 s1=50", "!f1 s1=60"]);
    assert_eq!(bed.take_read_back(), ["f1"]);

    // The same while the flip is still in flight.
    bed.vpp().hold_answers = true;
    bed.change(&[frontend(2, &[60])]).await;
    bed.release().await;
    read_back_delay().await;
    bed.change(&[frontend(2, &[70])]).await;
    bed.release().await;
    bed.release_all().await;
    read_back_delay().await;
    assert_eq!(bed.take_log(), ["!f2 s1=60", "!f2 s1=70"]);
    assert_eq!(bed.take_read_back(), ["f2", "f2"]);
}

#[actix_rt::test]
async fn a_series_of_flips_does_not_starve_a_pass() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    bed.vpp().observed.vips.remove(&vip(2));
    bed.vpp().hold_answers = true;
    let sync = bed.begin_sync(Scope::All, false);
    idle().await;
    // The next change of f1 always comes before the answer to the last one.
    for round in 0..40 {
        bed.change(&[frontend(1, &[round])]).await;
        bed.release().await;
    }
    let log = bed.take_log();
    let batch = log.iter().position(|line| line.contains("+f2")).expect("f2 is written");
    assert!(batch < 12, "{log:?}");
    // A flip is also written while the batch is in flight.
    assert!(log[batch + 1].starts_with("!f1"), "{log:?}");
    assert!(sync.is_finished());
    let report = sync.await.unwrap().unwrap();
    assert_eq!(report.results.len(), 2, "{report:?}");
    bed.release_all().await;
    assert_eq!(bed.sync(Scope::All, true).await.unwrap(), NOTHING);
}

#[actix_rt::test]
async fn the_rest_of_a_pass_does_not_write_what_is_no_longer_desired() {
    let mut bed = ReconcilerTestBed::new();
    let many: Vec<_> = (1..=100).map(|number| frontend(number, &[100])).collect();
    bed.replace(&many, Duration::ZERO).await;
    bed.connect(1).await;
    bed.vpp().hold_answers = true;
    let low: Vec<_> = (1..=100).map(|number| frontend(number, &[1])).collect();
    bed.replace(&low, Duration::ZERO).await;
    bed.release().await;
    // f100 is due after the batch in flight. Now VPP already holds what is desired.
    bed.change(&[frontend(100, &[100])]).await;
    bed.release_all().await;
    assert!(
        bed.take_log()
            .iter()
            .all(|line| !line.contains("f100 s1=1 ") && !line.ends_with("f100 s1=1"))
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
    // Two frontends of one backend are one flip; an operator's change is not timed.
    let decided = Some(Instant::now());
    let frontends = vec![frontend(1, &[40]), frontend(2, &[40])];
    bed.reconciler.do_send(changed(frontends, decided));
    idle().await;
    change(1, 30, None);
    idle().await;
    assert_eq!(bed.reconciler.send(GetReconcilerStats).await.unwrap().flips.count(), 2);
}
