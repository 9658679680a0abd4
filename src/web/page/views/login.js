// The form of the login.

import { login } from "../api.js";
import { h } from "../tree.js";
import { dialog } from "./dialog.js";
import { failure } from "./parts.js";

const ENDED = {
  expired: "Your session is over: log in again.",
  logged_out: "You have logged out.",
  removed: "Your access was taken away, or its password changed.",
};

/** The dialog; `done` is called once somebody is logged in. */
export function loginDialog(app, done) {
  const needed = app.session.login === "required";
  const own = { error: null, busy: false };
  async function submit(form) {
    own.busy = true;
    own.error = null;
    app.schedule();
    try {
      app.session = await login(form.elements.name.value.trim(), form.elements.password.value);
      app.sessionEnd = null;
      app.open(null);
      done();
    } catch (error) {
      own.error = error;
      form.elements.password.value = "";
      form.elements.password.focus();
    } finally {
      own.busy = false;
      app.schedule();
    }
  }
  const view = () =>
    dialog(
      app,
      { title: "Log in", onsubmit: submit, closable: !needed },
      app.session.methods.includes("password")
        ? form(own, app.sessionEnd)
        : h(
            "p",
            null,
            "There is no login by password here: show a certificate, or come through the proxy that knows you.",
          ),
    );
  return { view };
}

function form(own, ended) {
  return [
    ended && h("p", { class: "note" }, ENDED[ended] ?? null),
    own.error && failure(own.error),
    h(
      "label",
      { class: "field" },
      "Name",
      h("input", {
        name: "name",
        autocomplete: "username",
        required: true,
        autofocus: true,
        spellcheck: "false",
        autocapitalize: "none",
      }),
    ),
    h(
      "label",
      { class: "field" },
      "Password",
      h("input", { name: "password", type: "password", autocomplete: "current-password", required: true }),
    ),
    h(
      "div",
      { class: "dialog-foot" },
      h(
        "button",
        { type: "submit", class: "button primary", disabled: own.busy },
        own.busy ? "Logging in…" : "Log in",
      ),
    ),
  ];
}
