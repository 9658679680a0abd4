//! What BIRD prints about routes and protocols (2.0 to 3.3).

use super::control::{BirdReply, code};
use crate::domain::announce::placement::VipPrefix;

/// The routes to single addresses of a `show route … all`, each with its communities.
pub(super) fn routes(reply: &BirdReply) -> Vec<(VipPrefix, Vec<(u16, u16)>)> {
    let mut found: Vec<(VipPrefix, Vec<(u16, u16)>)> = Vec::new();
    // Attributes of a route to a larger prefix belong to none of these.
    let mut is_single = false;
    for (number, text) in &reply.0 {
        let first = text.split_whitespace().next().unwrap_or("");
        match *number {
            code::ROUTE if first.contains('/') => {
                let prefix = first.parse::<VipPrefix>();
                is_single = prefix.is_ok();
                found.extend(prefix.ok().map(|prefix| (prefix, Vec::new())));
            }
            code::ATTRIBUTES if is_single && is_communities(first) => {
                if let Some((_, communities)) = found.last_mut() {
                    communities.extend(pairs(text));
                }
            }
            _ => {}
        }
    }
    found
}

/// BIRD 3 writes the name in lower case.
fn is_communities(name: &str) -> bool {
    ["BGP.community:", "bgp_community:"].contains(&name)
}

/// `(64512,4242) (65535,0)`.
fn pairs(text: &str) -> impl Iterator<Item = (u16, u16)> {
    text.split('(').skip(1).filter_map(|text| {
        let (high, low) = text.split_once(')')?.0.split_once(',')?;
        Some((high.trim().parse().ok()?, low.trim().parse().ok()?))
    })
}

/// The BGP protocols of a `show protocols` whose session is established.
pub(super) fn established(reply: &BirdReply) -> Vec<String> {
    let rows = reply
        .0
        .iter()
        .filter(|(number, _)| [code::PROTOCOL, code::PROTOCOLS_HEADER].contains(number));
    let names = rows.filter_map(|(_, row)| {
        let columns: Vec<_> = row.split_whitespace().collect();
        let is_established =
            columns.get(1) == Some(&"BGP") && columns.last() == Some(&"Established");
        is_established.then(|| columns[0].to_owned())
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(lines: &[(u16, &str)]) -> BirdReply {
        BirdReply(lines.iter().map(|(number, text)| (*number, (*text).to_owned())).collect())
    }

    #[test]
    fn routes_have_their_communities() {
        let found = routes(&reply(&[
            (1007, "Table master4:"),
            (1007, "192.0.2.2/32         blackhole [maglev4 09:12:19.061] * (200)"),
            (1008, "\tType: static univ"),
            (1012, "\tBGP.community: (64512,4242) (65535,0)"),
            (1007, "192.0.2.0/24         blackhole [maglev4 09:12:19.061] * (200)"),
            (1012, "\tBGP.community: (64512,1)"),
            (1007, "2001:db8::1/128      blackhole [maglev6 09:12:19.061] * (200)"),
            (0, ""),
        ]));
        let expected = [
            ("192.0.2.2/32".parse().unwrap(), vec![(64512, 4242), (65535, 0)]),
            ("2001:db8::1/128".parse().unwrap(), vec![]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn sessions_that_stand_are_known() {
        let found = established(&reply(&[
            (2002, "Name       Proto      Table      State  Since         Info"),
            (1002, "device1    Device     ---        up     09:12:19.061  "),
            (1002, "r4         BGP        ---        up     2026-11-28 09:12:19  Established   "),
            (1002, "r5         BGP        ---        start  09:12:19.061  Idle          "),
            (1002, "Established Static    master4    up     09:12:19.061  "),
            (0, ""),
        ]));
        assert_eq!(found, ["r4"]);
    }
}
