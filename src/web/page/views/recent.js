// What happened to one object lately, at any daemon.

import { filtered } from "../state/timeline.js";
import { routeTo } from "../route.js";
import { h } from "../tree.js";
import { eventLine } from "./event_line.js";
import { empty, section } from "./parts.js";

const MOST = 12;

export function recent(ctx, kind, name) {
  const about = filtered(ctx.model.timeline.entries, { kinds: new Set(), daemons: new Set(), name, who: "" })
    // What came of a call that was done stands beside it as a change.
    .filter(({ event }) => event[kind] === name && !(event.type === "audit" && event.outcome === "done"))
    .slice(0, MOST);
  const end = h("a", { href: routeTo("timeline", null, { name }) }, "Timeline");
  return section(
    { title: "Lately", key: "recent", end },
    about.length === 0
      ? empty("Nothing that this page has seen.")
      : h(
          "ol",
          { class: "events" },
          about.map((entry) => h("li", { key: entry.key }, eventLine(ctx, entry, kind, name))),
        ),
  );
}
