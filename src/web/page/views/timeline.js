// What happened at all daemons, latest first, with filters that stand in the address.

import { get } from "../api.js";
import { count, counted } from "../format.js";
import { routeTo } from "../route.js";
import { filtered, KINDS } from "../state/timeline.js";
import { h } from "../tree.js";
import { eventLine } from "./event_line.js";
import { longTable } from "./long_table.js";
import { button, cells, empty, failure, section } from "./parts.js";

export function timeline(ctx) {
  const filter = filterOf(ctx.route.query);
  const list = ctx.matched(
    "timeline",
    { version: ctx.model.timeline.version },
    ctx.route.query.toString(),
    () => filtered(ctx.model.timeline.entries, filter),
  );
  const note = `${counted(list.length, "event")} of ${count(ctx.model.timeline.entries.length)} that are here`;
  return [
    section(
      { title: "Timeline", level: 1, key: "timeline", note, end: earlier(ctx) },
      filters(ctx, filter),
      ctx.earlier?.error && failure(ctx.earlier.error),
      ctx.earlier?.missing?.length > 0 &&
        empty(`Not asked: ${ctx.earlier.missing.map(({ daemon, why }) => `${daemon} (${why})`).join(", ")}`),
      list.length === 0
        ? empty(
            ctx.model.timeline.entries.length === 0
              ? "Nothing has happened that the daemons still hold."
              : "No event passes the filter.",
          )
        : longTable(ctx, {
            id: "long-timeline",
            name: "timeline",
            label: "Events, the latest first",
            columns: ["Event"],
            list,
            row: (entry, props) => row(ctx, entry, props),
          }),
    ),
  ];
}

function row(ctx, entry, props) {
  return h(
    "tr",
    { key: entry.key, class: "row", ...props },
    cells(h("span", { class: "event-line" }, eventLine(ctx, entry))),
  );
}

/** What the address filters by. */
function filterOf(query) {
  return {
    kinds: new Set(query.getAll("kind")),
    daemons: new Set(query.getAll("daemon")),
    name: query.get("name") ?? "",
    who: query.get("who") ?? "",
  };
}

function filters(ctx, filter) {
  const go = (change) => {
    const { kinds, daemons, name, who } = { ...filter, ...change };
    history.replaceState(
      null,
      "",
      routeTo("timeline", null, { kind: [...kinds], daemon: [...daemons], name, who }),
    );
    dispatchEvent(new HashChangeEvent("hashchange"));
  };
  const toggled = (set, value) => {
    const next = new Set(set);
    next[next.has(value) ? "delete" : "add"](value);
    return next;
  };
  const chip = (key, text, on, act) =>
    h(
      "button",
      { key, type: "button", class: "chip", "aria-pressed": on ? "true" : "false", onclick: act },
      text,
    );
  const text = (key, label) =>
    h(
      "label",
      { key, class: "inline" },
      label,
      h("input", {
        type: "search",
        name: key,
        value: filter[key],
        autocomplete: "off",
        oninput: ({ target }) => go({ [key]: target.value }),
      }),
    );
  const some = filter.kinds.size + filter.daemons.size > 0 || filter.name !== "" || filter.who !== "";
  return h(
    "form",
    {
      class: "filters",
      role: "search",
      "aria-label": "Filter of events",
      onsubmit: (event) => event.preventDefault(),
    },
    h(
      "div",
      { class: "chips", role: "group", "aria-label": "Kinds" },
      KINDS.map(([kind, words]) =>
        chip(kind, words, filter.kinds.has(kind), () => go({ kinds: toggled(filter.kinds, kind) })),
      ),
    ),
    ctx.model.daemons.size > 1 &&
      h(
        "div",
        { class: "chips", role: "group", "aria-label": "Daemons" },
        [...ctx.model.daemons.keys()].map((name) =>
          chip(name, name, filter.daemons.has(name), () => go({ daemons: toggled(filter.daemons, name) })),
        ),
      ),
    h("div", { class: "chips texts" }, text("name", "Name"), text("who", "Who")),
    some &&
      button("Clear", () => go({ kinds: new Set(), daemons: new Set(), name: "", who: "" }), {
        kind: "quiet",
      }),
  );
}

/** Asks the daemons for all that they still hold, by the filter's names. */
function earlier(ctx) {
  const state = ctx.earlier ?? {};
  const ask = async () => {
    ctx.earlier = { busy: true };
    ctx.schedule();
    try {
      const query = new URLSearchParams({ limit: "2000" });
      for (const key of ["kind", "daemon"]) {
        for (const value of ctx.route.query.getAll(key)) {
          query.append(key === "kind" ? "type" : key, value);
        }
      }
      const answer = await get(`timeline?${query}`);
      ctx.model.timeline.addAll(answer.events);
      ctx.earlier = { missing: answer.missing, truncated: answer.truncated };
    } catch (error) {
      ctx.earlier = { error };
    }
    ctx.schedule();
  };
  return [
    state.truncated && h("span", { class: "muted" }, "more is held than was asked for "),
    button(state.busy ? "Asking…" : "Load earlier", ask, { disabled: state.busy }),
  ];
}
