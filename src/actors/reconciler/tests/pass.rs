//! A pass: its look, and its portions, two of which are under way at a time.

use super::*;

#[actix_rt::test]
async fn the_steps_of_a_frontend_are_in_one_portion_at_a_time() {
    let mut world = ReconcilerTestBed::new();
    world.connect(1).await;
    world.vpp().held_back = true;
    world.vpp().refused.insert(vip(2));
    let wanted = [(1, 30), (2, 200), (3, 1)].map(|(name, count)| frontend(name, &vec![100; count]));
    world.replace(&wanted, Duration::ZERO).await;
    world.release().await;
    let sizes = |heard: Vec<String>| -> Vec<_> {
        heard.iter().map(|line| line.split(", ").count()).collect()
    };
    // A portion has all steps of a frontend, unless they are very many.
    assert_eq!(sizes(world.heard()), [1, 31, 128], "a look and two portions");
    world.release().await;
    assert_eq!(world.heard(), NOTHING, "the rest of the second waits for its beginning");
    world.release_all().await;
    assert_eq!(world.vpp().observed.vips.len(), 2);
    assert_eq!(sizes(world.heard()), [2], "nothing is written to a VIP that is not there");
}

#[actix_rt::test]
async fn a_look_beside_which_a_flip_failed_is_made_again_and_whoever_waits_is_not_told() {
    let world = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    world.vpp().held_back = true;
    let sync = world.begin_sync(Scope::All, false);
    idle().await;
    world.vpp().refused.insert(vip(1));
    world.change(&[frontend(1, &[0])]).await;
    assert_eq!(world.heard(), ["look", "!f1 s1=0"]);
    // The flip's answer is in before the look's.
    world.vpp().gates.swap(0, 1);
    world.release().await;
    world.vpp().refused.clear();
    world.release().await;
    assert_eq!(world.heard(), ["look"]);
    world.release_all().await;
    let results = sync.await.unwrap().unwrap().results;
    let steps: Vec<_> = results.iter().map(|result| fake::say(&result.planned.step)).collect();
    assert_eq!(steps, ["f1 s1=0"]);
}

#[actix_rt::test]
async fn after_a_flip_that_failed_beside_a_pass_vpp_is_looked_at_again() {
    let mut world = ReconcilerTestBed::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
    world.vpp().held_back = true;
    world.replace(&[frontend(1, &[100]), frontend(2, &[50])], Duration::ZERO).await;
    world.release().await;
    world.vpp().refused.insert(vip(1));
    world.change(&[frontend(1, &[0])]).await;
    assert_eq!(world.heard(), ["look", "f2 s1=50", "!f1 s1=0"]);
    world.vpp().refused.clear();
    // The flip's answer is in before the portion's.
    world.vpp().gates.swap(0, 1);
    world.release().await;
    world.release_all().await;
    assert_eq!(world.heard(), ["f1 s1=0", "look"]);
}
