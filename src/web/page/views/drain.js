// How far a drain is.

import { count, counted, span } from "../format.js";
import { h } from "../tree.js";

/** The progress of a backend's drain at a daemon, as it is now; null: it is not drained. */
export function drainProgress(ctx, daemon, name) {
  const drain = ctx.model.daemons.get(daemon)?.backends.get(name)?.drain;
  if (!drain) {
    return null;
  }
  const { flows, first_flows: first } = drain;
  const gone = flows === null || !first ? (drain.phase === "drained" ? 1 : 0) : Math.max(0, first - flows);
  const all = flows === null || !first ? 1 : Math.max(first, 1);
  return h(
    "div",
    { class: "drain" },
    h("progress", { max: all, value: gone, "aria-label": `Drain of ${name} at ${daemon}` }),
    h("p", null, h("strong", null, drain.phase), `: ${progressText(drain)}`),
  );
}

/** How far it is, in words. */
function progressText(drain) {
  if (drain.phase === "drained") {
    return `no flow is left, after ${span(drain.lasted_ns / 1e6)}`;
  }
  const parts = [];
  parts.push(
    drain.flows === null
      ? (drain.uncounted ?? "the flows are not counted yet")
      : `${count(drain.flows)} of ${counted(drain.first_flows ?? drain.flows, "flow")} left`,
  );
  if (drain.rate > 0) {
    parts.push(`${drain.rate.toFixed(1)} end in a second`);
  }
  if (drain.ends_in_ns !== null && drain.ends_in_ns !== undefined) {
    parts.push(`the last in about ${span(drain.ends_in_ns / 1e6)}`);
  }
  if (drain.left_ns !== null && drain.left_ns !== undefined) {
    parts.push(
      `timeout in ${span(drain.left_ns / 1e6)}${drain.flush ? ", then what is left is forgotten" : ""}`,
    );
  }
  return parts.join(", ");
}
