// What the views of a frontend and of a backend have in common.

import { counted } from "../format.js";
import { routeTo } from "../route.js";
import { h } from "../tree.js";
import { empty, icon, section, state, tabs } from "./parts.js";

/** What there is to say of a name that nobody has. */
export function gone(kind, name) {
  return section(
    { title: `No ${kind} ${name}`, level: 1, key: "gone" },
    empty(
      `No daemon has a ${kind} of this name; a reload may have taken it away. `,
      h("a", { href: "#/" }, "Overview"),
    ),
  );
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
  return h(
    "div",
    { class: "object-head", key: "head" },
    h("p", { class: "kind" }, kind),
    h("h1", null, name),
    here && state(here.level, here.word),
    entries.length > 1 && tabs("Daemons", entries),
    actions,
  );
}

/** The first sentence: why it is as it is. */
export function cause(explanation, { level, reason }) {
  const text = explanation?.cause ?? reason;
  return text && h("p", { class: `cause ${level}`, key: "cause" }, icon(level), h("span", null, text));
}

/** What differs between daemons of this object. */
export function differing(ctx, name) {
  const list = (ctx.model.differences?.list ?? []).filter(({ what }) => what.split(/[\s/]/).includes(name));
  return (
    list.length > 0 &&
    h(
      "div",
      { class: "cause fault", key: "differing" },
      icon("fault"),
      h(
        "div",
        null,
        `Daemons differ in ${counted(list.length, "point")}:`,
        h(
          "ul",
          null,
          list.map(({ what, values }) =>
            h(
              "li",
              { key: what },
              `${what}: ${values.map(({ server, value }) => `${value ?? "absent"} on ${server}`).join("; ")}`,
            ),
          ),
        ),
      ),
    )
  );
}

/** The mark of a value that an operator set, with who, why and until when. */
export function override(set) {
  if (!set) {
    return null;
  }
  const text = `set by ${set.who}${set.why ? `: ${set.why}` : ""}; the file says ${set.configured}`;
  return h(
    "span",
    { class: "override", title: text },
    h("span", { "aria-hidden": "true" }, "*"),
    h("span", { class: "unseen" }, text),
  );
}
