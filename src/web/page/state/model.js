// What the page knows of all daemons: filled by `./api/state`, kept up to date by
// the batches of the event stream. No document and no clock in here.

import { Timeline } from "./timeline.js";

/** The keys of a daemon that a batch replaces as a whole. */
const WHOLE = [
  "connection",
  "clock_ahead_ms",
  "boot_id",
  "version",
  "role",
  "fingerprint",
  "vpp",
  "held",
  "overrides_kept",
  "overrides",
];

/** A model that knows nothing yet. */
export function emptyModel() {
  return {
    loaded: false,
    /** Milliseconds that the web server's clock is ahead of this machine's. */
    webAhead: 0,
    /** What to open the stream behind. */
    eventId: null,
    daemons: new Map(),
    differences: null,
    timeline: new Timeline(),
    /** What has changed since the rows were made: names, or everything. */
    changed: emptyChange(),
  };
}

function emptyChange() {
  return { all: false, daemons: false, frontends: new Set(), backends: new Set(), timeline: false };
}

/** Takes the answer of `./api/state`, received at `now` by this machine's clock. */
export function load(model, state, now) {
  model.loaded = true;
  model.webAhead = Date.parse(state.now) - now;
  model.eventId = state.event_id;
  model.daemons = new Map();
  for (const daemon of state.daemons) {
    const { frontends, backends, timeline, ...scalars } = daemon;
    model.daemons.set(daemon.name, {
      ...scalars,
      frontends: byName(frontends),
      backends: byName(backends),
    });
    model.timeline.add(daemon.name, timeline);
  }
  model.differences = state.differences;
  model.changed.all = true;
  model.changed.timeline = true;
}

/**
 * Takes a `batch`. One that was taken before, or that is older than the state, changes
 * nothing that matters: its objects are replaced by what follows it.
 */
export function applyBatch(model, batch) {
  const daemon = model.daemons.get(batch.daemon);
  if (daemon === undefined) {
    return;
  }
  const { changed } = model;
  for (const key of WHOLE) {
    if (key in batch) {
      daemon[key] = batch[key];
      changed.daemons = true;
    }
  }
  if ("connection" in batch || "boot_id" in batch) {
    changed.all = true;
  }
  daemon.as_of = batch.as_of ?? daemon.as_of;
  replace(daemon.frontends, batch.frontends, batch.frontends_gone, changed.frontends);
  replace(daemon.backends, batch.backends, batch.backends_gone, changed.backends);
  if (batch.timeline !== undefined) {
    model.timeline.add(batch.daemon, batch.timeline, batch.timeline_left_out);
    changed.timeline = true;
  }
}

/** Takes the event `differences`. */
export function applyDifferences(model, differences) {
  model.differences = differences;
  model.changed.daemons = true;
}

/** Gives what has changed since it was taken last. */
export function takeChange(model) {
  const change = model.changed;
  model.changed = emptyChange();
  return change;
}

/** A daemon's clock, as this machine can tell, at `now` of this machine's. */
export function daemonNow(model, daemon, now) {
  return now + model.webAhead + (daemon?.clock_ahead_ms ?? 0);
}

/** Names of the frontends of a daemon that have this backend, in the model's order. */
export function usedBy(daemon, backend) {
  const users = [];
  for (const frontend of daemon.frontends.values()) {
    if (frontend.pools.some((pool) => pool.backends.some((member) => member.name === backend))) {
      users.push(frontend.name);
    }
  }
  return users;
}

function byName(objects) {
  return new Map(objects.map((object) => [object.name, object]));
}

function replace(objects, changed = [], gone = [], names) {
  for (const object of changed) {
    objects.set(object.name, object);
    names.add(object.name);
  }
  for (const name of gone) {
    objects.delete(name);
    names.add(name);
  }
}
