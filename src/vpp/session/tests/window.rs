//! How much is in flight, and what goes first.

use super::*;

#[test]
fn the_window_bounds_what_is_in_flight_and_urgent_calls_go_first() {
    let mut session = up();
    for token in 0..6 {
        session.submit(weight(token, false));
    }
    assert_eq!(sent(&mut session, at(2)), [(WEIGHT, 2), (WEIGHT, 3), (WEIGHT, 4)]);
    session.submit(weight(100, true));
    assert_eq!(sent(&mut session, at(2)), [(WEIGHT, 5)], "an urgent call need not wait");
    session.received(at(3), &[reply(2, 0), reply(3, -81), reply(4, 0)].concat());
    assert_eq!(outcomes(&mut session), [(0, Ok(1)), (1, Ok(1)), (2, Ok(1))]);
    session.submit(weight(101, true));
    assert_eq!(
        sent(&mut session, at(3)),
        [(WEIGHT, 6), (WEIGHT, 7), (WEIGHT, 8)],
        "the urgent one first, and all in one write"
    );
    session.received(at(4), &reply(6, 0));
    assert_eq!(outcomes(&mut session), [(101, Ok(1))]);
    let traffic = session.stats().messages[LbAsSetWeight::NAME];
    assert_eq!(traffic, Traffic { sent: 7, answered: 3, refused: 1, failed: 0 });
}

#[test]
fn while_urgent_calls_come_few_others_stand_in_their_way() {
    let mut session = up_with(SessionSettings::default());
    let mut answered = 2;
    let mut answer = |session: &mut Session<u32>, now, count| {
        let replies: Vec<_> = (answered..answered + count).flat_map(|it| reply(it, 0)).collect();
        answered += count;
        session.received(at(now), &replies);
        assert_eq!(outcomes(session).len(), count as usize);
        sent(session, at(now)).len()
    };
    (0..100).for_each(|token| session.submit(weight(token, false)));
    assert_eq!(sent(&mut session, at(2)).len(), 16);
    session.submit(weight(100, true));
    assert_eq!(sent(&mut session, at(3)).len(), 1);
    assert_eq!(answer(&mut session, 4, 14), 0);
    assert_eq!(answer(&mut session, 5, 2), 2);
    assert_eq!(answer(&mut session, 6, 2), 1);
    // A second later none are expected any more.
    assert_eq!(answer(&mut session, 1003, 1), 15);
}

#[test]
fn while_urgent_calls_come_rows_go_alone() {
    let mut session = up_with(SessionSettings::default());
    session.submit(weight(1, true));
    (2..5).for_each(|token| session.submit(dumps(token, 2)));
    assert_eq!(
        sent(&mut session, at(2)),
        [(WEIGHT, 2), (DUMP, 3), (DUMP, 4), (PING, 5)],
        "one call beside the urgent one"
    );
    session.received(at(3), &reply(2, 0));
    assert_eq!(sent(&mut session, at(3)), []);
    session.received(at(4), &fence(5));
    assert_eq!(sent(&mut session, at(4)), [(DUMP, 6), (DUMP, 7), (PING, 8)]);
    session.received(at(1003), &fence(8));
    assert_eq!(sent(&mut session, at(1003)), [(DUMP, 9), (DUMP, 10), (PING, 11)]);
}

#[test]
fn replies_in_flight_never_take_more_than_the_budget_but_one_call_may() {
    let mut session = up();
    session.submit(Call { cost: 100 * SMALL_REPLY, ..weight(1, false) });
    session.submit(weight(2, false));
    assert_eq!(sent(&mut session, at(2)).len(), 1, "alone, for it is over the budget");
    session.received(at(3), &reply(2, 0));
    assert_eq!(sent(&mut session, at(3)), [(WEIGHT, 3)]);
    session.received(at(4), &reply(3, 0));
    for token in 3..6 {
        session.submit(dumps(token, 1));
    }
    let out = sent(&mut session, at(5));
    assert_eq!(out.len(), 4, "two dumps of four rows each, and their fences: {out:?}");
}
