// What a view asks for beyond the state: of one frontend, backend, or VPP. It is asked
// again while the view is shown, at once when an event is about it.

import { daemonPath, get } from "./api.js";
import { isAway } from "./state/judge.js";

/** Between two calls, while the view is shown. */
const AGAIN_MS = 5_000;
/** After an event; and at least so long after the call before it. */
const SOON_MS = 300;
const APART_MS = 2_000;

const PATHS = {
  frontend: (daemon, name) => daemonPath(daemon, "frontends", name),
  backend: (daemon, name) => daemonPath(daemon, "backends", name),
  vpp: (daemon) => daemonPath(daemon, "vpp"),
};

/** The answer for the view that is shown, as `answer`; `error` of the last call. */
export class Detail {
  #app;
  #key = null;
  #path = null;
  #abort = null;
  #timer = null;
  #asking = false;
  #asked = 0;
  #due = 0;
  daemon = null;
  answer = null;
  error = null;

  constructor(app) {
    this.#app = app;
    document.addEventListener("visibilitychange", () => document.hidden || this.#ask());
  }

  /** The daemon that the view is of: the one of the address, or the one with the worst. */
  daemonOf(route) {
    const { model, frontends, backends } = this.#app;
    const wanted = route.query.get("daemon");
    if (model.daemons.has(wanted)) {
      return wanted;
    }
    const rows = { frontend: frontends, backend: backends }[route.view];
    const at = rows?.byName.get(route.name)?.at ?? [];
    const order = ["fault", "warn", "held", "ok", "old"];
    const [worst] = [...at].sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
    if (worst !== undefined) {
      return worst.daemon;
    }
    const all = [...model.daemons.values()];
    return (all.find((daemon) => !isAway(daemon)) ?? all[0])?.name ?? null;
  }

  /** Follows what is shown, and what has changed of it. */
  follow(route, change) {
    const { model } = this.#app;
    const path = PATHS[route.view];
    this.daemon = path && model.loaded ? this.daemonOf(route) : null;
    const { daemon } = this;
    const key = this.#has(daemon, route) ? JSON.stringify([route.view, daemon, route.name]) : null;
    if (key !== this.#key) {
      this.#leave();
      this.#key = key;
      this.#path = key === null ? null : path(daemon, route.name);
      this.#ask();
    } else if (key !== null && concerned(route, change)) {
      this.#later(Math.max(SOON_MS, this.#asked + APART_MS - Date.now()));
    }
  }

  /** Whether a daemon has what the view is of. */
  #has(daemon, { view, name }) {
    const known = this.#app.model.daemons.get(daemon);
    return known !== undefined && (view === "vpp" || known[`${view}s`].has(name));
  }

  /** Asks again at once: something was done. */
  refresh() {
    this.#ask();
  }

  #leave() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#abort?.abort();
    this.#asking = false;
    this.answer = null;
    this.error = null;
  }

  async #ask() {
    if (this.#key === null || this.#asking || document.hidden) {
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = null;
    const key = this.#key;
    this.#asking = true;
    this.#asked = Date.now();
    this.#abort = new AbortController();
    try {
      const answer = await get(this.#path, this.#abort.signal);
      if (key === this.#key) {
        this.answer = answer;
        this.error = null;
      }
    } catch (error) {
      if (key !== this.#key || error.name === "AbortError") {
        return;
      }
      this.error = error;
      if (error.code === "unauthenticated") {
        this.#asking = false;
        this.#app.ended({ why: "expired" });
        return;
      }
    }
    if (key === this.#key) {
      this.#asking = false;
      this.#later(AGAIN_MS);
      this.#app.schedule();
    }
  }

  /** An earlier time wins. */
  #later(milliseconds) {
    if (this.#timer !== null && this.#due <= Date.now() + milliseconds) {
      return;
    }
    clearTimeout(this.#timer);
    this.#due = Date.now() + milliseconds;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#ask();
    }, milliseconds);
  }
}

function concerned(route, change) {
  const names = { frontend: change.frontends, backend: change.backends }[route.view];
  return change.all || (names?.has(route.name) ?? false);
}
