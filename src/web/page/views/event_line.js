// One event, in one line.

import { levelOf, worded } from "../state/timeline.js";
import { h } from "../tree.js";
import { icon, objectLink, when } from "./parts.js";

/** The parts of the line; the name is left out where the list is of that object. */
export function eventLine(ctx, { daemon, event }, kind = null, name = null) {
  const { kind: of, name: subject, text, why } = worded(event);
  const known = of === kind && subject === name;
  return [
    h("span", { class: "at" }, when(ctx, event.at)),
    icon(levelOf(event), levelOf(event)),
    h(
      "span",
      { class: "event" },
      ctx.model.daemons.size > 1 && h("span", { class: "where" }, daemon),
      !known && (of === null ? h("strong", null, subject) : objectLink(of, subject)),
      " ",
      text,
      why && h("span", { class: "muted" }, ` · ${why}`),
      event.who && h("span", { class: "by" }, ` · by ${event.who}`),
    ),
  ];
}
