//! Kills at any moment, while overrides are set and unset: what was answered is there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use rustix::process::Signal;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::{
    BackendInfo, BackendRequest, DrainBackendRequest, GetBackendRequest, OverrideInfo,
    PoolBackendInfo, SetWeightRequest, UnsetWeightRequest,
};

use super::overrides_kept::{bed, killed, listing, request, start};
use crate::support::Daemon;

/// What is overridden, with all that stays as it is over a restart, and the timeout of a
/// drain, which tells one from another; 0: it is none.
type Items = BTreeMap<(String, String), (OverrideInfo, i64)>;

fn lasting(info: &OverrideInfo) -> OverrideInfo {
    OverrideInfo { age_ns: 0, left_ns: None, ..info.clone() }
}

fn timeout_of(backend: &BackendInfo) -> i64 {
    backend.drain.as_ref().map_or(0, |drain| drain.timeout_ns)
}

async fn items(daemon: &Daemon) -> Items {
    let overrides = listing(daemon).await.overrides;
    let mut client = daemon.client().await;
    let mut items = Items::new();
    for info in &overrides {
        let key = (info.kind.clone(), info.backend_name.clone());
        let mut timeout = 0;
        if info.kind == "admin" {
            let request = GetBackendRequest { name: info.backend_name.clone() };
            timeout = timeout_of(&client.get_backend(request).await.unwrap().into_inner());
        }
        items.insert(key, (lasting(info), timeout));
    }
    items
}

/// The value, the reason and the timeout.
type AskedValue = (String, String, i64);

/// What an operator has been told, and what they have asked for and not been told of.
#[derive(Default)]
struct Ledger {
    answered: Items,
    /// `None`: unset.
    asked: BTreeMap<(String, String), Option<AskedValue>>,
    count: u32,
}

/// Sets and unsets the state and the weight of one backend, until the daemon is gone.
async fn operate(
    backend: &str,
    mut client: MaglevClient<Channel>,
    ledger: &RefCell<Ledger>,
    seed: u64,
) {
    let mut rng = Rng::with_seed(seed);
    loop {
        let kind = if rng.bool() { "weight" } else { "admin" };
        let key = (kind.to_owned(), backend.to_owned());
        let (why, drain_ns) = {
            let ledger = &mut *ledger.borrow_mut();
            ledger.count += 1;
            let drain_ns = 3_600_000_000_000 + i64::from(ledger.count);
            (format!("change {}", ledger.count), if rng.bool() { drain_ns } else { 0 })
        };
        let for_ns = if rng.bool() { 3_600_000_000_000 } else { 0 };
        let value = match (kind, rng.u8(..3)) {
            (_, 0) => None,
            ("weight", _) => Some(rng.i32(0..100).to_string()),
            (_, 1) => Some("paused".to_owned()),
            (_, _) => Some("disabled".to_owned()),
        };
        let drain_ns = if value.as_deref() == Some("paused") { drain_ns } else { 0 };
        let asked = value.clone().map(|value| (value, why.clone(), drain_ns));
        ledger.borrow_mut().asked.insert(key.clone(), asked);
        let answer = match (kind, value.as_deref()) {
            ("weight", Some(weight)) => {
                let request = SetWeightRequest {
                    frontend: "web".into(),
                    pool: "p".into(),
                    backend: backend.into(),
                    weight: weight.parse().unwrap(),
                    for_ns,
                    why,
                    ..SetWeightRequest::default()
                };
                let frontend = client.set_frontend_pool_backend_weight(request).await;
                frontend.map(|it| of_member(&it.into_inner().pools[0].backends, backend))
            }
            (_, Some("paused")) if drain_ns > 0 => {
                let (name, timeout_ns) = (backend.into(), drain_ns);
                let defaults = DrainBackendRequest::default();
                let request = DrainBackendRequest { name, timeout_ns, why, ..defaults };
                of_backend(client.drain_backend(request).await)
            }
            ("weight", None) => {
                let request = UnsetWeightRequest {
                    frontend: "web".into(),
                    pool: "p".into(),
                    backend: backend.into(),
                    ..UnsetWeightRequest::default()
                };
                let frontend = client.unset_frontend_pool_backend_weight(request).await;
                frontend.map(|it| of_member(&it.into_inner().pools[0].backends, backend))
            }
            (_, value) => {
                let request = BackendRequest { for_ns, why, ..request(backend) };
                let backend = match value {
                    Some("disabled") => client.disable_backend(request).await,
                    Some(_) => client.pause_backend(request).await,
                    None => client.unset_backend(BackendRequest { for_ns: 0, ..request }).await,
                };
                of_backend(backend)
            }
        };
        let ledger = &mut *ledger.borrow_mut();
        match answer {
            Ok(Some((info, timeout))) => {
                ledger.answered.insert(key.clone(), (lasting(&info), timeout));
            }
            Ok(None) => drop(ledger.answered.remove(&key)),
            // To pause what is disabled is refused, and changes nothing.
            Err(status) if status.code() == Code::FailedPrecondition => {}
            Err(status) => panic!("{status}"),
        }
        ledger.asked.remove(&key);
    }
}

fn of_member(members: &[PoolBackendInfo], backend: &str) -> Option<(OverrideInfo, i64)> {
    let member = members.iter().find(|member| member.name == backend)?;
    Some((member.weight_override.clone()?, 0))
}

fn of_backend(
    answer: Result<Response<BackendInfo>, Status>,
) -> Result<Option<(OverrideInfo, i64)>, Status> {
    let backend = answer?.into_inner();
    let timeout = timeout_of(&backend);
    Ok(backend.admin_override.map(|info| (info, timeout)))
}

/// After each kill exactly what was answered is there. Of what was asked for and not
/// answered yet, each may be there as it was asked for, or as before.
#[tokio::test]
async fn what_was_answered_is_there_after_a_kill_at_any_moment() {
    let kills = std::env::var("MAGLEV_TEST_KILLS").map_or(25, |count| count.parse().unwrap());
    let mut rng = Rng::new();
    let seed = rng.u64(..);
    println!("seed {seed}");
    rng.seed(seed);
    let bed = bed();
    let state = bed.dir().join("state");
    let mut ledger = Ledger::default();
    let (mut answered, mut cut_off) = (0, 0);
    for kill in 0..kills {
        let daemon = start(&bed, &state).await;
        let found = items(&daemon).await;
        for key in found.keys().chain(ledger.answered.keys()) {
            let (found, before) = (found.get(key), ledger.answered.get(key));
            let asked = ledger.asked.get(key);
            let is_asked = asked.is_some_and(|asked| {
                found.map(|(info, timeout)| (&info.value, &info.why, timeout))
                    == asked.as_ref().map(|(value, why, timeout)| (value, why, timeout))
            });
            assert!(
                found == before || is_asked,
                "kill {kill}, {key:?}: {found:?}, {before:?}, {asked:?}"
            );
            cut_off += u32::from(is_asked && found != before);
        }
        let count = ledger.count;
        ledger = Ledger { answered: found, count, ..Ledger::default() };
        let shared = RefCell::new(ledger);
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(daemon.client().await);
        }
        let [a, b, c] = clients.try_into().unwrap();
        let [of_a, of_b, of_c] = [(); 3].map(|()| rng.u64(..));
        let operating = async {
            tokio::join!(
                operate("a", a, &shared, of_a),
                operate("b", b, &shared, of_b),
                operate("c", c, &shared, of_c),
            )
        };
        let moment = Duration::from_micros(rng.u64(..100_000));
        assert!(tokio::time::timeout(moment, operating).await.is_err());
        daemon.signal(Signal::KILL);
        ledger = shared.into_inner();
        answered += ledger.count - count - u32::try_from(ledger.asked.len()).unwrap();
        killed(daemon).await;
        let left = std::fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(left.into_iter().all(|name| !name.to_str().unwrap().contains("aside")));
    }
    println!("{kills} kills, {answered} changes answered, {cut_off} kept and not answered");
    assert!(answered > 0, "no change was answered: nothing is said");
}
