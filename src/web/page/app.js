// What the views are given: what is known, what is shown of it, and what can be done.

import { daemonNow, emptyModel, takeChange } from "./state/model.js";
import { Rows } from "./state/rows.js";
import { parseRoute } from "./route.js";

/** The page's state beside the model. Views read it; main.js and actions write it. */
export class App {
  model = emptyModel();
  frontends = new Rows("frontend");
  backends = new Rows("backend");
  route = parseRoute(location.hash);
  /** The answer of `./api/session`, once there is one. */
  session = null;
  /** Whether the stream is open; and since when it is not. */
  live = false;
  awaySince = null;
  /** Why the page itself cannot go on: an ApiError. */
  failure = null;
  /** Whether the server is of another version than this page. */
  outdated = false;
  /** The dialog that is open: `{view(ctx), …}`. */
  dialog = null;
  local = readSetting("maglev-zone") === "local";
  /** Where the long tables are in the window. */
  viewports = new Map();
  /** What was looked for by hand, by what it is. */
  examined = new Map();
  windowHeight = innerHeight;
  /** This machine's clock as the frame began. */
  now = Date.now();
  #matches = new Map();
  #scheduled = false;
  #draw;

  /** `draw(app, change)` brings the document to the state. */
  constructor(draw) {
    this.#draw = draw;
  }

  /** The clock of a daemon; without one, the web server's. */
  nowOf(daemon) {
    const found = daemon === null ? null : this.model.daemons.get(daemon);
    return daemonNow(this.model, found, this.now);
  }

  /** Whether who is logged in may change things. */
  get mayOperate() {
    return this.session?.may_operate === true;
  }

  /** What `find` gives, kept until the rows or the query change. */
  matched(name, rows, query, find) {
    const kept = this.#matches.get(name);
    if (kept?.version === rows.version && kept.query === query) {
      return kept.found;
    }
    const found = find();
    this.#matches.set(name, { version: rows.version, query, found });
    return found;
  }

  /** Has the document drawn with the next frame; in a hidden tab, only its title, now and then. */
  schedule() {
    if (this.#scheduled) {
      return;
    }
    this.#scheduled = true;
    if (document.hidden) {
      setTimeout(() => this.#frame(), 1000);
    } else {
      requestAnimationFrame(() => this.#frame());
    }
  }

  #frame() {
    this.#scheduled = false;
    this.now = Date.now();
    this.windowHeight = innerHeight;
    const change = takeChange(this.model);
    const { daemons } = this.model;
    if (change.all) {
      this.frontends.rebuild(daemons);
      this.backends.rebuild(daemons);
    } else {
      this.frontends.update(daemons, change.frontends);
      this.backends.update(daemons, change.backends);
    }
    this.#draw(this, change);
  }

  /** Shows times by UTC or by this machine's clock. */
  setLocal(local) {
    this.local = local;
    writeSetting("maglev-zone", local ? "local" : "utc");
    this.schedule();
  }
}

/** A setting that this browser keeps; null: none, or it keeps nothing. */
export function readSetting(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Keeps a setting; null ends it. */
export function writeSetting(name, value) {
  try {
    if (value === null) {
      localStorage.removeItem(name);
    } else {
      localStorage.setItem(name, value);
    }
  } catch {
    // A browser that keeps nothing still shows the page.
  }
}
