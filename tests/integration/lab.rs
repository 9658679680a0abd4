//! The parts of the lab (`benches/lab`) that decide: what is in GRE, what maglevt
//! wrote, and what is over its bound.

#[path = "../../benches/lab/configuration.rs"]
#[allow(dead_code, reason = "the lab uses the rest")]
mod configuration;
#[path = "../../benches/lab/gre.rs"]
mod gre;
#[path = "../../benches/lab/record.rs"]
mod record;
#[path = "../../benches/lab/row.rs"]
mod row;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use configuration::{Configuration, SERVERS, VIP};
use gre::{GreError, Inner, decapsulate};
use proptest::prelude::*;
use record::Record;
use row::{Bound, Counted, Finding, Row, Unavoidable};

/// A packet to the VIP in GRE, as VPP sends one to a server.
fn tunnelled() -> Vec<u8> {
    let outer = [0x45, 0, 0, 44, 0, 0, 0, 0, 254, 47, 0, 0, 192, 0, 2, 1, 10, 2, 1, 2];
    let gre = [0, 0, 8, 0];
    let inner = [0x45, 0, 0, 20, 0, 1, 0x40, 0, 63, 6, 0, 0, 10, 1, 0, 2, 192, 0, 2, 80];
    [&outer[..], &gre, &inner].concat()
}

#[test]
fn a_packet_is_taken_out_of_gre() {
    let outer = tunnelled();
    let destination = Ipv4Addr::new(192, 0, 2, 80);
    assert_eq!(decapsulate(&outer), Ok(Inner { packet: &outer[24..], destination }));

    // With an option in the outer header.
    let mut longer = outer.clone();
    longer[0] = 0x46;
    longer.splice(20..20, [1; 4]);
    assert_eq!(decapsulate(&longer), Ok(Inner { packet: &outer[24..], destination }));
}

#[test]
fn what_is_no_packet_in_gre_is_refused_with_its_reason() {
    let with = |place: usize, value: u8| {
        let mut packet = tunnelled();
        packet[place] = value;
        packet
    };
    for (packet, error) in [
        (vec![], GreError::Short(0)),
        (tunnelled()[..23].to_vec(), GreError::Short(23)),
        (tunnelled()[..43].to_vec(), GreError::Short(43)),
        (with(0, 0x65), GreError::Short(44)),
        (with(0, 0x44), GreError::Short(44)),
        (with(24, 0x65), GreError::Short(44)),
        (with(9, 6), GreError::NotGre(6)),
        (with(20, 0x80), GreError::Flags(0x8000)),
        (with(23, 0xdd), GreError::NotIpv4(0x08dd)),
    ] {
        assert_eq!(decapsulate(&packet), Err(error), "{packet:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_decapsulated_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
        first in prop_oneof![Just(0x45u8), any::<u8>()],
    ) {
        let mut bytes = bytes;
        if let [head, _, _, _, _, _, _, _, _, protocol, ..] = &mut bytes[..] {
            (*head, *protocol) = (first, 47);
        }
        if let Ok(inner) = decapsulate(&bytes) {
            prop_assert!(bytes.ends_with(inner.packet));
            prop_assert_eq!(&inner.packet[16..20], inner.destination.octets());
        }
    }
}

#[test]
fn the_records_of_the_tester_are_read() {
    let vip = r#""vip":"192.0.2.80:7","held_open":99,"broken_slots":3,"broken":5,"moved":2,
        "failed":{"reset":4,"timeout":1},"longest_gap_ms":620,
        "held_tally":{"one":20,"two":41,"three":38}"#;
    let line = |kind: &str| format!(r#"{{"type":"{kind}","vips":[{{{vip}}}]}}"#);
    assert_eq!(Record::parse(&line("interval")), Some(Record::Interval { held_open: 99 }));
    let gap = Duration::from_millis(620);
    let counted = Counted { broken: 3, breaks: 5, moved: 2, failed: 5, gap, fullest: 41 };
    assert_eq!(Record::parse(&line("summary")), Some(Record::Summary(counted)));
    assert_eq!(Record::parse(r#"{"type":"event","what":"broken"}"#), Some(Record::Other));
    assert_eq!(Record::parse(r#"{"type":"summary","vips":[]}"#), None);
    assert_eq!(Record::parse("the VIP cannot be reached"), None);
}

#[test]
fn a_row_allows_its_bound_and_what_nobody_could_keep() {
    let gap = Duration::from_millis;
    let bound = Bound { broken: 1, failed: 10, gap: gap(500), fullest: 50 };
    let unavoidable = Unavoidable { held: 33, away: gap(2000) };
    let all = bound.with(unavoidable);
    assert_eq!(all, Bound { broken: 34, failed: 110, gap: gap(2500), fullest: 50 });
    let most =
        Counted { broken: 34, breaks: 34, moved: 7, failed: 110, gap: gap(2500), fullest: 50 };
    assert!(all.holds(most));
    for over in [
        Counted { broken: 35, ..most },
        Counted { failed: 111, ..most },
        Counted { gap: gap(2501), ..most },
        Counted { fullest: 51, ..most },
    ] {
        assert!(!all.holds(over), "{over:?}");
        let row = Row { what: "VPP is killed", counted: over, findings: vec![], bound: all };
        assert!(!row.is_ok() && row.to_string().ends_with("| **no** |"));
    }
    // There are not more of them.
    assert_eq!(bound.with(Unavoidable { held: 120, ..unavoidable }).broken, 100);
    let row = Row { what: "VPP is killed", counted: most, findings: vec![], bound: all };
    let text = "| VPP is killed | 34 | 7 | 110 | 2.50 s | 50 | 34, 110, 2.50 s, 50 | yes |";
    assert_eq!(row.to_string(), text);
    let row = Row { counted: Counted { breaks: 40, ..most }, ..row };
    assert!(row.to_string().contains("| 34 (40 times) | 7 |"));
    let found = |what: &str, is_ok| Finding { what: what.into(), is_ok };
    let findings = vec![found("one thing", true), found("another", false)];
    let row = Row { findings, ..row };
    assert!(!row.is_ok() && row.to_string().ends_with("| **no** |"));
    assert!(
        row.to_string()
            .starts_with("| VPP is killed; one thing; another (**no**) | 34 (40 times) |")
    );
    let columns = |text: &str| text.lines().next().unwrap().matches('|').count();
    assert_eq!(columns(Row::HEAD), columns(text));
}

/// Name, what is done, and what may break of each scenario, as the table of the
/// lab has them.
fn scenarios() -> Vec<[String; 6]> {
    let bounds_source = read("benches/lab/scenario.rs");
    let source = read("benches/lab/scenarios.rs");
    let bounds =
        regex::Regex::new(r"const (\w+): Bound = bound\((\d+), (\d+), (\d+), (\d+)\)").unwrap();
    let bounds: HashMap<_, _> = bounds
        .captures_iter(&bounds_source)
        .map(|found| (found[1].to_owned(), [2, 3, 4, 5].map(|group| found[group].to_owned())))
        .collect();
    let table = source.split_once("SCENARIOS: &[Scenario]").unwrap().1;
    let scenarios = table.split("    Scenario {\n").skip(1).map(|scenario| {
        let field = |name: &str| {
            let rest = scenario.split_once(&format!("        {name}: ")).map(|(_, rest)| rest);
            rest.map(|rest| rest.split(",\n").next().unwrap().trim_matches('"').to_owned())
        };
        let bound = field("bound").unwrap_or("NOTHING".into());
        let [broken, failed, gap, most] = bounds[&bound].clone();
        [field("name").unwrap(), field("what").unwrap(), broken, failed, format!("{gap} ms"), most]
    });
    scenarios.collect()
}

#[test]
fn the_document_has_every_scenario_with_its_bound() {
    let document = read("docs/lab.md");
    let rows = document.lines().filter(|line| line.starts_with("| `") && line.contains(" ms |"));
    let documented: Vec<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, rest @ ..] = &cells[..] else { panic!("{row}") };
            let cells = [&[name.trim_matches('`')], rest].concat();
            <[&str; 6]>::try_from(cells).unwrap().map(str::to_owned)
        })
        .collect();
    assert!(documented.len() > 20, "the table of docs/lab.md is not understood");
    assert_eq!(documented, scenarios());
}

fn read(path: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn the_configuration_of_the_lab_is_one_that_the_daemon_takes() {
    let mut of = Configuration::QUICK;
    (of.weights, of.prefix, of.slow_start) = ([20, 50, 0, 100], "www", 20);
    for of in [Configuration::QUICK, of] {
        let loaded = vpp_maglev::config::parse(&of.yaml()).unwrap();
        assert_eq!(loaded.warnings.len(), 0);
        let frontend = &loaded.config.frontends.values().next().unwrap();
        assert_eq!(frontend.pools.len(), 2);
        assert_eq!(loaded.config.backends.len(), SERVERS);
        assert!(of.yaml().contains(VIP));
        assert!(loaded.config.backends.keys().any(|name| name.to_string() == of.backend(3)));
    }
}
