//! Messages: any body, read as every message, is what the layout says, is
//! written back as it came, and takes no more memory than it has bytes.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vpp_maglev::domain::dataplane::net::Vip;
use vpp_maglev::vpp::wire::frame::HEADER;
use vpp_maglev::vpp::wire::{
    CliInband, CliInbandReply, ControlPing, ControlPingReply, FibSourceDetails, FibSourceDump,
    IpRouteLookupV2, IpRouteLookupV2Reply, LbAddDelAsV2, LbAddDelAsV2Reply, LbAddDelVipV2,
    LbAddDelVipV2Reply, LbAsSetWeight, LbAsSetWeightReply, LbAsV2Details, LbAsV2Dump, LbConfGet,
    LbConfGetReply, LbConfReply, LbConfSet, LbVipDetails, LbVipDump, Reply, Request, RequestHead,
    ShowVersion, ShowVersionReply, SockclntCreate, SockclntCreateReply, SockclntDelete,
    SockclntDeleteReply, SwInterfaceDetails, SwInterfaceDump, VipKey, WireError, read_bare,
    read_reply, read_request, write_bare, write_reply, write_request,
};

use super::allocation::peak;

/// The input: a body, message id first. Sizes are those of VPP's `.api` files.
///
/// # Panics
/// If a message is not what its layout says.
pub fn check(body: &[u8]) {
    let retval = Some(6);
    reply::<ControlPingReply>(body, 18, retval);
    reply::<ShowVersionReply>(body, 362, retval);
    reply::<CliInbandReply>(body, 14 + text(body, 10), retval);
    reply::<LbConfReply>(body, 10, retval);
    reply::<LbConfGetReply>(body, 38, retval);
    reply::<LbAddDelVipV2Reply>(body, 10, retval);
    reply::<LbAddDelAsV2Reply>(body, 10, retval);
    reply::<LbAsSetWeightReply>(body, 10, retval);
    reply::<SockclntDeleteReply>(body, 10, None);
    let paths = body.get(36).map_or(0, |count| usize::from(*count));
    reply::<IpRouteLookupV2Reply>(body, 38 + 167 * paths, retval);
    reply::<FibSourceDetails>(body, 72, None);
    reply::<SwInterfaceDetails>(body, 295, None);
    if let Some(row) = reply::<LbVipDetails>(body, 40, None) {
        key(row.vip, &body[6..27]);
    }
    if let Some(row) = reply::<LbAsV2Details>(body, 54, None) {
        key(row.vip, &body[6..27]);
        assert_eq!(row.app_srv.to_ip(), address(body[27], &body[28..44]));
    }

    request::<ControlPing>(body, 10, &[]);
    request::<ShowVersion>(body, 10, &[]);
    request::<LbConfGet>(body, 10, &[]);
    request::<CliInband>(body, 14 + text(body, 10), &[]);
    request::<SockclntDelete>(body, 14, &[]);
    request::<LbConfSet>(body, 38, &[]);
    request::<LbAddDelVipV2>(body, 50, &[48, 49]);
    request::<LbAddDelAsV2>(body, 51, &[49, 50]);
    request::<LbAsSetWeight>(body, 50, &[49]);
    request::<LbVipDump>(body, 33, &[]);
    request::<LbAsV2Dump>(body, 31, &[]);
    request::<IpRouteLookupV2>(body, 33, &[14]);
    request::<FibSourceDump>(body, 10, &[]);
    request::<SwInterfaceDump>(body, 19 + text(body, 15), &[14]);

    create(body);
    table(body);
}

/// The length that a string at `at` claims.
fn text(body: &[u8], at: usize) -> usize {
    body.get(at..at + 4).map_or(0, |length| number(length).try_into().unwrap_or(usize::MAX))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Whether `read` is right to have taken or refused `body`, whose layout needs
/// `size` bytes. Gives what it took.
fn sized<T>(body: &[u8], size: usize, read: Result<T, WireError>) -> Option<T> {
    match read {
        Ok(message) => {
            assert!(body.len() >= size, "read from {} bytes of {size}", body.len());
            Some(message)
        }
        Err(WireError::Truncated { at, wanted, length }) => {
            assert!(body.len() < size, "{size} bytes are there");
            assert_eq!(length, body.len());
            assert!(at <= length && wanted > length - at, "field of {wanted} at {at} fits");
            assert!(at + wanted <= size, "there is no field of {wanted} at {at}");
            None
        }
    }
}

fn reply<M: Reply + PartialEq>(body: &[u8], size: usize, retval: Option<usize>) -> Option<M> {
    let (read, held) = peak(|| read_reply::<M>(body));
    // A path of 167 bytes takes 168.
    let most = body.len() + body.len() / 167;
    assert!(held <= most, "{} takes {held} of {} bytes", M::NAME, body.len());
    let (context, message) = sized(body, size, read)?;
    assert_eq!(u64::from(context), number(&body[2..6]), "{}", M::NAME);
    let expected = retval.map_or(0, |at| number(&body[at..at + 4]) as u32 as i32);
    assert_eq!(message.retval(), expected, "{}", M::NAME);

    let mut frame = Vec::new();
    write_reply(&mut frame, number(&body[..2]) as u16, context, &message);
    assert_eq!(framed(&frame), &body[..size], "{}", M::NAME);
    assert_eq!(read_reply(framed(&frame)), Ok((context, message)));
    read_reply(body).ok().map(|(_, message)| message)
}

/// `flags` are the places of VPP's `bool`: any byte but 0 is written as 1.
fn request<M: Request + PartialEq>(body: &[u8], size: usize, flags: &[usize]) {
    let (read, held) = peak(|| read_request::<M>(body));
    assert!(held <= body.len(), "{} takes {held} of {} bytes", M::NAME, body.len());
    let Some((head, message)) = sized(body, size, read) else { return };
    let expected = RequestHead {
        client_index: number(&body[2..6]) as u32,
        context: number(&body[6..10]) as u32,
    };
    assert_eq!(head, expected, "{}", M::NAME);

    let mut frame = Vec::new();
    write_request(&mut frame, number(&body[..2]) as u16, head, &message);
    let mut same = body[..size].to_vec();
    for flag in flags {
        same[*flag] = same[*flag].min(1);
    }
    assert_eq!(framed(&frame), same, "{}", M::NAME);
    assert_eq!(read_request(framed(&frame)), Ok((head, message)));
}

/// The body of the one frame in `frame`.
fn framed(frame: &[u8]) -> &[u8] {
    assert_eq!(number(&frame[8..12]), (frame.len() - HEADER) as u64);
    &frame[HEADER..]
}

fn create(body: &[u8]) {
    let (read, held) = peak(|| read_bare::<SockclntCreate>(body));
    assert_eq!(held, 0);
    let Some(message) = sized(body, 70, read) else { return };
    let mut frame = Vec::new();
    write_bare(&mut frame, number(&body[..2]) as u16, &message);
    assert_eq!(framed(&frame), &body[..70]);
}

fn table(body: &[u8]) {
    let count = body.get(18..20).map_or(0, |count| number(count) as usize);
    let (read, held) = peak(|| read_bare::<SockclntCreateReply>(body));
    // A name is at most 64 of an entry's 66 bytes, and a map that is just over
    // seven eighths full has twice the places.
    assert!(held <= 4 * body.len() + 256, "{held} of {} bytes", body.len());
    let Some(reply) = sized(body, 20 + 66 * count, read) else { return };
    assert_eq!(u64::from(reply.context), number(&body[6..10]));
    assert_eq!(i64::from(reply.response), i64::from(number(&body[10..14]) as u32 as i32));
    assert_eq!(u64::from(reply.index), number(&body[14..18]));

    let expected = entries(body);
    assert_eq!(reply.table.len(), expected.len());
    for (key, id) in &expected {
        let Some((name, crc)) = std::str::from_utf8(key).ok().and_then(|key| key.rsplit_once('_'))
        else {
            continue;
        };
        // Names end in exactly eight small hexadecimal digits.
        let crc = u32::from_str_radix(crc, 16).ok().filter(|n| format!("{n:08x}") == crc);
        if let Some(crc) = crc {
            assert_eq!(reply.table.id(name, crc), Some(*id));
            let other = reply.table.changed(name, !crc);
            assert!(other.is_some_and(|key| key.starts_with(name)));
        }
    }
    let mut frame = Vec::new();
    write_bare(&mut frame, 16, &reply);
    assert_eq!(entries(framed(&frame)), expected);
    same(&read_bare(framed(&frame)), &Ok(reply));
}

fn same<T: PartialEq + Debug>(left: &T, right: &T) {
    assert_eq!(left, right);
}

/// The entries of a message table, the later of two of a name.
pub(super) fn entries(body: &[u8]) -> BTreeMap<Vec<u8>, u16> {
    let count = number(&body[18..20]) as usize;
    let mut entries = BTreeMap::new();
    for entry in body[20..].chunks(66).take(count) {
        let name = entry[2..].split(|byte| *byte == 0).next().unwrap_or_default();
        entries.insert(name.to_vec(), number(&entry[..2]) as u16);
    }
    entries
}

fn address(family: u8, bytes: &[u8]) -> Option<IpAddr> {
    let all = number(&bytes[..8]) as u128;
    let all = all << 64 | u128::from(number(&bytes[8..16]));
    match family {
        0 => Some(Ipv4Addr::from((all >> 96) as u32).into()),
        1 => Some(Ipv6Addr::from(all).into()),
        _ => None,
    }
}

/// A key is a VIP of ours exactly if its prefix exists, and then the same one.
fn key(key: VipKey, bytes: &[u8]) {
    let (length, protocol, port) = (bytes[17], bytes[18], number(&bytes[19..21]) as u16);
    let vip: Option<Vip> = key.to_vip();
    let Some(address) = address(bytes[0], &bytes[1..17]) else { return assert_eq!(vip, None) };
    let (wide, bits) = match address {
        IpAddr::V4(v4) => (32, u128::from(v4.to_bits()) << 96),
        IpAddr::V6(v6) => (128, v6.to_bits()),
    };
    if length > wide {
        return assert_eq!(vip, None);
    }
    let Some(vip) = vip else { panic!("{key:?} is no VIP") };
    let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
    let network = match vip.prefix().addr() {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    };
    assert_eq!((network, vip.prefix().prefix_len()), (bits & mask, length));
    let protocol = if port == 0 { 255 } else { protocol };
    assert_eq!((vip.service().protocol(), vip.service().port()), (protocol, port));
    // What was read can be asked for: it survives the way back.
    assert_eq!(VipKey::from(vip).to_vip(), Some(vip));
}
