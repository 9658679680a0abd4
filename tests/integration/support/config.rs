//! Configuration files as tests need them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::{Backend, VIP4, VIP6};

/// A configuration in the making. Every backend has a health check of its own
/// name, because each has a port of its own.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Lines of `vpp.lb` beside the source addresses.
    lb: String,
    checks: String,
    backends: String,
    frontends: String,
}

impl Config {
    /// No frontends yet; drift is looked for at this interval.
    pub(crate) fn new(sync_interval: &str) -> Self {
        // Tests wait for verdicts, however slow the machine is.
        let lb = format!("      sync-interval: {sync_interval}\n      startup-max-delay: 1h\n");
        let (checks, backends, frontends) = Default::default();
        Self { lb, checks, backends, frontends }
    }

    /// Adds a backend that is judged after two probes that agree.
    pub(crate) fn backend(self, backend: &Backend) -> Self {
        // No probe of these is meant to time out, however slow the machine is.
        self.backend_with(backend, "interval: 50ms, timeout: 20s, rise: 2, fall: 2")
    }

    /// Adds a backend that is probed like that.
    pub(crate) fn backend_with(mut self, backend: &Backend, check: &str) -> Self {
        let Backend { name, address, .. } = backend;
        let (ip, port) = (address.ip(), address.port());
        writeln!(self.checks, "    {name}: {{type: http, port: {port}, {check}}}").unwrap();
        writeln!(self.backends, "    {name}: {{address: {ip}, healthcheck: {name}}}").unwrap();
        self
    }

    /// Adds `v4` and `v6`, whose pools are given as `a b c:50` each.
    pub(crate) fn both(self, pools: &[&str]) -> Self {
        self.frontend("v4", VIP4, pools).frontend("v6", VIP6, pools)
    }

    /// Adds a frontend on TCP port 80. Its pools are named by their number.
    pub(crate) fn frontend(mut self, name: &str, vip: &str, pools: &[&str]) -> Self {
        write!(
            self.frontends,
            "    {name}:\n      address: {vip}\n      protocol: tcp\n      port: 80\n      pools:\n"
        )
        .unwrap();
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
        let Self { lb, checks, backends, frontends } = self;
        format!(
            "maglev:\n  healthchecker:\n    transition-history: 100\n  vpp:\n    lb:\n      \
             ipv4-src-address: 192.0.2.1\n      ipv6-src-address: 2001:db8::1\n{lb}  \
             healthchecks:\n{checks}  backends:\n{backends}  frontends:\n{frontends}"
        )
    }

    /// Writes it where the daemon of `dir` reads it.
    pub(crate) fn write(&self, dir: &Path) -> PathBuf {
        let path = dir.join("maglev.yaml");
        std::fs::write(&path, self.text()).unwrap();
        path
    }
}
