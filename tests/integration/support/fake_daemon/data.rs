//! The fixed data: three frontends (one failed over, one down, one not known
//! yet), backends in every state, a removed server in VPP.

use super::announcements;
use super::explanation::probe;
use super::overrides;
use vpp_maglev::pb::*;

pub(super) const SECOND: i64 = 1_000_000_000;

/// The moment at which tests look: 2026-03-01 12:00:00 UTC.
pub(crate) const NOW_NS: i64 = 1_772_366_400 * SECOND;

pub(super) fn ago(seconds: i64) -> i64 {
    NOW_NS - seconds * SECOND
}

pub(super) fn text(text: &str) -> String {
    text.to_owned()
}

pub(super) fn frontend_names() -> Vec<String> {
    ["dns", "everything", "web"].map(text).into()
}

fn member(name: &str, weight: i32, effective_weight: i32) -> PoolBackendInfo {
    let known = effective_weight >= 0;
    let share = known.then_some(if effective_weight > 0 { 1.0 } else { 0.0 });
    PoolBackendInfo {
        name: text(name),
        weight,
        effective_weight,
        asked_share: share,
        real_share: share,
        vpp_buckets: share.filter(|_| name != "gone").map(|s| if s > 0.0 { 1024 } else { 0 }),
        ..PoolBackendInfo::default()
    }
}

pub(super) fn frontend(name: &str) -> Option<FrontendInfo> {
    let pool = |name: &str, backends: Vec<PoolBackendInfo>| PoolInfo { name: text(name), backends };
    let base = FrontendInfo {
        name: text(name),
        flush_on_down: true,
        new_flows_table_length: 1024,
        ..FrontendInfo::default()
    };
    Some(match name {
        "web" => FrontendInfo {
            address: text("192.0.2.80"),
            protocol: text("tcp"),
            port: 80,
            description: text("The web, and what the caches of three continents ask for"),
            state: text("up"),
            announcement: Some(announcements::of_web()),
            vpp_refusal: text("vip-add 192.0.2.80/32 tcp/80: refused by VPP: VALUE_EXIST"),
            not_programmed: text("VPP refuses vip-add 192.0.2.80/32 tcp/80: VALUE_EXIST"),
            fail_open: Some(FailOpenInfo {
                open: true,
                threshold_percent: 40,
                up_weight: 100,
                total_weight: 300,
                pool_name: text("fallback"),
                since_unix_ns: ago(630),
            }),
            pools: vec![
                pool(
                    "primary",
                    vec![member("nginx0", 100, 0), overrides::weighed(member("nginx1", 50, 0))],
                ),
                pool("fallback", vec![member("größter-ersatz", 100, 100), member("gone", 100, 0)]),
            ],
            ..base
        },
        "dns" => FrontendInfo {
            programmed: true,
            fail_open: Some(FailOpenInfo { threshold_percent: 20, ..FailOpenInfo::default() }),
            address: text("2001:db8::53"),
            protocol: text("udp"),
            port: 53,
            src_ip_sticky: true,
            flush_on_down: false,
            state: text("down"),
            pools: vec![pool("all", vec![member("bind0", 100, 0)])],
            warnings: vec![text("pool all: a table of 1024 entries cannot express these weights")],
            ..base
        },
        "everything" => FrontendInfo {
            not_programmed: text("VPP is being read"),
            address: text("198.51.100.0/28"),
            state: text("unknown"),
            pools: vec![pool("only", vec![member("new", 10, -1)])],
            ..base
        },
        _ => return None,
    })
}

pub(super) fn backend_names() -> Vec<String> {
    // `vanished` is listed and gone when it is asked for, as after a reload.
    ["bind0", "größter-ersatz", "new", "nginx0", "nginx1", "vanished"].map(text).into()
}

pub(super) fn transition(from: &str, to: &str, seconds: i64, why: &str) -> TransitionRecord {
    TransitionRecord { from: text(from), to: text(to), at_unix_ns: ago(seconds), why: text(why) }
}

pub(super) fn backend(name: &str) -> Option<BackendInfo> {
    let base = BackendInfo {
        name: text(name),
        enabled: true,
        now_unix_ns: NOW_NS,
        ..BackendInfo::default()
    };
    Some(match name {
        "nginx0" => BackendInfo {
            address: text("198.51.100.10"),
            state: text("down"),
            transitions: vec![
                transition("unknown", "up", 3 * 86_400 + 7_300, "200 OK"),
                transition("up", "down", 630, "connection refused"),
            ],
            healthcheck: text("web"),
            last_result: text("refused: 198.51.100.10:80 does not listen, or a firewall answers"),
            probes: vec![probe("L7OK", true, 635), probe("L4CON", false, 2)],
            port: 8443,
            certificate: Some(CertificateInfo {
                ends_unix_ns: NOW_NS + 9 * 86_400 * SECOND,
                soon: true,
            }),
            ..base
        },
        "nginx1" => BackendInfo {
            address: text("198.51.100.11"),
            state: text("disabled"),
            transitions: vec![transition("up", "disabled", 59, "by an operator")],
            enabled: false,
            enabled_overridden: true,
            admin_override: Some(overrides::of_nginx1()),
            healthcheck: text("web"),
            ..base
        },
        "größter-ersatz" => BackendInfo {
            address: text("198.51.100.12"),
            state: text("up"),
            transitions: vec![transition("unknown", "up", 90_000, "204 No Content")],
            healthcheck: text("web"),
            slow_starts: vec![SlowStartInfo {
                frontend_name: text("web"),
                weight: 45,
                target: 100,
                left_ns: 12 * SECOND,
            }],
            last_result: text("L4TOUT timeout"),
            doubt: Some(DoubtInfo {
                since_unix_ns: ago(3),
                why: text("L4TOUT timeout; no other backend passes either"),
                held: true,
            }),
            ..base
        },
        "bind0" => BackendInfo {
            address: text("2001:db8::10"),
            drain: Some(drain()),
            state: text("paused"),
            transitions: vec![transition("up", "paused", 7_200, "by an operator")],
            healthcheck: text("dns"),
            counter: 4,
            last_result: text("ok: evil\u{1b}[2J\u{9b}2J\u{202e} NOERROR"),
            ..base
        },
        "new" => {
            BackendInfo { state: text("unknown"), healthcheck: text("ping"), counter: 1, ..base }
        }
        _ => return None,
    })
}

fn drain() -> DrainInfo {
    let flows = |name: &str, flows| DrainFlows { frontend_name: text(name), flows };
    DrainInfo {
        phase: text("draining"),
        since_unix_ns: ago(7_200),
        lasted_ns: 7_200 * SECOND,
        who: text("uid 0 pid 4712"),
        timeout_ns: 10_800 * SECOND,
        flush: true,
        left_ns: Some(3_600 * SECOND),
        flows: Some(42),
        first_flows: Some(120),
        frontends: vec![flows("dns", 40), flows("web", 2)],
        counted_ago_ns: Some(SECOND),
        rate: Some(0.01),
        ends_in_ns: Some(5_400 * SECOND),
        uncounted: String::new(),
        in_use: Some(36),
        quiet_ns: Some(SECOND),
        forgets_after_ns: Some(42 * SECOND),
    }
}

pub(super) fn check_names() -> Vec<String> {
    ["cache", "dns", "orders", "ping", "tls", "web"].map(text).into()
}

pub(super) fn check(name: &str) -> Option<HealthCheckInfo> {
    let base = HealthCheckInfo {
        name: text(name),
        interval_ns: 5 * SECOND,
        fast_interval_ns: 200_000_000,
        down_interval_ns: 90 * SECOND,
        timeout_ns: 2 * SECOND,
        rise: 2,
        fall: 3,
        ..HealthCheckInfo::default()
    };
    Some(match name {
        "web" => HealthCheckInfo {
            r#type: text("https"),
            port: 443,
            probe_ipv4_src: text("192.0.2.10"),
            http: Some(HttpCheckParams {
                path: text("/healthz"),
                host: text("www.example.org"),
                response_code_min: 200,
                response_code_max: 299,
                response_regexp: text("^ok"),
                server_name: text("www.example.org"),
                insecure_skip_verify: true,
                method: text("POST"),
                headers: vec![
                    HttpCheckHeader {
                        name: text("X-Probe"),
                        value: text("maglev"),
                        file: String::new(),
                    },
                    HttpCheckHeader {
                        name: text("Authorization"),
                        value: String::new(),
                        file: text("/etc/vpp-maglev/token"),
                    },
                ],
                body: text("{}"),
                response_codes: text("200-204,299"),
                response_header: text("X-Status"),
                response_header_regexp: text("^fit$"),
                http2: true,
            }),
            tls: Some(TlsCheckParams {
                client_certificate: text("/etc/vpp-maglev/prober.pem"),
                client_key: text("/etc/vpp-maglev/prober.key"),
                min_tls: text("1.3"),
                alpn: vec![text("h2")],
                certificate_warning_ns: 14 * 86_400 * SECOND,
                ..TlsCheckParams::default()
            }),
            proxy_protocol: text("v2"),
            ..base
        },
        "cache" => HealthCheckInfo {
            r#type: text("tcp"),
            port: 6379,
            tcp: Some(TcpCheckParams::default()),
            steps: vec![
                CheckStep { send: text("PING\r\n"), ..CheckStep::default() },
                CheckStep { expect: text("^\\+PONG"), ..CheckStep::default() },
                CheckStep { expect_hex: text("0d0a"), ..CheckStep::default() },
            ],
            ..base
        },
        "orders" => HealthCheckInfo {
            r#type: text("grpc"),
            port: 50051,
            grpc: Some(GrpcCheckParams {
                service: text("shop.Orders"),
                ..GrpcCheckParams::default()
            }),
            ..base
        },
        "tls" => HealthCheckInfo {
            r#type: text("tcp"),
            port: 8443,
            tcp: Some(TcpCheckParams { ssl: true, ..TcpCheckParams::default() }),
            ..base
        },
        "dns" => HealthCheckInfo {
            r#type: text("dns"),
            port: 53,
            dns: Some(DnsCheckParams {
                query: text("example.org"),
                record: text("AAAA"),
                transport: text("udp"),
                expect_rcode: text("NOERROR"),
                expect_answer: String::new(),
            }),
            ..base
        },
        "ping" => HealthCheckInfo { r#type: text("icmp"), ..base },
        _ => return None,
    })
}
