// The state of everything in one word and one sentence.

import { counted, listed } from "../format.js";
import { judgeDaemon, judgeVpp, worse } from "./judge.js";

/**
 * What holds of all daemons. It is "ok" only where nothing that is known is wrong, and
 * everything is known.
 *
 * @param {{model: Object, frontends: Rows, backends: Rows, stream: string}} known
 * @returns {{level: string, title: string, parts: Array<{level: string, text: string}>}}
 */
export function summary({ model, frontends, backends, live }) {
  const parts = [];
  const add = (level, text) => parts.push({ level, text });
  const daemons = [...model.daemons.values()];
  const of = (judge, level) =>
    daemons.filter((daemon) => judge(daemon).level === level).map(({ name }) => name);

  const away = of(judgeDaemon, "fault");
  if (away.length > 0) {
    add("fault", `${listed(away)} ${away.length === 1 ? "is" : "are"} away`);
  }
  const lost = of(judgeVpp, "fault").filter((name) => !away.includes(name));
  if (lost.length > 0) {
    add("fault", `VPP of ${listed(lost)} is not programmed`);
  }
  objects(add, frontends.counts, "frontend");
  objects(add, backends.counts, "backend");
  const differences = model.differences?.total ?? 0;
  if (differences > 0) {
    add("fault", `${counted(differences, "difference")} between daemons`);
  }
  for (const [judge, what] of [
    [judgeDaemon, ""],
    [judgeVpp, "VPP of "],
  ]) {
    for (const name of of(judge, "warn")) {
      const { word } = judge(model.daemons.get(name));
      add("warn", `${what}${name}: ${word}`);
    }
  }
  if (!live) {
    add("warn", "this page is not connected");
  }
  const level = parts.reduce((worst, part) => worse(worst, part.level), "ok");
  return { level, title: titleOf(level, daemons, frontends), parts: sorted(parts) };
}

function objects(add, counts, word) {
  if (counts.fault > 0) {
    add("fault", `${counted(counts.fault, word)} down`);
  }
  if (counts.warn > 0) {
    add("warn", `${counted(counts.warn, word)} to look at`);
  }
  if (counts.old > 0) {
    add("warn", `${counted(counts.old, word)} not known at present`);
  }
  if (counts.held > 0) {
    add("held", `${counted(counts.held, word)} held by operators or the file`);
  }
}

function sorted(parts) {
  const rank = { fault: 0, warn: 1, held: 2 };
  return parts.sort((a, b) => rank[a.level] - rank[b.level]);
}

function titleOf(level, daemons, frontends) {
  switch (level) {
    case "fault":
      return "Something is wrong";
    case "warn":
      return "Worth a look";
    case "held":
      return "Well, with servers held";
    default:
      return frontends.list.length === 0
        ? `Nothing is configured at ${counted(daemons.length, "daemon")}`
        : `All ${counted(frontends.list.length, "frontend")} serve at ${counted(daemons.length, "daemon")}`;
  }
}
