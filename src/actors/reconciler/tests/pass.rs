//! Tests a pass: its observation, and its batches, two of which are in flight at a time.

use super::*;

#[actix_rt::test]
async fn a_frontend_has_steps_in_at_most_one_batch_in_flight() {
    let mut bed = ReconcilerTestBed::new();
    bed.connect(1).await;
    bed.vpp().hold_answers = true;
    bed.vpp().refused.insert(vip(2));
    let frontends =
        [(1, 30), (2, 200), (3, 1)].map(|(name, count)| frontend(name, &vec![100; count]));
    bed.replace(&frontends, Duration::ZERO).await;
    bed.release().await;
    let sizes =
        |log: Vec<String>| -> Vec<_> { log.iter().map(|line| line.split(", ").count()).collect() };
    // A batch has all steps of a frontend, up to 128.
    assert_eq!(sizes(bed.take_log()), [1, 31, 128], "an observation and two batches");
    bed.release().await;
    assert_eq!(bed.take_log(), NOTHING, "the rest of the second frontend waits");
    bed.release_all().await;
    assert_eq!(bed.vpp().observed.vips.len(), 2);
    assert_eq!(sizes(bed.take_log()), [2], "nothing is written to a VIP that was not added");
}

#[actix_rt::test]
async fn an_observation_during_which_a_flip_failed_is_repeated() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    bed.vpp().hold_answers = true;
    let sync = bed.begin_sync(Scope::All, false);
    idle().await;
    bed.vpp().refused.insert(vip(1));
    bed.change(&[frontend(1, &[0])]).await;
    assert_eq!(bed.take_log(), ["observe", "!f1 s1=0"]);
    // The flip is answered before the observation.
    bed.vpp().held_answers.swap(0, 1);
    bed.release().await;
    bed.vpp().refused.clear();
    bed.release().await;
    assert_eq!(bed.take_log(), ["observe"]);
    bed.release_all().await;
    let results = sync.await.unwrap().unwrap().results;
    let steps: Vec<_> = results.iter().map(|result| fake::text(&result.planned.step)).collect();
    assert_eq!(steps, ["f1 s1=0"]);
}

#[actix_rt::test]
async fn vpp_is_observed_again_after_a_flip_that_failed_during_a_pass() {
    let mut bed = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    bed.vpp().hold_answers = true;
    bed.replace(&[frontend(1, &[100]), frontend(2, &[50])], Duration::ZERO).await;
    bed.release().await;
    bed.vpp().refused.insert(vip(1));
    bed.change(&[frontend(1, &[0])]).await;
    assert_eq!(bed.take_log(), ["observe", "f2 s1=50", "!f1 s1=0"]);
    bed.vpp().refused.clear();
    // The flip is answered before the batch.
    bed.vpp().held_answers.swap(0, 1);
    bed.release().await;
    bed.release_all().await;
    assert_eq!(bed.take_log(), ["f1 s1=0", "observe"]);
}
