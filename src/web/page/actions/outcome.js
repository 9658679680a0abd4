// Steps of a sync and the check of a file: foretold, or done.

import { count, counted, percent } from "../format.js";
import { h } from "../tree.js";
import { cells, icon, table } from "../views/parts.js";

/** So many steps are listed. */
const MOST = 100;
const DISRUPTION = {
  none: ["ok", "none"],
  "new-flows": ["held", "some new flows go elsewhere"],
  flush: ["warn", "flows of a server are forgotten"],
  disruptive: ["fault", "the VIP is away for a moment, or for good"],
};

/** Steps in their order. */
export function stepsView(steps, nothing) {
  if (steps.length === 0) {
    return h("p", { class: "note" }, icon("ok"), nothing);
  }
  const rows = steps.slice(0, MOST).map((step, index) => {
    const [level, words] = DISRUPTION[step.disruption] ?? ["warn", step.disruption];
    return h(
      "tr",
      { role: "row", key: index, class: step.error ? "bad" : null },
      cells(
        h("span", { class: "mono" }, step.action),
        step.frontend ?? "–",
        [
          h("span", { class: "mono" }, step.detail),
          step.held && h("span", { class: "remedy" }, "held: too much would be removed to be meant"),
          step.error && h("span", { class: "wrong" }, icon("fault"), step.error),
        ],
        h("span", { class: "state", title: words }, icon(level), step.disruption),
        step.moves ? percent((step.moves.own + step.moves.collateral) / step.moves.entries) : "–",
      ),
    );
  });
  return [
    h(
      "p",
      null,
      counted(steps.length, "step"),
      steps.length > MOST && `, the first ${count(MOST)} are listed`,
    ),
    table({
      name: "steps",
      label: "Steps",
      columns: ["Step", "Frontend", "What", "Costs", ["Moves", "number"]],
      rows,
    }),
  ];
}

/** What is said of a configuration file. */
export function checkView(check) {
  const faults = [
    ...(check.parse_errors ?? []),
    ...(check.semantic_errors ?? []),
    ...(check.reload_errors ?? []),
  ];
  return [
    check.ok
      ? h("p", { class: "note" }, icon("ok"), "The file has no fault.")
      : h(
          "p",
          { class: "failure" },
          icon("fault"),
          `The file is not used: ${counted(faults.length, "fault")}.`,
        ),
    faults.length > 0 &&
      h(
        "ul",
        { class: "notes" },
        faults.map((text) => h("li", { key: text }, icon("fault"), h("span", { class: "mono" }, text))),
      ),
    (check.warnings ?? []).length > 0 &&
      h(
        "ul",
        { class: "notes" },
        check.warnings.map((text) =>
          h("li", { key: text }, icon("warn"), h("span", { class: "mono" }, text)),
        ),
      ),
  ];
}
