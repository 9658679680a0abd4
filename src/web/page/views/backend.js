// One backend, as one daemon has it: its probes, what operators want of it, who uses it.

import { applicable } from "../actions/catalog.js";
import { dateTime, moment, shortSpan, span } from "../format.js";
import { judgeBackend } from "../state/judge.js";
import { usedBy } from "../state/model.js";
import { h } from "../tree.js";
import { actionCell, actionColumn, acting, actionsFor } from "./actions.js";
import { chain } from "./chain.js";
import { drainProgress } from "./drain.js";
import { cause, differing, gone, head, override } from "./object.js";
import { checkFacts } from "./health_check.js";
import { age, cells, empty, facts, failure, icon, objectLink, section, state, table, when } from "./parts.js";
import { recent } from "./recent.js";

export function backend(ctx) {
  const { name } = ctx.route;
  const row = ctx.backends.byName.get(name);
  if (row === undefined) {
    return [gone("backend", name)];
  }
  const daemon = ctx.model.daemons.get(ctx.detail.daemon);
  const known = daemon?.backends.get(name);
  if (known === undefined) {
    return [head(ctx, row, daemon), empty(`${daemon?.name ?? "This daemon"} does not have it.`)];
  }
  const answer = ctx.detail.answer;
  // An answer of before the last change explains what is no more.
  const isCurrent = answer?.backend?.state === known.state;
  const buttons = actionsFor(ctx, { backend: name, daemon: daemon.name }, applicable(known));
  const drain = drainProgress(ctx, daemon.name, name);
  return [
    head(ctx, row, daemon, buttons),
    ctx.detail.error && failure(ctx.detail.error),
    cause(isCurrent ? answer.explanation : null, judgeBackend(known)),
    drain &&
      section(
        { title: "Drain", key: "drain", note: `at ${daemon.name}` },
        h("div", { class: "section-body" }, drain),
      ),
    differing(ctx, name),
    probes(ctx, daemon, answer),
    h(
      "div",
      { class: "columns", key: "columns" },
      h(
        "div",
        { class: "stack" },
        overrides(ctx, daemon, isCurrent ? answer : null, name),
        users(ctx, daemon, name),
        settings(known, answer),
      ),
      h("div", { class: "stack" }, chain(ctx, answer, daemon), recent(ctx, "backend", name)),
    ),
  ].filter(Boolean);
}

/** The last probes as blocks, the latest on the right, and the transitions below. */
function probes(ctx, daemon, answer) {
  const info = answer?.backend;
  if (!info) {
    return section({ title: "Probes", key: "probes" }, empty(answer ? "Not known." : "Being asked for…"));
  }
  const strip = h(
    "ol",
    { class: "strip", "aria-label": "The last probes, the latest last" },
    info.probes.map((probe) =>
      h(
        "li",
        {
          key: probe.at,
          class: probe.passed ? "ok" : "fault",
          title: `${dateTime(moment(probe.at), ctx.local)}: ${probe.code}, took ${shortSpan(probe.took_ns)}`,
        },
        icon(probe.passed ? "ok" : "fault", probe.passed ? "passed" : "failed"),
        h("strong", null, probe.code),
        h("span", null, shortSpan(probe.took_ns)),
        h("span", { class: "muted" }, age(ctx, probe.at, daemon.name), " ago"),
      ),
    ),
  );
  const changes = [...info.transitions]
    .reverse()
    .slice(0, 10)
    .map((it, index) =>
      h(
        "tr",
        { role: "row", key: `${it.at} ${index}` },
        cells(
          h("span", { class: "nowrap" }, when(ctx, it.at)),
          age(ctx, it.at, daemon.name),
          h(
            "span",
            { class: "nowrap" },
            it.from,
            h("span", { class: "muted" }, " → "),
            h("strong", null, it.to),
          ),
          it.why ?? "–",
        ),
      ),
    );
  return section(
    { title: "Probes", key: "probes", note: info.last_result },
    info.probes.length > 0
      ? strip
      : empty(
          info.healthcheck === null
            ? "It has no health check: it is always up."
            : "It is not probed at present.",
        ),
    changes.length > 0 &&
      table({
        name: "changes",
        label: "Transitions, the latest first",
        columns: ["At", ["Ago", "number"], "Change", "Why"],
        rows: changes,
      }),
  );
}

function overrides(ctx, daemon, answer, name) {
  const list = answer?.overrides ?? daemon.overrides.filter((it) => it.backend === name);
  const rows = list.map((it) =>
    h(
      "tr",
      { role: "row", key: `${it.kind} ${it.frontend} ${it.pool}` },
      cells(
        it.kind === "weight" ? `weight in ${it.frontend}/${it.pool}` : "state",
        [h("strong", null, it.value), h("span", { class: "muted" }, ` in place of ${it.configured}`)],
        it.who,
        it.why ?? h("span", { class: "muted" }, "not said"),
        it.left_ns === null ? "until it is unset" : [span(it.left_ns / 1e6), " left"],
      ),
    ),
  );
  return section(
    {
      title: "Overrides",
      key: "overrides",
      note: daemon.overrides_kept === false ? "not kept over restarts" : null,
    },
    rows.length === 0
      ? empty("It is as the file says.")
      : table({ name: "overrides", label: "Overrides", columns: ["Of", "Set", "By", "Why", "Until"], rows }),
  );
}

function users(ctx, daemon, name) {
  const names = usedBy(daemon, name);
  const rows = names.flatMap((user) => {
    const frontend = daemon.frontends.get(user);
    return frontend.pools.flatMap((pool) =>
      pool.backends
        .filter((member) => member.name === name)
        .map((member) =>
          h(
            "tr",
            { role: "row", key: `${user} ${pool.name}` },
            cells(
              objectLink("frontend", user, { daemon: daemon.name }),
              [pool.name, pool.name === frontend.serving_pool && h("span", { class: "muted" }, " (serving)")],
              [h("span", null, member.weight), override(member.weight_override)],
              member.effective_weight ?? "as is",
              actionCell(
                ctx,
                { backend: name, frontend: user, pool: pool.name, member, daemon: daemon.name },
                ["weight", "unset_weight"],
              ),
            ),
          ),
        ),
    );
  });
  return section(
    { title: "Used by", key: "users" },
    rows.length === 0
      ? empty("No frontend uses it.")
      : table({
          name: acting(ctx, "users"),
          label: "Used by",
          columns: ["Frontend", "Pool", ["Weight", "number"], ["Effective", "number"], actionColumn(ctx)],
          rows,
        }),
  );
}

function settings(known, answer) {
  return section(
    { title: "Settings", key: "settings" },
    h(
      "div",
      { class: "section-body" },
      facts([
        ["Address", h("span", { class: "mono" }, known.address ?? "never resolved")],
        ["DNS name", known.dns_name && h("span", { class: "mono" }, known.dns_name)],
        ["Not resolved", known.unresolved],
        [
          "In VPP",
          known.programmed ? "confirmed" : state("warn", answer?.backend?.not_programmed ?? "not confirmed"),
        ],
        ["Health check", known.healthcheck ?? "none: it is always up"],
        ...checkFacts(answer?.health_check),
      ]),
    ),
  );
}
