//! The built maglevd, with no VPP: it only probes.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::Scene;
use super::support::maglevd::Maglevd;
use super::support::process::Process;

/// See the module's description.
pub(super) struct Prober(Maglevd);

impl Prober {
    /// Starts it and waits until it listens.
    pub(super) fn start(scene: &Scene, port: u16) -> Self {
        let flags = ["--vpp-stats-addr", "", "--metrics-addr", "127.0.0.1:0"];
        Self(Maglevd::start(&config(scene, port), Path::new(""), &flags, |_| {}))
    }

    pub(super) fn process(&self) -> &Process {
        self.0.process()
    }

    /// How late all probes since the start were; each of them passed.
    pub(super) fn lateness(&self, scene: &Scene) -> Lateness {
        let page = self.0.metrics();
        let passed = page.lines().filter(|line| line.starts_with("maglev_probe_total{"));
        let passed = passed.inspect(|line| assert!(line.contains("result=\"success\""), "{line}"));
        assert_eq!(passed.count(), usize::try_from(scene.backends).unwrap());
        let buckets = page.lines().filter_map(|line| {
            let rest = line.strip_prefix("maglev_probe_lateness_seconds_bucket{le=\"")?;
            let (bound, count) = rest.split_once("\"} ")?;
            let bound = Duration::try_from_secs_f64(bound.parse().unwrap());
            let bound = bound.unwrap_or(Duration::MAX);
            Some((bound, count.parse().unwrap()))
        });
        Lateness(buckets.collect())
    }
}

/// How many probes began at most so late.
pub(super) struct Lateness(Vec<(Duration, f64)>);

impl Lateness {
    /// The bound that this share of the probes kept.
    pub(super) fn at_most(&self, share: f64) -> Duration {
        let enough = share * self.count();
        self.0.iter().find(|(_, count)| *count >= enough).unwrap().0
    }

    pub(super) fn count(&self) -> f64 {
        self.0.last().unwrap().1
    }
}

fn config(scene: &Scene, port: u16) -> String {
    let interval = scene.interval.as_millis();
    let port = if scene.kind == "icmp" { String::new() } else { format!("port: {port}, ") };
    let mut text = format!(
        "maglev:\n  vpp:\n    lb: {{ipv4-src-address: 192.0.2.1, ipv6-src-address: '2001:db8::1'}}\n  \
         healthchecks:\n    c: {{type: {}, {port}interval: {interval}ms, timeout: {interval}ms, \
         rise: 2, fall: 3}}\n  backends:\n",
        scene.kind
    );
    for (number, address) in scene.addresses().enumerate() {
        writeln!(text, "    b{number}: {{address: {address}, healthcheck: c}}").unwrap();
    }
    text
}
