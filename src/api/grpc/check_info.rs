//! Health checks as the service describes them.

use super::convert::int;
use super::nanos::ns;
use crate::domain::config::{
    CheckKind, CheckStep, Expectation, HeaderValue, HealthCheck, Payload, RequestHeader, TlsClient,
    TlsSettings,
};
use crate::pb;

pub(super) fn health_check(name: &str, check: &HealthCheck) -> pb::HealthCheckInfo {
    let text = |address: Option<String>| address.unwrap_or_default();
    let timing = &check.timing;
    let mut info = pb::HealthCheckInfo {
        name: name.into(),
        r#type: check.kind.type_name().into(),
        port: check.kind.port().map_or(0, |port| port.get().into()),
        interval_ns: ns(timing.interval),
        fast_interval_ns: ns(timing.fast_interval),
        down_interval_ns: ns(timing.down_interval),
        timeout_ns: ns(timing.timeout),
        rise: int(timing.rise.get()),
        fall: int(timing.fall.get()),
        flap_damping: timing.damping.map(|damping| pb::FlapDampingParams {
            window_ns: ns(damping.window),
            delay_ns: ns(damping.delay),
            max_delay_ns: ns(damping.max_delay),
        }),
        probe_ipv4_src: text(check.source_v4.map(|source| source.to_string())),
        probe_ipv6_src: text(check.source_v6.map(|source| source.to_string())),
        tls: check.kind.tls().map(tls_params),
        proxy_protocol: check.proxy.map(|it| it.as_str().into()).unwrap_or_default(),
        ..pb::HealthCheckInfo::default()
    };
    let server_name = |tls: &Option<TlsSettings>| {
        tls.as_ref().and_then(|tls| tls.server_name.clone()).unwrap_or_default()
    };
    let unverified = |tls: &Option<TlsSettings>| tls.as_ref().is_some_and(|tls| !tls.verify);
    match &check.kind {
        CheckKind::Icmp => {}
        CheckKind::Udp { steps, .. } => info.steps = steps.iter().map(step).collect(),
        CheckKind::Tcp { tls, steps, .. } => {
            info.steps = steps.iter().map(step).collect();
            info.tcp = Some(pb::TcpCheckParams {
                ssl: tls.is_some(),
                server_name: server_name(tls),
                insecure_skip_verify: unverified(tls),
            });
        }
        CheckKind::Http { tls, exchange, .. } => {
            let (least, greatest) = exchange.codes.bounds();
            let header = exchange.header.as_ref();
            info.http = Some(pb::HttpCheckParams {
                method: exchange.method.clone(),
                path: exchange.path.clone(),
                host: exchange.host.clone().unwrap_or_default(),
                response_code_min: least.into(),
                response_code_max: greatest.into(),
                http2: exchange.http2,
                response_codes: exchange.codes.to_string(),
                headers: exchange.headers.iter().map(request_header).collect(),
                body: exchange.content.clone().unwrap_or_default(),
                response_header: header.map(|it| it.name.clone()).unwrap_or_default(),
                response_header_regexp: header.map(|it| it.pattern.clone()).unwrap_or_default(),
                response_regexp: exchange.body.clone().unwrap_or_default(),
                server_name: server_name(tls),
                insecure_skip_verify: unverified(tls),
            });
        }
        CheckKind::Grpc { tls, exchange, .. } => {
            info.grpc = Some(pb::GrpcCheckParams {
                service: exchange.service.clone(),
                host: exchange.host.clone().unwrap_or_default(),
                ssl: tls.is_some(),
                server_name: server_name(tls),
                insecure_skip_verify: unverified(tls),
            });
        }
        CheckKind::Dns { exchange, .. } => {
            info.dns = Some(pb::DnsCheckParams {
                query: exchange.query.clone(),
                record: exchange.record.clone(),
                transport: if exchange.tcp { "tcp" } else { "udp" }.into(),
                expect_rcode: exchange.rcode.clone(),
                expect_answer: exchange.answer.clone().unwrap_or_default(),
            });
        }
    }
    info
}

fn step(step: &CheckStep) -> pb::CheckStep {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut info = pb::CheckStep::default();
    match step {
        CheckStep::Send(Payload::Text(text)) => info.send.clone_from(text),
        CheckStep::Send(Payload::Bytes(bytes)) => info.send_hex = hex(bytes),
        CheckStep::Expect(Expectation::Pattern(pattern)) => info.expect.clone_from(pattern),
        CheckStep::Expect(Expectation::Bytes(bytes)) => info.expect_hex = hex(bytes),
    }
    info
}

fn tls_params(tls: &TlsSettings) -> pb::TlsCheckParams {
    let TlsClient { credentials, ca_file, min_version, alpn } = &tls.client;
    let credentials = credentials.as_ref();
    pb::TlsCheckParams {
        client_certificate: credentials.map(|it| it.certificate.clone()).unwrap_or_default(),
        client_key: credentials.map(|it| it.key.clone()).unwrap_or_default(),
        ca_file: ca_file.clone().unwrap_or_default(),
        min_tls: min_version.as_str().into(),
        alpn: alpn.clone(),
        certificate_warning_ns: tls.certificate_warning.map_or(0, ns),
    }
}

/// Of a value in a file only the path is known here.
fn request_header(header: &RequestHeader) -> pb::HttpCheckHeader {
    let (value, file) = match &header.value {
        HeaderValue::Text(text) => (text.clone(), String::new()),
        HeaderValue::File(path) => (String::new(), path.clone()),
    };
    pb::HttpCheckHeader { name: header.name.clone(), value, file }
}
