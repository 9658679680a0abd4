//! Entries of `show lb vips`, made of numbers and printed as VPP prints them.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;

use ipnet::IpNet;
use vpp_maglev::domain::dataplane::net::{Encap, Service, Vip};
use vpp_maglev::domain::dataplane::observed::ObservedEncap;
use vpp_maglev::vpp::cli_text::{ServerText, Verbose, VipText};

use super::super::input::Input;

const COUNTERS: [&str; 4] = [
    "packet from existing sessions",
    "first session packet",
    "untracked packet",
    "no server configured",
];

/// Any VIP that VPP can have.
pub(super) fn entry(input: &mut Input<'_>, verbose: bool) -> VipText {
    let shape = input.byte();
    let v4 = shape & 1 == 0;
    let (address, wide) = if v4 {
        (IpAddr::from(Ipv4Addr::from(input.word())), 33)
    } else {
        let (high, low) = (input.long(), input.long());
        (Ipv6Addr::from(u128::from(high) << 64 | u128::from(low)).into(), 129)
    };
    let length = input.below(wide) as u8;
    let encap = match (shape >> 1 & 7, v4) {
        (0..=2, _) => ObservedEncap::Gre(Encap::Gre4),
        (3..=5, _) => ObservedEncap::Gre(Encap::Gre6),
        (6, true) => ObservedEncap::Other(2),
        (_, true) => ObservedEncap::Other(3),
        (_, false) => ObservedEncap::Other(4),
    };
    let service = match NonZeroU16::new((input.word() >> 16) as u16) {
        None => Service::All,
        Some(port) => Service::Port { protocol: input.byte(), port },
    };
    let Ok(net) = IpNet::new(address, length) else { panic!("{address}/{length}") };
    let table_length = input.word();
    // A brief line counts servers that it does not show.
    let servers = if verbose { input.below(4) } else { input.word() as usize };
    let verbose = verbose.then(|| Verbose {
        pool_index: input.word(),
        src_ip_sticky: shape & 32 != 0,
        // Now and then their lines are not understood.
        servers: (shape & 64 == 0 || servers == 0).then(|| (0..servers).map(server).collect()),
    });
    let removed = shape & 16 != 0;
    VipText { vip: Vip::new(net, service), encap, table_length, servers, removed, verbose }
}

fn server(number: usize) -> ServerText {
    let address = if number == 0 {
        Ipv4Addr::new(10, 1, 0, 2).into()
    } else {
        Ipv6Addr::new(0x2001, 0xdb8, 0xa, 0, 0, 0, 0, 1).into()
    };
    let buckets = number as u32;
    let load_balance = (number != 1).then_some(buckets + 13);
    let (flows, used) = (u64::from(buckets) * 7, number.is_multiple_of(2));
    ServerText { address, buckets, flows, used, load_balance }
}

/// The second half of VPP's word for a kind of VIP.
pub(super) fn encap(encap: ObservedEncap) -> &'static str {
    match encap {
        ObservedEncap::Gre(Encap::Gre4) => "gre4",
        ObservedEncap::Gre(Encap::Gre6) => "gre6",
        ObservedEncap::Other(2) => "l3dsr",
        ObservedEncap::Other(3) => "nat4",
        ObservedEncap::Other(4) => "nat6",
        ObservedEncap::Other(number) => panic!("no VIP has encap {number}"),
    }
}

/// What `show lb vips` prints of entries that have no `verbose`, and
/// `show lb vips verbose` of those that have.
pub(super) fn print(entries: &[VipText]) -> String {
    let mut out = String::new();
    for entry in entries {
        let printed = match &entry.verbose {
            Some(verbose) => print_verbose(&mut out, entry, verbose),
            None => print_brief(&mut out, entry),
        };
        assert!(printed.is_ok(), "a string takes all");
    }
    out
}

fn print_brief(out: &mut String, entry: &VipText) -> std::fmt::Result {
    print_kind(out, entry)?;
    let (prefix, length) = (entry.vip.prefix(), entry.table_length);
    write!(out, " {prefix} new_size:{length} #as:{}", entry.servers)?;
    if entry.removed {
        out.push_str(" removed");
    }
    if let Service::Port { protocol, port } = entry.vip.service() {
        write!(out, "  protocol:{protocol} port:{port} ")?;
    }
    if entry.encap == ObservedEncap::Other(2) {
        out.push_str("  dscp:10");
    }
    print_nat(out, entry)?;
    writeln!(out)
}

fn print_verbose(out: &mut String, entry: &VipText, verbose: &Verbose) -> std::fmt::Result {
    out.push(' ');
    print_kind(out, entry)?;
    let sticky = if verbose.src_ip_sticky { " src_ip_sticky" } else { "" };
    let removed = if entry.removed { " removed" } else { "" };
    writeln!(out, " [{}] {}{sticky}{removed}", verbose.pool_index, entry.vip.prefix())?;
    writeln!(out, "  new_size:{}", entry.table_length)?;
    if let Service::Port { protocol, port } = entry.vip.service() {
        writeln!(out, "  protocol:{protocol} port:{port}")?;
    }
    if entry.encap == ObservedEncap::Other(2) {
        out.push_str("  dscp:10\n");
    }
    // The line of a NAT VIP starts in the same way, and is not ended.
    let start = out.len();
    print_nat(out, entry)?;
    if out.len() > start {
        out.insert(start, ' ');
    }
    writeln!(out, "  counters:")?;
    for (count, name) in COUNTERS.into_iter().enumerate() {
        writeln!(out, "    {name}: {}", count * 1_000_000_007)?;
    }
    writeln!(out, "  #as:{}", entry.servers)?;
    match &verbose.servers {
        Some(servers) => servers.iter().try_for_each(|server| print_server(out, server))?,
        // Lines that are not understood.
        None => (0..entry.servers).try_for_each(|_| writeln!(out, "    10.1.0.2 lost"))?,
    }
    writeln!(out)
}

/// With weights, or as VPPs without them print it.
fn print_server(out: &mut String, server: &ServerText) -> std::fmt::Result {
    let ServerText { address, buckets, flows, used, load_balance } = server;
    // VPP writes an object that there is not as -1.
    let dpo = load_balance.map_or("-1".into(), |index| index.to_string());
    let state = if *used { "used" } else { " removed" };
    if buckets.is_multiple_of(2) {
        writeln!(out, "    {address} weight:100 buckets:{buckets} flows:{flows} dpo:{dpo} {state}")
    } else {
        writeln!(out, "    {address} {buckets} buckets   {flows} flows  dpo:{dpo} {state}")
    }
}

fn print_kind(out: &mut String, entry: &VipText) -> std::fmt::Result {
    let family = if entry.vip.prefix().addr().is_ipv4() { 4 } else { 6 };
    write!(out, "ip{family}-{}", encap(entry.encap))
}

fn print_nat(out: &mut String, entry: &VipText) -> std::fmt::Result {
    if !matches!(entry.encap, ObservedEncap::Other(3 | 4)) {
        return Ok(());
    }
    // The port in the wrong byte order.
    let port = entry.vip.service().port().swap_bytes();
    write!(out, " type:clusterip port:{port} target_port:9090")
}
