// What is wrong with an object as one daemon has it: a level, a word and a reason.
//
// Levels: "fault" (red: something does not serve or is not known), "warn" (amber: it
// serves, and not as it should), "held" (an operator or the file wants it so), "ok".

import { count } from "../format.js";

export const LEVELS = ["fault", "warn", "held", "ok"];

const judged = (level, word, reason, since = null) => ({ level, word, reason, since });

/** The worse of two levels. */
export function worse(a, b) {
  return LEVELS.indexOf(a) <= LEVELS.indexOf(b) ? a : b;
}

/** Whether what is known of a daemon is old. */
export function isAway(daemon) {
  return daemon.connection.state === "down" || daemon.connection.state === "refused";
}

/** A daemon's connection to us. */
export function judgeDaemon({ connection }) {
  const { state, why, since } = connection;
  switch (state) {
    case "up":
      return judged("ok", "connected", null, since);
    case "connecting":
      return judged("warn", "connecting", why ?? "it has not answered yet", since);
    case "refused":
      return judged("fault", "refuses", why ?? "it answers and refuses", since);
    default:
      return judged("fault", "away", why ?? "it cannot be reached", since);
  }
}

/** A daemon's VPP, and what it holds back. */
export function judgeVpp({ vpp, held }) {
  const lacking = vpp.info?.missing_messages ?? [];
  const removals = vpp.info?.held_removals ?? [];
  if (vpp.state === "away") {
    return judged("fault", "away", vpp.why ?? "VPP is not connected");
  }
  if (vpp.state !== "connected") {
    return judged("warn", "unknown", vpp.why ?? "VPP was not asked yet");
  }
  const since = vpp.info?.connected_at ?? null;
  if (lacking.length > 0) {
    return judged("fault", "not programmed", `VPP lacks ${lacking.join(", ")}`, since);
  }
  if (removals.length > 0) {
    const reason = `the removal of ${removals.length === 1 ? removals[0] : `${removals.length} VIPs`} is held: sync with force, or configure them`;
    return judged("warn", "removals held", reason, since);
  }
  if (held.length > 0) {
    const ways = held.map(({ probes }) => probes).join(", ");
    return judged(
      "warn",
      "verdicts held",
      `nobody passes over ${ways}: verdicts wait for evidence`,
      held[0].since,
    );
  }
  return judged("ok", "connected", null, since);
}

/** How many of a frontend's backends get new flows, of how many. */
export function servingOf(frontend) {
  let serving = 0;
  const names = new Set();
  for (const { backends } of frontend.pools) {
    for (const member of backends) {
      names.add(member.name);
      serving += member.effective_weight > 0 ? 1 : 0;
    }
  }
  return { serving, total: names.size };
}

/** A frontend. */
export function judgeFrontend(frontend) {
  const { state, fail_open: failOpen, serving_pool: pool, pools } = frontend;
  if (frontend.vpp_refusal) {
    return judged("fault", "refused", `VPP refuses a step: ${frontend.vpp_refusal}`);
  }
  if (state === "down") {
    const { total } = servingOf(frontend);
    return judged(
      "fault",
      "down",
      total === 0 ? "it has no backend" : `none of ${total} backends gets new flows`,
    );
  }
  if (state !== "up") {
    return judged("warn", state, "its backends have no verdict yet");
  }
  if (pool === null) {
    return judged("fault", "no server", "no server has a weight above 0");
  }
  if (failOpen?.open) {
    const share = `${failOpen.up_weight} of ${failOpen.total_weight} of the weight is up`;
    return judged(
      "warn",
      "fails open",
      `${share}: every enabled backend of pool ${failOpen.pool} counts as up`,
      failOpen.since,
    );
  }
  if (frontend.announcement?.wanted === "withdrawn") {
    const { why, since } = frontend.announcement;
    return judged("warn", "withdrawn", `its address is not announced: ${why}`, since);
  }
  if (!frontend.programmed) {
    return judged(
      "warn",
      "not confirmed",
      frontend.not_programmed ?? "VPP has not confirmed all that is due",
    );
  }
  if (!frontend.serving && !hasEntries(frontend)) {
    return judged("warn", "not read back", "VPP was not read back with a server that has entries");
  }
  if (pools.length > 0 && pools[0].name !== pool) {
    return judged("warn", "failed over", `pool ${pool} serves in place of ${pools[0].name}`);
  }
  if (frontend.warnings.length > 0) {
    return judged("warn", "warning", frontend.warnings[0]);
  }
  return degraded(pools.find(({ name }) => name === pool));
}

/** Whether VPP was seen to lead new flows to a server that is to have some, if not after the last change. */
function hasEntries({ pools }) {
  return pools.some(({ backends }) =>
    backends.some(({ effective_weight: weight, vpp_buckets: buckets }) => weight > 0 && buckets > 0),
  );
}

function degraded(pool) {
  const out =
    pool?.backends.filter(({ weight, effective_weight: effective }) => weight > 0 && effective === 0) ?? [];
  if (out.length === 0) {
    return judged("ok", "up", null);
  }
  const names =
    out.length > 2
      ? `${out.length} of ${pool.backends.length} backends`
      : out.map(({ name }) => name).join(" and ");
  return judged(
    "warn",
    "degraded",
    `${names} of pool ${pool.name} ${out.length === 1 ? "gets" : "get"} no new flows`,
  );
}

/** A backend. */
export function judgeBackend(backend) {
  const { state, since, reason, drain, doubt, damping } = backend;
  if (state === "down") {
    return judged(
      "fault",
      "down",
      short(backend.name, reason) ?? backend.last_result ?? "its check fails",
      since,
    );
  }
  if (backend.unresolved) {
    return judged("warn", "unresolved", `${backend.dns_name} does not resolve: ${backend.unresolved}`, since);
  }
  if (state === "unknown") {
    return judged(
      "warn",
      "unknown",
      short(backend.name, reason) ?? backend.last_result ?? "it has no verdict yet",
      since,
    );
  }
  if (drain) {
    const left = drain.flows === null ? "flows are not counted yet" : `${count(drain.flows)} flows left`;
    return judged(drain.phase === "overdue" ? "warn" : "held", drain.phase, said(left, backend), drain.since);
  }
  if (state === "paused" || state === "disabled") {
    return judged("held", state, said(null, backend), since);
  }
  if (doubt) {
    return judged("warn", "in doubt", doubt.why, doubt.since);
  }
  if (damping) {
    return judged("warn", "kept out", `passes again, and fell ${damping.falls} times lately`, damping.since);
  }
  if (!backend.programmed) {
    return judged("warn", "not confirmed", "VPP has not confirmed all that is due", since);
  }
  if (backend.slow_starts.length > 0) {
    const [{ weight, target }] = backend.slow_starts;
    return judged("held", "starting slowly", `weight ${weight} of ${target}`, since);
  }
  return judged("ok", state, null, since);
}

/** A reason without what stands beside it: whose it is, and that it gets no new flows. */
function short(name, reason) {
  const said = `${name} gets no new flows because `;
  return reason?.startsWith(said) ? reason.slice(said.length) : reason;
}

/** Who wants it so, and why. The override comes a moment after the state that it makes. */
function said(first, { name, reason, admin_override: override }) {
  const by = override
    ? `by ${override.who}${override.why ? `: ${override.why}` : ""}`
    : (short(name, reason) ?? "as in the file");
  return first === null ? by : `${first}; ${by}`;
}
