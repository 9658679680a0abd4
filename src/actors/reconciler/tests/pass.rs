//! A pass: its look, and its portions, two of which are under way at a time.

use super::*;

#[actix_rt::test]
async fn the_steps_of_a_frontend_are_in_one_portion_at_a_time() {
    let mut bed = ReconcilerTestBed::new();
    bed.connect(1).await;
    bed.vpp().held_back = true;
    bed.vpp().refused.insert(vip(2));
    let wanted = [(1, 30), (2, 200), (3, 1)].map(|(name, count)| frontend(name, &vec![100; count]));
    bed.replace(&wanted, Duration::ZERO).await;
    bed.release().await;
    let sizes = |heard: Vec<String>| -> Vec<_> {
        heard.iter().map(|line| line.split(", ").count()).collect()
    };
    // A portion has all steps of a frontend, unless they are very many.
    assert_eq!(sizes(bed.heard()), [1, 31, 128], "a look and two portions");
    bed.release().await;
    assert_eq!(bed.heard(), NOTHING, "the rest of the second waits for its beginning");
    bed.release_all().await;
    assert_eq!(bed.vpp().observed.vips.len(), 2);
    assert_eq!(sizes(bed.heard()), [2], "nothing is written to a VIP that is not there");
}

#[actix_rt::test]
async fn a_look_beside_which_a_flip_failed_is_made_again_and_whoever_waits_is_not_told() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    bed.vpp().held_back = true;
    let sync = bed.begin_sync(Scope::All, false);
    idle().await;
    bed.vpp().refused.insert(vip(1));
    bed.change(&[frontend(1, &[0])]).await;
    assert_eq!(bed.heard(), ["look", "!f1 s1=0"]);
    // The flip's answer is in before the look's.
    bed.vpp().gates.swap(0, 1);
    bed.release().await;
    bed.vpp().refused.clear();
    bed.release().await;
    assert_eq!(bed.heard(), ["look"]);
    bed.release_all().await;
    let results = sync.await.unwrap().unwrap().results;
    let steps: Vec<_> = results.iter().map(|result| fake::say(&result.planned.step)).collect();
    assert_eq!(steps, ["f1 s1=0"]);
}

#[actix_rt::test]
async fn after_a_flip_that_failed_beside_a_pass_vpp_is_looked_at_again() {
    let mut bed = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    bed.vpp().held_back = true;
    bed.replace(&[frontend(1, &[100]), frontend(2, &[50])], Duration::ZERO).await;
    bed.release().await;
    bed.vpp().refused.insert(vip(1));
    bed.change(&[frontend(1, &[0])]).await;
    assert_eq!(bed.heard(), ["look", "f2 s1=50", "!f1 s1=0"]);
    bed.vpp().refused.clear();
    // The flip's answer is in before the portion's.
    bed.vpp().gates.swap(0, 1);
    bed.release().await;
    bed.release_all().await;
    assert_eq!(bed.heard(), ["f1 s1=0", "look"]);
}
