// One frontend, as one daemon has it: who gets which part, what it counts, and why.

import { count, rate } from "../format.js";
import { judgeFrontend } from "../state/judge.js";
import { h } from "../tree.js";
import { chain } from "./chain.js";
import { cause, differing, gone, head } from "./object.js";
import { cells, empty, facts, failure, section, table, unavailable } from "./parts.js";
import { pools } from "./pools.js";
import { recent } from "./recent.js";

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
  // An answer of before the last change explains what is no more.
  const isCurrent =
    answer?.frontend?.state === known.state && answer.frontend.serving_pool === known.serving_pool;
  const detailed = answer?.frontend ?? known;
  return [
    head(ctx, row, daemon),
    ctx.detail.error && failure(ctx.detail.error),
    cause(isCurrent ? answer.explanation : null, judgement),
    differing(ctx, name),
    pools(ctx, daemon, known, detailed),
    h(
      "div",
      { class: "columns", key: "columns" },
      h("div", { class: "stack" }, packets(answer), settings(known)),
      h("div", { class: "stack" }, chain(ctx, answer, daemon), recent(ctx, "frontend", name)),
    ),
  ].filter(Boolean);
}

function packets(answer) {
  const { counters, rates, unavailable: missing } = answer ?? {};
  if (!counters) {
    return section(
      { title: "Packets", key: "packets" },
      answer ? [empty("VPP counts no packets for it."), unavailable(missing)] : empty("Being asked for…"),
    );
  }
  const rows = [
    ["next", "of established flows"],
    ["first", "first of a flow"],
    ["untracked", "without a sticky entry"],
    ["no_server", "dropped: no server"],
  ].map(([key, text]) =>
    h(
      "tr",
      { role: "row", key, class: key === "no_server" && rates?.no_server > 0 ? "bad" : null },
      cells(
        text,
        h("span", { class: "number" }, rate(rates?.[key])),
        h("span", { class: "number" }, count(counters[key])),
      ),
    ),
  );
  return section(
    { title: "Packets", key: "packets" },
    table({
      name: "packets",
      label: "Packets",
      columns: ["Packets", ["In a second", "number"], ["Since VPP has the VIP", "number"]],
      rows,
    }),
    unavailable(missing),
  );
}

/** What is wanted of its address, why that is not simply `announced`, and who does not have it so. */
function announced({ wanted, why, held, order, placed }) {
  const misplaced = placed
    .filter(({ state }) => wanted !== "unknown" && state !== wanted)
    .map(({ state, driver, problem }) => `${state} at ${driver}${problem === null ? "" : ` (${problem})`}`);
  const plain = wanted === "announced" && held === null && order === null;
  return [
    plain ? wanted : `${wanted}${held === null ? "" : ", held"}: ${why}`,
    misplaced.length > 0 ? `but ${misplaced.join(", ")}` : null,
  ]
    .filter((text) => text !== null)
    .join("; ");
}

function settings(known) {
  const failOpen = known.fail_open;
  return section(
    { title: "Settings", key: "settings" },
    h(
      "div",
      { class: "section-body" },
      facts([
        [
          "VIP",
          h(
            "span",
            { class: "mono" },
            `${known.address} ${known.protocol === null ? "every protocol and port" : `${known.protocol}/${known.port}`}`,
          ),
        ],
        ["Description", known.description],
        ["Table of new flows", `${count(known.new_flows_table_length)} entries`],
        ["Clients", known.src_ip_sticky ? "kept together by their address" : "each flow for itself"],
        ["A backend that goes down", known.flush_on_down ? "has its flows forgotten" : "keeps its flows"],
        [
          "Fail-open",
          failOpen &&
            `below ${failOpen.threshold_percent} % of the weight; ${failOpen.up_weight} of ${failOpen.total_weight} is up`,
        ],
        ["Announced", known.announcement && announced(known.announcement)],
        [
          "In VPP",
          known.programmed ? (known.serving ? "confirmed and read back" : "confirmed") : known.not_programmed,
        ],
        ["Refusal", known.vpp_refusal],
        [
          "Warnings",
          known.warnings.length > 0 &&
            h(
              "ul",
              null,
              known.warnings.map((text) => h("li", { key: text }, text)),
            ),
        ],
      ]),
    ),
  );
}
