//! Real listings, and listings that are not whole.

use super::*;

// As VPP 26.10-rc0 prints them.
const BRIEF: &str = include_str!("../../../tests/data/cli/show_lb_vips.txt");
const VERBOSE: &str = include_str!("../../../tests/data/cli/show_lb_vips_verbose.txt");

fn vip(prefix: &str, protocol: u8, port: u16) -> Vip {
    let service =
        NonZeroU16::new(port).map_or(Service::All, |port| Service::Port { protocol, port });
    Vip::new(prefix.parse().unwrap(), service)
}

#[test]
fn a_brief_listing_is_read_whole() {
    let listing = parse_vips(BRIEF);
    assert!(listing.complete);
    let got: Vec<_> = listing
        .entries
        .iter()
        .map(|e| (e.vip, e.encap, e.table_length, e.servers, e.removed))
        .collect();
    let (gre4, gre6) = (ObservedEncap::Gre(Encap::Gre4), ObservedEncap::Gre(Encap::Gre6));
    let other = ObservedEncap::Other;
    assert_eq!(
        got,
        [
            (vip("192.0.2.1/32", 6, 80), gre4, 1024, 2, false),
            (vip("192.0.2.2/32", 17, 53), gre4, 4, 0, true),
            (vip("2001:db8:7::/48", 0, 0), gre6, 65536, 1, false),
            (vip("::/0", 0, 0), gre6, 16, 0, false),
            (vip("0.0.0.0/0", 0, 0), gre4, 16, 0, false),
            (vip("198.51.100.7/32", 0, 0), other(2), 16, 0, false),
            (vip("198.51.100.8/32", 6, 8080), other(3), 16, 1, false),
        ]
    );
}

#[test]
fn the_verbose_listing_agrees_and_adds() {
    let (brief, verbose) = (parse_vips(BRIEF), parse_vips(VERBOSE));
    assert!(verbose.complete);
    let extra: Vec<_> = verbose.entries.iter().filter_map(|entry| entry.verbose.clone()).collect();
    let indices: Vec<_> = extra.iter().map(|extra| extra.pool_index).collect();
    assert_eq!(indices, [1, 2, 3, 4, 5, 6, 7]);
    let sticky: Vec<_> = extra.iter().map(|extra| extra.src_ip_sticky).collect();
    assert_eq!(sticky, [false, true, false, false, false, false, false]);
    let plain: Vec<_> =
        verbose.entries.into_iter().map(|e| VipText { verbose: None, ..e }).collect();
    assert_eq!(plain, brief.entries);
}

#[test]
fn each_server_of_the_verbose_listing_comes_with_its_flows() {
    let text = VERBOSE.replace("buckets:1024 flows:0", "buckets:1024 flows:26");
    let listing = parse_vips(&text.replace("buckets:0 flows:0", "buckets:0 flows:3"));
    assert!(listing.complete);
    let flows = |place: usize| {
        let verbose = listing.entries[place].verbose.as_ref();
        let servers = verbose.and_then(|verbose| verbose.servers.as_deref())?;
        Some(servers.iter().map(|it| (it.address.to_string(), it.flows, it.used)).collect())
    };
    let of = |address: &str, flows, used| (address.to_owned(), flows, used);
    let (used, removed) = (of("10.1.0.1", 26, true), of("10.1.0.2", 3, false));
    assert_eq!(flows(0), Some(vec![removed, used]));
    assert_eq!(flows(2), Some(vec![of("2001:db8:a::1", 0, true)]));
    assert_eq!(flows(3), Some(vec![]));
    let unknown = parse_vips(&VERBOSE.replace("buckets:1024 flows:0", "flows:none"));
    assert_eq!(unknown.entries[0].verbose.as_ref().unwrap().servers, None);
}

#[test]
fn surprises_make_a_listing_incomplete_and_never_a_wrong_value() {
    for bad in [
        "ip4-gre4 192.0.2.1/32 new_size:1024 #as:1 protocol:6 port:80 colour:red",
        "ip4-gre4 192.0.2.1/32 new_size:1024 protocol:6 port:80",
        "ip4-gre4 192.0.2.1/32 new_size:x #as:1 protocol:6 port:80",
        "ip4-gre4 192.0.2.1/32 new_size:1024 #as:1 protocol:6",
        "ip4-gre9 192.0.2.1/32 new_size:1024 #as:1",
        "ip6-gre6 192.0.2.1/32 new_size:1024 #as:1",
        "_WRONG_TYPE_ 192.0.2.1/32 new_size:1024 #as:1",
        "show lb: unknown input",
        " ip4-gre4 [1] 192.0.2.1/32\n  new_size:1024\n  protocol:6 port:80\n  #as:2",
        " ip4-gre4 [x] 192.0.2.1/32\n  new_size:1024\n  counters:\n  #as:0",
        " ip4-gre4 [1] 192.0.2.1/32\n  new_size:1024\n  proto:6\n  counters:\n  #as:0",
        " ip4-gre4 [1] 192.0.2.1/32\n  new_size:1024\n  counters:\n  #as:1",
        " ip4-gre4 [1] 192.0.2.1/32\n  new_size:4\n  counters:\n  #as:0\n   ip4-gre4 [2]",
        " ip4-gre4 [1] 192.0.2.1/32\n  new_size:4\n  counters:\n    lost\n  #as:0",
        "ip4-gre4 192.0.2.1/32 new_size:1024 #as:1 new_size:4",
        "ip4-gre4 192.0.2.1/32 new_size:1024 #as:1 protocol:6 port:80 port:443",
        "ip4-gre4 192.0.2.1/32 new_size:1024 #as:4294967296",
        "  stray line",
    ] {
        let listing = parse_vips(&format!("{bad}\n"));
        assert_eq!(listing, VipTexts { entries: vec![], complete: false }, "{bad}");
    }
    assert!(parse_vips("").complete, "no VIP at all is a whole listing");
}

#[test]
fn one_bad_entry_spoils_no_other() {
    let listing = parse_vips(&VERBOSE.replace("[3]", "[three]"));
    assert!(!listing.complete);
    assert_eq!(listing.entries.len(), 6);
}

#[test]
fn a_listing_cut_short_gives_no_wrong_entry() {
    for text in [BRIEF, VERBOSE] {
        let whole = parse_vips(text).entries;
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let start = parse_vips(&text[..end]).entries;
            assert!(whole.starts_with(&start), "{start:?} at {end}");
        }
    }
}

#[test]
fn a_nat_vip_of_all_ports_is_understood() {
    let line = "ip4-nat4 192.0.2.1/32 new_size:4 #as:0 type:clusterip port:0 target_port:80\n";
    let listing = parse_vips(line);
    assert!(listing.complete);
    assert_eq!(listing.entries[0].vip, vip("192.0.2.1/32", 0, 0));
}
