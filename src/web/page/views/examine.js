// What is looked for by hand, as it costs the daemon something: what keeps packets away,
// and where VPP holds something else than is desired.

import { stepsView } from "../actions/outcome.js";
import { daemonPath, get, post } from "../api.js";
import { h } from "../tree.js";
import { button, empty, failure, icon, section } from "./parts.js";

const LEVEL = { ok: "ok", warning: "warn", fault: "fault" };

/** What was found at a daemon, kept until another daemon is looked at. */
function examination(ctx, what, daemon, ask) {
  const kept = ctx.examined.get(what);
  const own = kept?.daemon === daemon.name ? kept : {};
  const keep = (state) => {
    ctx.examined.set(what, { daemon: daemon.name, ...state });
    ctx.schedule();
  };
  const look = async () => {
    keep({ busy: true });
    keep(
      await ask().then(
        (found) => ({ found }),
        (error) => ({ error }),
      ),
    );
  };
  const text = own.busy ? "Looking…" : own.found ? "Look again" : "Look";
  const end = button(text, look, { disabled: own.busy, label: `${text}: ${what}`, "data-examine": what });
  return { ...own, end };
}

export function doctor(ctx, daemon) {
  const { busy, found, error, end } = examination(ctx, "doctor", daemon, () =>
    get(daemonPath(daemon.name, "doctor")),
  );
  const note = "what keeps packets away although nothing has failed";
  return section(
    { title: "Doctor", key: "doctor", note, end },
    error && failure(error),
    !found && !error && empty(busy ? "VPP and the machine are looked at." : "Not asked yet."),
    found &&
      h(
        "ul",
        { class: "findings" },
        found.findings.map((it) =>
          h(
            "li",
            { key: `${it.subject} ${it.seen}` },
            icon(LEVEL[it.severity] ?? "warn", it.severity),
            h(
              "div",
              null,
              h("p", null, h("strong", null, it.subject), ": ", it.seen),
              it.remedy && h("p", { class: "remedy" }, it.remedy),
            ),
          ),
        ),
      ),
  );
}

/** The steps that a sync would write. Only who is logged in may ask. */
export function drift(ctx, daemon) {
  const note = "where VPP holds something else than is desired";
  if (!ctx.session?.user) {
    return section({ title: "Drift", key: "drift", note }, empty("Log in to have VPP read and compared."));
  }
  const body = { action: "sync", daemons: [daemon.name], force: false };
  const { busy, found, error, end } = examination(ctx, "drift", daemon, () => post("forecast", body));
  const result = found?.results[0];
  return section(
    { title: "Drift", key: "drift", note, end },
    error && failure(error),
    result?.error && failure({ message: result.error, remedy: null }),
    !found && !error && empty(busy ? "VPP is read and compared." : "Not asked yet."),
    result &&
      !result.error &&
      h("div", { class: "section-body" }, stepsView(result.steps, "VPP holds what is desired.")),
  );
}
