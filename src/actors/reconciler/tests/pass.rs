//! A pass: its look, and its portions, two of which are under way at a time.

use super::*;

#[actix_rt::test]
async fn portions_count_in_the_order_in_which_they_went_out() {
    let mut world = World::new();
    world.connect(1).await;
    world.vpp().held_back = true;
    // More servers than a portion holds: the second one adds to a VIP of the first.
    world.replace(&[frontend(1, &[100; 40])], Duration::ZERO).await;
    world.release().await;
    assert_eq!(world.vpp().gates.len(), 2, "both portions are under way");
    let later = world.vpp().gates.pop_back();
    let _ = later.expect("it is under way").send(());
    idle().await;
    world.release_all().await;
    world.heard();
    let mut weights = [100; 40];
    weights[39] = 0;
    world.change(&[frontend(1, &weights)]).await;
    assert_eq!(world.heard(), ["!f1 s40=0"], "what is there is not added once more");
}

#[actix_rt::test]
async fn a_look_beside_which_a_flip_failed_is_made_again_and_whoever_waits_is_not_told() {
    let world = World::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
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
    let mut world = World::steady(&[frontend(1, &[100]), frontend(2, &[100])]).await;
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
