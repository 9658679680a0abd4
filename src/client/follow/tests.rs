//! Following by example; its laws are below.

mod laws;

use std::time::Instant;

use super::*;
use crate::client::deadlines::RETRY_INTERVAL;
use crate::client::error::{ClientError, ConnectionLoss};
use crate::pb;

const RETRYING: FollowPolicy = FollowPolicy { retry_first: true, retry_refused: false };

fn unreachable() -> ClientError {
    let server = "127.0.0.1:1".parse().unwrap();
    ClientError::Unreachable { attempted: WATCH_EVENTS, server, why: ConnectionLoss::Broken }
}

fn refused() -> ClientError {
    let server = "127.0.0.1:1".parse().unwrap();
    let (code, message) = (tonic::Code::ResourceExhausted, "all streams are taken".to_owned());
    ClientError::Refused { attempted: WATCH_EVENTS, server, code, message }
}

fn event(boot_id: u64, seq: u64) -> pb::Event {
    let event = Some(pb::event::Event::Frontend(pb::FrontendEvent::default()));
    pb::Event { event, seq, boot_id }
}

fn missed(boot_id: u64) -> pb::Event {
    let event = Some(pb::event::Event::Missed(pb::MissedEvent { count: 1 }));
    pb::Event { event, seq: 0, boot_id }
}

/// The effects of inputs, by their names.
fn effects(policy: FollowPolicy, inputs: Vec<FollowInput>) -> Vec<String> {
    let now = Instant::now();
    let mut follow = Follow::new(policy);
    let later = now + RETRY_INTERVAL;
    let effects = inputs.into_iter().flat_map(|input| {
        let at = if matches!(input, FollowInput::TimerFired) { later } else { now };
        follow.step(input, at)
    });
    let name = |effect| match effect {
        FollowEffect::Open(_) => "open".to_owned(),
        FollowEffect::SetTimer(_) => "wait".to_owned(),
        FollowEffect::Stop(_) => "stop".to_owned(),
        FollowEffect::Deliver(FollowItem::Connected { again }) => format!("connected {again}"),
        FollowEffect::Deliver(FollowItem::Lost { first, .. }) => format!("lost {first}"),
        FollowEffect::Deliver(FollowItem::Refused(_)) => "refused".to_owned(),
        FollowEffect::Deliver(FollowItem::Restarted) => "restarted".to_owned(),
        FollowEffect::Deliver(FollowItem::Event(event)) => format!("event {}", event.seq),
    };
    effects.map(name).collect()
}

#[test]
fn a_loss_is_the_first_until_the_daemon_is_back() {
    use FollowInput::{Failed, Opened, Start, TimerFired};
    let inputs = vec![
        Start,
        Failed(unreachable()),
        TimerFired,
        Failed(unreachable()),
        TimerFired,
        Opened,
        Failed(unreachable()),
    ];
    let expected = [
        "open",
        "wait",
        "lost true",
        "open",
        "wait",
        "lost false",
        "open",
        "connected true",
        "wait",
        "lost true",
    ];
    assert_eq!(effects(RETRYING, inputs), expected);
}

#[test]
fn the_policy_decides_which_failures_end_it() {
    use FollowInput::{Failed, Opened, Received, Start, TimerFired};
    let once = FollowPolicy { retry_first: false, retry_refused: false };
    assert_eq!(effects(once, vec![Start, Failed(unreachable())]), ["open", "stop"]);
    assert_eq!(
        effects(once, vec![Start, Opened, Failed(unreachable())]),
        ["open", "connected false", "wait", "lost true"]
    );
    assert_eq!(effects(RETRYING, vec![Start, Failed(refused())]), ["open", "stop"]);
    let persistent = FollowPolicy { retry_refused: true, ..RETRYING };
    assert_eq!(
        effects(persistent, vec![Start, Failed(refused()), TimerFired]),
        ["open", "wait", "refused", "open"]
    );
    // Nothing follows the end.
    assert_eq!(
        effects(once, vec![Start, Failed(refused()), Opened, Received(event(1, 1)), Start]),
        ["open", "stop"]
    );
}

#[test]
fn a_restart_is_reported_before_its_first_event() {
    use FollowInput::{Failed, Opened, Received, Start, TimerFired};
    let inputs = vec![
        Start,
        Opened,
        Received(event(1, 5)),
        Failed(unreachable()),
        TimerFired,
        Opened,
        Received(missed(2)),
        Received(event(2, 3)),
    ];
    let expected = [
        "open",
        "connected false",
        "event 5",
        "wait",
        "lost true",
        "open",
        "connected true",
        "restarted",
        "event 0",
        "event 3",
    ];
    assert_eq!(effects(RETRYING, inputs), expected);
}
