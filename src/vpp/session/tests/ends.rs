//! How conversations end, and what becomes of the calls in them.

use super::*;
use crate::vpp::wire::read_request;

#[test]
fn handshakes_that_fail_say_how() {
    let ends = |bytes: &[u8], expire: bool| {
        let mut session: Session<u32> = Session::new(settings(), at(0));
        session.submit(weight(1, false));
        session.received(at(1), bytes);
        if expire {
            session.expire(session.deadline().unwrap());
        }
        let why = session.ended().unwrap();
        assert_eq!(outcomes(&mut session), [(1, Err(CallFailure::NeverSent(why)))]);
        why
    };
    assert_eq!(ends(&[], true), EndReason::NoHandshake);
    assert_eq!(ends(&hello(99, 0), true), EndReason::NoHandshake);
    assert_eq!(ends(&hello(1, -1), false), EndReason::Refused(-1));
    let mut short = Vec::new();
    write_frame(&mut short, |to| {
        to.u16(SOCKCLNT_CREATE_REPLY_ID);
        to.u32(1);
    });
    assert_eq!(ends(&short, false), EndReason::BadHandshake);
    assert!(matches!(ends(&[0xff; 16], false), EndReason::BadFrame(_)));
}

#[test]
fn a_silent_vpp_is_sent_no_more() {
    let mut session = up();
    for token in 1..=4 {
        session.submit(weight(token, false));
    }
    sent(&mut session, at(2));
    assert_eq!(session.deadline(), Some(at(2) + PATIENCE));
    session.expire(at(1) + PATIENCE);
    assert_eq!(outcomes(&mut session), [], "a millisecond too early");
    session.expire(at(2) + PATIENCE);
    let timed_out = |token| (token, Err(CallFailure::TimedOut));
    let want = [timed_out(1), timed_out(2), timed_out(3), (4, Err(CallFailure::HeldBack))];
    assert_eq!(outcomes(&mut session), want);
    assert_eq!(session.deadline(), None);
}

#[test]
fn what_was_sent_may_have_been_applied_and_what_was_not_was_not() {
    let mut session = up();
    for token in 1..=4 {
        session.submit(weight(token, false));
    }
    let first_frame = 16 + 50;
    assert_eq!(session.output(at(2)).len(), 3 * first_frame);
    // The second frame lacks its last byte.
    session.written(2 * first_frame - 1);
    session.lost(EndReason::PeerClosed);
    let maybe = CallFailure::MaybeApplied(EndReason::PeerClosed);
    let never = |token| (token, Err(CallFailure::NeverSent(EndReason::PeerClosed)));
    assert_eq!(outcomes(&mut session), [(1, Err(maybe)), never(2), never(3), never(4)]);
    session.submit(weight(5, true));
    assert_eq!(outcomes(&mut session), [never(5)]);
}

#[test]
fn leaving_answers_what_is_in_flight_and_ends_with_the_goodbye() {
    let mut session = up();
    for token in 1..=4 {
        session.submit(weight(token, false));
    }
    sent(&mut session, at(2));
    session.leave(at(3));
    let left = CallFailure::NeverSent(EndReason::Left);
    assert_eq!(outcomes(&mut session), [(4, Err(left))]);
    session.submit(weight(5, false));
    assert_eq!(outcomes(&mut session), [(5, Err(left))]);
    assert_eq!(sent(&mut session, at(3)), [(DELETE, 5)]);
    session.received(at(4), &[reply(2, 0), reply(3, 0), reply(4, 0)].concat());
    assert_eq!(outcomes(&mut session).len(), 3);
    assert_eq!(session.ended(), None);
    let mut goodbye = Vec::new();
    let answer = SockclntDeleteReply { response: 1 };
    write_reply(&mut goodbye, DELETE_REPLY, 5, &answer);
    session.received(at(5), &goodbye);
    assert_eq!(session.ended(), Some(EndReason::Left));
}

#[test]
fn a_goodbye_that_is_not_answered_ends_too() {
    let mut session = up();
    session.leave(at(3));
    session.expire(session.deadline().unwrap());
    assert_eq!(session.ended(), Some(EndReason::LeftUnconfirmed));
}

#[test]
fn the_goodbye_of_a_panic_is_the_goodbye_of_a_stop() {
    let session = up();
    let frame = session.goodbye_frame().unwrap();
    let (head, message) = read_request::<SockclntDelete>(&frame[16..]).unwrap();
    assert_eq!((head.client_index, message.index), (INDEX, INDEX));
    let connecting: Session<u32> = Session::new(settings(), at(0));
    assert_eq!(connecting.goodbye_frame(), None);
}
