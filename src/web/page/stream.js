// The one stream of events of this tab. It is opened again behind the last event that
// was received, whatever ended it: a proxy, a server that restarts, a laptop that slept.

/** The server says that it is there every 10 seconds. */
const SILENCE_MS = 25_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** A tab that is hidden for so long lets go of its connection. */
const HIDDEN_MS = 300_000;

/**
 * Follows the stream for ever.
 *
 * `on` has what to do: `batch(data)`, `differences(data)`, `hello(data)`,
 * `session(data)`, `reset()` → once the state was read anew, the id to go on behind,
 * `live(boolean)`, `refused()` → whether to go on.
 */
export class Stream {
  #on;
  #source = null;
  #lastId = null;
  #wait = FIRST_WAIT_MS;
  #timer = null;
  #heard = 0;
  #live = false;

  constructor(on) {
    this.#on = on;
    setInterval(() => this.#check(), 5_000);
    addEventListener("online", () => this.#reopen());
    document.addEventListener("visibilitychange", () => this.#visibility());
  }

  /** Opens it behind this event. */
  open(after) {
    this.#lastId = after;
    this.#reopen();
  }

  /** Ends it until it is opened again. */
  close() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#source?.close();
    this.#source = null;
    this.#tell(false);
  }

  #reopen() {
    if (this.#lastId === null) {
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#source?.close();
    const source = new EventSource(`./api/events?after=${encodeURIComponent(this.#lastId)}`);
    this.#source = source;
    this.#heard = Date.now();
    const hear = (kind, act) =>
      source.addEventListener(kind, (event) => {
        if (source !== this.#source) {
          return;
        }
        this.#heard = Date.now();
        act(event.data ? JSON.parse(event.data) : null, event.lastEventId);
      });
    hear("hello", (data) => {
      this.#wait = FIRST_WAIT_MS;
      this.#tell(true);
      this.#on.hello(data);
    });
    hear("alive", () => {});
    hear("batch", (data, id) => this.#take("batch", data, id));
    hear("differences", (data, id) => this.#take("differences", data, id));
    hear("reset", () => this.#reset());
    hear("session", (data) => {
      this.close();
      this.#lastId = null;
      this.#on.session(data);
    });
    source.addEventListener("error", () => source === this.#source && this.#lost());
  }

  #take(kind, data, id) {
    if (id !== "") {
      this.#lastId = id;
    }
    this.#on[kind](data);
  }

  /** The browser would call again itself, but not behind the last event, nor seldom. */
  async #lost() {
    const refused = this.#source.readyState === EventSource.CLOSED;
    this.#source.close();
    this.#source = null;
    this.#tell(false);
    const after = this.#lastId;
    if (refused && !(await this.#on.refused())) {
      return;
    }
    if (this.#source === null && this.#timer === null && this.#lastId === after) {
      this.#later(() => this.#reopen());
    }
  }

  async #reset() {
    this.close();
    try {
      this.open(await this.#on.reset());
    } catch {
      this.#later(() => this.#reset());
    }
  }

  #later(act) {
    // Tabs of one server that restarts do not come back at one moment.
    const wait = this.#wait * (0.5 + Math.random());
    this.#wait = Math.min(LONGEST_WAIT_MS, this.#wait * 2);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      act();
    }, wait);
  }

  /** A connection that died with no word is found by its silence. */
  #check() {
    if (this.#source !== null && Date.now() - this.#heard > SILENCE_MS) {
      this.#tell(false);
      this.#reopen();
    }
  }

  #visibility() {
    clearTimeout(this.hidden);
    if (document.hidden) {
      this.hidden = setTimeout(() => this.close(), HIDDEN_MS);
    } else if (this.#source === null && this.#timer === null) {
      this.#reopen();
    } else {
      this.#check();
    }
  }

  #tell(live) {
    if (live !== this.#live) {
      this.#live = live;
      this.#on.live(live);
    }
  }
}
