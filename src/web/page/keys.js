// What keys do. `?` shows this list.

import { routeTo } from "./route.js";
import { helpDialog } from "./views/help.js";
import { nextTheme } from "./views/shell.js";

const GO = { o: "overview", t: "timeline", v: "vpp" };
/** How long `g` waits for its second key. */
const SECOND_KEY_MS = 1500;

/** Listens to keys. Those that go into fields or dialogs are left alone. */
export function installKeys(app, search) {
  let leader = 0;
  search.addEventListener("input", () => searchFor(search.value));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      search.value = "";
      searchFor("");
      search.blur();
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      rows()[0]?.focus();
    }
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input, textarea, select, [contenteditable]");
    if (typing || app.dialog !== null || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const second = Date.now() - leader < SECOND_KEY_MS;
    leader = 0;
    if (second && event.key in GO) {
      location.hash = routeTo(GO[event.key]);
      return;
    }
    const act = {
      "/": () => search.focus(),
      g: () => {
        leader = Date.now();
      },
      j: () => step(1),
      k: () => step(-1),
      b: () => history.back(),
      a: () => document.querySelector("[data-action]")?.focus(),
      z: () => app.setLocal(!app.local),
      t: () => nextTheme(app),
      "?": () => app.open(helpDialog(app)),
    }[event.key];
    if (act !== undefined) {
      event.preventDefault();
      act();
    }
  });
}

/** Shows what matches; the overview has the result. */
function searchFor(text) {
  const hash = routeTo("overview", null, { q: text });
  if (location.hash.startsWith("#/?q=") || location.hash === "#/" || location.hash === "") {
    // A letter more is no page to go back to.
    history.replaceState(null, "", hash);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = hash;
  }
}

function rows() {
  return [...document.querySelectorAll("[data-row] a")];
}

function step(by) {
  const all = rows();
  const now = all.indexOf(document.activeElement);
  const next = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : now + by];
  next?.focus();
}
