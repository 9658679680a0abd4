//! A session against a scripted VPP.

mod ends;
mod window;

use proptest::prelude::*;

use super::*;
use crate::vpp::wire::{
    ControlPing, ControlPingReply, LbAsSetWeight, LbAsSetWeightReply, LbAsV2Details, LbAsV2Dump,
    ShowVersion, VipKey, write_reply,
};

const PING: u16 = 23;
const PING_REPLY: u16 = 24;
const WEIGHT: u16 = 101;
const WEIGHT_REPLY: u16 = 102;
const DUMP: u16 = 109;
const DETAILS: u16 = 110;
const DELETE: u16 = 17;
const DELETE_REPLY: u16 = 18;
const INDEX: u32 = 0x8000_0001;
const PATIENCE: Duration = Duration::from_secs(5);

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn settings() -> SessionSettings {
    SessionSettings { window: 3, budget: 10 * SMALL_REPLY, ..SessionSettings::default() }
}

fn table() -> MessageTable {
    MessageTable::new([
        (PING, ControlPing::key()),
        (WEIGHT, LbAsSetWeight::key()),
        (DUMP, LbAsV2Dump::key()),
        (DELETE, SockclntDelete::key()),
    ])
}

/// Takes the output and gives the (id, context) of every request in it.
fn sent(session: &mut Session<u32>, now: Duration) -> Vec<(u16, u32)> {
    let bytes = session.output(now).to_vec();
    session.written(bytes.len());
    let mut frames = FrameBuffer::new(MAX_BODY);
    frames.push(&bytes);
    let mut requests = Vec::new();
    while let Some(body) = frames.next_body().unwrap() {
        let mut from = FieldReader::new(body);
        let id = from.u16().unwrap();
        if id != SOCKCLNT_CREATE_ID {
            assert_eq!(from.u32().unwrap(), INDEX, "every request carries our index");
        }
        requests.push((id, from.u32().unwrap()));
    }
    assert_eq!(frames.pending(), 0, "only whole frames go out");
    requests
}

fn up() -> Session<u32> {
    up_with(settings())
}

fn up_with(settings: SessionSettings) -> Session<u32> {
    let mut session = Session::new(settings, at(0));
    let handshake = sent(&mut session, at(0));
    assert_eq!(handshake, [(SOCKCLNT_CREATE_ID, 1)]);
    session.received(at(1), &hello(1, 0));
    assert!(session.table().is_some());
    session
}

fn hello(context: u32, response: i32) -> Vec<u8> {
    let mut out = Vec::new();
    let reply =
        SockclntCreateReply { client_index: 0, context, response, index: INDEX, table: table() };
    write_bare(&mut out, SOCKCLNT_CREATE_REPLY_ID, &reply);
    out
}

fn weight(token: u32, urgent: bool) -> Call<u32> {
    let message = LbAsSetWeight {
        vip: VipKey::ZERO,
        as_address: crate::vpp::wire::WireAddress::ZERO,
        weight: 1,
        is_flush: false,
    };
    Call {
        name: LbAsSetWeight::NAME,
        fields: None,
        requests: vec![Encoded::new(WEIGHT, &message)],
        expect: Expect::One(WEIGHT_REPLY),
        cost: SMALL_REPLY,
        urgent,
        patience: PATIENCE,
        token,
    }
}

fn dumps(token: u32, count: usize) -> Call<u32> {
    Call {
        name: LbAsV2Dump::NAME,
        fields: None,
        requests: vec![Encoded::new(DUMP, &LbAsV2Dump::ALL); count],
        expect: Expect::Rows { details: DETAILS, ping: PING, ping_reply: PING_REPLY },
        cost: 4 * SMALL_REPLY,
        urgent: false,
        patience: PATIENCE,
        token,
    }
}

fn reply(context: u32, retval: i32) -> Vec<u8> {
    let mut out = Vec::new();
    write_reply(&mut out, WEIGHT_REPLY, context, &LbAsSetWeightReply { retval });
    out
}

fn fence(context: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let pong = ControlPingReply { retval: 0, client_index: INDEX, vpe_pid: 1 };
    write_reply(&mut out, PING_REPLY, context, &pong);
    out
}

fn row(context: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let details = LbAsV2Details {
        vip: VipKey::ZERO,
        app_srv: crate::vpp::wire::WireAddress::ZERO,
        flags: 1,
        in_use_since: 0,
        weight: 100,
        num_buckets: 7,
    };
    write_reply(&mut out, DETAILS, context, &details);
    out
}

fn outcomes(session: &mut Session<u32>) -> Vec<(u32, Result<usize, CallFailure>)> {
    std::iter::from_fn(|| session.next_done())
        .map(|done| {
            let size = done.result.map(|answer| match answer {
                CallAnswer::One(_) => 1,
                CallAnswer::Rows(rows) => rows.len(),
            });
            (done.token, size)
        })
        .collect()
}

#[test]
fn calls_wait_for_the_handshake_and_go_out_together() {
    let mut session = Session::new(settings(), at(0));
    session.submit(weight(1, false));
    session.submit(weight(2, false));
    assert_eq!(sent(&mut session, at(0)), [(SOCKCLNT_CREATE_ID, 1)]);
    session.received(at(1), &hello(1, 0));
    assert_eq!(sent(&mut session, at(1)), [(WEIGHT, 2), (WEIGHT, 3)]);
}

#[test]
fn a_handshake_cut_anywhere_is_a_handshake() {
    let bytes = hello(1, 0);
    for cut in 0..bytes.len() {
        let mut session: Session<u32> = Session::new(settings(), at(0));
        let (first, second) = bytes.split_at(cut);
        session.received(at(1), first);
        assert!(session.table().is_none());
        session.received(at(2), second);
        assert!(session.table().is_some(), "cut at {cut}");
    }
}

#[test]
fn one_fence_closes_the_dumps_of_a_call() {
    let mut session = up();
    session.submit(dumps(1, 2));
    session.submit(dumps(2, 1));
    let out = sent(&mut session, at(2));
    assert_eq!(out, [(DUMP, 2), (DUMP, 3), (PING, 4), (DUMP, 5), (PING, 6)]);
    session.received(at(3), &[row(2), row(3), row(3), fence(4), fence(6)].concat());
    assert_eq!(outcomes(&mut session), [(1, Ok(3)), (2, Ok(0))]);
}

#[test]
fn strange_replies_reach_nobody() {
    let mut session = up();
    session.submit(weight(1, false));
    session.submit(dumps(2, 1));
    sent(&mut session, at(2));
    session.received(at(3), &reply(77, 0));
    assert_eq!(session.stats().foreign, 1, "a context that was never sent");
    session.received(at(3), &[fence(2), fence(3), row(4), reply(3, 0)].concat());
    assert_eq!(session.stats().unknown, 4, "right contexts with wrong kinds");
    let mut short = Vec::new();
    write_frame(&mut short, |to| to.u16(WEIGHT_REPLY));
    session.received(at(3), &short);
    assert_eq!(session.stats().unknown, 5);
    assert_eq!(outcomes(&mut session), []);
    session.received(at(3), &[reply(2, 0), reply(2, 0), fence(4)].concat());
    assert_eq!(outcomes(&mut session), [(1, Ok(1)), (2, Ok(0))]);
    assert_eq!(session.stats().late, 1, "answered twice");
}

#[test]
fn a_late_reply_is_not_given_to_the_next_call() {
    let mut session = up();
    session.submit(weight(1, false));
    sent(&mut session, at(2));
    session.received(at(3), &fence(99));
    session.expire(at(2) + PATIENCE);
    assert_eq!(outcomes(&mut session), [(1, Err(CallFailure::TimedOut))]);
    session.submit(weight(2, false));
    sent(&mut session, at(6000));
    session.received(at(6001), &reply(2, 0));
    assert_eq!(outcomes(&mut session), []);
    assert_eq!(session.stats().late, 1);
    session.received(at(6002), &reply(3, -6));
    assert_eq!(outcomes(&mut session), [(2, Ok(1))]);
}

#[test]
fn show_version_is_not_confused_with_a_ping() {
    // Both have one layout and one checksum; the names differ.
    assert_eq!(ControlPing::CRC, ShowVersion::CRC);
    assert_eq!(table().id_of::<ShowVersion>(), None);
}

proptest! {
    /// However replies are ordered, doubled, mixed with garbage and cut, every
    /// call ends exactly once, and with its own answer.
    #[test]
    fn every_call_ends_exactly_once(
        calls in 1_usize..12,
        actions in proptest::collection::vec((0_u8..6, any::<u32>()), 0..60),
        cut in 1_usize..40,
    ) {
        let mut session = up();
        for token in 0..calls {
            let token = u32::try_from(token).unwrap();
            session.submit(if token % 3 == 2 { dumps(token, 2) } else { weight(token, token % 2 == 1) });
        }
        let mut clock = 10;
        let mut ended = Vec::new();
        for (kind, number) in actions {
            clock += 1;
            session.output(at(clock));
            let length = session.output(at(clock)).len();
            session.written(length);
            let near = number % 20;
            let bytes = match kind {
                0 => reply(near, 0),
                1 => fence(near),
                2 => row(near),
                3 => reply(number, -1),
                4 => [row(near), fence(near), reply(near, 0)].concat(),
                _ => { let mut out = Vec::new(); write_frame(&mut out, |to| to.bytes(&number.to_be_bytes())); out }
            };
            for piece in bytes.chunks(cut) {
                session.received(at(clock), piece);
            }
            ended.extend(outcomes(&mut session));
        }
        session.expire(at(clock) + PATIENCE);
        session.lost(EndReason::PeerClosed);
        ended.extend(outcomes(&mut session));
        let mut tokens: Vec<_> = ended.iter().map(|(token, _)| *token as usize).collect();
        tokens.sort_unstable();
        prop_assert_eq!(tokens, (0..calls).collect::<Vec<_>>());
    }
}
