// What stands above every view: where one is, how fresh it is, who one is.

import { logout } from "../api.js";
import { counted, span, time, zone } from "../format.js";
import { routeTo } from "../route.js";
import { readSetting, writeSetting } from "../app.js";
import { h } from "../tree.js";
import { helpDialog } from "./help.js";
import { icon } from "./parts.js";

const PLACES = [
  ["overview", "Overview"],
  ["timeline", "Timeline"],
  ["vpp", "VPP"],
];
const OF = { frontend: "overview", backend: "overview" };

export function navigation({ route }) {
  return PLACES.map(([view, text]) =>
    h(
      "a",
      {
        key: view,
        href: routeTo(view),
        "aria-current": (OF[route.view] ?? route.view) === view ? "page" : null,
      },
      text,
    ),
  );
}

export function tools(app) {
  return [
    freshness(app),
    h(
      "button",
      {
        key: "zone",
        class: "button quiet",
        type: "button",
        onclick: () => app.setLocal(!app.local),
        "aria-label": app.local ? "Times are this machine's: show UTC" : "Times are UTC: show this machine's",
        title: "UTC, or this machine's time (z)",
      },
      zone(app.local),
    ),
    h(
      "button",
      {
        key: "theme",
        class: "button quiet",
        type: "button",
        onclick: () => nextTheme(app),
        title: "Theme (t)",
        "aria-label": `Theme: ${theme()}`,
      },
      themeShape(theme()),
    ),
    h(
      "button",
      {
        key: "help",
        class: "button quiet",
        type: "button",
        onclick: () => app.open(helpDialog(app)),
        "aria-label": "Keys",
        title: "Keys (?)",
      },
      "?",
    ),
    user(app),
  ];
}

/** How fresh what is shown is: the latest that was received of any daemon. */
function freshness(app) {
  if (!app.model.loaded) {
    return h("span", { key: "fresh", class: "fresh" });
  }
  if (app.live) {
    const at = app.now + app.model.webAhead;
    return h(
      "span",
      { key: "fresh", class: "fresh live", title: "The page follows the daemons" },
      h("span", { class: "unseen" }, "live, "),
      h("span", { class: "as-of" }, "as of "),
      time(at, app.local),
    );
  }
  const since = app.awaySince ?? app.now;
  return h(
    "span",
    { key: "fresh", class: "fresh away" },
    icon("warn"),
    `away since ${time(since + app.model.webAhead, app.local)}`,
  );
}

function user(app) {
  const { session } = app;
  if (session === null || session.login === "none") {
    return (
      session &&
      h(
        "span",
        { key: "user", class: "who", title: "No login is configured: nobody can change anything here" },
        "for viewing only",
      )
    );
  }
  if (session.user === null) {
    return h(
      "button",
      { key: "user", class: "button", type: "button", onclick: () => app.logIn() },
      "Log in",
    );
  }
  const { name, role, via } = session.user;
  return h(
    "span",
    { key: "user", class: "who" },
    h("span", { title: `${role}, by ${via}` }, `${name} (${role})`),
    via === "password" &&
      h("button", { class: "button", type: "button", onclick: () => leave(app) }, "Log out"),
  );
}

async function leave(app) {
  try {
    app.session = await logout();
    app.ended({ why: "logged_out" });
  } catch (error) {
    app.failure = error;
    app.schedule();
  }
}

/** What is said above every view while it holds. */
export function notices(app) {
  const list = [];
  const notice = (level, key, ...text) =>
    list.push(h("div", { key, class: `notice ${level}` }, icon(level), h("p", null, text)));
  if (app.failure !== null) {
    notice(
      "fault",
      "failure",
      app.failure.message,
      app.failure.remedy && `: ${app.failure.remedy}`,
      ". It is tried again.",
    );
  }
  if (app.outdated) {
    notice(
      "warn",
      "outdated",
      "maglev-web is of another version now: ",
      h("button", { type: "button", class: "button", onclick: () => location.reload() }, "Reload the page"),
    );
  }
  if (app.model.loaded && !app.live && app.failure === null && app.awaySince !== null) {
    const for_ = app.now - app.awaySince;
    if (for_ >= 2000) {
      notice(
        "warn",
        "away",
        `Not connected to maglev-web for ${span(for_)}. What is shown may be old; it goes on by itself.`,
      );
    }
  }
  const left = app.model.timeline.leftOut;
  if (left > 0 && app.route.view === "timeline") {
    notice("warn", "left-out", `${counted(left, "event")} of a storm are left out of this list.`);
  }
  return list;
}

const THEMES = ["system", "light", "dark"];

function theme() {
  return readSetting("maglev-theme") ?? "system";
}

function themeShape(name) {
  return { system: "◐", light: "○", dark: "●" }[name] ?? "◐";
}

/** The next of: the system's theme, light, dark. */
export function nextTheme(app) {
  const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
  if (next === "system") {
    writeSetting("maglev-theme", null);
    delete document.documentElement.dataset.theme;
  } else {
    writeSetting("maglev-theme", next);
    document.documentElement.dataset.theme = next;
  }
  app.schedule();
}
