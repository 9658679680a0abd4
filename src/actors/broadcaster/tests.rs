//! The Broadcaster over paused time.

use std::time::{Duration, SystemTime};

use super::*;
use crate::domain::controller::States;
use crate::domain::events::{LogRecord, Seq, Transition};
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::evidence::hold::{HoldChange, HoldChangeKind, HoldOutcome};
use crate::domain::health::State;
use crate::domain::resolution::IpFamily;

const EVERYTHING: EventFilter = EventFilter {
    log: Some(LogLevel::Debug),
    backend: true,
    frontend: true,
    dataplane: true,
    change: true,
    hold: true,
    drain: true,
    audit: true,
    announcement: true,
};
const AT: SystemTime = SystemTime::UNIX_EPOCH;

fn start(queued: usize) -> Addr<Broadcaster> {
    let limits = Limits { history: 4, subscribers: 2, queued };
    Broadcaster::new(7, limits, LogDemand::default()).start()
}

fn transition_of(name: &str, to: State) -> Publish {
    let (from, why) = (State::Unknown, "probe".into());
    Publish(vec![Event::Backend(name.into(), Transition { from, to, at: AT, why })])
}

fn transition(to: State) -> Publish {
    transition_of("a", to)
}

async fn subscribe(broadcaster: &Addr<Broadcaster>, resume: Option<(u64, u64)>) -> Subscription {
    let resume = resume.map(|(boot_id, seq)| ResumePoint { boot_id, seq: Seq(seq) });
    broadcaster.send(Subscribe { filter: EVERYTHING, resume }).await.unwrap().unwrap()
}

/// `3:a unknown>up`, or `!` and how many were missed.
async fn next(stream: &mut Subscription) -> String {
    let next = std::future::poll_fn(|context| stream.poll_next(context));
    let next = tokio::time::timeout(Duration::from_secs(60), next);
    match next.await.expect("nothing comes") {
        Some(StreamItem::Event(seq, event)) => match &event.event {
            Event::Backend(name, last) => format!("{seq}:{name} {}>{}", last.from, last.to),
            other => format!("{seq}:{other:?}"),
        },
        Some(StreamItem::Missed(count)) => format!("!{count}"),
        None => "end".into(),
    }
}

#[actix_rt::test]
async fn the_snapshot_comes_first_and_then_the_events() {
    let broadcaster = start(10);
    broadcaster.send(transition(State::Up)).await.unwrap();
    let mut stream = subscribe(&broadcaster, None).await;
    assert_eq!(stream.boot_id, 7);
    broadcaster.send(transition(State::Down)).await.unwrap();
    assert_eq!(next(&mut stream).await, "1:a up>up");
    assert_eq!(next(&mut stream).await, "2:a unknown>down");
}

#[actix_rt::test]
async fn a_stream_resumes_where_it_ended_or_gets_the_count_of_what_it_missed() {
    let broadcaster = start(10);
    for _ in 0..6 {
        broadcaster.send(transition(State::Up)).await.unwrap();
    }
    let mut stream = subscribe(&broadcaster, Some((7, 5))).await;
    assert_eq!(next(&mut stream).await, "6:a unknown>up");
    drop(stream);
    for (boot_id, seq, missed) in [(7, 1, "!5"), (7, 9, "!6"), (7, 0, "!6"), (8, 5, "!6")] {
        let mut stream = subscribe(&broadcaster, Some((boot_id, seq))).await;
        assert_eq!(next(&mut stream).await, missed);
        assert_eq!(next(&mut stream).await, "6:a up>up");
    }
}

#[actix_rt::test]
async fn a_stream_can_be_resumed_from_the_end_of_the_snapshot_only() {
    let broadcaster = start(10);
    for name in ["a", "b", "c"] {
        broadcaster.send(transition_of(name, State::Up)).await.unwrap();
    }
    let mut stream = subscribe(&broadcaster, None).await;
    for expected in ["0:a up>up", "0:b up>up", "3:c up>up"] {
        assert_eq!(next(&mut stream).await, expected);
    }
    // With a narrower filter the last event that matches is the end.
    let at = AT;
    let states = States { frontends: vec![], backends: vec![("a".into(), State::Up)] };
    broadcaster.send(SetSnapshot { states, at }).await.unwrap();
    let filter = EventFilter { frontend: false, ..EVERYTHING };
    let mut narrow = broadcaster.send(Subscribe { filter, resume: None }).await.unwrap().unwrap();
    assert_eq!(next(&mut narrow).await, "3:a up>up");
}

#[actix_rt::test]
async fn a_slow_reader_gets_a_count_and_delays_no_other() {
    tokio::time::pause();
    let broadcaster = start(4);
    let mut slow = subscribe(&broadcaster, None).await;
    let mut quick = subscribe(&broadcaster, None).await;
    for number in 1..=6 {
        broadcaster.send(transition(State::Up)).await.unwrap();
        assert_eq!(next(&mut quick).await, format!("{number}:a unknown>up"));
    }
    // Four places, of which the snapshot takes one.
    for number in 1..=3 {
        assert_eq!(next(&mut slow).await, format!("{number}:a unknown>up"));
    }
    // No further event is needed for that.
    assert_eq!(next(&mut slow).await, "!3");
    assert_eq!(next(&mut slow).await, "6:a up>up");
    let stats = broadcaster.send(GetBroadcasterStats).await.unwrap();
    assert_eq!(stats, BroadcasterStats { subscribers: 2, missed: 3 });
    broadcaster.send(transition(State::Down)).await.unwrap();
    assert_eq!(next(&mut slow).await, "7:a unknown>down");
}

#[actix_rt::test]
async fn many_readers_get_the_events_of_an_interval_together() {
    tokio::time::pause();
    let limits = Limits { history: 4, subscribers: 200, queued: 4 };
    let broadcaster = Broadcaster::new(7, limits, LogDemand::default()).start();
    let mut streams = Vec::new();
    for _ in 0..200 {
        streams.push(subscribe(&broadcaster, None).await);
    }
    // Ten times as many events as places: one place takes a whole batch.
    for _ in 0..40 {
        broadcaster.send(transition(State::Up)).await.unwrap();
    }
    let before = Instant::now();
    for stream in &mut streams {
        for number in 1..=40 {
            assert_eq!(next(stream).await, format!("{number}:a unknown>up"));
        }
    }
    // One interval, and some steps of the fan-out.
    assert!(before.elapsed() < Duration::from_millis(150), "{:?}", before.elapsed());
}

#[actix_rt::test]
async fn subscriptions_are_limited_and_a_closed_one_makes_room() {
    let broadcaster = start(4);
    let first = subscribe(&broadcaster, None).await;
    let _second = subscribe(&broadcaster, None).await;
    let third = Subscribe { filter: EVERYTHING, resume: None };
    assert_eq!(broadcaster.send(third).await.unwrap().unwrap_err(), SubscribeError::TooMany(2));
    drop(first);
    subscribe(&broadcaster, None).await;
    broadcaster.send(Shutdown).await.unwrap();
    let late = Subscribe { filter: EVERYTHING, resume: None };
    assert_eq!(broadcaster.send(late).await.unwrap().unwrap_err(), SubscribeError::Stopping);
}

#[actix_rt::test]
async fn a_snapshot_replaces_the_one_before() {
    let broadcaster = start(4);
    broadcaster.send(transition(State::Up)).await.unwrap();
    let states = States { backends: vec![("b".into(), State::Down)], ..States::default() };
    broadcaster.send(SetSnapshot { states, at: AT }).await.unwrap();
    let mut stream = subscribe(&broadcaster, None).await;
    assert_eq!(next(&mut stream).await, "1:b down>down");
}

#[actix_rt::test]
async fn a_subscription_before_the_first_snapshot_gets_it_when_it_is_set() {
    let broadcaster = start(4);
    let mut stream = subscribe(&broadcaster, None).await;
    let states = States { backends: vec![("b".into(), State::Down)], ..States::default() };
    broadcaster.send(SetSnapshot { states, at: AT }).await.unwrap();
    assert_eq!(next(&mut stream).await, "0:b down>down");
}

#[actix_rt::test]
async fn a_flood_of_log_records_prevents_no_resume() {
    let broadcaster = start(10);
    broadcaster.send(transition(State::Up)).await.unwrap();
    broadcaster.send(transition(State::Down)).await.unwrap();
    for _ in 0..100 {
        let (message, fields) = Default::default();
        let record = LogRecord { at: AT, level: LogLevel::Debug, message, fields };
        broadcaster.send(Publish(vec![Event::Log(record.into())])).await.unwrap();
    }
    let filter = EventFilter { log: None, ..EVERYTHING };
    let resume = Some(ResumePoint { boot_id: 7, seq: Seq(1) });
    let mut stream = broadcaster.send(Subscribe { filter, resume }).await.unwrap().unwrap();
    assert_eq!(next(&mut stream).await, "2:a unknown>down");
}

#[actix_rt::test]
async fn a_hold_that_lasts_is_part_of_the_snapshot() {
    let broadcaster = start(10);
    let group = ProbeGroup { family: IpFamily::V4, source: None };
    let hold = |kind| Publish(vec![Event::Hold(HoldChange { group, at: AT, kind }.into())]);
    let began = hold(HoldChangeKind::Began { limit: Duration::from_secs(5) });
    broadcaster.send(began).await.unwrap();
    let mut stream = subscribe(&broadcaster, None).await;
    let next_is_hold = next(&mut stream).await;
    assert!(
        next_is_hold.starts_with("1:Hold(") && next_is_hold.contains("Began"),
        "{next_is_hold}"
    );
    let (outcome, lasted) = (HoldOutcome::Passed, Duration::from_secs(1));
    broadcaster.send(hold(HoldChangeKind::Ended { outcome, lasted })).await.unwrap();
    assert!(next(&mut stream).await.contains("Ended"));
    broadcaster.send(transition(State::Up)).await.unwrap();
    let mut later = subscribe(&broadcaster, None).await;
    assert_eq!(next(&mut later).await, "3:a up>up");
}
