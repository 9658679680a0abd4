//! The plugin's CLI, which alone shows pool indices, stickiness and flows.

use std::fmt::{self, Write};

use super::address::{is_ip4, to_ip};
use super::api::PluginApi;
use super::index::ServerFilter;
use super::state::{Plugin, PluginVip, VipKind};

/// Names of the counters, in the CLI and in the stats segment.
pub const COUNTER_NAMES: [&str; 4] = [
    "packet from existing sessions",
    "first session packet",
    "untracked packet",
    "no server configured",
];

impl Plugin {
    /// `show lb vips`, or `show lb vips verbose`: deleted VIPs included.
    pub fn show_vips(&mut self, verbose: bool) -> String {
        // The short listing shows nothing of tables.
        let slots = self.index.admitted(ServerFilter::ALL);
        if verbose {
            self.refresh(&slots);
        }
        let mut text = String::new();
        for slot in slots {
            let vip = &self.vips[slot];
            // Writing to a string cannot fail.
            let _ = if verbose {
                self.write_detailed(&mut text, slot, vip)
            } else {
                write_line(&mut text, vip)
            };
        }
        text
    }

    /// `show load-balance INDEX`
    #[must_use]
    pub fn show_load_balance(&self, index: u32) -> String {
        self.load_balances.show(index)
    }

    /// `show lb`
    #[must_use]
    pub fn show(&self) -> String {
        let mut text = format!(
            "lb_main ip4-src-address: {} \n ip6-src-address: {} \n #vips: {}\n #ass: {}\n",
            self.conf.ip4_src,
            Ip6(self.conf.ip6_src.to_bits()),
            self.vips.len(),
            self.servers.len() - 1
        );
        // The one thread that has seen a packet, as of its last one.
        if let Some((buckets, timeout)) = self.sticky_table {
            let used: u64 = self.servers.iter().map(|(_, server)| server.flows).sum();
            let entries = u64::from(buckets) + 3;
            // Writing to a string cannot fail.
            let _ = write!(text, "core 0\n  timeout: {timeout}s\n  usage: {used} / {entries}\n");
        }
        text
    }

    fn write_detailed(&self, out: &mut String, slot: u32, vip: &PluginVip) -> fmt::Result {
        let sticky = if vip.src_ip_sticky { " src_ip_sticky" } else { "" };
        let removed = if vip.used { "" } else { " removed" };
        writeln!(out, " {} [{slot}] {}{sticky}{removed}", vip.kind, vip.key.prefix)?;
        writeln!(out, "  new_size:{}", vip.table_length)?;
        if vip.key.port != 0 {
            writeln!(out, "  protocol:{} port:{}", vip.key.protocol, vip.key.port)?;
        }
        match vip.kind {
            VipKind::Ip4L3dsr => writeln!(out, "  dscp:{}", vip.argument)?,
            // VPP does not end this line.
            kind if kind.is_nat() => write!(out, " {}", Nat(vip))?,
            _ => {}
        }
        writeln!(out, "  counters:")?;
        for (name, count) in COUNTER_NAMES.iter().zip(vip.counters) {
            writeln!(out, "    {name}: {count}")?;
        }
        writeln!(out, "  #as:{}", vip.servers.len())?;
        for row in self.rows_of(slot) {
            let dpo = self.load_balances.index_of(row.address).unwrap_or_default();
            let (weight, buckets, flows) = (row.weight, row.buckets, row.flows);
            write!(out, "    {} ", PluginAddress(row.address))?;
            match self.api {
                PluginApi::V1_1 => write!(out, "{buckets} buckets   {flows} flows  dpo:{dpo} ")?,
                PluginApi::V1_2 => {
                    write!(out, "weight:{weight} buckets:{buckets} flows:{flows} dpo:{dpo} ")?;
                }
            }
            out.write_str(if row.used { "used\n" } else { " removed\n" })?;
        }
        writeln!(out)
    }
}

fn write_line(out: &mut String, vip: &PluginVip) -> fmt::Result {
    let (length, servers) = (vip.table_length, vip.servers.len());
    write!(out, "{} {} new_size:{length} #as:{servers}", vip.kind, vip.key.prefix)?;
    if !vip.used {
        out.push_str(" removed");
    }
    if vip.key.port != 0 {
        write!(out, "  protocol:{} port:{} ", vip.key.protocol, vip.key.port)?;
    }
    match vip.kind {
        VipKind::Ip4L3dsr => write!(out, "  dscp:{}", vip.argument)?,
        kind if kind.is_nat() => write!(out, "{}", Nat(vip))?,
        _ => {}
    }
    writeln!(out)
}

impl fmt::Display for VipKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ip6Gre6 => "ip6-gre6",
            Self::Ip6Gre4 => "ip6-gre4",
            Self::Ip4Gre6 => "ip4-gre6",
            Self::Ip4Gre4 => "ip4-gre4",
            Self::Ip4L3dsr => "ip4-l3dsr",
            Self::Ip4Nat4 => "ip4-nat4",
            Self::Ip6Nat6 => "ip6-nat6",
        })
    }
}

/// What VPP prints of a NAT VIP: the port in the wrong byte order.
struct Nat<'a>(&'a PluginVip);

impl fmt::Display for Nat<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = if self.0.argument == 0 { "clusterip" } else { "nodeport" };
        let (port, target) = (self.0.key.port.swap_bytes(), self.0.target_port);
        write!(f, " type:{service} port:{port} target_port:{target}")
    }
}

/// An address of either family.
struct PluginAddress(u128);

impl fmt::Display for PluginAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_ip4(self.0) { to_ip(self.0).fmt(f) } else { Ip6(self.0).fmt(f) }
    }
}

/// An IPv6 address as VPP writes it: never with a dotted tail.
pub(super) struct Ip6(pub(super) u128);

impl fmt::Display for Ip6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = std::net::Ipv6Addr::from_bits(self.0).segments();
        let (mut start, mut longest) = (groups.len(), 1);
        for from in 0..groups.len() {
            let run = groups[from..].iter().take_while(|&&group| group == 0).count();
            if run > longest {
                (start, longest) = (from, run);
            }
        }
        let mut separator = "";
        for (place, group) in groups.iter().enumerate() {
            if place == start {
                f.write_str("::")?;
                separator = "";
            } else if place < start || place >= start + longest {
                write!(f, "{separator}{group:x}")?;
                separator = ":";
            }
        }
        Ok(())
    }
}
