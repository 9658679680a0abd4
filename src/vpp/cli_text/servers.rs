//! The lines of servers in `show lb vips verbose`.

use std::net::IpAddr;

/// A server of the verbose listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerText {
    pub address: IpAddr,
    /// Entries of the new-flow table that lead to it.
    pub buckets: u32,
    /// Established flows that lead to it.
    pub flows: u64,
    /// `false`: removed, and waits to be collected.
    pub used: bool,
    /// VPP's load-balance object through which packets to it go, which counts them;
    /// `None`: its index is not understood.
    pub load_balance: Option<u32>,
}

/// `    10.1.0.1 weight:100 buckets:1024 flows:0 dpo:14 used`, or without weights
/// `    10.1.0.2 1024 buckets   7 flows  dpo:15  removed`.
pub(super) fn server_text(line: &str) -> Option<ServerText> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (address, buckets, flows, load_balance, state) = match *words.as_slice() {
        [address, buckets, "buckets", flows, "flows", load_balance, state] => {
            (address, buckets, flows, load_balance, state)
        }
        [address, _, buckets, flows, load_balance, state] => {
            let (buckets, flows) =
                (buckets.strip_prefix("buckets:")?, flows.strip_prefix("flows:")?);
            (address, buckets, flows, load_balance, state)
        }
        _ => return None,
    };
    let used = match state {
        "used" => true,
        "removed" => false,
        _ => return None,
    };
    let load_balance = load_balance.strip_prefix("dpo:").and_then(|index| index.parse().ok());
    let (address, buckets) = (address.parse().ok()?, buckets.parse().ok()?);
    Some(ServerText { address, buckets, flows: flows.parse().ok()?, used, load_balance })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_no_other() {
        let address = [10, 1, 0, 2].into();
        let load_balance = Some(14);
        let used = ServerText { address, buckets: 1024, flows: 7, used: true, load_balance };
        let removed = ServerText { buckets: 0, used: false, load_balance: Some(15), ..used };
        let uncounted = ServerText { load_balance: None, ..used };
        for (line, expected) in [
            ("    10.1.0.2 weight:100 buckets:1024 flows:7 dpo:14 used", Some(used)),
            ("    10.1.0.2 weight:3 buckets:0 flows:7 dpo:15  removed", Some(removed)),
            ("    10.1.0.2 1024 buckets   7 flows  dpo:14 used", Some(used)),
            ("    10.1.0.2 0 buckets   7 flows  dpo:15  removed", Some(removed)),
            ("    10.1.0.2 weight:100 buckets:1024 flows:7 dpo:-1 used", Some(uncounted)),
            ("    10.1.0.2 weight:100 buckets:1024 flows:7 lb:14 used", Some(uncounted)),
            ("    10.1.0.2 0 buckets   7 flows  dpo:15 gone", None),
            ("    10.1.0.2 x buckets   7 flows  dpo:15 used", None),
            ("    10.1.0.2 weight:100 buckets:1024 flows:7 dpo:14", None),
            ("    10.1.0.2", None),
        ] {
            assert_eq!(server_text(line), expected, "{line}");
        }
    }
}
