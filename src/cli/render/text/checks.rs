//! Health checks: the list, and one with every setting.

use super::common::{or_dash, yes_no};
use crate::cli::render::context::RenderContext;
use crate::cli::render::table::{Cell, Column, TextTable, facts};
use crate::cli::render::time::{elapsed, span};
use crate::pb::{CheckStep, HealthCheckInfo, HttpCheckHeader, HttpCheckParams, TlsCheckParams};

pub(super) fn list(checks: &[HealthCheckInfo], context: &RenderContext) -> String {
    if checks.is_empty() {
        return "no health checks are configured\n".into();
    }
    let mut table = TextTable::new(&[
        Column::left("NAME"),
        Column::left("TYPE"),
        Column::right("PORT"),
        Column::right("INTERVAL"),
        Column::right("FAST"),
        Column::right("DOWN"),
        Column::right("TIMEOUT"),
        Column::right("RISE"),
        Column::right("FALL"),
        Column::text("EXPECTS"),
    ]);
    for check in checks {
        table.row([
            check.name.as_str().into(),
            check.r#type.as_str().into(),
            port(check).into(),
            span(check.interval_ns).into(),
            span(check.fast_interval_ns).into(),
            span(check.down_interval_ns).into(),
            span(check.timeout_ns).into(),
            check.rise.to_string().into(),
            check.fall.to_string().into(),
            expects(check).into(),
        ]);
    }
    table.render(context)
}

fn port(check: &HealthCheckInfo) -> String {
    if check.port == 0 { "-".into() } else { check.port.to_string() }
}

/// What the check expects, in a few words.
fn expects(check: &HealthCheckInfo) -> String {
    if let Some(http) = &check.http {
        let regexp = match http.response_regexp.as_str() {
            "" => String::new(),
            regexp => format!(", body ~ {regexp}"),
        };
        let header = match http.response_header.as_str() {
            "" => String::new(),
            name => format!(", {name} ~ {}", http.response_header_regexp),
        };
        let method = match http.method.as_str() {
            "" | "GET" => String::new(),
            method => format!("{method} "),
        };
        return format!("{method}{} answers {}{header}{regexp}", http.path, codes(http));
    }
    if let Some(dns) = &check.dns {
        return format!("{} {} is {}", dns.record, dns.query, dns.expect_rcode);
    }
    if let Some(grpc) = &check.grpc {
        let service = if grpc.service.is_empty() { "the server" } else { &grpc.service };
        return format!("{service} is SERVING");
    }
    if let Some(last) = check.steps.last() {
        return step(last);
    }
    match (&check.tcp, check.r#type.as_str()) {
        (Some(tcp), _) if tcp.ssl => "TLS handshake".into(),
        (Some(_), _) => "connection".into(),
        (None, "icmp") => "echo reply".into(),
        (None, _) => String::new(),
    }
}

fn codes(http: &HttpCheckParams) -> String {
    if !http.response_codes.is_empty() {
        return http.response_codes.clone();
    }
    // A daemon before 1.1 knows one range.
    let (low, high) = (http.response_code_min, http.response_code_max);
    if low == high { low.to_string() } else { format!("{low}-{high}") }
}

/// `10s after 2 falls within 10m, at most 5m`
fn damping(check: &HealthCheckInfo) -> String {
    let text = check.flap_damping.as_ref().map(|damping| {
        let [delay, window, most] =
            [damping.delay_ns, damping.window_ns, damping.max_delay_ns].map(span);
        format!("{delay} after 2 falls within {window}, doubled by each more, at most {most}")
    });
    text.unwrap_or_default()
}

pub(super) fn one(check: &HealthCheckInfo, context: &RenderContext) -> String {
    let mut rows: Vec<(&str, Cell)> = vec![
        ("health check", check.name.as_str().into()),
        ("type", check.r#type.as_str().into()),
        ("port", port(check).into()),
        ("interval", span(check.interval_ns).into()),
        ("fast interval", span(check.fast_interval_ns).into()),
        ("down interval", span(check.down_interval_ns).into()),
        ("timeout", span(check.timeout_ns).into()),
        ("rise", check.rise.to_string().into()),
        ("fall", check.fall.to_string().into()),
        ("flap damping", damping(check).into()),
        ("IPv4 source", check.probe_ipv4_src.as_str().into()),
        ("IPv6 source", check.probe_ipv6_src.as_str().into()),
    ];
    if !check.proxy_protocol.is_empty() {
        rows.push(("PROXY protocol", check.proxy_protocol.as_str().into()));
    }
    if let Some(http) = &check.http {
        if http.http2 {
            rows.push(("protocol", "HTTP/2".into()));
        }
        if !http.method.is_empty() {
            rows.push(("method", http.method.as_str().into()));
        }
        rows.extend([
            ("path", http.path.as_str().into()),
            (
                "host",
                if http.host.is_empty() { "the backend's address" } else { &http.host }.into(),
            ),
        ]);
        rows.extend(http.headers.iter().map(|it| ("header", header(it).into())));
        if !http.body.is_empty() {
            rows.push(("body", http.body.as_str().into()));
        }
        rows.push(("response code", codes(http).into()));
        if !http.response_header.is_empty() {
            let text = format!("{} ~ {}", http.response_header, http.response_header_regexp);
            rows.push(("response header", text.into()));
        }
        rows.push(("response regexp", http.response_regexp.as_str().into()));
        if check.r#type == "https" {
            rows.extend(tls(&http.server_name, http.insecure_skip_verify));
        }
    }
    if let Some(tcp) = &check.tcp {
        rows.push(("TLS", yes_no(tcp.ssl).into()));
        if tcp.ssl {
            rows.extend(tls(&tcp.server_name, tcp.insecure_skip_verify));
        }
    }
    if let Some(grpc) = &check.grpc {
        let or =
            |text: &str, default: &str| Cell::from(if text.is_empty() { default } else { text });
        rows.extend([
            ("service", or(&grpc.service, "the server as a whole")),
            ("host", or(&grpc.host, "the backend's address")),
            ("TLS", yes_no(grpc.ssl).into()),
        ]);
        if grpc.ssl {
            rows.extend(tls(&grpc.server_name, grpc.insecure_skip_verify));
        }
    }
    if let Some(tls) = &check.tls {
        rows.extend(tls_client(tls));
    }
    rows.extend(check.steps.iter().map(|it| ("step", step(it).into())));
    if let Some(dns) = &check.dns {
        rows.extend([
            ("query", dns.query.as_str().into()),
            ("record", dns.record.as_str().into()),
            ("transport", dns.transport.as_str().into()),
            ("expected rcode", dns.expect_rcode.as_str().into()),
            ("expected answer", dns.expect_answer.as_str().into()),
        ]);
    }
    facts(&rows, context)
}

/// `X-Probe: maglev`, or `Authorization: in /etc/vpp-maglev/token`
fn header(header: &HttpCheckHeader) -> String {
    match header.file.as_str() {
        "" => format!("{}: {}", header.name, header.value),
        file => format!("{}: in {file}", header.name),
    }
}

/// `send EHLO a\r\n`, or `expect ^250`
fn step(step: &CheckStep) -> String {
    let parts = [
        ("send", &step.send),
        ("send hex", &step.send_hex),
        ("expect", &step.expect),
        ("expect hex", &step.expect_hex),
    ];
    let part = parts.into_iter().find(|(_, value)| !value.is_empty());
    part.map(|(what, value)| format!("{what} {}", on_a_line(value))).unwrap_or_default()
}

/// The text with its line ends and the like as YAML writes them.
fn on_a_line(text: &str) -> String {
    let shown = text.chars().map(|c| match c.is_control() {
        true => c.escape_debug().to_string(),
        false => c.to_string(),
    });
    shown.collect()
}

/// What differs from most clients.
fn tls_client(tls: &TlsCheckParams) -> Vec<(&'static str, Cell)> {
    let least = if tls.min_tls == "1.2" { "" } else { tls.min_tls.as_str() };
    let warning = match tls.certificate_warning_ns {
        0 => String::new(),
        before => format!("{} before it ends", elapsed(before)),
    };
    let alpn = tls.alpn.join(", ");
    let rows = [
        ("client certificate", tls.client_certificate.as_str()),
        ("client key", tls.client_key.as_str()),
        ("trusted issuers", tls.ca_file.as_str()),
        ("TLS version", least),
        ("ALPN", alpn.as_str()),
        ("certificate warning", warning.as_str()),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    rows.map(|(title, value)| (title, value.into())).collect()
}

fn tls(server_name: &str, insecure: bool) -> [(&'static str, Cell); 2] {
    [
        ("server name", or_dash(server_name).into()),
        ("certificate verified", yes_no(!insecure).into()),
    ]
}
