//! Tests that probers and the Controller tell each other of peers and of flapping.

use super::*;

/// Probed each minute, and every five seconds while in question.
fn slow_file(servers: &[ScriptedServer]) -> String {
    let servers: Vec<_> = servers.iter().map(|server| (server, "tcp", 100)).collect();
    file(&servers).replace("interval: 10s", "interval: 60s, fast-interval: 5s")
}

impl ControllerTestBed {
    /// Waits until so many of the backends are in this state.
    async fn until_in(&self, backends: &[&str], state: State, count: usize) {
        for _ in 0..20_000 {
            let mut found = 0;
            for backend in backends {
                found += usize::from(self.state(backend).await == state);
            }
            if found >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not {count} of {backends:?} are {state}");
    }

    /// Waits until the first of the backends is in this state, then until all are; how long
    /// that took.
    async fn time_to_follow(&self, backends: &[&str], state: State) -> Duration {
        self.until_in(backends, state, 1).await;
        let first = tokio::time::Instant::now();
        self.until_in(backends, state, backends.len()).await;
        first.elapsed()
    }
}

#[actix_rt::test]
async fn servers_that_fail_together_leave_together() {
    let servers = [2, 3, 4, 5].map(ScriptedServer::serving);
    let bed = ControllerTestBed::start(&slow_file(&servers));
    bed.until_in(&["b2", "b3", "b4", "b5"], State::Up, 4).await;
    // In the middle of nowhere between two probes; b5 goes on.
    tokio::time::sleep(Duration::from_secs(100)).await;
    for number in [2, 3, 4] {
        ScriptedServer::refusing(number);
    }
    let took = bed.time_to_follow(&["b2", "b3", "b4"], State::Down).await;
    assert!(took < Duration::from_millis(100), "{took:?}");
}

#[actix_rt::test]
async fn servers_that_return_to_nobody_come_together() {
    let servers = [2, 3, 4].map(ScriptedServer::serving);
    let bed = ControllerTestBed::start(&slow_file(&servers));
    let all = ["b2", "b3", "b4"];
    bed.until_in(&all, State::Up, 3).await;
    for number in [2, 3, 4] {
        ScriptedServer::refusing(number);
    }
    bed.until_in(&all, State::Down, 3).await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    for number in [2, 3, 4] {
        ScriptedServer::serving(number);
    }
    let took = bed.time_to_follow(&all, State::Up).await;
    assert!(took < Duration::from_millis(100), "{took:?}");
}

/// `b2` and `b3` serve; `b2` has fallen twice, passes again, and its return waits.
async fn with_a_damped_return() -> ControllerTestBed {
    let servers = [2, 3].map(ScriptedServer::serving);
    let text = slow_file(&servers)
        .replace("fall: 2", "fall: 2, flap-damping: {delay: 1h, max-delay: 1h, window: 2h}");
    let bed = ControllerTestBed::start(&text);
    bed.until_in(&["b2", "b3"], State::Up, 2).await;
    for _ in 0..2 {
        ScriptedServer::refusing(2);
        bed.until_in(&["b2"], State::Down, 1).await;
        ScriptedServer::serving(2);
        tokio::time::sleep(Duration::from_secs(180)).await;
    }
    bed
}

#[actix_rt::test]
async fn a_backend_that_flaps_is_kept_out_until_nobody_else_serves() {
    let bed = with_a_damped_return().await;
    let (view, _) = bed.backend("b2").await.unwrap();
    let damping = view.damping.expect("its return waits");
    assert_eq!((view.state, damping.falls), (State::Down, 2));
    ScriptedServer::refusing(3);
    bed.until_in(&["b3"], State::Down, 1).await;
    bed.until_in(&["b2"], State::Up, 1).await;
    let why = bed.backend("b2").await.unwrap().0.transitions.last().unwrap().why.to_string();
    assert_eq!(why, "nobody else serves web, so that it waits no longer");
}

#[actix_rt::test]
async fn an_operators_resume_ends_the_wait_of_one_that_flaps() {
    let bed = with_a_damped_return().await;
    assert_eq!(bed.state("b2").await, State::Down);
    bed.administer("b2", AdminCommand::Resume).await.unwrap();
    bed.until_in(&["b2"], State::Up, 1).await;
    assert_eq!(bed.backend("b2").await.unwrap().0.damping, None);
}
