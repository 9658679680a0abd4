//! A health check with its settings.

use serde::Serialize;

use super::text::present;
use crate::pb;

/// A health check. At most one of `http`, `tcp` and `dns` is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthCheckJson {
    /// The key in the configuration file.
    pub name: String,
    /// `icmp`, `tcp`, `udp`, `http`, `https`, `dns` or `grpc`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `None` for `icmp`.
    pub port: Option<u32>,
    /// Nanoseconds between two probes of a backend that is up.
    pub interval_ns: i64,
    /// Nanoseconds between two probes while the verdict is in question.
    pub fast_interval_ns: i64,
    /// Nanoseconds between two probes of a backend that is down.
    pub down_interval_ns: i64,
    /// Nanoseconds after which a probe failed.
    pub timeout_ns: i64,
    /// Passes in a row that bring a backend up.
    pub rise: i32,
    /// Failures in a row that take it down.
    pub fall: i32,
    /// `None`: every return is at once.
    pub flap_damping: Option<FlapDampingJson>,
    /// The source address of probes; `None`: the kernel chooses.
    pub probe_ipv4_src: Option<String>,
    /// The source address of probes; `None`: the kernel chooses.
    pub probe_ipv6_src: Option<String>,
    /// `v1` or `v2`: the PROXY protocol that connections begin with.
    pub proxy_protocol: Option<String>,
    /// What is sent and expected, of `tcp` and `udp`.
    pub steps: Vec<CheckStepJson>,
    /// Of checks with TLS.
    pub tls: Option<TlsCheckJson>,
    /// Of `http` and `https`.
    pub http: Option<HttpCheckJson>,
    /// Of `tcp`.
    pub tcp: Option<TcpCheckJson>,
    /// Of `grpc`.
    pub grpc: Option<GrpcCheckJson>,
    /// Of `dns`.
    pub dns: Option<DnsCheckJson>,
}

/// How backends that flap are kept out longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlapDampingJson {
    /// Nanoseconds for which a fall counts.
    pub window_ns: i64,
    /// Nanoseconds that the second return within the window waits.
    pub delay_ns: i64,
    /// Nanoseconds of the longest wait.
    pub max_delay_ns: i64,
}

/// What an HTTP check requests and expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HttpCheckJson {
    /// `GET`, `HEAD`, `POST`, …
    pub method: String,
    /// The path of the request.
    pub path: String,
    /// The Host header; `None`: the backend's address.
    pub host: Option<String>,
    /// The least status code that passes.
    pub response_code_min: i32,
    /// The greatest status code that passes.
    pub response_code_max: i32,
    /// Whether it is asked over HTTP/2.
    pub http2: bool,
    /// What is sent beside the usual headers, in order.
    pub headers: Vec<HttpCheckHeaderJson>,
    /// The body of the request.
    pub body: Option<String>,
    /// All codes that pass: `200`, `200-299,401`.
    pub response_codes: String,
    /// A header that the answer must have.
    pub response_header: Option<String>,
    /// What a value of that header must match.
    pub response_header_regexp: Option<String>,
    /// What the body must match.
    pub response_regexp: Option<String>,
    /// The name for TLS; `None`: the host.
    pub server_name: Option<String>,
    /// Whether any certificate passes.
    pub insecure_skip_verify: bool,
}

/// A step of a conversation: one of the four.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckStepJson {
    /// A text.
    pub send: Option<String>,
    /// Bytes in hexadecimal digits.
    pub send_hex: Option<String>,
    /// A regular expression.
    pub expect: Option<String>,
    /// Bytes in hexadecimal digits.
    pub expect_hex: Option<String>,
}

/// What probes are as TLS clients, beside the name and the verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsCheckJson {
    /// The file of the client's certificate; `None`: it shows none.
    pub client_certificate: Option<String>,
    /// The file of its key.
    pub client_key: Option<String>,
    /// The file of the issuers that are trusted; `None`: the system's.
    pub ca_file: Option<String>,
    /// `1.2` or `1.3`.
    pub min_tls: String,
    /// The protocols that are offered.
    pub alpn: Vec<String>,
    /// Nanoseconds before its end from which the server's certificate is told of.
    pub certificate_warning_ns: Option<i64>,
}

/// A header that a check sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HttpCheckHeaderJson {
    pub name: String,
    /// `None`: it is in a file, and not shown.
    pub value: Option<String>,
    /// The path of the file that holds the value.
    pub file: Option<String>,
}

/// What a TCP check expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TcpCheckJson {
    /// Whether a TLS handshake must succeed.
    pub ssl: bool,
    /// The name for TLS.
    pub server_name: Option<String>,
    /// Whether any certificate passes.
    pub insecure_skip_verify: bool,
}

/// What a gRPC check asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrpcCheckJson {
    /// The service; `None`: the server as a whole.
    pub service: Option<String>,
    /// The authority; `None`: the backend's address.
    pub host: Option<String>,
    /// Whether it is asked over TLS.
    pub ssl: bool,
    /// The name for TLS; `None`: the host.
    pub server_name: Option<String>,
    /// Whether any certificate passes.
    pub insecure_skip_verify: bool,
}

/// What a DNS check queries and expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DnsCheckJson {
    /// The name in the question.
    pub query: String,
    /// The record type: `A`, `AAAA`, …
    pub record: String,
    /// `udp` or `tcp`.
    pub transport: String,
    /// `NOERROR`, `NXDOMAIN`, …
    pub expect_rcode: String,
    /// What a record must match; `None`: any passes.
    pub expect_answer: Option<String>,
}

impl From<&pb::HealthCheckInfo> for HealthCheckJson {
    fn from(check: &pb::HealthCheckInfo) -> Self {
        Self {
            name: check.name.clone(),
            kind: check.r#type.clone(),
            port: (check.port > 0).then_some(check.port),
            interval_ns: check.interval_ns,
            fast_interval_ns: check.fast_interval_ns,
            down_interval_ns: check.down_interval_ns,
            timeout_ns: check.timeout_ns,
            rise: check.rise,
            fall: check.fall,
            flap_damping: check.flap_damping.as_ref().map(|damping| FlapDampingJson {
                window_ns: damping.window_ns,
                delay_ns: damping.delay_ns,
                max_delay_ns: damping.max_delay_ns,
            }),
            probe_ipv4_src: present(&check.probe_ipv4_src),
            probe_ipv6_src: present(&check.probe_ipv6_src),
            proxy_protocol: present(&check.proxy_protocol),
            steps: check.steps.iter().map(CheckStepJson::from).collect(),
            tls: check.tls.as_ref().map(TlsCheckJson::from),
            http: check.http.as_ref().map(HttpCheckJson::from),
            tcp: check.tcp.as_ref().map(TcpCheckJson::from),
            grpc: check.grpc.as_ref().map(GrpcCheckJson::from),
            dns: check.dns.as_ref().map(DnsCheckJson::from),
        }
    }
}

impl From<&pb::HttpCheckParams> for HttpCheckJson {
    fn from(http: &pb::HttpCheckParams) -> Self {
        let headers = http.headers.iter().map(|header| HttpCheckHeaderJson {
            name: header.name.clone(),
            value: header.file.is_empty().then(|| header.value.clone()),
            file: present(&header.file),
        });
        Self {
            method: http.method.clone(),
            http2: http.http2,
            headers: headers.collect(),
            body: present(&http.body),
            response_codes: http.response_codes.clone(),
            response_header: present(&http.response_header),
            response_header_regexp: present(&http.response_header_regexp),
            path: http.path.clone(),
            host: present(&http.host),
            response_code_min: http.response_code_min,
            response_code_max: http.response_code_max,
            response_regexp: present(&http.response_regexp),
            server_name: present(&http.server_name),
            insecure_skip_verify: http.insecure_skip_verify,
        }
    }
}

impl From<&pb::CheckStep> for CheckStepJson {
    fn from(step: &pb::CheckStep) -> Self {
        Self {
            send: present(&step.send),
            send_hex: present(&step.send_hex),
            expect: present(&step.expect),
            expect_hex: present(&step.expect_hex),
        }
    }
}

impl From<&pb::TlsCheckParams> for TlsCheckJson {
    fn from(tls: &pb::TlsCheckParams) -> Self {
        let warning = tls.certificate_warning_ns;
        Self {
            client_certificate: present(&tls.client_certificate),
            client_key: present(&tls.client_key),
            ca_file: present(&tls.ca_file),
            min_tls: tls.min_tls.clone(),
            alpn: tls.alpn.clone(),
            certificate_warning_ns: (warning > 0).then_some(warning),
        }
    }
}

impl From<&pb::TcpCheckParams> for TcpCheckJson {
    fn from(tcp: &pb::TcpCheckParams) -> Self {
        Self {
            ssl: tcp.ssl,
            server_name: present(&tcp.server_name),
            insecure_skip_verify: tcp.insecure_skip_verify,
        }
    }
}

impl From<&pb::GrpcCheckParams> for GrpcCheckJson {
    fn from(grpc: &pb::GrpcCheckParams) -> Self {
        Self {
            service: present(&grpc.service),
            host: present(&grpc.host),
            ssl: grpc.ssl,
            server_name: present(&grpc.server_name),
            insecure_skip_verify: grpc.insecure_skip_verify,
        }
    }
}

impl From<&pb::DnsCheckParams> for DnsCheckJson {
    fn from(dns: &pb::DnsCheckParams) -> Self {
        Self {
            query: dns.query.clone(),
            record: dns.record.clone(),
            transport: dns.transport.clone(),
            expect_rcode: dns.expect_rcode.clone(),
            expect_answer: present(&dns.expect_answer),
        }
    }
}
