//! What the documents promise of a check's values, held against the file's parser and
//! against a probe of a peer that answers so.

use std::collections::BTreeSet;
use std::fmt::Write;

use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::net::UdpSocket;
use vpp_maglev::config;
use vpp_maglev::domain::config::CheckKind;
use vpp_maglev::probe::{Probe, ThreadResources};

use super::GUIDE;
use crate::support::probe::*;

const CHECKS: &str = include_str!("../../../docs/healthchecks.md");

/// The cells of a parameter's row: types, default, rule.
fn row(key: &str) -> Vec<&'static str> {
    let row = GUIDE.lines().find(|line| line.starts_with(&format!("| `{key}` |"))).expect(key);
    row.split('|').map(str::trim).collect()
}

/// The words in code.
fn words(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The check of a file that has these parameters; `None` if it is refused.
fn accepted(kind: &str, params: &str) -> Option<CheckKind> {
    let text = format!(
        "maglev:\n  vpp: {{ lb: {{ ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1 }} }}\n  \
         healthchecks:\n    c: {{ type: {kind}, port: 1, interval: 1s, timeout: 1s, params: {{ {params} }} }}\n"
    );
    let loaded = config::parse(&text).ok()?;
    loaded.config.checks.values().next().map(|check| check.kind.clone())
}

/// The same at the port of `to`.
fn at(mut kind: CheckKind, to: std::net::SocketAddr) -> CheckKind {
    match &mut kind {
        CheckKind::Http { port, .. } | CheckKind::Dns { port, .. } => {
            *port = to.port().try_into().unwrap();
        }
        _ => {
            panic!("{kind:?} is not asked about here")
        }
    }
    kind
}

/// A name server that answers with the response code that the name's first label says,
/// and NOERROR with a record of the type that is asked for.
async fn name_server() -> std::net::SocketAddr {
    let server = UdpSocket::bind((V4, 0)).await.unwrap();
    let to = server.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        let mut buffer = [0; 512];
        while let Ok((size, from)) = server.recv_from(&mut buffer).await {
            let mut answer = buffer[..size].to_vec();
            let label = &buffer[13..13 + usize::from(buffer[12])];
            let rcode: u8 =
                std::str::from_utf8(label).unwrap().trim_start_matches('r').parse().unwrap();
            answer[2] |= 0x80;
            answer[3] = rcode;
            if rcode == 0 {
                answer[7] = 1;
                answer.extend(b"\xc0\x0c");
                // ANY is asked for, and is the type of no record.
                let (kind, class) = (&buffer[size - 4..size - 2], &buffer[size - 2..size]);
                answer.extend(if kind == [0, 255] { &[0, 1] } else { kind });
                answer.extend(class);
                // Four bytes that mean something as an address only; no check reads them.
                answer.extend(b"\0\0\0\x3c\0\x04\xc0\0\x02\x01");
            }
            server.send_to(&answer, from).await.unwrap();
        }
    });
    to
}

#[test]
fn every_record_type_that_is_promised_can_be_asked_for() {
    let mut promised = words(row("record")[4]);
    // Any other is written by its number.
    assert!(promised.remove("TYPE"), "{promised:?}");
    assert!(promised.len() > 30, "{promised:?}");
    promised.extend(["TYPE257", "TYPE65280"].map(str::to_owned));
    local(async {
        let (to, shared) = (name_server().await, ThreadResources::new());
        for record in &promised {
            let kind = accepted("dns", &format!("query: r0.example, record: {record}"));
            let kind = at(kind.unwrap_or_else(|| panic!("{record} is refused")), to);
            assert_found(kind, V4, &shared, "L7OK NOERROR").await;
        }
    });
    let known = vpp_maglev::domain::dns::RECORD_TYPES.map(|(name, _)| name.to_owned());
    let named: BTreeSet<_> =
        promised.into_iter().filter(|name| !name.starts_with("TYPE")).collect();
    assert_eq!(named, known.into());
    for refused in ["AXFR", "IXFR", "OPT", "TSIG", "TYPE0", "TYPE41", "TYPE252", "NOSUCH"] {
        assert_eq!(
            accepted("dns", &format!("query: a.example, record: {refused}")),
            None,
            "{refused}"
        );
    }
}

#[test]
fn every_response_code_of_the_dns_that_is_promised_passes() {
    let promised = words(row("expect-rcode")[4]);
    let (_, sentence) = CHECKS.split_once("The response code must be `expect-rcode`:").unwrap();
    let sentence = sentence.split('.').next().unwrap().replace(" or ", ", ");
    let explained: BTreeSet<_> = sentence.split(',').map(|word| word.trim().to_owned()).collect();
    assert_eq!(promised, explained, "the two documents");
    assert_eq!(promised, vpp_maglev::domain::dns::RCODES.map(str::to_owned).into());
    local(async {
        let (to, shared) = (name_server().await, ThreadResources::new());
        for (number, rcode) in vpp_maglev::domain::dns::RCODES.iter().enumerate() {
            let kind = accepted("dns", &format!("query: r{number}.example, expect-rcode: {rcode}"));
            let kind = at(kind.unwrap_or_else(|| panic!("{rcode} is refused")), to);
            assert_found(kind, V4, &shared, &format!("L7OK {rcode}")).await;
        }
    });
    for refused in ["BADVERS", "RCODE11", "0", "OK"] {
        let params = format!("query: a.example, expect-rcode: {refused}");
        assert_eq!(accepted("dns", &params), None, "{refused}");
    }
}

#[test]
fn every_response_code_of_http_that_is_promised_passes_and_no_other_is_accepted() {
    // `101`, a code from `200` to `599`, or a range such as `200-299`
    let promised = words(row("response-code")[4]);
    let expected: BTreeSet<_> = ["101", "200", "599", "200-299"].map(str::to_owned).into();
    assert_eq!(promised, expected);
    local(async {
        let shared = ThreadResources::new();
        for status in std::iter::once(101).chain(200..=599) {
            let server = listen(V4, move |mut stream| async move {
                request(&mut stream).await;
                let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            })
            .await;
            let kind = accepted("http", &format!("response-code: {status}"));
            let kind = at(kind.unwrap_or_else(|| panic!("{status} is refused")), server);
            let found = probe(kind, V4, &shared).await.to_string();
            assert!(found.starts_with(&format!("L7OK {status}")), "{found}");
        }
    });
    for status in [0, 99, 100].into_iter().chain(102..200).chain([600, 999, 1000]) {
        assert_eq!(accepted("http", &format!("response-code: {status}")), None, "{status}");
    }
    for range in ["200-299", "100-399", "101-101", "'200,204'", "[200, 300-302]"] {
        assert!(accepted("http", &format!("response-code: {range}")).is_some(), "{range}");
    }
    for range in ["102-103", "299-200", "200-600", "99-200", "200,103"] {
        assert_eq!(accepted("http", &format!("response-code: \"{range}\"")), None, "{range}");
    }
}

#[test]
fn what_is_accepted_for_names_can_be_asked_for() {
    local(async {
        let (to, shared) = (name_server().await, ThreadResources::new());
        for query in ["r0.a_b.test", "r0.-a.test", "r0.xn--a.test", "r0.test.", "r0.1"] {
            let kind = at(accepted("dns", &format!("query: {query}")).expect(query), to);
            assert_found(kind, V4, &shared, "L7OK NOERROR").await;
        }
    });
    for query in ["a..b", "*.a", "\"a b\"", "bücher.example", "\"\""] {
        assert_eq!(accepted("dns", &format!("query: {query}")), None, "{query}");
    }
}

thread_local! {
    /// Shared by all cases: TLS reads the system's roots.
    static RESOURCES: ThreadResources = ThreadResources::new();
}

/// Names, addresses, paths, codes and what is nearly one.
fn value() -> impl Strategy<Value = String> {
    let near = [
        "/",
        "a.example",
        "a.example.",
        "*.example",
        ".example",
        "a_b.test",
        "-a.test",
        "xn--a.test",
        "a.example:443",
        "[::1]:443",
        "[::1",
        "::1",
        "192.0.2.1",
        "192.0.2.300",
        "fe80::1%1",
        ".",
        "a..b",
        "bücher.example",
        "http://a/",
        "u@a",
        "200",
        "100-200",
        "103",
        "204",
        "a",
        "A",
        "TYPE257",
        "TYPE41",
        "NOERROR",
        "notauth",
        "\u{ad}",
        "\0",
        "(?-u)\\xff",
        "^$",
        "\\Qa\\E",
    ];
    prop_oneof![
        3 => prop::sample::select(near.to_vec()).prop_map(str::to_owned),
        1 => "[-a-z0-9_.:*/%@\\[\\] é]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_file_may_say_a_probe_can_be_made_of(
        (kind, keys) in prop::sample::select(vec![
            ("tcp", &["server-name"][..]),
            ("http", &["path", "host", "response-code", "response-regexp"]),
            ("https", &["path", "host", "server-name", "response-code", "response-regexp"]),
            ("dns", &["query", "record", "expect-rcode", "expect-answer"]),
        ]),
        values in prop::collection::vec(prop::option::of(value()), 5),
        name in value(),
    ) {
        let mut params = if kind == "tcp" { "ssl: true, ".to_owned() } else { String::new() };
        for (key, value) in keys.iter().zip(&values) {
            if let Some(value) = value {
                write!(params, "{key}: {}, ", serde_json::to_string(value).unwrap()).unwrap();
            }
        }
        let name = serde_json::to_string(&name).unwrap();
        let text = format!(
            "maglev:\n  vpp: {{ lb: {{ ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1 }} }}\n  \
             healthchecks: {{ c: {{ type: {kind}, port: 7, interval: 1s, timeout: 1s, params: {{ {params} }} }} }}\n  \
             backends:\n    a: {{ address: 2001:db8::7, healthcheck: c }}\n    b: {{ address: 192.0.2.7, healthcheck: c }}\n"
        );
        for text in [&text, &format!("{text}    n: {{ address: {name}, resolve: ipv4, healthcheck: c }}\n")] {
            let Ok(loaded) = config::parse(text) else { continue };
            for backend in loaded.config.backends.values() {
                let check = &loaded.config.checks[backend.check.as_ref().unwrap()];
                let check = match backend.address.name() {
                    Some(host) => check.of_host(host),
                    None => (**check).clone(),
                };
                let address = backend.address.fixed().unwrap_or(V4);
                let prepared = RESOURCES.with(|resources| Probe::prepare(&check, address, resources).map(drop));
                prop_assert!(prepared.is_ok(), "{prepared:?} of {text}");
            }
        }
    }
}
