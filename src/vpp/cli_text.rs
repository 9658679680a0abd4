//! The state of the load balancer that only VPP's CLI shows: `show lb vips`,
//! with the rows that a dump of each VIP will have, and `show lb vips verbose`,
//! with pool index, `src_ip_sticky` and flows; for VPPs that have no better message,
//! `show lb`. Beside it, how many packets went to a server: `show load-balance`.
//!
//! The text is made for people and may change with any release. So an entry
//! counts only if every part of it is understood; anything else makes the
//! listing incomplete, and no value is guessed.

mod clients;
mod load_balance;
mod servers;
mod settings;

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::str::FromStr;

use ipnet::IpNet;

use crate::domain::dataplane::net::{Encap, Service, Vip};
use crate::domain::dataplane::observed::ObservedEncap;
use servers::server_text;

pub use clients::{ApiClient, parse_clients};
pub use load_balance::parse_packets;
pub use servers::ServerText;
pub use settings::parse_settings;

/// A listing as far as it was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VipTexts {
    /// One for each pool slot, deleted VIPs that still wait included.
    pub entries: Vec<VipText>,
    /// Whether every line was understood.
    pub complete: bool,
}

/// One VIP of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VipText {
    /// Prefix, protocol and port.
    pub vip: Vip,
    /// How flows are carried.
    pub encap: ObservedEncap,
    /// Entries of the new-flow table, above 32768 too.
    pub table_length: u32,
    /// Servers, removed ones that still wait included.
    pub servers: usize,
    /// The VIP is deleted and waits for its servers to be collected.
    pub removed: bool,
    /// What `verbose` adds.
    pub verbose: Option<Verbose>,
}

/// What `show lb vips verbose` shows of a VIP besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verbose {
    /// Its slot, which is its index in the counters.
    pub pool_index: u32,
    /// Servers are chosen by the client's address alone.
    pub src_ip_sticky: bool,
    /// Removed ones that still wait included; `None`: a line of them is not understood.
    pub servers: Option<Vec<ServerText>>,
}

/// Reads `show lb vips` or `show lb vips verbose`.
#[must_use]
pub fn parse_vips(text: &str) -> VipTexts {
    // A line without its end may be half a line, and half a number.
    let (whole, rest) = text.rsplit_once('\n').unwrap_or(("", text));
    let mut listing = VipTexts { entries: Vec::new(), complete: rest.trim().is_empty() };
    let mut block: Vec<&str> = Vec::new();
    for line in whole.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        // A VIP starts at the margin, or one space from it in the verbose
        // listing; what belongs to it stands further right.
        if !line.starts_with("  ") {
            listing.add(&block);
            block.clear();
        }
        block.push(line);
    }
    listing.add(&block);
    listing
}

impl VipTexts {
    fn add(&mut self, block: &[&str]) {
        let Some((head, rest)) = block.split_first() else { return };
        let entry = if head.starts_with(' ') {
            verbose_entry(head, rest)
        } else {
            rest.is_empty().then(|| brief_entry(head)).flatten()
        };
        match entry {
            Some(entry) => self.entries.push(entry),
            None => self.complete = false,
        }
    }
}

/// What a listing shows of a VIP, collected word by word.
#[derive(Default)]
struct Words {
    table_length: Option<u32>,
    servers: Option<u32>,
    protocol: Option<u8>,
    port: Option<u16>,
    removed: bool,
    sticky: bool,
    nat: bool,
}

impl Words {
    /// Takes one word; `None` if it is not understood.
    fn take(&mut self, word: &str) -> Option<()> {
        match word.split_once(':') {
            None if word == "removed" => once(&mut self.removed),
            None if word == "src_ip_sticky" => once(&mut self.sticky),
            Some(("new_size", number)) => number_once(&mut self.table_length, number),
            Some(("#as", number)) => number_once(&mut self.servers, number),
            Some(("protocol", number)) => number_once(&mut self.protocol, number),
            // NAT VIPs print their port once more, in the wrong byte order, and
            // 0 if they have none.
            Some(("type", _)) => once(&mut self.nat),
            Some(("port", _)) if self.nat => Some(()),
            Some(("port", number)) => number_once(&mut self.port, number),
            Some(("dscp" | "target_port", _)) => Some(()),
            _ => None,
        }
    }

    fn finish(self, kind: &str, prefix: &str, verbose: Option<Verbose>) -> Option<VipText> {
        let (family, encap) = kind.split_once('-')?;
        let encap = match encap {
            "gre4" => ObservedEncap::Gre(Encap::Gre4),
            "gre6" => ObservedEncap::Gre(Encap::Gre6),
            "l3dsr" => ObservedEncap::Other(2),
            "nat4" => ObservedEncap::Other(3),
            "nat6" => ObservedEncap::Other(4),
            _ => return None,
        };
        let prefix: IpNet = prefix.parse().ok()?;
        // VPP prints an IPv6 VIP inside ::/96 as if it were IPv4.
        let agree = match prefix {
            IpNet::V4(_) => family == "ip4",
            IpNet::V6(_) => family == "ip6",
        };
        let service = match (self.protocol, self.port) {
            (None, None) => Service::All,
            (Some(protocol), Some(port)) => {
                Service::Port { protocol, port: NonZeroU16::new(port)? }
            }
            _ => return None,
        };
        agree.then_some(VipText {
            vip: Vip::new(prefix, service),
            encap,
            table_length: self.table_length?,
            servers: usize::try_from(self.servers?).ok()?,
            removed: self.removed,
            verbose,
        })
    }
}

/// Stores a word that may occur once: with two it is unclear which is right.
fn once(word: &mut bool) -> Option<()> {
    (!std::mem::replace(word, true)).then_some(())
}

/// Stores a number that may occur once.
fn number_once<N: FromStr>(place: &mut Option<N>, number: &str) -> Option<()> {
    place.replace(number.parse().ok()?).is_none().then_some(())
}

/// `ip4-gre4 192.0.2.1/32 new_size:1024 #as:1 removed  protocol:6 port:80`
fn brief_entry(line: &str) -> Option<VipText> {
    let mut parts = line.split_whitespace();
    let (kind, prefix) = (parts.next()?, parts.next()?);
    let mut words = Words::default();
    parts.try_for_each(|word| words.take(word))?;
    words.finish(kind, prefix, None)
}

/// ` ip4-gre4 [10] 192.0.2.51/32 src_ip_sticky removed` and the lines below it.
fn verbose_entry(head: &str, lines: &[&str]) -> Option<VipText> {
    let mut parts = head.split_whitespace();
    let kind = parts.next()?;
    let index = parts.next()?.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
    let prefix = parts.next()?;
    let mut words = Words::default();
    parts.try_for_each(|word| words.take(word))?;

    // The key's lines come before the counters; a NAT VIP's last one lacks
    // its line break.
    let start = lines.iter().position(|line| line.ends_with("counters:"))?;
    let (before, after) = (lines.get(..start)?, lines.get(start + 1..)?);
    let last = lines.get(start)?.strip_suffix("counters:")?;
    let mut key = before.iter().copied().chain([last]).flat_map(str::split_whitespace);
    key.try_for_each(|word| words.take(word))?;
    let count = after.iter().position(|line| line.trim_start().starts_with("#as:"))?;
    let (counters, servers) = (after.get(..count)?, after.get(count + 1..)?);
    words.take(after.get(count)?.trim())?;
    // A line that is none of these may be the head of a VIP gone astray.
    let whole = counters.iter().all(|line| is_counter(line))
        && servers.iter().all(|line| is_server(line))
        && words.servers.and_then(|count| count.try_into().ok()) == Some(servers.len());

    let servers = servers.iter().map(|line| server_text(line)).collect();
    let verbose = Verbose { pool_index: index, src_ip_sticky: words.sticky, servers };
    whole.then(|| words.finish(kind, prefix, Some(verbose))).flatten()
}

/// `    first session packet: 0`
fn is_counter(line: &str) -> bool {
    line.rsplit_once(": ").is_some_and(|(_, count)| count.parse::<u64>().is_ok())
}

/// A line of a server, understood or not.
fn is_server(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| word.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests;
