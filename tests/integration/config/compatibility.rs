//! Files of vpp-maglev 1.0, as Go's yaml.v3 reads them: what loads as it does there,
//! and the list in `docs/migration.md` of what does not.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use vpp_maglev::config::{self, Loaded};

const MIGRATION: &str = include_str!("../../../docs/migration.md");

const FILE: &str = "\
maglev:
  healthchecker: { transition-history: 5 }
  vpp:
    lb:
      ipv4-src-address: 192.0.2.1
      ipv6-src-address: 2001:db8::1
      startup-min-delay: 5s
  healthchecks:
    web:
      type: https
      port: 443
      interval: 5s
      timeout: 2s
      fall: 3
      params: { path: / }
  backends:
    nginx0: { address: 198.51.100.10, healthcheck: web, enabled: true }
    nginx1: { address: 198.51.100.11, healthcheck: web }
  frontends:
    edge:
      address: 192.0.2.80
      pools:
        - name: primary
          backends:
            nginx0: { weight: 8 }
            nginx1: { weight: 100 }
";

/// A row of the list: what stands in place of what, and what is said of it. The first
/// is the row's own text where that can be.
enum Difference {
    Refused {
        row: &'static str,
        from: &'static str,
        to: &'static str,
        told: &'static str,
    },
    /// Read, and to another effect.
    Read {
        row: &'static str,
        from: &'static str,
        to: &'static str,
    },
}
use Difference::{Read, Refused};

/// The same text in the row and in the file.
const fn refused(from: &'static str, to: &'static str, told: &'static str) -> Difference {
    Refused { row: to, from, to, told }
}

const TYPED: [Difference; 30] = [
    refused("healthcheck: web", "healthcheck: ", "nginx0.healthcheck: has nothing behind it"),
    refused(
        "enabled: true",
        "enabled: \"yes\"",
        "invalid type: string \"yes\", expected a boolean",
    ),
    refused("weight: 8", "weight: 010", "invalid type: string \"010\", expected i64"),
    refused("weight: 8", "weight: 1e1", "invalid type: floating point `10.0`, expected i64"),
    refused("enabled: true", "enabled: !mine true", "the YAML tag !mine means nothing here"),
    Refused {
        row: "a tab behind the colon of a key",
        from: "weight: 8",
        to: "weight:\t8",
        told: "':' must be followed by a valid YAML whitespace",
    },
    Refused {
        row: "a text in quotes that goes on in a line no deeper than its key",
        from: "      address: 192.0.2.80\n",
        to: "      description: \"a\n      b\"\n      address: 192.0.2.80\n",
        told: "invalid indentation in quoted scalar",
    },
    Refused {
        row: "a second document behind `---`",
        from: "            nginx1: { weight: 100 }\n",
        to: "            nginx1: { weight: 100 }\n---\n{}\n",
        told: "a second document begins here",
    },
    refused("path: /", "no-such-key: 1", "unknown field `no-such-key`"),
    Refused {
        row: "no `ipv6-src-address`",
        from: "      ipv6-src-address: 2001:db8::1\n",
        to: "",
        told: "vpp.lb.ipv6-src-address: is missing",
    },
    refused("transition-history: 5", "transition-history: 10001", "10001 is out of range"),
    refused("interval: 5s", "interval: 5ms", "5ms is too short"),
    refused("fall: 3", "fall: 1001", "1001 is out of range"),
    Refused {
        row: "startup-max-delay: 4s",
        from: "startup-min-delay: 5s",
        to: "startup-min-delay: 5s\n      startup-max-delay: 4s",
        told: "4s is less than startup-min-delay",
    },
    Refused {
        row: "sticky-buckets-per-core: 33554432",
        from: "startup-min-delay: 5s",
        to: "sticky-buckets-per-core: 33554432",
        told: "33554432 is not a power of two from 1 to 16777216",
    },
    Refused {
        row: "a name such as `\"nginx 0\"`",
        from: "nginx0: { address",
        to: "\"nginx 0\": { address",
        told: "is not a usable name",
    },
    refused("198.51.100.10,", "\"::ffff:198.51.100.10\",", "an IPv4 address in IPv6 clothes"),
    refused("198.51.100.10,", "fe80::10,", "a link-local address"),
    refused("198.51.100.10,", "224.0.0.10,", "a multicast address"),
    Refused {
        row: "two backends of a frontend with one address",
        from: "198.51.100.11",
        to: "198.51.100.10",
        told: "198.51.100.10 is the address of nginx0 in this frontend",
    },
    refused("address: 192.0.2.80", "address: ::/0", "starts inside ::/96"),
    Refused {
        row: "two frontends with one VIP",
        from: "    edge:\n",
        to: "    core: { address: 192.0.2.80, pools: [{ name: a, backends: { nginx0: {} } }] }\n    edge:\n",
        told: "is the VIP of frontend core as well",
    },
    refused("path: /", "ssl: true", "ssl: is no parameter of https checks"),
    refused(
        "path: /",
        "server-name: \"*.example.org\"",
        "is not a name that a certificate is asked for",
    ),
    refused("path: /", "host: \"*.example.org\"", "add server-name"),
    refused("path: /", "response-code: 103", "is not the response code of an answer"),
    refused("path: /", "response-regexp: '\\Qok\\E'", "does not compile"),
    refused("path: /", "response-regexp: '[ab]*a[ab]{500}c'", "to match 64 KiB"),
    Read { row: "response-regexp: '^\\d$'", from: "path: /", to: "response-regexp: '^\\d$'" },
    Read { row: "no `startup-min-delay`", from: "      startup-min-delay: 5s\n", to: "" },
];

/// Rows about the file as a whole, tried by tests of their own below and in `bounds`.
const WHOLE: [&str; 3] =
    ["no line end at the end", "UTF-16", "more than 32 MiB, 4 000 000 values or 64 levels of them"];

/// The first cells of the list.
fn listed() -> BTreeSet<String> {
    let (_, section) = MIGRATION.split_once("\n## The file\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.map(|row| row.split(" | ").next().unwrap());
    // Without the head. A cell that is all code is compared without its quotes.
    let code = |cell: &str| cell.strip_prefix('`')?.strip_suffix('`').map(str::to_owned);
    cells.skip(1).map(|cell| code(cell).unwrap_or_else(|| cell.to_owned())).collect()
}

fn with(from: &str, to: &str) -> String {
    let text = FILE.replacen(from, to, 1);
    assert_ne!(text, FILE, "{from} is not in the file");
    text
}

#[test]
fn the_list_of_differences_is_that_of_the_parser() {
    assert_eq!(config::parse(FILE).unwrap().warnings, []);
    let mut tried: BTreeSet<String> = WHOLE.map(str::to_owned).into();
    for difference in TYPED {
        let (row, text) = match difference {
            Refused { row, from, to, told } => {
                let text = with(from, to);
                let error = config::parse(&text).expect_err(row).to_string();
                assert!(error.contains(told), "{row}: {error}");
                (row, text)
            }
            Read { row, from, to } => {
                let text = with(from, to);
                config::parse(&text).expect(row);
                (row, text)
            }
        };
        assert_ne!(text, FILE);
        tried.insert(row.trim_end_matches([',', ' ']).to_owned());
    }
    assert_eq!(listed(), tried);
}

#[test]
fn what_is_read_to_another_effect() {
    let without = config::parse(&with("      startup-min-delay: 5s\n", "")).unwrap().config;
    assert_eq!(without.lb.startup_min_delay, Duration::ZERO);
    assert_eq!(config::parse(FILE).unwrap().config.lb.startup_min_delay, Duration::from_secs(5));
    assert!(regex::Regex::new(r"^\d$").unwrap().is_match("٣"), "any digit of Unicode");
}

#[test]
fn a_file_that_is_not_whole_or_not_utf_8_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maglev.yaml");
    let told = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        config::load(&path).unwrap_err().to_string()
    };
    // Cut off at any place but a line's end.
    for size in 1..FILE.len() {
        let cut = &FILE[..size];
        if !cut.ends_with('\n') {
            let last = cut.lines().last().unwrap();
            let place = format!("line {}, column {}: ", cut.lines().count(), last.len() + 1);
            let told = told(cut.as_bytes());
            assert!(told.starts_with(&format!("{place}the last line has no end")), "{told}");
        }
    }
    let utf_16: Vec<_> = FILE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf_16 = [&b"\xff\xfe"[..], &utf_16].concat();
    assert!(told(&utf_16).starts_with("cannot be read: line 1 is not UTF-8"));
    assert!(told(&[b' '; (32 << 20) + 1]).starts_with("cannot be read: it is larger than 32 MiB"));
    fs::write(&path, FILE).unwrap();
    assert!(config::load(&path).is_ok());
}

/// A file as people write them for 1.0.
#[test]
fn merge_keys_anchors_at_the_top_and_words_for_booleans_load() {
    let text = "\
x-timing: &timing
  interval: 5s
  timeout: 2s
x-http: &http
  type: http
  port: 80
  interval: 9s
  params: { path: /healthz }
maglev:
  vpp:
    lb: { ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1 }
  healthchecks:
    web: &web
      <<: [*timing, *http]
      rise: 4
    slow:
      <<: *web
      timeout: 4s
      params: { path: /slow }
  backends:
    nginx0: &nginx { address: 198.51.100.10, healthcheck: web, enabled: yes }
    nginx1: { <<: *nginx, address: 198.51.100.11, enabled: Off, healthcheck: slow }
  frontends:
    edge: &edge
      address: 192.0.2.80
      src-ip-sticky: on
      flush-on-down: n
      pools:
        - name: primary
          backends: &members { nginx0: { weight: 1_0 } }
        - name: backup
          backends: { nginx1: {} }
    edge6: { <<: *edge, address: 2001:db8::80, description: six }
";
    let plain = "\
maglev:
  vpp:
    lb: { ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1 }
  healthchecks:
    web: { type: http, port: 80, interval: 5s, timeout: 2s, rise: 4, params: { path: /healthz } }
    slow: { type: http, port: 80, interval: 5s, timeout: 4s, rise: 4, params: { path: /slow } }
  backends:
    nginx0: { address: 198.51.100.10, healthcheck: web }
    nginx1: { address: 198.51.100.11, enabled: false, healthcheck: slow }
  frontends:
    edge:
      address: 192.0.2.80
      src-ip-sticky: true
      flush-on-down: false
      pools:
        - { name: primary, backends: { nginx0: { weight: 10 } } }
        - { name: backup, backends: { nginx1: {} } }
    edge6:
      address: 2001:db8::80
      description: six
      src-ip-sticky: true
      flush-on-down: false
      pools:
        - { name: primary, backends: { nginx0: { weight: 10 } } }
        - { name: backup, backends: { nginx1: {} } }
";
    let Loaded { config, warnings } = config::parse(text).unwrap();
    assert_eq!((config, warnings), (config::parse(plain).unwrap().config, vec![]));
    // What is passed over stands at the top, and nowhere else.
    let nested = text.replace("maglev:\n", "maglev:\n  x-more: {}\n");
    let message = config::parse(&nested).unwrap_err().to_string();
    assert!(message.contains("maglev: unknown field `x-more`"), "{message}");
}
