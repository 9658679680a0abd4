//! Golden bytes: what Linux 6.18 was seen to execute and to answer, on a
//! little-endian machine.

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.chars().filter(char::is_ascii_hexdigit).collect();
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn route(prefix: &str, metric: u32) -> KernelRoute {
    let prefix = prefix.parse().unwrap();
    KernelRoute { prefix, table: 4242, protocol: 76, metric, is_blackhole: true }
}

fn request(kind: u16, route: &KernelRoute) -> Vec<u8> {
    let mut message = Vec::new();
    put_request(&mut message, kind, 7, route);
    message
}

#[test]
#[cfg(target_endian = "little")]
fn an_ipv4_route_is_created_and_never_replaces_another() {
    // length 52, RTM_NEWROUTE, REQUEST|ACK|EXCL|CREATE, number 7; AF_INET/32,
    // protocol 76, universe, blackhole; RTA_DST, RTA_PRIORITY, RTA_TABLE.
    let expected = "34000000 1800 0506 07000000 00000000
                    02 20 00 00 00 4c 00 06 00000000
                    0800 0100 c0000201  0800 0600 e8030000  0800 0f00 92100000";
    assert_eq!(request(NEW_ROUTE, &route("192.0.2.1/32", 1000)), bytes(expected));
}

#[test]
#[cfg(target_endian = "little")]
fn an_ipv6_route_is_deleted_with_protocol_and_metric() {
    // length 64, RTM_DELROUTE, REQUEST|ACK; scope nowhere: any.
    let expected = "40000000 1900 0500 07000000 00000000
                    0a 80 00 00 00 4c ff 06 00000000
                    1400 0100 20010db8009900000000000000000001
                    0800 0600 d0070000  0800 0f00 92100000";
    assert_eq!(request(DEL_ROUTE, &route("2001:db8:99::1/128", 2000)), bytes(expected));
}

#[test]
#[cfg(target_endian = "little")]
fn a_dump_asks_for_one_table() {
    let expected = "24000000 1a00 0103 01000000 00000000
                    0a 00 00 00 00 00 00 00 00000000  0800 0f00 92100000";
    assert_eq!(dump_request(1, INET6, 4242, None), bytes(expected));
    let of_protocol = dump_request(1, INET, 254, Some(76));
    assert_eq!((of_protocol[16], of_protocol[21]), (INET, 76));
}

#[test]
#[cfg(target_endian = "little")]
fn routes_and_answers_are_read() {
    // The table 252 in the header is RT_TABLE_COMPAT, and RTA_PREF, RTA_CACHEINFO and
    // RTA_OIF are not known here.
    let dumped = "34000000 1800 2200 01000000 1b3a0000
                  02 20 00 00 fc 4c 00 06 00000000
                  0800 0f00 92100000  0800 0100 c0000201  0800 0600 e8030000";
    let sixth = "74000000 1800 2200 02000000 1b3a0000
                 0a 80 00 00 fc 4c 00 06 00000000
                 0800 0f00 92100000  1400 0100 20010db8009900000000000000000001
                 0800 0600 d0070000  0800 0400 01000000
                 2400 0c00 0000000000000000000000000000000000000000000000000000000000000000
                 0500 1400 00000000";
    let net = "2c000000 1800 0200 01000000 c4090000
               02 18 00 00 fc 4c 00 06 00000000
               0800 0f00 92100000  0800 0100 c0000200";
    let refused = "48000000 0200 0000 07000000 1b3a0000 efffffff
                   34000000 1800 0506 07000000 00000000
                   02 20 00 00 00 4c 00 06 00000000
                   0800 0100 c0000201  0800 0600 e8030000  0800 0f00 92100000";
    let executed = "24000000 0200 0001 08000000 1b3a0000 00000000
                    34000000 1900 0500 09000000 00000000";
    let done = "14000000 0300 2200 01000000 1b3a0000 00000000";
    let no_such_table = "14000000 0300 2200 01000000 1b3a0000 feffffff";
    let datagram = bytes(&[dumped, sixth, net, refused, executed, done, no_such_table].concat());
    assert_eq!(
        received(&datagram).unwrap(),
        [
            Received::Route(route("192.0.2.1/32", 1000)),
            Received::Route(route("2001:db8:99::1/128", 2000)),
            Received::Other { is_interrupted: false },
            Received::Answer { sequence: 7, errno: libc::EEXIST },
            Received::Answer { sequence: 8, errno: 0 },
            Received::Done { errno: 0, is_interrupted: false },
            Received::Done { errno: libc::ENOENT, is_interrupted: false },
        ]
    );
}

#[test]
fn what_is_sent_is_read_again() {
    for prefix in ["192.0.2.1/32", "2001:db8:99::1/128", "::/128", "0.0.0.0/32"] {
        for metric in [0, 1000, u32::MAX] {
            let route = route(prefix, metric);
            let read = received(&request(NEW_ROUTE, &route)).unwrap();
            assert_eq!(read, [Received::Route(route)]);
        }
    }
}

#[test]
fn a_dump_that_the_table_changed_under_is_known() {
    let mut message = request(NEW_ROUTE, &route("192.0.2.1/32", 1000));
    message[6..8].copy_from_slice(&DUMP_INTERRUPTED.to_ne_bytes());
    assert_eq!(received(&message).unwrap(), [Received::Other { is_interrupted: true }]);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..120),
    ) {
        let _ = received(&bytes);
    }

    #[test]
    fn a_message_that_is_cut_off_is_refused(length in 1usize..52) {
        let message = request(NEW_ROUTE, &route("192.0.2.1/32", 1000));
        proptest::prop_assert_eq!(received(&message[..length]), Err(CutOff));
    }
}
