// What several views are made of.

import { dateTime, shortDateTime, span, moment } from "../format.js";
import { routeTo } from "../route.js";
import { h } from "../tree.js";

/** The shape of a level. Colour is added to it by its class; the word stands beside it. */
export function icon(level, label = null) {
  const known = level === "info" || level === "old" ? level : level || "ok";
  const named = label === null ? { "aria-hidden": "true" } : { role: "img", "aria-label": label };
  return h("svg", { class: `icon ${known}`, ...named }, h("use", { href: `#i-${known}` }));
}

/** A level with its word. */
export function state(level, word) {
  return h("span", { class: `state ${level}` }, icon(level), h("span", { class: "word" }, word));
}

/** A link to a frontend or a backend. */
export function objectLink(kind, name, params = {}) {
  return h("a", { href: routeTo(kind, name, params), class: "name" }, name);
}

/** How long ago a daemon's moment was; its date and time on a pointer. */
export function age(ctx, since, daemon = null) {
  const at = moment(since);
  if (at === null) {
    return h("span", { class: "muted" }, "–");
  }
  const passed = ctx.nowOf(daemon) - at;
  return h("time", { datetime: since, title: dateTime(at, ctx.local), class: "age" }, span(passed));
}

/** A moment, with its date where it is not today's. */
export function when(ctx, text) {
  const at = moment(text);
  return h(
    "time",
    { datetime: text ?? "", title: dateTime(at, ctx.local) },
    shortDateTime(at, ctx.now, ctx.local),
  );
}

/** A section with its heading. */
export function section({ title, level = 2, note = null, end = null, id = null, tone = null, key }, ...body) {
  const heading = id ?? `s-${title.toLowerCase().replaceAll(/\W+/g, "-")}`;
  return h(
    "section",
    { class: `section${tone ? ` tone-${tone}` : ""}`, "aria-labelledby": heading, key },
    h(
      "div",
      { class: "section-head" },
      h(`h${level}`, { id: heading }, title),
      note && h("span", { class: "muted" }, note),
      end && h("div", { class: "end" }, end),
    ),
    body,
  );
}

/** What stands where there is nothing. */
export function empty(...text) {
  return h("p", { class: "empty" }, text);
}

/** Pairs of a term and what it is; those without a value are left out. */
export function facts(pairs) {
  return h(
    "dl",
    { class: "facts" },
    pairs
      .filter(([, value]) => value !== null && value !== undefined && value !== false)
      .map(([term, value]) => h("div", { key: term }, h("dt", null, term), h("dd", null, value))),
  );
}

/** A bar for a share of 0 to 1; text beside it says the same. */
export function bar(share, kind = "real") {
  const width = `${Math.max(0, Math.min(1, share ?? 0)) * 100}%`;
  return h("span", { class: `bar ${kind}`, "aria-hidden": "true" }, h("span", { style: { width } }));
}

/** A button. */
export function button(text, onclick, { kind = "", label, ...more } = {}) {
  return h(
    "button",
    { type: "button", class: `button ${kind}`, onclick, "aria-label": label, ...more },
    text,
  );
}

/** One of several that is chosen, as links: daemons of an object. */
export function tabs(label, entries) {
  return h(
    "nav",
    { class: "tabs", "aria-label": label },
    entries.map(({ text, href, current, level }) =>
      h("a", { key: text, href, "aria-current": current ? "true" : null }, level && icon(level), text),
    ),
  );
}

/** In place of a cell of a column that a table does not have. */
export const NO_CELL = Symbol("no cell");

/** The cells of a row, with the roles that they keep whatever their layout is. */
export function cells(...list) {
  return list.filter((content) => content !== NO_CELL).map((content) => h("td", { role: "cell" }, content));
}

/** A table of few rows. */
export function table({ name, columns, rows, label }) {
  return h(
    "table",
    { class: `table ${name}`, role: "table", "aria-label": label },
    h("thead", { role: "rowgroup" }, headRow(columns.filter(Boolean))),
    h("tbody", { role: "rowgroup" }, rows),
  );
}

/** The row of column headings; those that are `null` head nothing that is seen. */
export function headRow(columns) {
  return h(
    "tr",
    { role: "row" },
    columns.map((column) => {
      const [text, kind] = Array.isArray(column) ? column : [column, null];
      const unseen = kind === "unseen";
      return h(
        "th",
        { role: "columnheader", scope: "col", class: unseen ? null : kind },
        unseen ? h("span", { class: "unseen" }, text) : text,
      );
    }),
  );
}

/** A message with its remedy, for what failed. */
export function failure(error) {
  return h(
    "p",
    { class: "failure", role: "alert" },
    icon("fault"),
    h("span", null, error.message, error.remedy && h("span", { class: "remedy" }, error.remedy)),
  );
}

/** What a view could not be given, and why. */
export function unavailable(list) {
  return (list ?? []).map(({ what, why }) =>
    h("p", { class: "failure quiet", key: what }, icon("warn"), h("span", null, `${what}: ${why}`)),
  );
}
