// Everything at a glance: every daemon, what differs, frontends and backends, the worst first.

import { count, counted } from "../format.js";
import { routeTo } from "../route.js";
import { judgeDaemon, judgeVpp } from "../state/judge.js";
import { matching } from "../state/rows.js";
import { summary } from "../state/summary.js";
import { h } from "../tree.js";
import { longTable } from "./long_table.js";
import { age, cells, empty, icon, objectLink, section, state, table, when } from "./parts.js";

/** So many rows are shown of a list that was not asked for as a whole. */
const SHORT = 20;

export function overview(ctx) {
  const several = ctx.model.daemons.size > 1;
  return [
    verdict(ctx),
    daemons(ctx),
    several && differences(ctx),
    objects(ctx, {
      title: "Frontends",
      rows: ctx.frontends,
      name: "frontends",
      columns: FRONTEND_COLUMNS,
      row: frontendRow,
    }),
    objects(ctx, {
      title: "Backends",
      rows: ctx.backends,
      name: "backends",
      columns: BACKEND_COLUMNS,
      row: backendRow,
    }),
  ].filter(Boolean);
}

function verdict(ctx) {
  const { level, title, parts } = summary(ctx);
  return h(
    "section",
    { class: `verdict ${level}`, key: "verdict", "aria-labelledby": "verdict" },
    icon(level),
    h("h1", { id: "verdict" }, title),
    parts.length > 0 &&
      h(
        "ul",
        { class: "verdict-parts" },
        parts.map((part) => h("li", { class: part.level, key: part.text }, icon(part.level), part.text)),
      ),
  );
}

function daemons(ctx) {
  const list = [...ctx.model.daemons.values()];
  const rows = list.map((daemon) => {
    const link = judgeDaemon(daemon);
    const vpp = judgeVpp(daemon);
    const away = link.level === "fault";
    const { info } = daemon.vpp;
    return h(
      "tr",
      { role: "row", key: daemon.name, class: away ? "stale" : null },
      cells(
        h(
          "a",
          { class: "name", href: routeTo("vpp", null, { daemon: daemon.name }), title: daemon.address },
          daemon.name,
        ),
        [state(link.level, link.word), link.reason && h("span", { class: "reason" }, link.reason)],
        away
          ? [
              state("old", "not known"),
              daemon.as_of && h("span", { class: "reason" }, "as of ", when(ctx, daemon.as_of)),
            ]
          : [state(vpp.level, vpp.word), h("span", { class: "reason" }, vpp.reason ?? info?.version)],
        counts(daemon.frontends, ({ state: it }) => it === "up"),
        counts(daemon.backends, ({ state: it }) => it === "up"),
        h("code", { title: "The fingerprint of its configuration" }, daemon.fingerprint?.slice(0, 8) ?? "–"),
        age(ctx, link.since),
      ),
    );
  });
  return section(
    { title: "Daemons", key: "daemons" },
    table({
      name: "daemons",
      label: "Daemons",
      columns: [
        "Daemon",
        "Connection",
        "VPP",
        ["Frontends up", "number"],
        ["Backends up", "number"],
        "Configuration",
        ["Since", "number"],
      ],
      rows,
    }),
  );
}

function counts(objects, up) {
  let number = 0;
  for (const object of objects.values()) {
    number += up(object) ? 1 : 0;
  }
  return h("span", { class: "number" }, `${count(number)} / ${count(objects.size)}`);
}

function differences(ctx) {
  const found = ctx.model.differences;
  if (found === null || (found.total === 0 && found.missing.length === 0)) {
    return null;
  }
  const names = [...ctx.model.daemons.keys()];
  const all = ctx.route.query.get("all") === "differences";
  const shown = all ? found.list : found.list.slice(0, SHORT);
  const rows = shown.map(({ what, values }) => {
    const of = new Map(values.map(({ server, value }) => [server, value]));
    return h(
      "tr",
      { role: "row", key: what },
      cells(
        h("span", { class: "what" }, what),
        ...names.map((name) =>
          h(
            "span",
            { class: "difference" },
            h("span", { class: "where" }, name),
            of.get(name) ?? (of.has(name) ? "does not have it" : "not asked"),
          ),
        ),
      ),
    );
  });
  const missing =
    found.missing.length > 0 &&
    h(
      "p",
      { class: "note" },
      icon("warn"),
      `Not compared: ${found.missing.map(({ daemon, why }) => `${daemon} (${why})`).join(", ")}`,
    );
  const title = found.total > 0 ? `Daemons differ in ${counted(found.total, "point")}` : "Daemons agree";
  return section(
    {
      title,
      key: "differences",
      id: "differences",
      tone: found.total > 0 ? "fault" : null,
      end: h("span", { class: "muted" }, "compared ", age(ctx, found.as_of), " ago"),
    },
    missing,
    rows.length > 0 &&
      h(
        "div",
        { style: { "--daemons": names.length } },
        table({
          name: "differences",
          label: "What differs between daemons",
          columns: ["What", ...names],
          rows,
        }),
      ),
    found.list.length > shown.length && more(ctx, "differences", found.list.length, shown.length),
  );
}

function objects(ctx, { title, rows, name, columns, row }) {
  const query = ctx.route.query.get("q") ?? "";
  const found = ctx.matched(name, rows, query, () => matching(rows.list, query));
  const all = ctx.route.query.get("all") === name;
  const list = all || found.length <= SHORT * 1.2 ? found : found.slice(0, SHORT);
  const { fault, warn } = rows.counts;
  const bad = [fault > 0 && `${count(fault)} down`, warn > 0 && `${count(warn)} to look at`]
    .filter(Boolean)
    .join(", ");
  const note =
    query === "" ? bad || null : `${counted(found.length, "match", "matches")} of ${count(rows.list.length)}`;
  return section(
    { title: `${title} ${count(rows.list.length)}`, id: `head-${name}`, note, key: name },
    found.length === 0
      ? empty(query === "" ? `No ${name} are configured.` : `Nothing matches “${query}”.`)
      : longTable(ctx, {
          id: `long-${name}`,
          name,
          label: title,
          columns,
          list,
          row: (item, props) => row(ctx, item, props),
        }),
    (found.length > list.length || (all && found.length > SHORT)) &&
      more(ctx, name, found.length, list.length),
  );
}

/** The way to all rows of a list, or back to the first ones. */
function more(ctx, name, total, shown) {
  const q = ctx.route.query.get("q");
  if (shown === total) {
    return h(
      "p",
      { class: "more" },
      h("a", { href: routeTo("overview", null, { q }) }, "Show the first ones alone"),
    );
  }
  return h(
    "p",
    { class: "more" },
    h("a", { href: routeTo("overview", null, { all: name, q }) }, `Show all ${count(total)}`),
    h("span", { class: "muted" }, ` · the first ${count(shown)} are shown, the worst first`),
  );
}

const FRONTEND_COLUMNS = ["State", "Frontend", "VIP", "Pool", ["Serving", "number"], "Daemons", "Reason"];

function frontendRow(ctx, item, props) {
  return h(
    "tr",
    { key: item.name, class: `row ${item.level}`, ...props },
    cells(
      state(item.level, item.word),
      objectLink("frontend", item.name),
      h("span", { class: "mono", title: item.description }, `${item.address} ${item.service}`),
      h("span", null, item.pool ?? "–"),
      [h("span", { class: "unseen" }, "serving "), `${count(item.serving)} / ${count(item.total)}`],
      marks(ctx, item),
      reason(item),
    ),
  );
}

const BACKEND_COLUMNS = ["State", "Backend", "Address", "Daemons", "Reason", ["Since", "number"]];

function backendRow(ctx, item, props) {
  return h(
    "tr",
    { key: item.name, class: `row ${item.level}`, ...props },
    cells(
      state(item.level, item.word),
      objectLink("backend", item.name),
      h("span", { class: "mono", title: item.dnsName }, item.address ?? item.dnsName ?? "–"),
      marks(ctx, item),
      reason(item, item.result),
      age(ctx, item.since, item.at[0].daemon),
    ),
  );
}

/** One shape a daemon, in the order of the daemons. */
function marks(ctx, item) {
  return h(
    "span",
    { class: "marks" },
    item.at.map((entry) =>
      h(
        "span",
        {
          key: entry.daemon,
          title: `${entry.daemon}: ${entry.word}${entry.level === "old" ? " (old)" : ""}`,
        },
        icon(entry.level, `${entry.daemon}: ${entry.word}`),
      ),
    ),
  );
}

function reason(item, otherwise = null) {
  const text = item.reason ?? otherwise;
  const where = item.reason && item.where.length > 0 ? `on ${item.where.join(", ")}: ` : null;
  return h("span", { class: item.reason ? "reason" : "reason muted", title: text }, where, text);
}
