//! Tests that probers move to another thread when theirs is overloaded.

use std::collections::HashMap;
use std::thread::{self, ThreadId};

use super::*;

/// A file with ten backends that are checked with TLS. Such a probe counts as a
/// millisecond of CPU time: every 10 ms, ten of them are too many for one thread.
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

/// For a loaded machine; usually a second is enough.
const DEADLINE: Duration = Duration::from_secs(60);

async fn within(deadline: Duration, what: &str, wait: impl Future<Output = ()>) {
    tokio::time::timeout(deadline, wait).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

#[actix_rt::test]
async fn a_reload_that_needs_more_threads_moves_probers_and_loses_no_verdict() {
    let threads: Arc<Mutex<BTreeMap<IpAddr, (ThreadId, u64)>>> = Arc::default();
    let probed = Arc::clone(&threads);
    let fake_probe: FakeProbe = Arc::new(move |address| {
        let mut probed = probed.lock().unwrap();
        let count = probed.get(&address).map_or(0, |(_, count)| *count);
        probed.insert(address, (thread::current().id(), count + 1));
        Box::pin(async { ProbeResult::new(ResultCode::L7Ok, "") })
    });
    let probers_per_thread = || -> Vec<usize> {
        let mut probers: HashMap<ThreadId, usize> = HashMap::new();
        for (thread, _) in threads.lock().unwrap().values() {
            *probers.entry(*thread).or_default() += 1;
        }
        probers.into_values().collect()
    };
    let arbiters = [Arbiter::new(), Arbiter::new()];
    let handles = arbiters.iter().map(Arbiter::handle).collect();
    let bed = ControllerTestBed::start_on(&file("100ms"), handles, |controller| {
        controller.with_fake_probe(fake_probe)
    });
    // The clocks of other threads are not paused.
    tokio::time::resume();
    let all_up = async || {
        for number in 1..=10 {
            while bed.state(&format!("b{number}")).await != State::Up {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    within(DEADLINE, "all backends are up", all_up()).await;
    assert_eq!(probers_per_thread(), [10]);

    bed.administer("b3", AdminCommand::Pause).await.unwrap();
    bed.reload(&file("10ms")).await.unwrap();
    // A command that arrives during the handover is executed.
    bed.administer("b3", AdminCommand::Resume).await.unwrap();
    let both_threads_probe = async {
        while probers_per_thread() != [5, 5] {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within(DEADLINE, "five probers move", both_threads_probe).await;
    within(DEADLINE, "all backends are up again", all_up()).await;
    for number in 1..=10 {
        let (view, _) = bed.backend(&format!("b{number}")).await.unwrap();
        let states: Vec<_> = view.transitions.iter().map(|transition| transition.to).collect();
        let usual = [State::Up];
        let paused = [State::Up, State::Paused, State::Unknown, State::Up];
        assert_eq!(states, if number == 3 { &paused[..] } else { &usual }, "b{number}");
    }
    let probes = || -> BTreeMap<String, u64> {
        let threads = threads.lock().unwrap();
        let number = |address: &IpAddr| address.to_string().replace("127.0.0.", "b");
        threads.iter().map(|(address, (_, count))| (number(address), *count)).collect()
    };
    // The statistics have every probe, those before the handover among them.
    let all_counted = async {
        loop {
            let before = probes();
            let names = (1..=10).map(|number| format!("b{number}").as_str().into()).collect();
            let Probes { backends, .. } = bed.controller.send(GetProbes(names)).await.unwrap();
            let counted = backends.iter().map(|it| (it.backend.as_str(), it.stats.took.count()));
            if counted.clone().count() == 10 && counted.clone().all(|(b, n)| n >= before[b]) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within(DEADLINE, "every probe is counted", all_counted).await;
    arbiters.into_iter().for_each(|arbiter| {
        arbiter.stop();
        arbiter.join().unwrap();
    });
}
