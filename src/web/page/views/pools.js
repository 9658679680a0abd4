// The pools of a frontend and their members: what each was asked to get, and gets.

import { count, percent } from "../format.js";
import { judgeBackend } from "../state/judge.js";
import { h } from "../tree.js";
import { actionCell, actionColumn, acting } from "./actions.js";
import { override } from "./object.js";
import { bar, cells, objectLink, section, state, table } from "./parts.js";

const POOL_COLUMNS = [
  "Backend",
  "State",
  ["Weight", "number"],
  ["Effective", "number"],
  "Share of new flows, asked above real",
  ["Buckets", "number"],
];

export function pools(ctx, daemon, known, detailed) {
  const rows = known.pools.flatMap((pool, index) => {
    const serves = pool.name === known.serving_pool;
    const title = h(
      "tr",
      { role: "row", class: "pool", key: `pool ${pool.name}` },
      h(
        "th",
        { role: "rowheader", scope: "rowgroup", colspan: POOL_COLUMNS.length + (ctx.mayOperate ? 1 : 0) },
        `Pool ${pool.name} `,
        serves
          ? state("ok", "serving")
          : h("span", { class: "muted" }, index === 0 ? "does not serve" : "stands by"),
      ),
    );
    const members = pool.backends.map((member, place) =>
      memberRow(ctx, {
        daemon,
        frontend: known.name,
        pool: pool.name,
        member,
        detail: detailed.pools[index]?.backends[place],
      }),
    );
    return [title, ...members];
  });
  return section(
    { title: "Pools", key: "pools", note: "in order of preference" },
    table({
      name: acting(ctx, "pools"),
      label: "Pools and their backends",
      columns: [...POOL_COLUMNS, actionColumn(ctx)],
      rows,
    }),
  );
}

function memberRow(ctx, { daemon, frontend: name, pool, member, detail }) {
  const found = daemon.backends.get(member.name);
  const judgement = found ? judgeBackend(found) : { level: "held", word: "removed", reason: null };
  const shares = detail?.name === member.name ? detail : member;
  const slow = found?.slow_starts.find((start) => start.frontend === name);
  return h(
    "tr",
    { role: "row", key: `${pool} ${member.name}`, "data-row": "" },
    cells(
      objectLink("backend", member.name, { daemon: daemon.name }),
      [
        state(judgement.level, judgement.word),
        judgement.reason && h("span", { class: "reason", title: judgement.reason }, judgement.reason),
      ],
      [h("span", null, member.weight), override(member.weight_override)],
      [member.effective_weight ?? "as is", slow && h("span", { class: "muted" }, ` → ${slow.target}`)],
      h(
        "span",
        { class: "shares" },
        bar(shares.asked_share, "asked"),
        h("span", { class: "number" }, percent(shares.asked_share)),
        bar(shares.real_share, "real"),
        h("span", { class: "number" }, percent(shares.real_share)),
      ),
      shares.vpp_buckets === null ? "–" : count(shares.vpp_buckets),
      actionCell(ctx, { backend: member.name, frontend: name, pool, member, daemon: daemon.name }, [
        "weight",
        "unset_weight",
      ]),
    ),
  );
}
