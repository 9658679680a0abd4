const { emptyModel, load: loadState, applyBatch, applyDifferences, daemonNow, takeChange, usedBy } = await load("state/model.js");
const { Timeline, filtered, levelOf, worded } = await load("state/timeline.js");
const { summary } = await load("state/summary.js");
const { Rows } = await load("state/rows.js");

const event = (seq, more = {}) => ({ type: "backend", backend: "a", from: "up", to: "down", at: `2026-11-28T10:00:${String(seq).padStart(2, "0")}Z`, why: "L4CON", seq, boot_id: "1", ...more });
const model = emptyModel();
loadState(model, stateOf(daemon("lb1", { clock_ahead_ms: 500, timeline: [event(1), event(2)] })), Date.parse("2026-11-28T09:59:58Z"));
same(daemonNow(model, model.daemons.get("lb1"), 1000), 3500, "the clock of a daemon");
same(usedBy(model.daemons.get("lb1"), "c"), ["web"], "used by");
same(usedBy(model.daemons.get("lb1"), "x"), [], "used by nobody");
const batch = { daemon: "lb1", as_of: "2026-11-28T10:00:05Z", backends: [backend("a", { state: "down" })], vpp: { state: "away", why: "gone", info: null }, timeline: [event(2), event(3)], timeline_left_out: 4 };
applyBatch(model, batch);
const once = JSON.stringify([...model.daemons.get("lb1").backends.values()]);
applyBatch(model, batch);
same(JSON.stringify([...model.daemons.get("lb1").backends.values()]), once, "a batch that is taken twice");
same(model.timeline.entries.length, 3, "an event that comes twice is there once");
same(model.daemons.get("lb1").vpp.state, "away", "a key is replaced");
applyBatch(model, { daemon: "nobody", backends: [backend("a")] });
same(model.daemons.size, 1, "a daemon that is not known");

const short = new Timeline(10);
for (let seq = 1; seq <= 50; seq += 1) {
  short.add("lb1", [event(seq)]);
}
same([short.entries.length <= 12, short.keys.size === short.entries.length, short.entries.at(-1).event.seq], [true, true, 50], "a timeline keeps the latest, and no more");
const mixed = new Timeline();
mixed.add("lb1", [event(1), event(5)]);
mixed.add("lb2", [event(3, { who: "ann", type: "change", kind: "admin" })]);
same(mixed.entries.map((entry) => entry.event.seq), [1, 3, 5], "the order of clocks");
const by = (more) => filtered(mixed.entries, { kinds: new Set(), daemons: new Set(), name: "", who: "", ...more }).map((entry) => entry.event.seq);
same(by({}), [5, 3, 1], "no filter, the latest first");
same([by({ kinds: new Set(["change"]) }), by({ daemons: new Set(["lb1"]) }), by({ who: "AN" }), by({ name: "zz" })], [[3], [5, 1], [3], []], "filters");
same([levelOf(event(1)), levelOf(event(1, { to: "up" })), levelOf({ type: "dataplane", kind: "disconnected" }), levelOf({ type: "unheard" })], ["fault", "ok", "fault", "info"], "levels");
same(worded({ type: "change", kind: "weight", frontend: "web", pool: "main", backend: "a", from: "100", to: "20", overridden: true, why: "less", ended: null }),
  { kind: "backend", name: "a", text: "weight in web/main 100 → 20", why: "less" }, "a change in words");
const denied = { type: "audit", outcome: "denied", what: "pause backend a", why: "x", detail: "it takes an operator", who: "bob" };
same([levelOf(denied), levelOf({ ...denied, outcome: "done" })], ["warn", "info"], "the level of an audit");
same(worded(denied), { kind: null, name: "denied", text: "pause backend a", why: "x; it takes an operator" }, "an audit in words");
same(worded({ type: "unheard" }).text, "a kind of event that this page does not know", "a kind of a newer daemon");

const judged = (state, live = true) => {
  const known = emptyModel();
  loadState(known, state, 0);
  const [frontends, backends] = [new Rows("frontend"), new Rows("backend")];
  frontends.rebuild(known.daemons);
  backends.rebuild(known.daemons);
  return summary({ model: known, frontends, backends, live });
};
same(judged(stateOf(daemon("lb1"))), { level: "ok", title: "All 1 frontend serve at 1 daemon", parts: [] }, "all is well");
const bad = {
  "a backend that is down": stateOf(daemon("lb1", { backends: [backend("a", { state: "down" })] })),
  "a frontend that is down": stateOf(daemon("lb1", { frontends: [frontend("web", { state: "down" })] })),
  "a daemon that is away": stateOf(daemon("lb1"), daemon("lb2", { connection: { state: "down", why: null, since: null } })),
  "a VPP that is away": stateOf(daemon("lb1", { vpp: { state: "away", why: null, info: null } })),
  "a difference": { ...stateOf(daemon("lb1"), daemon("lb2")), differences: { total: 1, list: [], missing: [], compared: [], as_of: null } },
};
for (const [what, state] of Object.entries(bad)) {
  same(judged(state).level, "fault", `never green: ${what}`);
}
same(judged(stateOf(daemon("lb1")), false).level, "warn", "never green while the page is not connected");
same(judged(stateOf(daemon("lb1", { backends: [backend("a", { state: "paused" })] }))).level, "held", "held by an operator");
const told = judged(bad["a daemon that is away"]);
same(told.parts[0], { level: "fault", text: "lb2 is away" }, "the worst is told first");
