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
}

/// `    10.1.0.1 weight:100 buckets:1024 flows:0 dpo:14 used`, or without weights
/// `    10.1.0.2 1024 buckets   7 flows  dpo:15  removed`.
pub(super) fn server_text(line: &str) -> Option<ServerText> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (address, buckets, flows, state) = match words.as_slice() {
        [address, buckets, "buckets", flows, "flows", _, state] => {
            (*address, *buckets, *flows, *state)
        }
        [address, _, buckets, flows, _, state] => {
            let value = |word: &'_ str, name: &str| word.strip_prefix(name).map(str::to_owned);
            let (buckets, flows) = (value(buckets, "buckets:")?, value(flows, "flows:")?);
            return server_of(address, &buckets, &flows, state);
        }
        _ => return None,
    };
    server_of(address, buckets, flows, state)
}

fn server_of(address: &str, buckets: &str, flows: &str, state: &str) -> Option<ServerText> {
    let used = match state {
        "used" => true,
        "removed" => false,
        _ => return None,
    };
    let (address, buckets) = (address.parse().ok()?, buckets.parse().ok()?);
    Some(ServerText { address, buckets, flows: flows.parse().ok()?, used })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_no_other() {
        let address = [10, 1, 0, 2].into();
        let used = ServerText { address, buckets: 1024, flows: 7, used: true };
        let removed = ServerText { buckets: 0, used: false, ..used };
        for (line, expected) in [
            ("    10.1.0.2 weight:100 buckets:1024 flows:7 dpo:14 used", Some(used)),
            ("    10.1.0.2 weight:3 buckets:0 flows:7 dpo:15  removed", Some(removed)),
            ("    10.1.0.2 1024 buckets   7 flows  dpo:14 used", Some(used)),
            ("    10.1.0.2 0 buckets   7 flows  dpo:15  removed", Some(removed)),
            ("    10.1.0.2 0 buckets   7 flows  dpo:15 gone", None),
            ("    10.1.0.2 x buckets   7 flows  dpo:15 used", None),
            ("    10.1.0.2 weight:100 buckets:1024 flows:7 dpo:14", None),
            ("    10.1.0.2", None),
        ] {
            assert_eq!(server_text(line), expected, "{line}");
        }
    }
}
