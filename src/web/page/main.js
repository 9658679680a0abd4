// Starts the page: the session, the state, the stream, and what draws them.

import { App } from "./app.js";
import { get, readSession } from "./api.js";
import { installKeys } from "./keys.js";
import { render } from "./patch.js";
import { parseRoute } from "./route.js";
import { applyBatch, applyDifferences, load } from "./state/model.js";
import { summary } from "./state/summary.js";
import { Stream } from "./stream.js";
import { Detail } from "./detail.js";
import { backend } from "./views/backend.js";
import { loginDialog } from "./views/login.js";
import { frontend } from "./views/frontend.js";
import { measure } from "./views/long_table.js";
import { overview } from "./views/overview.js";
import { navigation, notices, tools } from "./views/shell.js";
import { timeline } from "./views/timeline.js";
import { vpp } from "./views/vpp.js";

const VIEWS = { overview, frontend, backend, timeline, vpp };
const [nav, toolbar, noticeBox, main, dialogs, announcer] = [
  "nav",
  "tools",
  "notices",
  "main",
  "dialogs",
  "live",
].map((id) => document.getElementById(id));
const search = document.getElementById("search");

const app = new App(draw);
app.detail = new Detail(app);
app.logIn = () => open(loginDialog(app, start));
app.ended = sessionEnded;
app.restart = start;

const stream = new Stream({
  hello: ({ version }) => {
    app.outdated = app.session !== null && version !== app.session.version;
    app.schedule();
  },
  batch: (data) => {
    applyBatch(app.model, data);
    app.schedule();
  },
  differences: (data) => {
    applyDifferences(app.model, data);
    app.schedule();
  },
  reset: loadState,
  session: sessionEnded,
  live: (live) => {
    app.live = live;
    app.awaySince = live ? null : (app.awaySince ?? Date.now());
    app.schedule();
  },
  refused: async () => {
    try {
      app.session = await readSession();
    } catch {
      return true;
    }
    if (app.session.login === "required" && app.session.user === null) {
      sessionEnded({ why: "expired" });
      return false;
    }
    return true;
  },
});

async function start() {
  app.failure = null;
  try {
    app.session = await readSession();
    if (app.session.login === "required" && app.session.user === null) {
      stream.close();
      app.logIn();
      return;
    }
    stream.open(await loadState());
  } catch (error) {
    if (error.code === "unauthenticated") {
      app.logIn();
      return;
    }
    app.failure = error;
    app.schedule();
    setTimeout(start, 3_000);
  }
}

/** Reads the state anew; gives the event behind which the stream goes on. */
async function loadState() {
  const state = await get("state");
  load(app.model, state, Date.now());
  app.schedule();
  return state.event_id;
}

function sessionEnded({ why }) {
  app.session = { ...app.session, user: null, token: null, may_operate: false };
  open(null);
  if (app.session.login === "required") {
    app.sessionEnd = why;
    app.logIn();
  } else {
    start();
  }
}

/** What had the focus before a dialog, and gets it back. */
let opener = null;

function open(dialog) {
  if (dialog !== null && app.dialog === null) {
    opener = document.activeElement;
  }
  app.dialog = dialog;
  app.schedule();
}
app.open = open;

function draw(ctx, change) {
  measure(ctx.viewports);
  ctx.detail.follow(ctx.route, change);
  render(nav, navigation(ctx));
  render(toolbar, tools(ctx));
  render(noticeBox, notices(ctx));
  if (ctx.model.loaded) {
    // One element a view, so that none of it is taken over by the next.
    render(main, VIEWS[ctx.route.view](ctx));
  }
  drawDialog(ctx);
  announce(ctx);
}

function drawDialog(ctx) {
  render(dialogs, ctx.dialog === null ? [] : [ctx.dialog.view(ctx)]);
  const element = dialogs.firstElementChild;
  if (element === null && opener !== null) {
    if (opener.isConnected) {
      opener.focus({ preventScroll: true });
    }
    opener = null;
  }
  if (element !== null && !element.open) {
    element.showModal();
    (element.querySelector("[autofocus]") ?? element).focus();
  }
}

let said = "";
/** Says aloud what the state of everything is, where that has changed. */
function announce(ctx) {
  if (!ctx.model.loaded) {
    return;
  }
  const { level, title, parts } = summary(ctx);
  const faults = parts.filter((part) => part.level === "fault").length;
  if (document.hidden && !ctx.live) {
    document.title = "maglev: not followed while hidden";
    return;
  }
  document.title = faults > 0 ? `(${faults}) maglev: ${title}` : `maglev: ${title}`;
  document.documentElement.dataset.level = level;
  const text = [title, ...parts.filter((part) => part.level === "fault").map((part) => part.text)].join(", ");
  if (text !== said) {
    said = text;
    announcer.textContent = text;
  }
}

function routed() {
  const before = app.route;
  app.route = parseRoute(location.hash);
  if (document.activeElement !== search) {
    search.value = app.route.query.get("q") ?? "";
  }
  if (before.view !== app.route.view || before.name !== app.route.name) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  app.schedule();
}

addEventListener("hashchange", routed);
addEventListener("scroll", () => app.schedule(), { passive: true });
addEventListener("resize", () => app.schedule());
document.addEventListener("visibilitychange", () => app.schedule());
// Ages grow.
setInterval(() => document.hidden || app.schedule(), 1000);
document.querySelector(".skip").addEventListener("click", (event) => {
  // The fragment is the view's.
  event.preventDefault();
  main.focus();
});
installKeys(app, search);
routed();
start();
