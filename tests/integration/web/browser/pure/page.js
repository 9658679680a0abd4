const { visible } = await load("window.js");
const { parseRoute, routeTo } = await load("route.js");
const { h } = await load("tree.js");
const { render } = await load("patch.js");
const { faults, initialFields, request, applicable } = await load("actions/catalog.js");
const { grouped, movesText } = await load("actions/forecast.js");

same(visible({ top: 100, height: 500, rowHeight: 50, count: 1000 }), { first: 0, end: 16, before: 0, after: 49_200 }, "the top of a list");
same(visible({ top: -10_000, height: 500, rowHeight: 50, count: 1000 }), { first: 192, end: 218, before: 9600, after: 39_100 }, "its middle");
same(visible({ top: -90_000, height: 500, rowHeight: 50, count: 1000 }), { first: 1000, end: 1000, before: 50_000, after: 0 }, "beyond its end");
same(visible({ top: 0, height: 500, rowHeight: 50, count: 0 }), { first: 0, end: 0, before: 0, after: 0 }, "nothing");

const read = (hash) => { const { view, name, query } = parseRoute(hash); return [view, name, query.toString()]; };
same([read(""), read("#/"), read("#/nonsense/x"), read("#/backend/web%201?daemon=lb1")],
  [["overview", null, ""], ["overview", null, ""], ["overview", "x", ""], ["backend", "web 1", "daemon=lb1"]], "addresses are read");
same([routeTo("overview"), routeTo("backend", "a/b c", { daemon: "lb1", q: "" }), routeTo("timeline", null, { kind: ["hold", "drain"] })],
  ["#/", "#/backend/a%2Fb%20c?daemon=lb1", "#/timeline?kind=hold&kind=drain"], "and written");
same(read(routeTo("frontend", "ä/ö?&#%")), ["frontend", "ä/ö?&#%", ""], "any name survives");
same(read("#/frontend/%zz"), ["frontend", "%zz", ""], "a broken one is no error");

// The document is brought to what a tree says, whatever it was before.
const box = document.createElement("div");
document.body.append(box);
const item = (key) => h("li", { key, class: `c${key}` }, h("a", { href: `#${key}` }, `text ${key}`));
const shown = () => [...box.children].map((it) => it.textContent.replace("text ", "")).join("");
let seed = 3;
const random = (below) => (seed = (seed * 48_271) % 2_147_483_647) % below;
for (let round = 0; round < 300; round += 1) {
  const keys = [..."abcdefgh"].filter(() => random(3) > 0).sort(() => random(3) - 1);
  render(box, keys.map(item));
  if (shown() !== keys.join("")) {
    failed.push(`${keys.join("")} is shown as ${shown()}`);
    break;
  }
}
render(box, ["a", "b", "c"].map(item));
const first = box.children[1];
box.children[2].firstChild.focus();
render(box, ["c", "b", "d"].map(item));
same([box.children[1] === first, document.activeElement.textContent], [true, "text c"], "elements stay themselves, and keep the focus");
render(box, [h("p", { title: "x" }, "<b>no markup</b>", null, [false, h("i", null, 3)])]);
same([box.querySelector("b"), box.textContent], [null, "<b>no markup</b>3"], "text is text");
render(box, [h("p", { hidden: true })]);
same([box.firstChild.hasAttribute("title"), box.firstChild.hidden, box.textContent], [false, true, ""], "what is no more said is no more there");
box.remove();

same(applicable(backend("a")), ["drain", "pause", "disable"], "what applies to a backend that is up");
same(applicable(backend("a", { state: "disabled", admin_override: {} })), ["enable", "unset"], "to one that is disabled");
same(applicable(backend("a", { state: "paused", drain: {} })), ["undrain", "pause", "disable"], "to one that is drained");
const target = { daemons: ["lb1", "lb2"], backend: "a" };
const fields = { ...initialFields(target), for: "2h" };
same(request("pause", target, fields), { action: "pause", daemons: ["lb1", "lb2"], backend: "a", all_or_none: true, for_ns: 7200e9 }, "a pause");
same(request("drain", target, { ...fields, timeout: "10m", flush: true }), { action: "drain", daemons: ["lb1", "lb2"], backend: "a", timeout_ns: 600e9, flush: true }, "a drain");
same(request("weight", { daemons: ["lb1"], backend: "a", frontend: "web", pool: "main" }, { ...initialFields({ daemons: ["lb1"] }), weight: 7 }),
  { action: "weight", daemons: ["lb1"], backend: "a", frontend: "web", pool: "main", weight: 7 }, "a weight on one");
same(Object.keys(faults("drain", { ...fields, flush: true })), ["timeout"], "a flush without a timeout");
same(Object.keys(faults("pause", { ...fields, for: "soon", daemons: new Set() })), ["daemons", "for"], "nonsense");
same([faults("weight", { ...fields, weight: 101 }).weight !== undefined, faults("weight", { ...fields, weight: 0 }).weight], [true, undefined], "weights");
same(movesText({ entries: 1024, own: 158, collateral: 64 }), "moves 21.7 % of the table of 1,024 entries, 6.3 % from one server to another whose weights do not change", "what moves");
same(grouped([{ daemon: "a", notes: ["x"] }, { daemon: "b", notes: ["x"] }, { daemon: "c", notes: [] }]).map(({ daemons }) => daemons), [["a", "b"], ["c"]], "equal forecasts are one");
