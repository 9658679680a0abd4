//! Files broken at random are refused or keep every law; the reader never
//! panics over them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use proptest::prelude::*;
use vpp_maglev::config::{self, LoadError};
use vpp_maglev::domain::config::Config;
use vpp_maglev::domain::dataplane::net::{Encap, Service};
use vpp_maglev::domain::resolution::IpFamily;

use super::{DEMO, EXAMPLE};

/// Every law that an accepted configuration keeps and that its types leave
/// open; the first that `config` breaks.
pub(crate) fn law(config: &Config) -> Option<String> {
    let millis = |duration: std::time::Duration| duration.as_millis();
    for (name, check) in &config.checks {
        let timing = &check.timing;
        let shortest = timing.interval.min(timing.fast_interval).min(timing.down_interval);
        if millis(shortest) < 10 || timing.timeout.is_zero() {
            return Some(format!("{name} is in too much of a hurry"));
        }
        if timing.rise.get() > 1000 || timing.fall.get() > 1000 {
            return Some(format!("{name} never makes up its mind"));
        }
    }
    for (name, backend) in &config.backends {
        if backend.check.as_ref().is_some_and(|check| !config.checks.contains_key(check)) {
            return Some(format!("{name} has an unknown check"));
        }
        let Some(address) = backend.address.fixed() else { continue };
        let v4_in_v6 = matches!(address, IpAddr::V6(v6) if v6.segments()[..6] == [0; 6]);
        if address.is_unspecified() || address.is_multicast() || v4_in_v6 {
            return Some(format!("{name} has an address that VPP cannot use"));
        }
    }
    let frontends: Vec<_> = config.frontends.iter().collect();
    for (index, (name, frontend)) in frontends.iter().enumerate() {
        let mut servers = BTreeSet::new();
        let mut pools = BTreeSet::new();
        for pool in &frontend.pools {
            if pool.backends.is_empty() || !pools.insert(&pool.name) {
                return Some(format!("{name} has an empty pool, or a name twice"));
            }
            for backend in pool.backends.keys() {
                let Some(backend) = config.backends.get(backend) else {
                    return Some(format!("{name} has an unknown backend"));
                };
                let v4 = backend.address.family() == IpFamily::V4;
                if v4 != (frontend.encap == Encap::Gre4) {
                    return Some(format!("{name} mixes address families"));
                }
                if !servers.insert(backend.address.to_string()) {
                    return Some(format!("{name} has a server twice"));
                }
            }
        }
        let all_ports = |service| service == Service::All;
        for (other_name, other) in &frontends[..index] {
            let same_prefix = other.vip.prefix() == frontend.vip.prefix();
            let clash = other.vip.service() == frontend.vip.service()
                || all_ports(other.vip.service()) != all_ports(frontend.vip.service())
                || other.encap != frontend.encap;
            if same_prefix && clash {
                return Some(format!("{name} and {other_name} cannot share a prefix"));
            }
        }
    }
    let lb = &config.lb;
    let conf = &lb.conf;
    let lb_is_sound = !lb.sync_interval.is_zero()
        && lb.startup_min_delay <= lb.startup_max_delay
        && (1..=120).contains(&conf.flow_timeout_s)
        && conf.sticky_buckets_per_core.is_power_of_two();
    (!lb_is_sound).then(|| "vpp.lb".to_owned())
}

/// What takes the place of a value or a line: mostly what could stand in some
/// other place, so that files get past the YAML reader.
fn splinter() -> impl Strategy<Value = String> {
    let plausible = [
        "0",
        "-1",
        "1",
        "2",
        "53",
        "100",
        "1024",
        "65536",
        "0s",
        "1ns",
        "10ms",
        "5s",
        "1m30s",
        "9999999h",
        "ok",
        "true",
        "tcp",
        "udp",
        "icmp",
        "dns",
        "https",
        "ipv6",
        "\"::\"",
        "::1",
        "::/0",
        "ff02::1",
        "192.0.2.80",
        "192.0.2.80/0",
        "2001:db8::80",
        "2001:db8:25::10",
        "127.0.1.1",
        "198.51.100.10",
        "{ address: 127.0.1.1 }",
        "{ address: 2001:db8::9 }",
        "demo",
        "web",
        "nginx0",
        "primary",
        "{ weight: 0 }",
        "{ weight: 101 }",
        "{}",
    ];
    let rude = [
        "",
        "9223372036854775808",
        "1e9",
        "''",
        "~",
        "[]",
        "[{}]",
        "{ a: {} }",
        "&x {}",
        "*x",
        "!t 1",
        "<<: 1",
        "? [",
        "- ",
        "\"",
        "|",
        ">",
        "%",
        "\t",
        "'^('",
        "é",
        "\u{feff}",
        "---",
    ];
    prop_oneof![
        8 => prop::sample::select(plausible.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(rude.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
    ]
}

/// Replaces a value, a line, or one character; drops, doubles or moves a line.
fn break_a_line(lines: &mut Vec<String>, at: prop::sample::Index, how: u8, with: &str) {
    if lines.is_empty() {
        return;
    }
    let index = at.index(lines.len());
    let line = lines[index].clone();
    match how {
        0..=5 => {
            if let Some((key, value)) = line.split_once(": ")
                && !value.is_empty()
            {
                lines[index] = format!("{key}: {with}");
            }
        }
        6 => lines[index] = format!("{}{with}", " ".repeat(line.len() - line.trim_start().len())),
        7 => drop(lines.remove(index)),
        8 => lines.insert(index, line),
        9 => lines.swap(index, 0),
        _ => lines[index] = line.replacen(|c: char| c.is_alphanumeric(), with, 1),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_broken_at_random_is_refused_or_keeps_every_law(
        example in any::<bool>(),
        breaks in prop::collection::vec((any::<prop::sample::Index>(), 0..11_u8, splinter()), 1..4),
    ) {
        let text = if example { EXAMPLE } else { DEMO };
        let mut lines: Vec<_> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .map(str::to_owned)
            .collect();
        for (at, how, with) in &breaks {
            break_a_line(&mut lines, *at, *how, with);
        }
        match config::parse(&lines.join("\n")) {
            Ok(loaded) => prop_assert_eq!(law(&loaded.config), None),
            Err(LoadError::Faults(faults)) => prop_assert!(!faults.is_empty()),
            Err(LoadError::Syntax { line, column, message }) => {
                prop_assert!(line > 0 && column > 0 && !message.is_empty());
            }
            Err(error @ (LoadError::Unreadable { .. } | LoadError::Interrupted)) => prop_assert!(false, "{}", error),
        }
    }
}
