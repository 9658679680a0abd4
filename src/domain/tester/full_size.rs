//! Whether full packets reach every server, and if not, which sizes do.

use std::collections::BTreeMap;

/// What GRE adds to a packet, by the outer header: 4 bytes and that of IP.
const GRE4: u32 = 24;
const GRE6: u32 = 44;

/// The headers of TCP over IPv4 and IPv6, without options.
const TCP4: u32 = 40;
const TCP6: u32 = 60;

/// Every host must take packets of this size (RFC 791: 576, of IPv4).
pub const SMALLEST: u32 = 576;

/// One attempt: small packets passed, then full ones were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullSizeTry {
    /// Who answered the small request.
    pub server: Option<String>,
    /// Bytes of the full packets, IP header included.
    pub packet: u32,
    /// Whether they were answered.
    pub passes: bool,
    /// The path's MTU that this machine learnt by ICMP meanwhile, if it fell.
    pub learnt_mtu: Option<u32>,
}

/// What the attempts say. The default says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FullSizeFinding {
    /// `None`: small packets were not answered, so nothing is known of full ones.
    pub passes: Option<bool>,
    /// A sentence, without its stop.
    pub says: String,
    /// The segments of a full packet over TCP; `None` for UDP.
    pub mss: Option<u32>,
    /// The largest packet that passed to every server, where full ones do not.
    pub largest_passing: Option<u32>,
    /// Whether full packets reach it, by server.
    pub by_server: BTreeMap<String, bool>,
}

/// The next size to try between one that passes and one that does not; `None` when
/// they are next to each other.
#[must_use]
pub fn next_size(passes: u32, fails: u32) -> Option<u32> {
    let middle = passes + fails.saturating_sub(passes) / 2;
    (fails > passes + 1).then_some(middle)
}

/// Judges the attempts with full packets, `largest_passing` of smaller ones, and
/// what there was instead where no small request was answered.
#[must_use]
pub fn judge(
    tries: &[FullSizeTry],
    largest_passing: Option<u32>,
    is_ipv6: bool,
    mss: Option<u32>,
    why_none: Option<&str>,
) -> FullSizeFinding {
    let Some(packet) = tries.iter().map(|found| found.packet).max() else {
        let why = why_none.unwrap_or("no attempt was made");
        let says = format!("nothing is known of full packets: a small request failed: {why}");
        return FullSizeFinding { says, ..FullSizeFinding::default() };
    };
    let mut by_server: BTreeMap<String, bool> = BTreeMap::new();
    for found in tries {
        if let Some(server) = &found.server {
            *by_server.entry(server.clone()).or_insert(true) &= found.passes;
        }
    }
    let passes = tries.iter().all(|found| found.passes);
    let learnt = tries.iter().filter_map(|found| found.learnt_mtu).min();
    let says = match learnt {
        Some(mtu) if passes => format!(
            "packets of {packet} bytes did not pass, and the path said so: its MTU is {mtu}; each \
             new path costs a round trip, and all of it where ICMP is filtered"
        ),
        _ if passes => format!("full packets of {packet} bytes pass"),
        _ => swallowed(packet, largest_passing, &by_server, is_ipv6),
    };
    FullSizeFinding { passes: Some(passes), says, mss, largest_passing, by_server }
}

/// Names the fault and its remedies.
fn swallowed(
    packet: u32,
    largest: Option<u32>,
    by_server: &BTreeMap<String, bool>,
    is_ipv6: bool,
) -> String {
    let broken: Vec<_> = by_server.iter().filter(|(_, passes)| !**passes).collect();
    let to = if broken.is_empty() {
        String::new()
    } else {
        let names: Vec<_> = broken.iter().map(|(name, _)| name.as_str()).collect();
        format!(" on the way to {}", names.join(", "))
    };
    let begin = format!("MTU: packets of {packet} bytes vanish{to}");
    let Some(largest) = largest else { return format!("{begin}, and smaller ones too") };
    let missing = packet.saturating_sub(largest);
    let cause = match missing {
        GRE4 => ", what GRE over IPv4 adds",
        GRE6 => ", what GRE over IPv6 adds",
        _ => "",
    };
    let headers = if is_ipv6 { TCP6 } else { TCP4 };
    let mss = largest.saturating_sub(headers);
    format!(
        "{begin}, and {largest} pass: the path lacks {missing} bytes{cause}; raise its MTU from VPP \
         to the servers by as much, or have the servers advertise an MSS of {mss}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(server: &str, passes: bool) -> FullSizeTry {
        FullSizeTry { server: Some(server.into()), packet: 1500, passes, learnt_mtu: None }
    }

    #[test]
    fn the_server_the_size_and_the_remedy_are_named() {
        let tries = [attempt("a", true), attempt("b", false), attempt("a", true)];
        let finding = judge(&tries, Some(1476), false, Some(1448), None);
        assert_eq!(finding.passes, Some(false));
        assert_eq!(finding.by_server, BTreeMap::from([("a".into(), true), ("b".into(), false)]));
        assert_eq!(
            finding.says,
            "MTU: packets of 1500 bytes vanish on the way to b, and 1476 pass: the path lacks 24 \
             bytes, what GRE over IPv4 adds; raise its MTU from VPP to the servers by as much, or \
             have the servers advertise an MSS of 1436"
        );
        let over6 = judge(&tries, Some(1456), true, Some(1428), None).says;
        assert!(
            over6.contains("what GRE over IPv6 adds") && over6.ends_with("MSS of 1396"),
            "{over6}"
        );
        let nothing = judge(&tries, None, false, None, None).says;
        assert!(nothing.ends_with("vanish on the way to b, and smaller ones too"), "{nothing}");
    }

    #[test]
    fn packets_that_pass_and_paths_that_speak_are_no_fault() {
        let finding = judge(&[attempt("a", true)], None, false, None, None);
        assert_eq!(
            (finding.passes, &*finding.says),
            (Some(true), "full packets of 1500 bytes pass")
        );
        let learnt = [FullSizeTry { learnt_mtu: Some(1400), ..attempt("a", true) }];
        let finding = judge(&learnt, None, false, None, None);
        assert!(finding.passes == Some(true) && finding.says.contains("its MTU is 1400"));
        let finding = judge(&[], None, false, None, Some("closed"));
        assert!(finding.passes.is_none() && finding.says.ends_with("failed: closed"));
    }

    #[test]
    fn the_search_ends_at_the_border() {
        let (mut passes, mut fails, mut steps) = (SMALLEST, 1500, 0);
        while let Some(size) = next_size(passes, fails) {
            if size <= 1476 {
                passes = size;
            } else {
                fails = size;
            }
            steps += 1;
        }
        assert_eq!((passes, fails), (1476, 1477));
        assert!(steps <= 10);
    }
}
