// What an operator can do, when it applies, and what is asked of the server for it.

import { parseSpan } from "../format.js";

/**
 * - `verb`: of the button; `title`: of the dialog; `does`: what it comes to
 * - `fields`: what can be said beside the reason
 * - `undoable`: whether several daemons can do all or none of it
 * - `tone`: "danger" where flows are lost
 */
export const ACTIONS = {
  pause: {
    verb: "Pause",
    title: ({ backend }) => `Pause ${backend}`,
    does: "It takes no new flows, and keeps those it has. It is not probed meanwhile.",
    fields: ["for"],
    undoable: true,
  },
  drain: {
    verb: "Drain",
    title: ({ backend }) => `Drain ${backend}`,
    does: "It takes no new flows, and the flows that are left are counted until there is none.",
    fields: ["timeout", "flush"],
  },
  undrain: {
    verb: "Undrain",
    title: ({ backend }) => `End the drain of ${backend}`,
    does: "It is put to use again, however far its drain is.",
    fields: [],
  },
  resume: {
    verb: "Resume",
    title: ({ backend }) => `Resume ${backend}`,
    does: "It is probed, and takes new flows once it is up.",
    fields: ["slowly"],
    undoable: true,
  },
  disable: {
    verb: "Disable",
    title: ({ backend }) => `Disable ${backend}`,
    does: "It takes no new flows, and VPP forgets those it has: its clients are cut off.",
    fields: ["for"],
    undoable: true,
    tone: "danger",
  },
  enable: {
    verb: "Enable",
    title: ({ backend }) => `Enable ${backend}`,
    does: "It is probed, and takes new flows once it is up.",
    fields: ["for"],
    undoable: true,
  },
  unset: {
    verb: "Unset",
    title: ({ backend }) => `End the override of ${backend}`,
    does: "It is as the file says: paused, disabled or enabled.",
    fields: [],
    undoable: true,
  },
  weight: {
    verb: "Weight",
    title: ({ backend, frontend, pool }) => `Weight of ${backend} in ${frontend}/${pool}`,
    does: "It gets another part of the new flows. 0: none, and it keeps those it has.",
    fields: ["weight", "for"],
    undoable: true,
  },
  unset_weight: {
    verb: "Unset",
    title: ({ backend, frontend, pool }) => `Unset the weight of ${backend} in ${frontend}/${pool}`,
    does: "Its weight is the file's again.",
    fields: [],
    undoable: true,
  },
  sync: {
    verb: "Sync",
    title: ({ frontend }) => (frontend ? `Sync ${frontend} with VPP` : "Sync VPP"),
    does: "VPP is made to hold what the configuration and the health checks ask for. What would be written is listed first.",
    fields: ["force"],
    shownFirst: true,
  },
  reload: {
    verb: "Reload",
    title: () => "Reload the configuration",
    does: "The configuration file is read, and used whole or not at all. What it says is checked first.",
    fields: ["force"],
    shownFirst: true,
  },
};

/** What applies to a backend as a daemon has it, the likeliest first. */
export function applicable(backend) {
  const list = [];
  if (backend.state === "disabled") {
    list.push("enable");
  } else if (backend.state === "paused") {
    list.push(...(backend.drain ? ["undrain", "pause"] : ["resume", "drain"]), "disable");
  } else {
    list.push("drain", "pause", "disable");
  }
  if (backend.admin_override) {
    list.push("unset");
  }
  return list;
}

/** What is said in the fields as they are opened. */
export function initialFields(target) {
  return {
    daemons: new Set(target.daemons),
    why: "",
    for: "",
    weight: target.weight ?? 100,
    slowly: false,
    timeout: "",
    flush: false,
    force: false,
    allOrNone: target.daemons.length > 1,
  };
}

/** What is wrong with the fields, by field; empty: nothing. The reason counts only once it is sent. */
export function faults(action, fields) {
  const found = {};
  if (fields.daemons.size === 0) {
    found.daemons = "Choose at least one daemon.";
  }
  const uses = (field) => ACTIONS[action].fields.includes(field);
  for (const field of ["for", "timeout"]) {
    if (uses(field) && fields[field].trim() !== "" && parseSpan(fields[field]) === null) {
      found[field] = "Write a span like 90s, 2h or 1d12h, or nothing.";
    }
  }
  if (uses("flush") && fields.flush && fields.timeout.trim() === "") {
    found.timeout = "Flows are forgotten at the timeout: give one.";
  }
  if (uses("weight") && !(Number.isInteger(fields.weight) && fields.weight >= 0 && fields.weight <= 100)) {
    found.weight = "A whole number from 0 to 100.";
  }
  return found;
}

/** The body of `./api/forecast`, and without its reason that of `./api/actions`. */
export function request(action, target, fields) {
  const { fields: used, undoable } = ACTIONS[action];
  const body = { action, daemons: [...fields.daemons] };
  for (const key of ["backend", "frontend", "pool"]) {
    if (target[key]) {
      body[key] = target[key];
    }
  }
  if (undoable && fields.daemons.size > 1) {
    body.all_or_none = fields.allOrNone;
  }
  for (const field of used) {
    if (field === "for" || field === "timeout") {
      const span = parseSpan(fields[field]);
      if (span !== null) {
        body[`${field}_ns`] = span;
      }
    } else {
      body[field] = fields[field];
    }
  }
  return body;
}
