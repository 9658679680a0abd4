//! Fingerprints of configurations: equal where the files mean the same, and of each object
//! different where they do not.

use vpp_maglev::config::parse;
use vpp_maglev::domain::fingerprint::{ConfigFingerprint, of_config};

const FILE: &str = "
maglev:
  healthchecker: {transition-history: 5, doubt-limit: 5s, witnesses: [192.0.2.1, '192.0.2.2:53']}
  vpp: {lb: {ipv4-src-address: 192.0.2.9, ipv6-src-address: '2001:db8::9', sync-interval: 30s}}
  healthchecks:
    web: {type: http, port: 80, interval: 1s, timeout: 500ms, params: {path: /a}}
    ping: {type: icmp, interval: 2s, timeout: 1s}
  backends:
    one: {address: 10.0.0.1, healthcheck: web}
    two: {address: 10.0.0.2, healthcheck: ping, enabled: false}
    three: {address: 10.0.0.3}
  frontends:
    www: {address: 192.0.2.80, protocol: tcp, port: 80, pools: [{name: main, backends: {one: {}, two: {weight: 50}}}, {name: spare, backends: {three: {}}}]}
    api: {address: '2001:db8::80', protocol: udp, port: 53, pools: [{name: main, backends: {three: {}}}]}
";

fn of(file: &str) -> ConfigFingerprint {
    match parse(file) {
        Ok(loaded) => of_config(&loaded.config),
        Err(error) => panic!("{error}\n{file}"),
    }
}

/// The objects that differ, as `kind name`; those that only one has, too.
fn differing(file: &str) -> Vec<String> {
    let (before, after) = (of(FILE), of(file));
    let objects = before.objects.iter().chain(&after.objects);
    let mut named: Vec<_> = objects.map(|it| (it.kind, it.name.clone())).collect();
    named.sort();
    named.dedup();
    let find = |all: &ConfigFingerprint, (kind, name): &(_, String)| {
        let found = all.objects.iter().find(|it| it.kind == *kind && it.name == *name);
        found.map(|it| it.fingerprint)
    };
    named.retain(|object| find(&before, object) != find(&after, object));
    let names: Vec<_> =
        named.iter().map(|(kind, name)| format!("{} {name}", kind.as_str())).collect();
    assert_eq!(before.whole == after.whole, names.is_empty(), "the whole is that of its objects");
    names
}

#[test]
fn a_file_in_another_order_and_in_other_words_is_the_same() {
    let lines: Vec<_> = FILE.lines().collect();
    let entry = |text: &str| lines.iter().position(|line| line.contains(text)).unwrap();
    // The lines of the second of two entries before those of the first.
    let swapped = |one: &str, two: &str| {
        let mut lines = lines.clone();
        lines.swap(entry(one), entry(two));
        lines.join("\n")
    };
    for file in [
        swapped("web: {type", "ping: {type"),
        swapped("one: {address", "three: {address"),
        swapped("www: {address", "api: {address"),
        swapped("  healthchecker: {", "  vpp: {"),
        FILE.replace("interval: 1s, timeout: 500ms", "timeout: 0.5s, interval: 1000ms"),
        FILE.replace("{one: {}, two: {weight: 50}}", "{two: {weight: 50}, one: {weight: 100}}"),
        FILE.replace("[192.0.2.1, '192.0.2.2:53']", "['192.0.2.2:53', 192.0.2.1]"),
        FILE.replace("'2001:db8::80'", "'2001:DB8:0::80'"),
        format!("# Another hand\n{FILE}"),
    ] {
        assert_eq!(differing(&file), [""; 0], "{file}");
    }
}

#[test]
fn what_means_something_else_is_another_object() {
    let cases = [
        ("path: /a", "path: /b", &["healthcheck web"][..]),
        ("path: /a", "path: /a, method: HEAD", &["healthcheck web"]),
        ("path: /a", "path: /a, headers: {X: y}", &["healthcheck web"]),
        ("path: /a", "path: /a, headers: {X: {file: /y}}", &["healthcheck web"]),
        ("path: /a", "path: /a, body: x", &["healthcheck web"]),
        ("path: /a", "path: /a, response-code: '200,204'", &["healthcheck web"]),
        ("path: /a", "path: /a, response-header: {name: X, regexp: y}", &["healthcheck web"]),
        ("path: /a", "path: /a, proxy-protocol: v1", &["healthcheck web"]),
        ("healthcheck: web}", "healthcheck: web, port: 81}", &["backend one"]),
        ("interval: 2s", "interval: 3s", &["healthcheck ping"]),
        ("10.0.0.1,", "10.0.0.9,", &["backend one"]),
        ("enabled: false", "enabled: true", &["backend two"]),
        ("weight: 50", "weight: 51", &["frontend www"]),
        ("port: 53", "port: 54", &["frontend api"]),
        ("sync-interval: 30s", "sync-interval: 31s", &["settings vpp.lb"]),
        ("doubt-limit: 5s", "doubt-limit: 6s", &["settings healthchecker"]),
        ("[192.0.2.1, '192.0.2.2:53']", "[192.0.2.1]", &["settings healthchecker"]),
        (
            "three: {address: 10.0.0.3}",
            "three: {address: 10.0.0.3, healthcheck: ping}",
            &["backend three"],
        ),
        ("    api:", "    dns:", &["frontend api", "frontend dns"]),
        (
            "[{name: main, backends: {one: {}, two: {weight: 50}}}, {name: spare, backends: {three: {}}}]",
            "[{name: spare, backends: {three: {}}}, {name: main, backends: {one: {}, two: {weight: 50}}}]",
            &["frontend www"],
        ),
    ];
    for (before, after, expected) in cases {
        assert!(FILE.contains(before), "{before}");
        assert_eq!(differing(&FILE.replace(before, after)), expected, "{after}");
    }
}

/// Every key that has a default, with another value: two of them are not the same either.
#[test]
fn what_stands_in_the_file_beyond_its_defaults_is_another_object() {
    let check = &[
        "fast-interval: 400ms",
        "down-interval: 3s",
        "rise: 3",
        "fall: 4",
        "probe-ipv4-src: 192.0.2.5",
        "probe-ipv6-src: '2001:db8::5'",
        "flap-damping: {delay: 5s}",
        "flap-damping: {delay: 6s}",
        "flap-damping: {delay: 5s, window: 1m}",
        "flap-damping: {delay: 5s, max-delay: 1m}",
    ][..];
    let params =
        &["host: a.example", "response-code: 204", "response-code: 200-299", "response-regexp: ok"];
    let lb = &[
        "sticky-buckets-per-core: 1024",
        "flow-timeout: 41s",
        "startup-min-delay: 1s",
        "startup-max-delay: 31s",
    ];
    let checker = &["netns: other", "max-probes-in-flight: 9", "nameservers: [192.0.2.53]"];
    let frontend = &[
        "description: ours",
        "src-ip-sticky: true",
        "flush-on-down: false",
        "fail-open: 40%",
        "fail-open: 41%",
        "new-flows-table-length: 2048",
    ];
    let pool = &["slow-start: 5s", "slow-start: 6s"];
    for (place, keys, object) in [
        ("{type: http, ", check, "healthcheck web"),
        ("params: {", params, "healthcheck web"),
        ("{ipv4-src-address: 192.0.2.9, ", lb, "settings vpp.lb"),
        ("healthchecker: {", checker, "settings healthchecker"),
        ("{address: 192.0.2.80, ", frontend, "frontend www"),
        ("[{name: main, backends: {one: {}", pool, "frontend www"),
    ] {
        assert_eq!(FILE.matches(place).count(), 1, "{place}");
        let mut seen = vec![of(FILE).whole];
        for key in keys {
            let file = match place.split_once("name: ") {
                None => FILE.replace(place, &format!("{place}{key}, ")),
                Some((begin, end)) => FILE.replace(place, &format!("{begin}{key}, name: {end}")),
            };
            assert_eq!(differing(&file), [object], "{key}");
            let whole = of(&file).whole;
            assert!(!seen.contains(&whole), "{key}");
            seen.push(whole);
        }
    }
}
