//! The configuration that the daemon is given, as a scenario wants it.

use std::fmt::Write as _;

/// What clients connect to.
pub(crate) const VIP: &str = "192.0.2.80";
/// Of the service, on the VIP.
pub(crate) const PORT: u16 = 7;
/// Of the health check, on each server's own address.
pub(crate) const HEALTH_PORT: u16 = 8080;
pub(crate) const SERVERS: usize = 4;

/// See the module's description. Three servers are the primary pool, the
/// fourth is the fallback.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Configuration {
    pub(crate) check: Check,
    /// Of each server in its pool.
    pub(crate) weights: [u8; SERVERS],
    /// What backends are called, before their number.
    pub(crate) prefix: &'static str,
    /// Seconds between two drift passes.
    pub(crate) sync_interval: u32,
    /// Seconds without a packet after which VPP forgets a flow.
    pub(crate) flow_timeout: u32,
    /// Of the primary pool, in seconds; 0: none.
    pub(crate) slow_start: u32,
    /// The VIP is announced, by a route of the kernel.
    pub(crate) is_announced: bool,
}

/// How servers are probed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Check {
    interval: &'static str,
    fast_interval: &'static str,
    timeout: &'static str,
    fall: u32,
    path: &'static str,
}

impl Check {
    /// Down within a second.
    pub(crate) const QUICK: Self = Self {
        interval: "500ms",
        fast_interval: "200ms",
        timeout: "400ms",
        fall: 2,
        path: "/health",
    };
    /// Half a minute of the path can be missing without a verdict.
    pub(crate) const SLOW: Self =
        Self { interval: "3s", fast_interval: "3s", timeout: "2s", fall: 4, path: "/health" };
    /// Another question, asked at other intervals.
    pub(crate) const OTHER: Self = Self { interval: "1s", path: "/", ..Self::QUICK };
}

impl Configuration {
    pub(crate) const QUICK: Self = Self {
        check: Check::QUICK,
        weights: [100; SERVERS],
        prefix: "web",
        sync_interval: 30,
        flow_timeout: 40,
        slow_start: 0,
        is_announced: false,
    };

    pub(crate) fn yaml(&self) -> String {
        let Self { check, weights, sync_interval, flow_timeout, slow_start, .. } = self;
        let (drivers, announce) = match self.is_announced {
            true => (
                "\n  announce: { netlink: {}, hold-vpp: 10s }",
                "\n      announce: { hold-down: 0s, hold-up: 0s }",
            ),
            false => ("", ""),
        };
        let Check { interval, fast_interval, timeout, fall, path } = check;
        let mut backends = String::new();
        let mut pools = [String::new(), String::new()];
        for (index, weight) in weights.iter().enumerate() {
            let name = self.backend(index);
            let address = address(index);
            // Writing to a text does not fail.
            let _ = writeln!(backends, "    {name}: {{ address: {address}, healthcheck: line }}");
            let pool = &mut pools[usize::from(index + 1 == SERVERS)];
            let _ = writeln!(pool, "            {name}: {{ weight: {weight} }}");
        }
        let [primary, fallback] = pools;
        let slow_start = match slow_start {
            0 => String::new(),
            seconds => format!("\n          slow-start: {seconds}s"),
        };
        format!(
            "maglev:
  vpp:
    lb:
      ipv4-src-address: 192.0.2.1
      ipv6-src-address: 2001:db8::1
      sync-interval: {sync_interval}s
      flow-timeout: {flow_timeout}s{drivers}
  healthchecks:
    line:
      type: http
      port: {HEALTH_PORT}
      interval: {interval}
      fast-interval: {fast_interval}
      timeout: {timeout}
      rise: 2
      fall: {fall}
      params: {{ path: {path} }}
  backends:
{backends}  frontends:
    line:
      address: {VIP}
      protocol: tcp
      port: {PORT}{announce}
      pools:
        - name: primary{slow_start}
          backends:
{primary}        - name: fallback
          backends:
{fallback}"
        )
    }

    /// The name of a backend.
    pub(crate) fn backend(&self, index: usize) -> String {
        format!("{}{}", self.prefix, index + 1)
    }
}

/// Where a server is probed, and where VPP tunnels its flows to.
pub(crate) fn address(index: usize) -> String {
    format!("10.2.{}.2", index + 1)
}
