use super::*;
use crate::domain::events::{LogLevel, Seq};
use crate::domain::roster::States;

const EVERYTHING: Filter =
    Filter { log: Some(LogLevel::Debug), backend: true, frontend: true, dataplane: true };

fn start(waiting: usize) -> Addr<Broadcaster> {
    let limits = Limits { held: 4, subscribers: 2, waiting };
    Broadcaster::new(7, limits, LogDemand::default()).start()
}

fn transition(to: State) -> Publish {
    let (at, why) = (SystemTime::UNIX_EPOCH, "probe".into());
    Publish(Event::Backend("a".into(), Transition { from: State::Unknown, to, at, why }))
}

async fn subscribe(to: &Addr<Broadcaster>, resume: Option<(u64, u64)>) -> Subscription {
    let resume = resume.map(|(boot_id, seq)| ResumePoint { boot_id, seq: Seq(seq) });
    to.send(Subscribe { filter: EVERYTHING, resume }).await.unwrap().unwrap()
}

/// `*` before a batch's events, `+` before live ones, `!` for what was missed.
fn text(item: Option<Item>) -> String {
    let event = |numbered: &Arc<Numbered>| match &numbered.event {
        Event::Backend(name, last) => {
            format!("{}:{name} {}>{}", numbered.seq, last.from, last.to)
        }
        other => format!("{other:?}"),
    };
    match item {
        Some(Item::Live(live)) => format!("+{}", event(&live)),
        Some(Item::Batch(batch)) => {
            format!("*{}", batch.iter().map(event).collect::<Vec<_>>().join(","))
        }
        Some(Item::Missed(count, seq)) => format!("!{count} to {seq}"),
        None => "end".into(),
    }
}

#[actix_rt::test]
async fn the_present_state_comes_first_and_then_what_happens() {
    let broadcaster = start(10);
    broadcaster.send(transition(State::Up)).await.unwrap();
    let mut stream = subscribe(&broadcaster, None).await;
    assert_eq!(stream.boot_id, 7);
    broadcaster.send(transition(State::Down)).await.unwrap();
    assert_eq!(text(stream.items.recv().await), "*1:a up>up");
    assert_eq!(text(stream.items.recv().await), "+2:a unknown>down");
}

#[actix_rt::test]
async fn a_stream_resumes_where_it_ended_or_is_told_what_it_missed() {
    let broadcaster = start(10);
    for _ in 0..6 {
        broadcaster.send(transition(State::Up)).await.unwrap();
    }
    let mut stream = subscribe(&broadcaster, Some((7, 5))).await;
    assert_eq!(text(stream.items.recv().await), "*6:a unknown>up");
    drop(stream);
    for (boot_id, seq, missed) in [(7, 1, "!5 to 6"), (7, 9, "!6 to 6"), (8, 5, "!6 to 6")] {
        let mut stream = subscribe(&broadcaster, Some((boot_id, seq))).await;
        assert_eq!(text(stream.items.recv().await), missed);
        assert_eq!(text(stream.items.recv().await), "*6:a up>up");
    }
}

#[actix_rt::test]
async fn a_slow_reader_is_told_and_holds_nobody_up() {
    tokio::time::pause();
    let broadcaster = start(4);
    let mut slow = subscribe(&broadcaster, None).await;
    let mut quick = subscribe(&broadcaster, None).await;
    assert_eq!(text(quick.items.recv().await), "*");
    for number in 1..=6 {
        broadcaster.send(transition(State::Up)).await.unwrap();
        assert_eq!(text(quick.items.recv().await), format!("+{number}:a unknown>up"));
    }
    for expected in ["*", "+1:a unknown>up", "+2:a unknown>up", "+3:a unknown>up"] {
        assert_eq!(text(slow.items.recv().await), expected);
    }
    // Nothing more happens, and it is told all the same.
    assert_eq!(text(slow.items.recv().await), "!3 to 6");
    assert_eq!(text(slow.items.recv().await), "*6:a up>up");
    let figures = broadcaster.send(GetFigures).await.unwrap();
    assert_eq!(figures, Figures { subscribers: 2, missed: 3 });
}

#[actix_rt::test]
async fn there_is_an_end_to_subscriptions_and_a_closed_one_makes_room() {
    let broadcaster = start(4);
    let first = subscribe(&broadcaster, None).await;
    let _second = subscribe(&broadcaster, None).await;
    let third = Subscribe { filter: EVERYTHING, resume: None };
    assert_eq!(broadcaster.send(third).await.unwrap().unwrap_err(), SubscribeError::TooMany(2));
    drop(first);
    subscribe(&broadcaster, None).await;
    broadcaster.send(End).await.unwrap();
    let late = Subscribe { filter: EVERYTHING, resume: None };
    assert_eq!(broadcaster.send(late).await.unwrap().unwrap_err(), SubscribeError::Stopping);
}

#[actix_rt::test]
async fn what_is_no_longer_announced_is_forgotten() {
    let broadcaster = start(4);
    broadcaster.send(transition(State::Up)).await.unwrap();
    let at = SystemTime::UNIX_EPOCH;
    let states = States { backends: vec![("b".into(), State::Down)], ..States::default() };
    broadcaster.send(Announce { states, at }).await.unwrap();
    let mut stream = subscribe(&broadcaster, None).await;
    assert_eq!(text(stream.items.recv().await), "*1:b down>down");
}
