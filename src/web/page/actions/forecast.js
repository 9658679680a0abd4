// What an action would do, before it is done.

import { count, counted, percent } from "../format.js";
import { h } from "../tree.js";
import { bar, cells, empty, failure, icon, table } from "../views/parts.js";
import { checkView, stepsView } from "./outcome.js";

/** So many frontends are shown of each daemon. */
const MOST = 6;

export function forecastView(own) {
  const { answer, error } = own.forecast;
  return h(
    "section",
    {
      class: "forecast",
      "aria-labelledby": "forecast",
      "aria-busy": answer === null && error === null ? "true" : null,
    },
    h("h3", { id: "forecast" }, "What it would do"),
    error && failure(error),
    answer === null && error === null && empty("Being worked out…"),
    answer !== null &&
      grouped(answer.results).map(({ daemons, result }) =>
        h(
          "div",
          { key: daemons.join(), class: "forecast-of" },
          own.app.model.daemons.size > 1 && h("p", { class: "where-line" }, daemons.join(", ")),
          one(own.action, result),
        ),
      ),
  );
}

/** Daemons of which the same is foretold, together. */
export function grouped(results) {
  const groups = new Map();
  for (const { daemon, ...result } of results) {
    const key = JSON.stringify(result);
    const group = groups.get(key) ?? { daemons: [], result };
    group.daemons.push(daemon);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function one(action, { error, predictions, steps, check, accepted, notes }) {
  if (error) {
    return h("p", { class: "failure" }, icon("fault"), typeof error === "string" ? error : error.message);
  }
  const moving = (predictions ?? []).filter(changes);
  const still = (predictions ?? []).length - moving.length;
  return [
    accepted === false && h("p", { class: "failure" }, icon("fault"), "The daemon would refuse it."),
    notes?.length > 0 &&
      h(
        "ul",
        { class: "notes" },
        notes.map((note) => h("li", { key: note }, icon("info"), note)),
      ),
    moving.slice(0, MOST).map(predictionView),
    moving.length > MOST &&
      h("p", { class: "muted" }, `and ${counted(moving.length - MOST, "frontend")} more`),
    still > 0 && h("p", { class: "muted" }, `Nothing moves in ${counted(still, "frontend")}.`),
    check && checkView(check),
    action === "sync" && stepsView(steps, "Nothing would be written: VPP holds what is asked for."),
  ];
}

function changes({ moves, servers }) {
  return (moves?.own ?? 0) > 0 || servers.some((it) => it.weight_before !== it.weight_after);
}

/** What moves in the table of one frontend. */
function predictionView({ frontend, servers, moves }) {
  const most = Math.max(1, ...servers.flatMap((it) => [it.buckets_before, it.buckets_after]));
  const rows = servers.map((it) =>
    h(
      "tr",
      { role: "row", key: it.name },
      cells(
        it.name,
        change(it.weight_before, it.weight_after),
        h(
          "span",
          { class: "shares" },
          bar(it.buckets_before / most, "asked"),
          bar(it.buckets_after / most, "real"),
        ),
        change(it.buckets_before, it.buckets_after),
      ),
    ),
  );
  return h(
    "div",
    { class: "prediction", key: frontend },
    h("p", null, h("strong", null, frontend), ": ", movesText(moves)),
    table({
      name: "predicted",
      label: `Servers of ${frontend}`,
      rows,
      columns: ["Server", ["Weight", "number"], "Part of the table, now above then", ["Buckets", "number"]],
    }),
  );
}

function change(before, after) {
  return before === after
    ? h("span", { class: "muted" }, count(before))
    : h("span", null, count(before), h("span", { class: "muted" }, " → "), h("strong", null, count(after)));
}

/** What moves, in words. */
export function movesText(moves) {
  if (!moves || moves.entries === 0) {
    return "nothing moves";
  }
  const others =
    moves.collateral > 0
      ? `, ${percent(moves.collateral / moves.entries)} from one server to another whose weights do not change`
      : "";
  return `moves ${percent((moves.own + moves.collateral) / moves.entries)} of the table of ${count(moves.entries)} entries${others}`;
}
