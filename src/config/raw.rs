//! The schema of the file: every key, all of them optional. `resolve` checks
//! which must be present, and within which limits.
//!
//! Durations, addresses and response codes are text here, so that a wrong one is
//! reported together with all other faults.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::raw_forms::{RawCodes, RawHeaders};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping with the key `maglev`")]
pub(super) struct RawFile {
    pub(super) maglev: RawMaglev,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawMaglev {
    pub(super) healthchecker: RawHealthChecker,
    pub(super) vpp: RawVpp,
    pub(super) announce: Option<RawAnnounce>,
    pub(super) healthchecks: BTreeMap<String, RawCheck>,
    pub(super) backends: BTreeMap<String, RawBackend>,
    pub(super) frontends: BTreeMap<String, RawFrontend>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawHealthChecker {
    pub(super) transition_history: Option<i64>,
    pub(super) netns: Option<String>,
    pub(super) max_probes_in_flight: Option<i64>,
    pub(super) nameservers: Vec<String>,
    pub(super) doubt_limit: Option<String>,
    pub(super) witnesses: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawVpp {
    pub(super) lb: RawLb,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawLb {
    pub(super) sync_interval: Option<String>,
    pub(super) ipv4_src_address: Option<String>,
    pub(super) ipv6_src_address: Option<String>,
    pub(super) sticky_buckets_per_core: Option<i64>,
    pub(super) flow_timeout: Option<String>,
    pub(super) startup_min_delay: Option<String>,
    pub(super) startup_max_delay: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawCheck {
    #[serde(rename = "type")]
    pub(super) kind: Option<RawKind>,
    pub(super) port: Option<i64>,
    pub(super) interval: Option<String>,
    pub(super) fast_interval: Option<String>,
    pub(super) down_interval: Option<String>,
    pub(super) timeout: Option<String>,
    pub(super) rise: Option<i64>,
    pub(super) fall: Option<i64>,
    pub(super) flap_damping: Option<RawFlapDamping>,
    pub(super) probe_ipv4_src: Option<String>,
    pub(super) probe_ipv6_src: Option<String>,
    pub(super) params: RawParams,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawFlapDamping {
    pub(super) delay: Option<String>,
    pub(super) max_delay: Option<String>,
    pub(super) window: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawKind {
    Icmp,
    Tcp,
    Udp,
    Http,
    Https,
    Dns,
    Grpc,
}

/// The parameters of all types of check together: the fault of a key of another
/// type can name the type, which a parse error could not.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawParams {
    pub(super) method: Option<String>,
    pub(super) path: Option<String>,
    pub(super) host: Option<String>,
    pub(super) headers: Option<RawHeaders>,
    pub(super) body: Option<String>,
    pub(super) response_code: Option<RawCodes>,
    pub(super) response_header: Option<RawResponseHeader>,
    pub(super) response_regexp: Option<String>,
    pub(super) http2: Option<bool>,
    pub(super) service: Option<String>,
    pub(super) proxy_protocol: Option<RawProxyProtocol>,
    pub(super) steps: Option<Vec<RawStep>>,
    pub(super) ssl: Option<bool>,
    pub(super) server_name: Option<String>,
    pub(super) insecure_skip_verify: Option<bool>,
    pub(super) client_certificate: Option<String>,
    pub(super) client_key: Option<String>,
    pub(super) ca_file: Option<String>,
    pub(super) min_tls: Option<RawMinTls>,
    pub(super) alpn: Option<Vec<String>>,
    pub(super) certificate_warning: Option<String>,
    pub(super) query: Option<String>,
    pub(super) record: Option<String>,
    pub(super) transport: Option<RawTransport>,
    pub(super) expect_rcode: Option<String>,
    pub(super) expect_answer: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawResponseHeader {
    pub(super) name: Option<String>,
    pub(super) regexp: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawProxyProtocol {
    V1,
    V2,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawStep {
    pub(super) send: Option<String>,
    pub(super) send_hex: Option<String>,
    pub(super) expect: Option<String>,
    pub(super) expect_hex: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum RawMinTls {
    #[serde(rename = "1.2")]
    V1_2,
    #[serde(rename = "1.3")]
    V1_3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawTransport {
    Tcp,
    Udp,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawBackend {
    pub(super) address: Option<String>,
    pub(super) resolve: Option<RawResolve>,
    pub(super) healthcheck: Option<String>,
    pub(super) port: Option<i64>,
    pub(super) enabled: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawResolve {
    Ipv4,
    Ipv6,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawFrontend {
    pub(super) description: Option<String>,
    pub(super) address: Option<String>,
    pub(super) protocol: Option<RawTransport>,
    pub(super) port: Option<i64>,
    pub(super) src_ip_sticky: Option<bool>,
    pub(super) flush_on_down: Option<bool>,
    pub(super) fail_open: Option<String>,
    pub(super) announce: Option<RawFrontendAnnounce>,
    pub(super) new_flows_table_length: Option<i64>,
    pub(super) pools: Vec<RawPool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawPool {
    pub(super) name: Option<String>,
    pub(super) slow_start: Option<String>,
    pub(super) backends: BTreeMap<String, RawMember>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "a mapping such as { weight: 100 }"
)]
pub(super) struct RawMember {
    pub(super) weight: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawFrontendAnnounce {
    pub(super) min_healthy: Option<String>,
    pub(super) recover: Option<String>,
    pub(super) hold_down: Option<String>,
    pub(super) hold_up: Option<String>,
    pub(super) shared: Option<RawSharedBy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawSharedBy {
    Any,
    All,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawAnnounce {
    pub(super) netlink: Option<RawNetlink>,
    pub(super) gobgp: Option<RawGobgp>,
    pub(super) bird: Option<RawBird>,
    pub(super) command: Option<Vec<String>>,
    pub(super) hold_vpp: Option<String>,
    pub(super) leave: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawNetlink {
    pub(super) table: Option<String>,
    pub(super) protocol: Option<i64>,
    pub(super) netns: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawGobgp {
    pub(super) address: Option<String>,
    pub(super) community: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a mapping")]
pub(super) struct RawBird {
    pub(super) socket: Option<String>,
    pub(super) directory: Option<String>,
}
