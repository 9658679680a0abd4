//! Clients that follow the stream end with what the questions are answered,
//! whatever happens: transitions, commands and reloads, streams that break off
//! anywhere and go on, and readers that take their time. Everything but the
//! network is the real thing; time is paused, and a seed chooses.
//!
//! `MAGLEV_TEST_SEEDS` is how many seeds are tried (40 without it),
//! `MAGLEV_TEST_SEED` tries that one alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix::prelude::*;
use fastrand::Rng;
use tokio::time::sleep;
use tokio_stream::Stream;
use tonic::Request;

use super::EventStream;
use crate::actors::broadcaster::{Broadcaster, Limits};
use crate::actors::controller::{Controller, Recipients};
use crate::actors::event_batcher::EventBatcher;
use crate::actors::prober::FakeProbe;
use crate::actors::reconciler::Reconciler;
use crate::actors::vpp_connection::VppConnection;
use crate::actors::watchdog::{Parts, Watchdog};
use crate::api::{Actors, MaglevService};
use crate::config;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::host::log_stream::LogDemand;
use crate::pb::event::Event as Kind;
use crate::pb::maglev_server::Maglev;
use crate::pb::{self, ResumePoint, TransitionRecord, WatchRequest};
use crate::vpp::client::ClientOptions;

/// Backends that there may be; the last number of each one's address.
const BACKENDS: u8 = 6;
/// Small, so that streams fall behind and events are forgotten.
const LIMITS: Limits = Limits { held: 24, subscribers: 100, waiting: 4 };

/// How often things happened, over all seeds.
#[derive(Clone, Copy, Debug, Default)]
struct WatchCounts {
    transitions: u32,
    changes: u32,
    reloads: u32,
    resumed_whole: u32,
    broken_in_the_present_state: u32,
    missed_while_away: u32,
    missed_while_slow: u32,
}

impl WatchCounts {
    fn is_complete(self) -> bool {
        let Self { transitions, changes, reloads, .. } = self;
        let Self { resumed_whole, broken_in_the_present_state, .. } = self;
        let Self { missed_while_away, missed_while_slow, .. } = self;
        let resumes = [resumed_whole, broken_in_the_present_state, missed_while_away];
        [transitions, changes, reloads, missed_while_slow].iter().chain(&resumes).all(|n| *n > 0)
    }
}

/// A client that holds a copy of the state, and knows nothing but the stream.
#[derive(Default)]
struct FollowingClient {
    stream: Option<EventStream>,
    /// Every backend and frontend with its state.
    copy: BTreeMap<String, String>,
    /// Of the last event, whichever it was.
    last: Option<ResumePoint>,
    /// The highest number on this stream.
    highest: u64,
    just_resumed: bool,
}

impl FollowingClient {
    async fn connect(&mut self, service: &MaglevService, tally: &mut WatchCounts) {
        if self.last.is_none() {
            self.copy.clear();
        } else if self.last.is_some_and(|point| point.seq == 0) {
            tally.broken_in_the_present_state += 1;
        }
        let resume = self.last;
        let change = Some(true);
        let request = WatchRequest { log: Some(false), resume, change, ..WatchRequest::default() };
        let stream = service.watch_events(Request::new(request)).await.unwrap().into_inner();
        self.stream = Some(stream);
        self.highest = resume.map_or(0, |point| point.seq);
        self.just_resumed = resume.is_some_and(|point| point.seq > 0);
    }

    /// Reads up to `most` events; gives how many there were.
    fn read(&mut self, most: usize, tally: &mut WatchCounts) -> usize {
        for count in 0..most {
            let Some(stream) = &mut self.stream else { return count };
            let next = Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(Some(event)) = next else { return count };
            self.hear(&event.unwrap(), tally);
        }
        most
    }

    fn hear(&mut self, event: &pb::Event, tally: &mut WatchCounts) {
        self.last = Some(ResumePoint { boot_id: event.boot_id, seq: event.seq });
        if event.seq > 0 {
            assert!(event.seq >= self.highest, "{event:?} after {}", self.highest);
            self.highest = event.seq;
        }
        let resumed = std::mem::take(&mut self.just_resumed);
        match event.event.as_ref().unwrap() {
            Kind::Missed(_) => {
                self.copy.clear();
                if resumed {
                    tally.missed_while_away += 1;
                } else {
                    tally.missed_while_slow += 1;
                }
                return;
            }
            Kind::Backend(of) => self.change("backend", &of.backend_name, &of.transition, tally),
            Kind::Frontend(of) => self.change("frontend", &of.frontend_name, &of.transition, tally),
            Kind::Change(_) => tally.changes += 1,
            Kind::Dataplane(_) | Kind::Log(_) => {}
        }
        tally.resumed_whole += u32::from(resumed);
    }

    fn change(
        &mut self,
        kind: &str,
        name: &str,
        change: &Option<TransitionRecord>,
        tally: &mut WatchCounts,
    ) {
        let TransitionRecord { from, to, why, .. } = change.as_ref().unwrap();
        let name = format!("{kind} {name}");
        if from != to {
            tally.transitions += 1;
            let known = self.copy.get(&name).map_or("removed", String::as_str);
            assert_eq!(known, from, "{name} goes to {to}: {why}");
        }
        if to == "removed" {
            self.copy.remove(&name);
        } else {
            self.copy.insert(name, to.clone());
        }
    }
}

/// What the questions are answered.
async fn answered(service: &MaglevService) -> BTreeMap<String, String> {
    let mut states = BTreeMap::new();
    let names = service.list_backends(Request::new(pb::ListBackendsRequest {})).await.unwrap();
    for name in names.into_inner().backend_names {
        let request = Request::new(pb::GetBackendRequest { name: name.clone() });
        let info = service.get_backend(request).await.unwrap().into_inner();
        states.insert(format!("backend {name}"), info.state);
    }
    let names = service.list_frontends(Request::new(pb::ListFrontendsRequest {})).await.unwrap();
    for name in names.into_inner().frontend_names {
        let request = Request::new(pb::GetFrontendRequest { name: name.clone() });
        let info = service.get_frontend(request).await.unwrap().into_inner();
        states.insert(format!("frontend {name}"), info.state);
    }
    states
}

/// A file with some of the backends, some of them elsewhere than before.
fn file(rng: &mut Rng) -> String {
    let mut text = String::from(
        "maglev:\n  healthchecks:\n    c: {type: icmp, interval: 1s, timeout: 500ms, rise: 1, \
         fall: 1}\n  vpp:\n    lb:\n      ipv4-src-address: 192.0.2.254\n      \
         ipv6-src-address: 2001:db8::fe\n      startup-max-delay: 8s\n  backends:\n",
    );
    let mut chosen: Vec<u8> = (0..BACKENDS).filter(|_| rng.u8(..5) > 0).collect();
    if chosen.is_empty() {
        chosen.push(0);
    }
    for number in &chosen {
        let third = rng.u8(..2);
        let check = if rng.u8(..5) > 0 { ", healthcheck: c" } else { "" };
        let enabled = rng.u8(..6) > 0;
        let address = format!("10.0.{third}.{number}");
        writeln!(text, "    b{number}: {{address: {address}{check}, enabled: {enabled}}}").unwrap();
    }
    text.push_str("  frontends:\n");
    for frontend in 0..rng.u8(1..4) {
        write!(
            text,
            "    f{frontend}:\n      address: 192.0.2.{frontend}\n      pools:\n        \
             - name: main\n          backends:\n"
        )
        .unwrap();
        rng.shuffle(&mut chosen);
        for number in &chosen[..rng.usize(1..=chosen.len())] {
            writeln!(text, "            b{number}: {{weight: {}}}", rng.u8(..=100)).unwrap();
        }
    }
    text
}

/// Servers by the last number of their address: a bit each, set while it is up.
fn script(up: &Arc<AtomicU8>) -> FakeProbe {
    let up = Arc::clone(up);
    Arc::new(move |address| {
        let std::net::IpAddr::V4(address) = address else { unreachable!("none is configured") };
        let bit = 1 << address.octets()[3];
        let code = match up.load(Ordering::Relaxed) & bit {
            0 => ResultCode::L3Unreachable,
            _ => ResultCode::L3Ok,
        };
        Box::pin(std::future::ready(ProbeResult::new(code, "")))
    })
}

fn start(path: &Path, up: &Arc<AtomicU8>) -> MaglevService {
    let config = config::load(path).unwrap_or_else(|fault| panic!("{fault}")).config;
    let broadcaster = Broadcaster::new(1, LIMITS, LogDemand::default()).start();
    let herald = EventBatcher::of(&broadcaster);
    let vpp = VppConnection::new(None, ClientOptions::default(), herald.clone()).start();
    let reconciler = Reconciler::new(vpp.clone(), herald.clone()).start();
    let told = Recipients::from(&reconciler);
    let checker = Controller::new(path.into(), config, vec![], herald, told);
    let checker = checker.with_fake_probe(script(up)).start();
    let parts = Parts {
        census: checker.clone().recipient(),
        link: vpp.clone().recipient(),
        sight: reconciler.clone().recipient(),
        others: vec![],
    };
    let overseer = Watchdog::new(parts, Box::new(|_| ()), None).start();
    MaglevService::new(Actors { checker, reconciler, vpp, broadcaster, overseer })
}

async fn live(seed: u64, path: PathBuf, tally: &mut WatchCounts) {
    tokio::time::pause();
    let mut rng = Rng::with_seed(seed);
    std::fs::write(&path, file(&mut rng)).unwrap();
    let up = Arc::new(AtomicU8::new(rng.u8(..)));
    let service = start(&path, &up);
    let mut clients: Vec<FollowingClient> = (0..4).map(|_| FollowingClient::default()).collect();
    for _ in 0..rng.u32(100..200) {
        let client = rng.usize(..clients.len());
        let client = &mut clients[client];
        match rng.u8(..16) {
            0 | 1 => up.store(rng.u8(..), Ordering::Relaxed),
            2 | 3 => command(&service, &mut rng).await,
            4 => weigh(&service, &mut rng).await,
            5 if rng.bool() => {
                std::fs::write(&path, file(&mut rng)).unwrap();
                let request = Request::new(pb::ReloadConfigRequest {});
                let reloaded = service.reload_config(request).await.unwrap().into_inner();
                assert!(reloaded.ok, "{reloaded:?}");
                tally.reloads += 1;
            }
            6 => client.stream = None,
            7 | 8 if client.stream.is_none() => client.connect(&service, tally).await,
            9..13 => {
                client.read(rng.usize(..8), tally);
            }
            // All of them keep up but one, which is slow.
            13 => clients[1..].iter_mut().for_each(|client| {
                client.read(usize::MAX, tally);
            }),
            _ => sleep(Duration::from_millis(rng.u64(..700))).await,
        }
    }

    for client in &mut clients {
        if client.stream.is_none() {
            client.connect(&service, tally).await;
        }
    }
    // The last probes, and the last that is told to those who fell behind.
    for _ in 0..40 {
        sleep(Duration::from_millis(250)).await;
        clients.iter_mut().for_each(|client| {
            client.read(usize::MAX, tally);
        });
    }
    let answered = answered(&service).await;
    for client in &clients {
        assert_eq!(client.copy, answered);
    }
}

async fn command(service: &MaglevService, rng: &mut Rng) {
    let name = format!("b{}", rng.u8(..BACKENDS));
    let request = Request::new(pb::BackendRequest { name });
    // What is not configured, and to pause what is disabled, is refused.
    let _ = match rng.u8(..4) {
        0 => service.pause_backend(request).await,
        1 => service.resume_backend(request).await,
        2 => service.enable_backend(request).await,
        _ => service.disable_backend(request).await,
    };
}

async fn weigh(service: &MaglevService, rng: &mut Rng) {
    let (frontend, backend) = (format!("f{}", rng.u8(..3)), format!("b{}", rng.u8(..BACKENDS)));
    let weight = rng.i32(0..=100);
    let request = pb::SetWeightRequest { frontend, pool: "main".into(), backend, weight };
    // What is not configured is refused.
    let _ = service.set_frontend_pool_backend_weight(Request::new(request)).await;
}

/// A whole number from the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a whole number")))
}

#[test]
fn whoever_follows_the_stream_ends_with_what_the_questions_are_answered() {
    let seeds = match number("MAGLEV_TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MAGLEV_TEST_SEEDS").unwrap_or(40),
    };
    let (mut tally, count) = (WatchCounts::default(), seeds.end - seeds.start);
    for seed in seeds {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("maglev.yaml");
        fastrand::seed(seed);
        let told = catch_unwind(AssertUnwindSafe(|| {
            System::new().block_on(live(seed, path, &mut tally));
        }));
        if let Err(panic) = told {
            eprintln!("seed {seed} fails: MAGLEV_TEST_SEED={seed} tries it alone");
            resume_unwind(panic);
        }
    }
    if count >= 40 {
        // What never happens proves nothing.
        assert!(tally.is_complete(), "{tally:?}");
    }
    eprintln!("{count} seeds: {tally:?}");
}
