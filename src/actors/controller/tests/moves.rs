//! Probers that go over to another thread when theirs has too much to do.

use std::collections::HashMap;
use std::thread::{self, ThreadId};

use super::*;

/// Backends that are checked with TLS, of which a probe counts as a thousandth
/// of a second: this often, ten of them are too many for a thread.
fn file(interval: &str) -> String {
    let backends = (1..=10)
        .map(|number| format!("    b{number}: {{address: 127.0.0.{number}, healthcheck: c}}\n"));
    format!(
        "maglev:\n  vpp: {{lb: {{ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1}}}}\n  \
         healthchecks:\n    c: {{type: https, port: 443, interval: {interval}, timeout: 5s}}\n  \
         backends:\n{}",
        backends.collect::<String>()
    )
}

/// Waits until `condition` holds; `what` is for the message if it does not.
async fn in_time(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let held = tokio::time::timeout(Duration::from_secs(30), holds).await;
    assert!(held.is_ok(), "not in time: {what}");
}

#[actix_rt::test]
async fn a_reload_that_asks_more_spreads_probers_over_threads_and_no_verdict_is_lost() {
    let where_to: Arc<Mutex<BTreeMap<IpAddr, ThreadId>>> = Arc::default();
    let seen = Arc::clone(&where_to);
    let fake_probe: FakeProbe = Arc::new(move |address| {
        seen.lock().unwrap().insert(address, thread::current().id());
        Box::pin(async { ProbeResult::new(ResultCode::L7Ok, "") })
    });
    let threads = || -> Vec<usize> {
        let mut on_each: HashMap<ThreadId, usize> = HashMap::new();
        for thread in where_to.lock().unwrap().values() {
            *on_each.entry(*thread).or_default() += 1;
        }
        on_each.into_values().collect()
    };
    let arbiters = [Arbiter::new(), Arbiter::new()];
    let handles = arbiters.iter().map(Arbiter::handle).collect();
    let bed = ControllerTestBed::start_on(&file("100ms"), handles, |controller| {
        controller.with_fake_probe(fake_probe)
    });
    // Other threads keep their own time.
    tokio::time::resume();
    let all_up = async || {
        for number in 1..=10 {
            let name = format!("b{number}");
            in_time(&name, async || bed.state(&name).await == State::Up).await;
        }
    };
    all_up().await;
    assert_eq!(threads(), [10]);

    bed.administer("b3", AdminCommand::Pause).await.unwrap();
    bed.reload(&file("10ms")).await.unwrap();
    // What it is told as it moves is done as well.
    bed.administer("b3", AdminCommand::Resume).await.unwrap();
    in_time("the probers are spread", async || threads() == [5, 5]).await;
    all_up().await;
    for number in 1..=10 {
        let (view, _) = bed.backend(&format!("b{number}")).await.unwrap();
        let told: Vec<_> = view.transitions.iter().map(|told| told.to).collect();
        let usual = [State::Up];
        let held = [State::Up, State::Paused, State::Unknown, State::Up];
        assert_eq!(told, if number == 3 { &held[..] } else { &usual }, "b{number}");
    }
    let Probes { backends, .. } = bed.controller.send(GetProbes).await.unwrap();
    let counted = backends.iter().filter(|counted| counted.stats.took.count() > 1);
    assert_eq!(counted.count(), 10, "{backends:?}");
    arbiters.into_iter().for_each(|arbiter| {
        arbiter.stop();
        arbiter.join().unwrap();
    });
}
