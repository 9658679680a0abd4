//! CLI texts: every value that is read of a text stands in it, once and in its
//! place; what is not understood makes the listing incomplete; and what VPP would
//! print of an entry is read as that entry, also when the text is cut short.

mod vpp;

use vpp_maglev::domain::dataplane::net::Service;
use vpp_maglev::vpp::cli_text::{VipText, parse_clients, parse_vips};

use super::input::Input;

/// The input: a text, or a 0 and the values of a listing.
///
/// # Panics
/// If a value was made up, or a listing with something left out is complete.
pub fn check(data: &[u8]) {
    match data.split_first() {
        Some((0, values)) => listing(Input::new(values)),
        _ => text(&String::from_utf8_lossy(data)),
    }
}

/// A listing as VPP prints it is read whole, and its start holds nothing else.
fn listing(mut input: Input<'_>) {
    let cut = input.word() as usize;
    let verbose = input.byte() & 1 == 1;
    let mut entries = Vec::new();
    while !input.is_empty() && entries.len() < 8 {
        entries.push(vpp::entry(&mut input, verbose));
    }
    let text = vpp::print(&entries);
    let read = parse_vips(&text);
    assert!(read.complete, "{text}");
    assert_eq!(read.entries, entries, "{text}");

    // All that is printed is ASCII.
    let start = &text[..cut % (text.len() + 1)];
    let read = parse_vips(start).entries;
    assert!(entries.starts_with(&read), "{start:?} gives {read:?}");
}

fn text(text: &str) {
    let listing = parse_vips(text);
    // A last line without its end may be incomplete: it is not read.
    let (whole, unfinished) = text.rsplit_once('\n').unwrap_or(("", text));
    let blocks = blocks(whole);
    let mut entries = listing.entries.iter();
    let mut refused = usize::from(!unfinished.trim().is_empty());
    for block in &blocks {
        // A block is read the same without its neighbours.
        let alone = parse_vips(&block.iter().map(|line| format!("{line}\n")).collect::<String>());
        assert_eq!(alone.complete, alone.entries.len() == 1, "{block:?}");
        match alone.entries.as_slice() {
            [] => refused += 1,
            [entry] => {
                assert_eq!(entries.next(), Some(entry), "{block:?}");
                account(entry, block);
            }
            more => panic!("one block and {} entries: {block:?}", more.len()),
        }
    }
    assert_eq!(entries.next(), None, "an entry of no block");
    assert_eq!(listing.complete, refused == 0, "{refused} of {} were refused", blocks.len());

    let (verbose, brief): (Vec<_>, Vec<_>) =
        listing.entries.into_iter().partition(|entry| entry.verbose.is_some());
    for entries in [verbose, brief] {
        let again = parse_vips(&vpp::print(&entries));
        assert!(again.complete, "{entries:?}");
        assert_eq!(again.entries, entries);
    }

    for client in parse_clients(text) {
        let stands = |line: &str| {
            let rest = line.trim().strip_prefix(&client.name).map(str::trim_start);
            rest.is_some_and(|rest| rest.parse() == Ok(client.descriptor))
        };
        assert!(text.lines().any(stands), "{client:?} is in no line");
    }
}

/// Lines that belong together: those two spaces from the margin belong to the
/// line above them that is not.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        match blocks.last_mut() {
            Some(block) if line.starts_with("  ") => block.push(line),
            _ => blocks.push(vec![line]),
        }
    }
    blocks
}

/// Every word of a block is in the entry, or known to be no part of it.
fn account(entry: &VipText, block: &[&str]) {
    let mut words: Vec<&str> = Vec::new();
    let mut servers = 0;
    let mut counters = false;
    for line in block {
        let was_counters = counters;
        counters |= line.ends_with("counters:");
        if !was_counters {
            let line = line.strip_suffix("counters:").unwrap_or(line);
            words.extend(line.split_whitespace());
        } else if line.trim_start().starts_with("#as:") {
            words.extend(line.split_whitespace());
        } else if words.iter().any(|word| word.starts_with("#as:")) {
            servers += 1;
        } else {
            let count = line.rsplit_once(": ").map(|(_, count)| count.parse::<u64>());
            assert!(matches!(count, Some(Ok(_))), "{line:?} counts nothing");
        }
    }
    assert_eq!(counters, entry.verbose.is_some());
    assert!(u32::try_from(entry.servers).is_ok(), "VPP cannot hold {} servers", entry.servers);

    let family = if entry.vip.prefix().addr().is_ipv4() { "ip4" } else { "ip6" };
    let (kind, mut rest) = words.split_first().unwrap_or((&"", &[]));
    assert_eq!(*kind, format!("{family}-{}", vpp::encap(entry.encap)));
    if let Some(verbose) = &entry.verbose {
        assert_eq!(servers, entry.servers, "{block:?}");
        assert!(verbose.servers.as_ref().is_none_or(|known| known.len() == servers));
        let slot = rest[0].strip_prefix('[').and_then(|slot| slot.strip_suffix(']'));
        assert_eq!(slot.map(str::parse), Some(Ok(verbose.pool_index)));
        rest = &rest[1..];
        assert_eq!(times(rest, "src_ip_sticky"), usize::from(verbose.src_ip_sticky));
    }
    let prefix: ipnet::IpNet = rest[0].parse().unwrap_or_else(|_| panic!("{block:?}"));
    assert_eq!(entry.vip.prefix(), prefix.trunc());
    assert_eq!(times(rest, "removed"), usize::from(entry.removed));

    // NAT's own port follows its type.
    let nat = rest.iter().position(|word| word.starts_with("type:")).unwrap_or(rest.len());
    let key = &rest[..nat];
    assert_eq!(values(rest, "new_size"), [u64::from(entry.table_length)], "{block:?}");
    assert_eq!(values(rest, "#as"), [entry.servers as u64], "{block:?}");
    let (protocols, ports) = match entry.vip.service() {
        Service::All => (vec![], vec![]),
        Service::Port { protocol, port } => {
            (vec![u64::from(protocol)], vec![u64::from(port.get())])
        }
    };
    assert_eq!(values(rest, "protocol"), protocols, "{block:?}");
    assert_eq!(values(key, "port"), ports, "{block:?}");
    for word in &rest[1..] {
        let name = word.split_once(':').map_or(*word, |(name, _)| name);
        let known =
            ["new_size", "#as", "removed", "protocol", "port", "dscp", "type", "target_port"];
        let sticky = name == "src_ip_sticky" && entry.verbose.is_some();
        assert!(known.contains(&name) || sticky, "{word:?} is not understood: {block:?}");
    }
}

fn times(words: &[&str], wanted: &str) -> usize {
    words.iter().filter(|word| **word == wanted).count()
}

/// The numbers that stand behind `name:`.
fn values(words: &[&str], name: &str) -> Vec<u64> {
    let of = |word: &&str| word.strip_prefix(name)?.strip_prefix(':')?.parse().ok();
    words.iter().filter_map(of).collect()
}
