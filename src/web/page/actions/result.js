// What came of an action, at each daemon.

import { counted } from "../format.js";
import { h } from "../tree.js";
import { icon } from "../views/parts.js";
import { drainProgress } from "../views/drain.js";
import { checkView, stepsView } from "./outcome.js";

const OVERALL = {
  done: ["ok", "Done."],
  some: ["warn", "Some daemons did it, and some did not."],
  none: ["fault", "It was not done."],
  undone: ["warn", "It was changed back everywhere, as one daemon did not do it."],
  stuck: ["fault", "It could not be changed back everywhere."],
};
const LEVEL = {
  done: "ok",
  refused: "fault",
  unreached: "fault",
  failed: "fault",
  spared: "held",
  undone: "warn",
  stuck: "fault",
};

export function resultView(app, { action, target, result }) {
  const [level, words] = OVERALL[result.outcome] ?? ["warn", result.outcome];
  return h(
    "section",
    { class: "result", "aria-labelledby": "result", role: "status" },
    h("p", { id: "result", class: `cause ${level}` }, icon(level), words),
    h(
      "ul",
      { class: "results" },
      result.results.map((one) =>
        h(
          "li",
          { key: one.daemon },
          icon(LEVEL[one.outcome] ?? "warn", one.outcome),
          h(
            "div",
            null,
            h("p", null, h("strong", null, one.daemon), ": ", message(one)),
            one.programmed !== null &&
              h(
                "p",
                { class: "muted" },
                one.programmed
                  ? "VPP confirmed it."
                  : "VPP has not confirmed it yet; it is written as soon as it can be.",
              ),
            action === "drain" && one.outcome === "done" && drainProgress(app, one.daemon, target.backend),
            one.check && checkView(one.check),
            one.steps && one.steps.length > 0 && stepsView(one.steps, ""),
          ),
        ),
      ),
    ),
  );
}

/** What the daemon says; where its steps are listed below, without them. */
function message({ message: said, steps, outcome }) {
  if (steps?.length > 0 && outcome === "done") {
    return `${counted(steps.length, "step")} written`;
  }
  return said;
}
