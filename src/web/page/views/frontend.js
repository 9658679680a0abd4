// One frontend, as one daemon has it: its pools, who gets which part, and why.

import { count, counted, percent, rate } from "../format.js";
import { routeTo } from "../route.js";
import { judgeBackend, judgeFrontend } from "../state/judge.js";
import { h } from "../tree.js";
import { actionCell, actionColumn, acting } from "./actions.js";
import { chain } from "./chain.js";
import { recent } from "./recent.js";
import { bar, cells, empty, facts, failure, icon, objectLink, section, state, table, tabs, unavailable } from "./parts.js";

export function frontend(ctx) {
  const { name } = ctx.route;
  const row = ctx.frontends.byName.get(name);
  if (row === undefined) {
    return [gone("frontend", name)];
  }
  const daemon = ctx.model.daemons.get(ctx.detail.daemon);
  const answer = ctx.detail.answer;
  const known = daemon?.frontends.get(name);
  if (known === undefined) {
    return [head(ctx, row, daemon), empty(`${daemon?.name ?? "This daemon"} does not have it.`)];
  }
  const judgement = judgeFrontend(known);
  const detailed = answer?.frontend ?? known;
  return [
    head(ctx, row, daemon),
    ctx.detail.error && failure(ctx.detail.error),
    cause(answer?.explanation, judgement),
    differing(ctx, name),
    pools(ctx, daemon, known, detailed),
    h("div", { class: "columns", key: "columns" },
      h("div", { class: "stack" }, packets(answer), settings(known)),
      h("div", { class: "stack" }, chain(ctx, answer, daemon), recent(ctx, "frontend", name))),
  ].filter(Boolean);
}

/** What there is to say of a name that nobody has. */
export function gone(kind, name) {
  return section({ title: `No ${kind} ${name}`, level: 1, key: "gone" },
    empty(`No daemon has a ${kind} of this name; a reload may have taken it away. `, h("a", { href: "#/" }, "Overview")));
}

/** The name of an object, its state, and the daemons that have it. */
export function head(ctx, row, daemon, actions = null) {
  const { kind, name } = row;
  const here = row.at.find((entry) => entry.daemon === daemon?.name);
  const entries = row.at.map((entry) => ({
    text: entry.daemon,
    level: entry.level,
    href: routeTo(kind, name, { daemon: entry.daemon }),
    current: entry === here,
  }));
  return h("div", { class: "object-head", key: "head" },
    h("p", { class: "kind" }, kind),
    h("h1", null, name),
    here && state(here.level, here.word),
    entries.length > 1 && tabs("Daemons", entries),
    actions);
}

/** The first sentence: why it is as it is. */
export function cause(explanation, { level, reason }) {
  const text = explanation?.cause ?? reason;
  return text && h("p", { class: `cause ${level}`, key: "cause" }, icon(level), h("span", null, text));
}

/** What differs between daemons of this object. */
export function differing(ctx, name) {
  const list = (ctx.model.differences?.list ?? []).filter(({ what }) => what.split(/[\s/]/).includes(name));
  return list.length > 0 && h("div", { class: "cause fault", key: "differing" }, icon("fault"), h("div", null,
    `Daemons differ in ${counted(list.length, "point")}:`,
    h("ul", null, list.map(({ what, values }) =>
      h("li", { key: what }, `${what}: ${values.map(({ server, value }) => `${value ?? "absent"} on ${server}`).join("; ")}`)))));
}

const POOL_COLUMNS = [
  "Backend", "State", ["Weight", "number"], ["Effective", "number"], "Share of new flows, asked above real", ["Buckets", "number"],
];

function pools(ctx, daemon, known, detailed) {
  const rows = known.pools.flatMap((pool, index) => {
    const serves = pool.name === known.serving_pool;
    const title = h("tr", { role: "row", class: "pool", key: `pool ${pool.name}` },
      h("th", { role: "rowheader", scope: "rowgroup", colspan: POOL_COLUMNS.length + (ctx.mayOperate ? 1 : 0) },
        `Pool ${pool.name} `, serves ? state("ok", "serving") : h("span", { class: "muted" }, index === 0 ? "does not serve" : "stands by")));
    const members = pool.backends.map((member, place) =>
      memberRow(ctx, { daemon, frontend: known.name, pool: pool.name, member, detail: detailed.pools[index]?.backends[place] }));
    return [title, ...members];
  });
  return section({ title: "Pools", key: "pools", note: "in order of preference" },
    table({ name: acting(ctx, "pools"), label: "Pools and their backends", columns: [...POOL_COLUMNS, actionColumn(ctx)], rows }));
}

function memberRow(ctx, { daemon, frontend: name, pool, member, detail }) {
  const found = daemon.backends.get(member.name);
  const judgement = found ? judgeBackend(found) : { level: "held", word: "removed", reason: null };
  const shares = detail?.name === member.name ? detail : member;
  const slow = found?.slow_starts.find((start) => start.frontend === name);
  return h("tr", { role: "row", key: `${pool} ${member.name}`, "data-row": "" }, cells(
    objectLink("backend", member.name, { daemon: daemon.name }),
    [state(judgement.level, judgement.word), judgement.reason && h("span", { class: "reason", title: judgement.reason }, judgement.reason)],
    [h("span", null, member.weight), override(ctx, member.weight_override)],
    [member.effective_weight ?? "as is", slow && h("span", { class: "muted" }, ` → ${slow.target}`)],
    h("span", { class: "shares" },
      bar(shares.asked_share, "asked"), h("span", { class: "number" }, percent(shares.asked_share)),
      bar(shares.real_share, "real"), h("span", { class: "number" }, percent(shares.real_share))),
    shares.vpp_buckets === null ? "–" : count(shares.vpp_buckets),
    actionCell(ctx, { backend: member.name, frontend: name, pool, member, daemon: daemon.name }, ["weight", "unset_weight"]),
  ));
}

/** The mark of a value that an operator set, with who, why and until when. */
export function override(ctx, set) {
  if (!set) {
    return null;
  }
  const text = `set by ${set.who}${set.why ? `: ${set.why}` : ""}; the file says ${set.configured}`;
  return h("span", { class: "override", title: text }, h("span", { "aria-hidden": "true" }, "*"), h("span", { class: "unseen" }, text));
}

function packets(answer) {
  const { counters, rates, unavailable: missing } = answer ?? {};
  if (!counters) {
    return section({ title: "Packets", key: "packets" }, answer ? [empty("VPP counts no packets for it."), unavailable(missing)] : empty("Being asked for…"));
  }
  const rows = [
    ["next", "of established flows"], ["first", "first of a flow"], ["untracked", "without a sticky entry"], ["no_server", "dropped: no server"],
  ].map(([key, text]) => h("tr", { role: "row", key, class: key === "no_server" && rates?.no_server > 0 ? "bad" : null }, cells(
    text, h("span", { class: "number" }, rate(rates?.[key])), h("span", { class: "number" }, count(counters[key])))));
  return section({ title: "Packets", key: "packets" },
    table({ name: "packets", label: "Packets", columns: ["Packets", ["In a second", "number"], ["Since VPP has the VIP", "number"]], rows }),
    unavailable(missing));
}

function settings(known) {
  const failOpen = known.fail_open;
  return section({ title: "Settings", key: "settings" }, h("div", { class: "section-body" }, facts([
    ["VIP", h("span", { class: "mono" }, `${known.address} ${known.protocol === null ? "every protocol and port" : `${known.protocol}/${known.port}`}`)],
    ["Description", known.description],
    ["Table of new flows", `${count(known.new_flows_table_length)} entries`],
    ["Clients", known.src_ip_sticky ? "kept together by their address" : "each flow for itself"],
    ["A backend that goes down", known.flush_on_down ? "has its flows forgotten" : "keeps its flows"],
    ["Fail-open", failOpen && `below ${failOpen.threshold_percent} % of the weight; ${failOpen.up_weight} of ${failOpen.total_weight} is up`],
    ["In VPP", known.programmed ? (known.serving ? "confirmed and read back" : "confirmed") : known.not_programmed],
    ["Refusal", known.vpp_refusal],
    ["Warnings", known.warnings.length > 0 && h("ul", null, known.warnings.map((text) => h("li", { key: text }, text)))],
  ])));
}
