// The stream against a server and a clock that the test plays.
const { Stream } = await load("stream.js");
const real = { EventSource, setTimeout, setInterval, clearTimeout, now: Date.now, random: Math.random };
const wait = () => new Promise((done) => real.setTimeout.call(window, done, 0));
let [now, timers, sources, told] = [1_000_000, [], [], []];
class Fake extends EventTarget {
  static CLOSED = 2;
  constructor(url) {
    super();
    Object.assign(this, { url, readyState: 1, closed: false });
    sources.push(this);
  }
  close() {
    this.closed = true;
  }
  send(kind, data, lastEventId = "") {
    this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data), lastEventId }));
  }
  fail(readyState) {
    this.readyState = readyState;
    this.dispatchEvent(new Event("error"));
  }
}
window.EventSource = Fake;
window.setTimeout = (act, after) => timers.push({ act, at: now + after });
window.clearTimeout = (number) => number && (timers[number - 1].act = null);
let tick = null;
window.setInterval = (act) => { tick = act; };
Date.now = () => now;
Math.random = () => 0.5;
const pass = async (milliseconds) => {
  now += milliseconds;
  for (const timer of timers) {
    if (timer.act !== null && timer.at <= now) {
      const { act } = timer;
      timer.act = null;
      act();
    }
  }
  tick();
  await wait();
};
const last = () => sources.at(-1);
let [goOn, resetTo] = [true, "y-1"];
try {
  const stream = new Stream({
    hello: () => told.push("hello"),
    batch: (data) => told.push(`batch ${data.n}`),
    differences: () => told.push("differences"),
    session: ({ why }) => told.push(`session ${why}`),
    live: (live) => told.push(live ? "live" : "away"),
    refused: async () => goOn,
    reset: async () => {
      if (resetTo === null) {
        throw new Error("away");
      }
      return resetTo;
    },
  });
  const said = () => told.splice(0).join(", ");
  stream.open("x-1");
  same(last().url, "./api/events?after=x-1", "it begins behind the state");
  last().send("hello", {});
  last().send("batch", { n: 1 }, "x-2");
  last().send("differences", {}, "x-3");
  same(said(), "live, hello, batch 1, differences", "events are handed on");

  last().fail(0);
  await wait();
  same([said(), last().closed], ["away", true], "a stream that is cut");
  await pass(400);
  same(sources.length, 1, "it is not called at once");
  await pass(200);
  same([sources.length, last().url], [2, "./api/events?after=x-3"], "it goes on behind the last event");
  const waits = [];
  for (let failure = 0; failure < 7; failure += 1) {
    const before = now;
    const many = sources.length;
    last().fail(0);
    await wait();
    while (sources.length === many) {
      await pass(250);
    }
    waits.push(now - before);
  }
  same(waits.every((it, index) => index === 0 || it >= waits[index - 1]) && waits.at(-1) <= 10_250, true, `waits grow to ten seconds: ${waits}`);
  last().send("hello", {});
  same(said(), "live, hello", "it is back");
  last().fail(0);
  await wait();
  await pass(500);
  same(last().readyState, 1, "after it was back the wait is short again");
  last().send("hello", {});
  said();

  let before = sources.length;
  for (let quiet = 0; quiet < 6; quiet += 1) {
    await pass(5_000);
    last().send("alive", {});
  }
  same(sources.length, before, "a stream that is alive is left alone");
  await pass(24_000);
  same(sources.length, before, "a short silence is none");
  await pass(5_000);
  same([sources.length, said()], [before + 1, "away"], "a silence of 25 seconds is an end");
  sources.at(-2).send("batch", { n: 9 }, "x-9");
  same(said(), "", "what an old connection still says is not heard");
  last().send("hello", {});
  said();

  last().send("reset", { why: "restarted" });
  await wait();
  same([last().url, said()], ["./api/events?after=y-1", "away"], "after a reset it goes on behind the new state");
  resetTo = null;
  last().send("hello", {});
  last().send("reset", {});
  await wait();
  before = sources.length;
  resetTo = "z-1";
  await pass(20_000);
  same([sources.length > before, last().url], [true, "./api/events?after=z-1"], "a state that cannot be read is asked for again");
  last().send("hello", {});
  said();

  goOn = false;
  last().fail(2);
  await wait();
  before = sources.length;
  await pass(60_000);
  same(sources.length, before, "where a login is needed it is not called again");
  goOn = true;
  stream.open("z-5");
  last().send("hello", {});
  said();
  last().send("session", { user: null, why: "expired" });
  await wait();
  before = sources.length;
  await pass(60_000);
  same([said(), sources.length], ["away, session expired", before], "nor after the session's end");
} finally {
  window.EventSource = real.EventSource;
  window.setTimeout = real.setTimeout;
  window.clearTimeout = real.clearTimeout;
  window.setInterval = real.setInterval;
  Date.now = real.now;
  Math.random = real.random;
}
