const { Rows, matching } = await load("state/rows.js");
const { emptyModel, load: loadState, applyBatch, takeChange } = await load("state/model.js");
const names = (rows) => rows.list.map((row) => `${row.level} ${row.name}`);
const model = emptyModel();
const many = (more = {}) => ["web2", "web10", "web1"].map((name) => backend(name, more[name]));
loadState(model, stateOf(daemon("lb1", { backends: many() }), daemon("lb2", { backends: many({ web10: { state: "down" } }) })), 0);
const rows = new Rows("backend");
rows.rebuild(model.daemons);
same(names(rows), ["fault web10", "ok web1", "ok web2"], "the worst first, then names in their natural order");
same(rows.list[0].where, ["lb2"], "where it is so");
same(rows.counts, { fault: 1, warn: 0, held: 0, old: 0, ok: 2 }, "counts");
takeChange(model);

const change = (batch) => {
  applyBatch(model, { as_of: "2026-11-28T10:00:01Z", ...batch });
  const { all, backends } = takeChange(model);
  if (all) {
    rows.rebuild(model.daemons);
  } else {
    rows.update(model.daemons, backends);
  }
};
change({ daemon: "lb1", backends: [backend("web2", { state: "paused" })] });
same(names(rows), ["fault web10", "held web2", "ok web1"], "a row moves to its place");
change({ daemon: "lb2", backends: [backend("web10")] });
same([names(rows), rows.counts.fault], [["held web2", "ok web1", "ok web10"], 0], "and back");
change({ daemon: "lb2", backends: [backend("web3", { state: "down" })] });
same([names(rows)[0], rows.list[0].at.length], ["fault web3", 1], "a new name, at one daemon alone");
change({ daemon: "lb2", backends_gone: ["web3"] });
same(rows.byName.has("web3"), false, "a name that is gone");
change({ daemon: "lb2", connection: { state: "down", why: "refused", since: null } });
same(rows.list.find(({ name }) => name === "web1").level, "ok", "what one daemon knows counts while another is away");
change({ daemon: "lb1", connection: { state: "down", why: "refused", since: null } });
same(rows.counts, { fault: 0, warn: 0, held: 0, old: 3, ok: 0 }, "nothing is known while all are away");

// The order of names.
const named = emptyModel();
const inNaturalOrder = ["A", "a", "a-1", "a01", "a1", "a2b", "a2b10", "a10", "a10b2", "a9999999999", "a12345678901", "aa", "b", "B2", "b11", "z"];
loadState(named, stateOf(daemon("lb1", { backends: [...inNaturalOrder].reverse().map((name) => backend(name)) })), 0);
const ordered = new Rows("backend");
ordered.rebuild(named.daemons);
same(ordered.list.map(({ name }) => name), inNaturalOrder, "numbers by their value, capitals as small letters");

// Whatever changes, the list is what it would be if it were made anew.
let seed = 7;
const random = (below) => (seed = (seed * 48_271) % 2_147_483_647) % below;
const states = ["up", "down", "paused", "unknown", "disabled"];
const all = emptyModel();
loadState(all, stateOf(daemon("lb1", { backends: [...Array(200).keys()].map((n) => backend(`b${n}`)) })), 0);
const kept = new Rows("backend");
kept.rebuild(all.daemons);
takeChange(all);
for (let round = 0; round < 200; round += 1) {
  const size = random(3) === 0 ? 100 : 1 + random(5);
  const backends = [...Array(size)].map(() => backend(`b${random(200)}`, { state: states[random(5)] }));
  applyBatch(all, { daemon: "lb1", backends });
  kept.update(all.daemons, takeChange(all).backends);
  const anew = new Rows("backend");
  anew.rebuild(all.daemons);
  if (names(kept).join() !== names(anew).join() || JSON.stringify(kept.counts) !== JSON.stringify(anew.counts)) {
    failed.push(`round ${round}: the list is not in order`);
    break;
  }
}
same(matching(kept.list, "").length, 200, "an empty search");
same(matching(kept.list, "B19 up").every((row) => row.name.includes("b19") && row.word === "up"), true, "every word has to be there");
same(matching(kept.list, "10.0.0.1").length, 200, "addresses");
same(matching(kept.list, "no such thing").length, 0, "nothing");
