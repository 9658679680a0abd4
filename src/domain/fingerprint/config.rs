//! The hashes of a configuration: one for each object, and one of all.
//!
//! Each structure is taken apart field by field, so that the compiler names what is left
//! out when a field is added.

use super::{Fingerprint, FnvHasher};
use crate::domain::announce::{AnnounceSettings, AnnouncerSettings};
use crate::domain::config::{
    Backend, CheckKind, CheckStep, ClientCredentials, Config, DnsExchange, Expectation, Frontend,
    GrpcExchange, HeaderValue, HealthCheck, HealthCheckerSettings, HttpExchange, LbConf,
    LbSettings, Pool, RequestHeader, ResponseHeader, Timing, TlsClient, TlsSettings,
    WitnessAddress,
};
use crate::domain::dataplane::net::{Encap, Service};
use crate::domain::health::damping::FlapDamping;
use crate::domain::resolution::{BackendAddress, HostName, IpFamily};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFingerprint {
    /// Of all objects, with their kinds and names.
    pub whole: Fingerprint,
    /// By kind, then by name.
    pub objects: Vec<ObjectFingerprint>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectFingerprint {
    pub kind: ObjectKind,
    /// The key in the file.
    pub name: String,
    pub fingerprint: Fingerprint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// `healthchecker`, `vpp.lb` or `announce`.
    Settings,
    HealthCheck,
    Backend,
    Frontend,
}

impl ObjectKind {
    /// The word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::HealthCheck => "healthcheck",
            Self::Backend => "backend",
            Self::Frontend => "frontend",
        }
    }
}

#[must_use]
pub fn of_config(config: &Config) -> ConfigFingerprint {
    let Config { healthchecker, lb, announcer, checks, backends, frontends } = config;
    let object = |kind, name: &str, add: &dyn Fn(&mut FnvHasher)| {
        let mut hasher = FnvHasher::new();
        add(&mut hasher);
        ObjectFingerprint { kind, name: name.into(), fingerprint: hasher.finish() }
    };
    let mut objects = vec![
        object(ObjectKind::Settings, "healthchecker", &|hasher| add_checker(hasher, healthchecker)),
        object(ObjectKind::Settings, "vpp.lb", &|hasher| add_lb(hasher, lb)),
        object(ObjectKind::Settings, "announce", &|hasher| add_announcer(hasher, announcer)),
    ];
    objects.extend(checks.iter().map(|(name, check)| {
        object(ObjectKind::HealthCheck, name.as_str(), &|hasher| add_check(hasher, check))
    }));
    objects.extend(backends.iter().map(|(name, backend)| {
        object(ObjectKind::Backend, name.as_str(), &|hasher| add_backend(hasher, backend))
    }));
    objects.extend(frontends.iter().map(|(name, frontend)| {
        object(ObjectKind::Frontend, name.as_str(), &|hasher| add_frontend(hasher, frontend))
    }));
    let mut whole = FnvHasher::new();
    whole.length(objects.len());
    for ObjectFingerprint { kind, name, fingerprint } in &objects {
        whole.text(kind.as_str()).text(name).fingerprint(*fingerprint);
    }
    ConfigFingerprint { whole: whole.finish(), objects }
}

fn add_checker(hasher: &mut FnvHasher, settings: &HealthCheckerSettings) {
    let HealthCheckerSettings {
        transition_history,
        netns,
        max_probes,
        nameservers,
        doubt_limit,
        witnesses,
    } = settings;
    hasher.length(*transition_history);
    hasher.optional(netns.as_deref(), |hasher, netns| drop_ref(hasher.text(netns)));
    hasher.optional(*max_probes, |hasher, probes| drop_ref(hasher.length(probes)));
    hasher.length(nameservers.len());
    for server in nameservers {
        hasher.address(server.ip()).number(server.port());
    }
    hasher.span(*doubt_limit);
    // Whoever of them answers is a witness: they have no order.
    let mut witnesses = witnesses.clone();
    witnesses.sort_unstable();
    witnesses.dedup();
    hasher.length(witnesses.len());
    for WitnessAddress { address, port } in witnesses {
        hasher.address(address);
        hasher.optional(port, |hasher, port| drop_ref(hasher.number(port.get())));
    }
}

fn add_lb(hasher: &mut FnvHasher, settings: &LbSettings) {
    let LbSettings { sync_interval, startup_min_delay, startup_max_delay, conf } = settings;
    let LbConf { ip4_src, ip6_src, sticky_buckets_per_core, flow_timeout_s } = conf;
    hasher.span(*sync_interval).span(*startup_min_delay).span(*startup_max_delay);
    hasher.address((*ip4_src).into()).address((*ip6_src).into());
    hasher.number(*sticky_buckets_per_core).number(*flow_timeout_s);
}

/// But for the drivers: machines may run different routing daemons and do the same.
fn add_announcer(hasher: &mut FnvHasher, settings: &AnnouncerSettings) {
    let AnnouncerSettings { drivers: _, hold_vpp, leave } = settings;
    hasher.span(*hold_vpp).span(*leave);
}

fn add_announce(hasher: &mut FnvHasher, settings: &AnnounceSettings) {
    let AnnounceSettings { min_healthy, recover, hold_down, hold_up, shared } = settings;
    hasher.number(min_healthy.percent()).number(recover.percent());
    hasher.span(*hold_down).span(*hold_up).text(shared.as_str());
}

fn add_check(hasher: &mut FnvHasher, check: &HealthCheck) {
    let HealthCheck { kind, timing, source_v4, source_v6, proxy } = check;
    let Timing { interval, fast_interval, down_interval, timeout, rise, fall, damping } = timing;
    hasher.span(*interval).span(*fast_interval).span(*down_interval).span(*timeout);
    hasher.number(rise.get()).number(fall.get());
    hasher.optional(*damping, |hasher, FlapDamping { window, delay, max_delay }| {
        hasher.span(window).span(delay).span(max_delay);
    });
    hasher.optional(*source_v4, |hasher, source| drop_ref(hasher.address(source.into())));
    hasher.optional(*source_v6, |hasher, source| drop_ref(hasher.address(source.into())));
    hasher.optional(*proxy, |hasher, version| drop_ref(hasher.text(version.as_str())));
    hasher.text(kind.type_name());
    match kind {
        CheckKind::Icmp => {}
        CheckKind::Tcp { port, tls, steps } => {
            hasher.number(port.get());
            hasher.optional(tls.as_ref(), add_tls);
            add_steps(hasher, steps);
        }
        CheckKind::Udp { port, steps } => {
            hasher.number(port.get());
            add_steps(hasher, steps);
        }
        CheckKind::Http { port, tls, exchange } => {
            hasher.number(port.get());
            hasher.optional(tls.as_ref(), add_tls);
            add_http(hasher, exchange);
        }
        CheckKind::Grpc { port, tls, exchange } => {
            hasher.number(port.get());
            hasher.optional(tls.as_ref(), add_tls);
            let GrpcExchange { service, host } = exchange;
            hasher.text(service);
            hasher.optional(host.as_deref(), |hasher, host| drop_ref(hasher.text(host)));
        }
        CheckKind::Dns { port, exchange } => {
            let DnsExchange { query, record, tcp, rcode, answer } = exchange;
            hasher.number(port.get()).text(query).text(record).flag(*tcp).text(rcode);
            hasher.optional(answer.as_deref(), |hasher, answer| drop_ref(hasher.text(answer)));
        }
    }
}

fn add_steps(hasher: &mut FnvHasher, steps: &[CheckStep]) {
    hasher.length(steps.len());
    for step in steps {
        let (kind, bytes) = match step {
            CheckStep::Send(payload) => ("send", payload.bytes()),
            CheckStep::Expect(Expectation::Pattern(pattern)) => ("expect", pattern.as_bytes()),
            CheckStep::Expect(Expectation::Bytes(bytes)) => ("expect-hex", bytes.as_slice()),
        };
        hasher.text(kind).length(bytes.len());
        for byte in bytes {
            hasher.number(*byte);
        }
    }
}

/// Of what a file holds its name counts: machines may have secrets of their own.
fn add_http(hasher: &mut FnvHasher, exchange: &HttpExchange) {
    let HttpExchange { method, path, host, headers, content, codes, header, body, http2 } =
        exchange;
    hasher.flag(*http2);
    hasher.text(method).text(path).text(&codes.to_string());
    hasher.optional(host.as_deref(), |hasher, host| drop_ref(hasher.text(host)));
    hasher.length(headers.len());
    for RequestHeader { name, value } in headers {
        match value {
            HeaderValue::Text(text) => hasher.text(name).text("text").text(text),
            HeaderValue::File(path) => hasher.text(name).text("file").text(path),
        };
    }
    hasher.optional(content.as_deref(), |hasher, content| drop_ref(hasher.text(content)));
    hasher.optional(header.as_ref(), |hasher, ResponseHeader { name, pattern }| {
        drop_ref(hasher.text(name).text(pattern));
    });
    hasher.optional(body.as_deref(), |hasher, body| drop_ref(hasher.text(body)));
}

fn add_tls(hasher: &mut FnvHasher, tls: &TlsSettings) {
    let TlsSettings { server_name, verify, client, certificate_warning } = tls;
    hasher.optional(server_name.as_deref(), |hasher, name| drop_ref(hasher.text(name)));
    hasher.flag(*verify);
    let TlsClient { credentials, ca_file, min_version, alpn } = client;
    hasher.optional(credentials.as_ref(), |hasher, ClientCredentials { certificate, key }| {
        drop_ref(hasher.text(certificate).text(key));
    });
    hasher.optional(ca_file.as_deref(), |hasher, file| drop_ref(hasher.text(file)));
    hasher.text(min_version.as_str()).length(alpn.len());
    for protocol in alpn {
        hasher.text(protocol);
    }
    hasher.optional(*certificate_warning, |hasher, span| drop_ref(hasher.span(span)));
}

fn add_backend(hasher: &mut FnvHasher, backend: &Backend) {
    let Backend { address, check, port, enabled } = backend;
    match address {
        BackendAddress::Ip(address) => drop_ref(hasher.text("ip").address(*address)),
        BackendAddress::Name(HostName { name, family }) => {
            let family = match family {
                IpFamily::V4 => "v4",
                IpFamily::V6 => "v6",
            };
            hasher.text("name").text(name).text(family);
        }
    }
    hasher.optional(check.as_ref(), |hasher, check| drop_ref(hasher.text(check.as_str())));
    hasher.optional(*port, |hasher, port| drop_ref(hasher.number(port.get())));
    hasher.flag(*enabled);
}

fn add_frontend(hasher: &mut FnvHasher, frontend: &Frontend) {
    let Frontend {
        description,
        vip,
        encap,
        src_ip_sticky,
        flush_on_down,
        fail_open,
        announce,
        table_length,
        pools,
    } = frontend;
    let prefix = vip.prefix();
    hasher.text(description).address(prefix.addr()).number(prefix.prefix_len());
    match vip.service() {
        Service::All => drop_ref(hasher.flag(false)),
        Service::Port { protocol, port } => {
            hasher.flag(true).number(protocol).number(port.get());
        }
    }
    hasher.text(match encap {
        Encap::Gre4 => "gre4",
        Encap::Gre6 => "gre6",
    });
    hasher.flag(*src_ip_sticky).flag(*flush_on_down);
    hasher.optional(*fail_open, |hasher, it| drop_ref(hasher.number(it.percent())));
    hasher.optional(announce.as_ref(), add_announce);
    hasher.number(table_length.get());
    // In order of preference: the order of pools has a meaning.
    hasher.length(pools.len());
    for Pool { name, backends, slow_start } in pools {
        hasher.optional(*slow_start, |hasher, span| drop_ref(hasher.span(span)));
        hasher.text(name.as_str()).length(backends.len());
        for (backend, weight) in backends {
            hasher.text(backend.as_str()).number(weight.get());
        }
    }
}

/// Ends a chain of additions where nothing is wanted of it.
fn drop_ref(_: &mut FnvHasher) {}
