//! Configuration files as tests need them.

use std::fmt::Write;
use std::net::SocketAddr;

use super::{Backend, VIP4, VIP6};

/// A backend is judged after two probes that agree. None is meant to time out,
/// however slow the machine is.
const CHECK: &str = "interval: 50ms, timeout: 20s, rise: 2, fall: 2";

/// A configuration in the making. Every backend has a health check of its own
/// name, because each has a port of its own.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    sync_interval: String,
    /// The line of the file; empty: there is none.
    flow_timeout: String,
    /// Name, address, and the timing of the check.
    backends: Vec<(String, SocketAddr, String)>,
    frontends: String,
    /// `fail-open` of the frontends that are added from then on.
    fail_open: Option<String>,
}

impl Config {
    /// With these backends and no frontend.
    pub(crate) fn of<'a>(backends: impl IntoIterator<Item = &'a Backend>) -> Self {
        let backends = backends.into_iter();
        let entry = |backend: &Backend| (backend.name.into(), backend.address, CHECK.into());
        let backends = backends.map(entry).collect();
        let (sync_interval, flow_timeout) = ("1h".into(), String::new());
        Self { sync_interval, flow_timeout, backends, frontends: String::new(), fail_open: None }
    }

    /// The frontends that are added from now on fail open below this share.
    pub(crate) fn fail_open(self, share: &str) -> Self {
        Self { fail_open: Some(share.into()), ..self }
    }

    /// Drift is looked for at this interval, and not every hour.
    pub(crate) fn sync_interval(self, interval: &str) -> Self {
        Self { sync_interval: interval.into(), ..self }
    }

    /// VPP forgets a flow after so long without a packet, and not after 40 s.
    pub(crate) fn flow_timeout(self, timeout: &str) -> Self {
        Self { flow_timeout: format!("      flow-timeout: {timeout}\n"), ..self }
    }

    /// Has a backend probed like that.
    pub(crate) fn check(mut self, backend: &str, check: &str) -> Self {
        let found = self.backends.iter_mut().find(|(name, ..)| name == backend);
        check.clone_into(&mut found.unwrap().2);
        self
    }

    pub(crate) fn without(mut self, backend: &str) -> Self {
        self.backends.retain(|(name, ..)| name != backend);
        self
    }

    /// Adds `v4` and `v6`, whose pools are given as `a b c:50` each.
    pub(crate) fn both(self, pools: &[&str]) -> Self {
        self.frontend("v4", VIP4, pools).frontend("v6", VIP6, pools)
    }

    /// Adds a frontend on TCP port 80. Its pools are named by their number.
    pub(crate) fn frontend(self, name: &str, vip: &str, pools: &[&str]) -> Self {
        self.frontend_on(80, name, vip, pools)
    }

    /// The same on another port.
    pub(crate) fn frontend_on(mut self, port: u16, name: &str, vip: &str, pools: &[&str]) -> Self {
        write!(
            self.frontends,
            "    {name}:\n      address: {vip}\n      protocol: tcp\n      port: {port}\n      pools:\n"
        )
        .unwrap();
        if let Some(share) = &self.fail_open {
            let pools = self.frontends.len() - "      pools:\n".len();
            self.frontends.insert_str(pools, &format!("      fail-open: {share}\n"));
        }
        for (number, pool) in pools.iter().enumerate() {
            writeln!(self.frontends, "        - name: pool{number}\n          backends:").unwrap();
            for member in pool.split_whitespace() {
                let (name, weight) = member.split_once(':').unwrap_or((member, "100"));
                writeln!(self.frontends, "            {name}: {{weight: {weight}}}").unwrap();
            }
        }
        self
    }

    pub(crate) fn text(&self) -> String {
        let Self { sync_interval, flow_timeout, backends, frontends, .. } = self;
        // Tests wait for verdicts, however long these take.
        let mut text = format!(
            "maglev:\n  healthchecker:\n    transition-history: 100\n  vpp:\n    lb:\n      \
             ipv4-src-address: 192.0.2.1\n      ipv6-src-address: 2001:db8::1\n      \
             sync-interval: {sync_interval}\n{flow_timeout}      startup-max-delay: 1h\n"
        );
        // A section without entries is left out: one that is blank is a fault.
        let section = |key: &str, entries: &str| match entries {
            "" => String::new(),
            entries => format!("  {key}:\n{entries}"),
        };
        let (mut checks, mut servers) = (String::new(), String::new());
        for (name, address, check) in backends {
            let (ip, port) = (address.ip(), address.port());
            writeln!(checks, "    {name}: {{type: http, port: {port}, {check}}}").unwrap();
            writeln!(servers, "    {name}: {{address: {ip}, healthcheck: {name}}}").unwrap();
        }
        text += &section("healthchecks", &checks);
        text += &section("backends", &servers);
        text + &section("frontends", frontends)
    }
}
