// What the tests of the page's functions share: they run in the page, and give what failed.
const failed = [];
const same = (actual, expected, what) => {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) {
    failed.push(`${what}: ${is} is not ${should}`);
  }
};
const load = (path) => import(new URL(path, document.baseURI));
const frontend = (name, more = {}) => ({
  name, state: "up", address: "192.0.2.1", protocol: "tcp", port: 80, description: null, src_ip_sticky: false,
  flush_on_down: true, new_flows_table_length: 1024, warnings: [], vpp_refusal: null, programmed: true,
  not_programmed: null, serving: true, fail_open: null, serving_pool: "main",
  pools: [{ name: "main", backends: [member("a"), member("b")] }, { name: "standby", backends: [member("c", { effective_weight: 0 })] }],
  ...more,
});
const member = (name, more = {}) => ({
  name, weight: 100, weight_overridden: false, weight_override: null, effective_weight: 100, asked_share: null,
  real_share: null, vpp_buckets: null, ...more,
});
const backend = (name, more = {}) => ({
  name, address: "10.0.0.1", dns_name: null, unresolved: null, state: "up", since: "2026-11-28T10:00:00.000000000Z",
  reason: null, kind: null, healthcheck: "http", last_result: "L7OK 200 OK", enabled: true, admin_override: null,
  doubt: null, damping: null, drain: null, slow_starts: [], programmed: true, ...more,
});
const daemon = (name, more = {}) => ({
  name, address: `${name}:9090`, connection: { state: "up", why: null, since: "2026-11-28T09:00:00Z" },
  as_of: "2026-11-28T10:00:00Z", clock_ahead_ms: 0, boot_id: "1", version: null, role: "operator", fingerprint: "aa",
  vpp: { state: "connected", why: null, info: null }, held: [], overrides_kept: true, overrides: [],
  frontends: [frontend("web")], backends: [backend("a"), backend("b"), backend("c")], timeline: [], ...more,
});
const stateOf = (...daemons) => ({ now: "2026-11-28T10:00:00Z", event_id: "x-1", version: "0.1.0", daemons, differences: null });
