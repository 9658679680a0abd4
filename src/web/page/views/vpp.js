// One daemon's VPP: what it is, what it holds and counts, what keeps packets away.

import { count, rate } from "../format.js";
import { routeTo } from "../route.js";
import { judgeDaemon, judgeVpp } from "../state/judge.js";
import { h } from "../tree.js";
import { actionsFor } from "./actions.js";
import { doctor, drift } from "./examine.js";
import {
  age,
  cells,
  empty,
  facts,
  failure,
  icon,
  objectLink,
  section,
  state,
  table,
  tabs,
  unavailable,
  when,
} from "./parts.js";

const PROTOCOLS = { 6: "tcp", 17: "udp", 255: "every port" };

export function vpp(ctx) {
  const daemon = ctx.model.daemons.get(ctx.detail.daemon);
  if (daemon === undefined) {
    return [section({ title: "VPP", level: 1, key: "none" }, empty("No daemon is configured."))];
  }
  const { answer, error } = ctx.detail;
  return [
    head(ctx, daemon),
    error && failure(error),
    h(
      "div",
      { class: "columns", key: "columns" },
      h("div", { class: "stack" }, about(ctx, daemon, answer)),
      h("div", { class: "stack" }, doctor(ctx, daemon), drift(ctx, daemon)),
    ),
    vips(ctx, daemon, answer),
  ].filter(Boolean);
}

function head(ctx, daemon) {
  const link = judgeDaemon(daemon);
  const judgement = link.level === "fault" ? link : judgeVpp(daemon);
  const entries = [...ctx.model.daemons.values()].map((it) => ({
    text: it.name,
    level: judgeDaemon(it).level === "fault" ? "fault" : judgeVpp(it).level,
    href: routeTo("vpp", null, { daemon: it.name }),
    current: it === daemon,
  }));
  return [
    h(
      "div",
      { class: "object-head", key: "head" },
      h("p", { class: "kind" }, "VPP of"),
      h("h1", null, daemon.name),
      state(judgement.level, judgement.word),
      entries.length > 1 && tabs("Daemons", entries),
      actionsFor(ctx, { daemon: daemon.name }, ["sync", "reload"]),
    ),
    judgement.reason &&
      h("p", { class: `cause ${judgement.level}`, key: "cause" }, icon(judgement.level), judgement.reason),
  ];
}

function about(ctx, daemon, answer) {
  const info = answer?.info ?? daemon.vpp.info;
  const conf = answer?.lb?.conf;
  const list = (items) =>
    items?.length > 0 &&
    h(
      "ul",
      null,
      items.map((text) => h("li", { key: text }, text)),
    );
  return section(
    { title: "Connection", key: "about" },
    h(
      "div",
      { class: "section-body" },
      facts([
        ["Daemon", h("span", { class: "mono" }, daemon.address)],
        ["VPP", info && info.version],
        ["Built", info && `${info.build_date}${info.build_directory ? ` in ${info.build_directory}` : ""}`],
        ["Programmed by", info && (info.dialect ?? "nothing: it lacks messages")],
        ["Process", info && info.pid],
        [
          "Running since",
          info?.booted_at && [
            when(ctx, info.booted_at),
            h("span", { class: "muted" }, " · ", age(ctx, info.booted_at, daemon.name)),
          ],
        ],
        [
          "Connected since",
          info?.connected_at && [
            when(ctx, info.connected_at),
            h("span", { class: "muted" }, " · ", age(ctx, info.connected_at, daemon.name)),
          ],
        ],
        ["Lacks", list(info?.missing_messages)],
        ["Removals that are held", list(info?.held_removals)],
        ["Dead clients noticed", list(info?.reaped_clients)],
        ["Verdicts held", list(daemon.held.map(({ probes }) => probes))],
        [
          "GRE source",
          conf &&
            h(
              "span",
              { class: "mono" },
              [conf.ip4_src_address, conf.ip6_src_address].filter(Boolean).join(", "),
            ),
        ],
        [
          "Established flows",
          conf &&
            `${count(conf.sticky_buckets_per_core)} entries a worker, forgotten after ${conf.flow_timeout_s} s`,
        ],
        ["Configuration", daemon.fingerprint && h("code", null, daemon.fingerprint)],
      ]),
    ),
    unavailable(answer?.unavailable),
  );
}

const VIP_COLUMNS = [
  "VIP",
  "Frontend",
  "Encap",
  ["Servers", "number"],
  ["Established/s", "number"],
  ["New/s", "number"],
  ["Untracked/s", "number"],
  ["Dropped/s", "number"],
  ["Packets", "number"],
];
/** So many VIPs are listed. */
const MOST = 200;

function vips(ctx, daemon, answer) {
  if (!answer?.lb) {
    return section({ title: "VIPs", key: "vips" }, empty(answer ? "VPP was not read." : "Being asked for…"));
  }
  const counters = new Map((answer.counters ?? []).map((it) => [vipKey(it), it]));
  const owners = new Map([...daemon.frontends.values()].map((it) => [ownerKey(it), it.name]));
  const query = (ctx.route.query.get("q") ?? "").toLowerCase();
  const found = answer.lb.vips.filter((vip) => service(vip).includes(query));
  const rows = found.slice(0, MOST).map((vip) => {
    const it = counters.get(vipKey(vip));
    const rates = it?.rates;
    const live = vip.servers.filter((server) => server.in_use);
    return h(
      "tr",
      { role: "row", key: vipKey(vip) },
      cells(
        [h("span", { class: "mono" }, service(vip)), vip.removal_held && state("warn", "removal held")],
        owners.has(vipKey(vip))
          ? objectLink("frontend", owners.get(vipKey(vip)), { daemon: daemon.name })
          : h("span", { class: "muted" }, "none"),
        vip.encap,
        h(
          "span",
          null,
          `${count(live.filter((server) => server.buckets > 0).length)} / ${count(live.length)}`,
        ),
        rate(rates?.next),
        rate(rates?.first),
        rate(rates?.untracked),
        h("span", { class: rates?.no_server > 0 ? "bad" : null }, rate(rates?.no_server)),
        it ? count(it.next + it.first + it.untracked) : "–",
      ),
    );
  });
  const note = found.length > MOST ? `the first ${MOST} of ${count(found.length)}` : count(found.length);
  return section(
    { title: "VIPs in VPP", key: "vips", note },
    rows.length === 0
      ? empty("VPP holds no VIP.")
      : table({ name: "vips", label: "VIPs in VPP", columns: VIP_COLUMNS, rows }),
  );
}

function vipKey({ prefix, protocol, port }) {
  return `${prefix} ${protocol} ${port}`;
}

/** The same of a frontend, whose address may stand without the length of its prefix. */
function ownerKey({ address, protocol, port }) {
  const length = address.includes(":") ? 128 : 32;
  const prefix = address.includes("/") ? address : `${address}/${length}`;
  const number = { tcp: 6, udp: 17 }[protocol] ?? 255;
  return vipKey({ prefix, protocol: number, port: port ?? 0 });
}

function service({ prefix, protocol, port }) {
  const name = PROTOCOLS[protocol] ?? `protocol ${protocol}`;
  return protocol === 255 ? `${prefix} ${name}` : `${prefix} ${name}/${port}`;
}
