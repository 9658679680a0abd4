// What happened at all daemons, in one order: that of their clocks.

/** So many events are held; the oldest go first. */
const MOST = 5000;

/** Kinds of events, in the order of the filter. */
export const KINDS = [
  ["backend", "backends"],
  ["frontend", "frontends"],
  ["fail_open", "fail-open"],
  ["change", "operators, file"],
  ["audit", "audit"],
  ["drain", "drains"],
  ["dataplane", "VPP"],
  ["hold", "held verdicts"],
  ["announcement", "announcements"],
];

/** Entries `{key, daemon, at, event}`, oldest first. */
export class Timeline {
  constructor(most = MOST) {
    this.most = most;
    this.entries = [];
    this.keys = new Set();
    /** Events that a storm left out. */
    this.leftOut = 0;
    /** Rises with every change. */
    this.version = 0;
  }

  /** Adds events of a daemon; one that is here already is not added again. */
  add(daemon, events = [], leftOut = 0) {
    this.leftOut += leftOut;
    this.addAll(events.map((event) => ({ daemon, event })));
  }

  /** Adds `{daemon, event}` of several daemons. */
  addAll(list) {
    let ordered = true;
    this.version += 1;
    for (const { daemon, event } of list) {
      const key = `${daemon} ${event.boot_id} ${event.seq}`;
      if (this.keys.has(key)) {
        continue;
      }
      const entry = { key, daemon, at: event.at ?? "", event };
      const last = this.entries.at(-1);
      ordered &&= last === undefined || last.at <= entry.at;
      this.keys.add(key);
      this.entries.push(entry);
    }
    if (!ordered) {
      this.entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    }
    // Not one by one: what is cut off at the front moves all that follows.
    if (this.entries.length > this.most * 1.2) {
      for (const { key } of this.entries.splice(0, this.entries.length - this.most)) {
        this.keys.delete(key);
      }
    }
  }
}

/**
 * The entries that a filter lets through, latest first.
 *
 * @param {Array} entries oldest first
 * @param {{kinds: Set, daemons: Set, name: string, who: string}} filter empty: everything
 */
export function filtered(entries, { kinds, daemons, name, who }) {
  const wantedName = name.trim().toLowerCase();
  const wantedWho = who.trim().toLowerCase();
  const found = [];
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    const { daemon, event } = entries[index];
    if (
      (kinds.size === 0 || kinds.has(event.type)) &&
      (daemons.size === 0 || daemons.has(daemon)) &&
      (wantedName === "" || concerns(event, wantedName)) &&
      (wantedWho === "" || (event.who ?? "").toLowerCase().includes(wantedWho))
    ) {
      found.push(entries[index]);
    }
  }
  return found;
}

function concerns(event, name) {
  const frontends = event.frontends ?? [];
  const texts = [event.backend, event.frontend, event.pool, event.probes, event.prefix, event.detail];
  return [...texts, ...frontends].some((text) =>
    text?.toLowerCase().includes(name),
  );
}

/** The level of an event, as that of an object: what is red is what went wrong. */
export function levelOf(event) {
  switch (event.type) {
    case "backend":
    case "frontend":
      return { down: "fault", up: "ok", unknown: "warn" }[event.to] ?? "held";
    case "fail_open":
      return event.to === "open" ? "warn" : "ok";
    case "dataplane":
      return { disconnected: "fault", model_mismatch: "fault", removals_held: "warn" }[event.kind] ?? "info";
    case "hold":
      return event.kind === "began" ? "warn" : "ok";
    case "drain":
      return event.kind === "overdue" ? "warn" : "held";
    case "announcement":
      return (
        { withdrawn: "warn", failed: "fault", blocked: "fault", announced: "ok", works: "ok" }[event.to] ?? "held"
      );
    case "change":
      return event.overridden ? "held" : "info";
    case "audit":
      return event.outcome === "done" ? "info" : "warn";
    default:
      return "info";
  }
}

/** What happened, in words: a subject that may be linked, and the rest. */
export function worded(event) {
  switch (event.type) {
    case "backend":
    case "frontend":
      return {
        kind: event.type,
        name: event[event.type],
        text: event.from === "removed" ? `is new: ${event.to}` : `${event.from} → ${event.to}`,
        why: event.why,
      };
    case "fail_open":
      return {
        kind: "frontend",
        name: event.frontend,
        text:
          event.to === "open"
            ? `fails open: every enabled backend of pool ${event.pool} counts as up`
            : "believes its health checks again",
        why: event.why,
      };
    case "change":
      return changeWorded(event);
    case "drain":
      return {
        kind: "backend",
        name: event.backend,
        text:
          event.kind === "ended"
            ? "drain is followed no longer"
            : `${event.kind}${event.flows === null ? "" : `, ${event.flows} flows left`}`,
        why: event.why,
      };
    case "dataplane":
      return {
        kind: event.frontend ? "frontend" : null,
        name: event.frontend ?? "VPP",
        text: event.kind.replaceAll("_", " "),
        why: event.detail,
      };
    case "announcement":
      return {
        kind: event.frontends.length === 1 ? "frontend" : null,
        name: event.frontends.length === 1 ? event.frontends[0] : (event.prefix ?? event.driver),
        text: `${event.prefix ?? "driver"}: ${event.from} → ${event.to}${event.driver === null ? "" : ` at ${event.driver}`}`,
        why: event.why,
      };
    case "audit":
      return {
        kind: null,
        name: event.outcome,
        text: event.what,
        why: [event.why, event.detail].filter(Boolean).join("; ") || null,
      };
    case "hold":
      return {
        kind: null,
        name: event.probes,
        text: event.kind === "began" ? "verdicts wait for evidence" : "verdicts wait no longer",
        why: event.outcome,
      };
    default:
      return {
        kind: null,
        name: event.type,
        text: "a kind of event that this page does not know",
        why: null,
      };
  }
}

function changeWorded(event) {
  if (event.kind === "config") {
    return { kind: null, name: "configuration", text: "was loaded", why: event.why };
  }
  const from = event.from === null ? "" : `${event.from} → `;
  const end = event.ended ? `, override ${event.ended}` : event.overridden ? "" : ", as in the file";
  if (event.kind === "announcement") {
    return { kind: null, name: event.prefix, text: `announcement ${from}${event.to}${end}`, why: event.why };
  }
  const where = event.kind === "weight" ? `weight in ${event.frontend}/${event.pool} ` : "";
  return { kind: "backend", name: event.backend, text: `${where}${from}${event.to}${end}`, why: event.why };
}
