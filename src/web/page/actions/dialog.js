// The dialog of an action: what it does, what it would move, and what came of it.

import { post } from "../api.js";
import { h } from "../tree.js";
import { dialog } from "../views/dialog.js";
import { failure } from "../views/parts.js";
import { ACTIONS, faults, initialFields, request } from "./catalog.js";
import { fieldset } from "./fields.js";
import { forecastView } from "./forecast.js";
import { resultView } from "./result.js";

/** After the last change of a field. */
const SETTLED_MS = 250;

/**
 * @param {App} app
 * @param {string} action
 * @param {{daemons: string[], backend?: string, frontend?: string, pool?: string, weight?: number}} target
 */
export function actionDialog(app, action, target) {
  const own = {
    app,
    action,
    target,
    fields: initialFields(target),
    forecast: { for: null, answer: null, error: null },
    busy: false,
    error: null,
    result: null,
    timer: null,
  };
  own.changed = (fields) => {
    Object.assign(own.fields, fields);
    clearTimeout(own.timer);
    own.timer = setTimeout(() => foresee(own), SETTLED_MS);
    app.schedule();
  };
  foresee(own);
  return { view: () => view(own) };
}

/** What the forecast is made for, and a change of which makes it old. */
function subject({ action, target, fields }) {
  return JSON.stringify(request(action, target, fields));
}

async function foresee(own) {
  const wanted = subject(own);
  if (wanted === own.forecast.for || Object.keys(faults(own.action, own.fields)).length > 0) {
    return;
  }
  own.forecast = { for: wanted, answer: null, error: null };
  own.app.schedule();
  const outcome = await post("forecast", JSON.parse(wanted)).then(
    (answer) => ({ answer, error: null }),
    (error) => ({ answer: null, error }),
  );
  if (own.forecast.for === wanted) {
    own.forecast = { for: wanted, ...outcome };
    own.app.schedule();
  }
}

async function submit(own) {
  if (!ready(own)) {
    return;
  }
  own.busy = true;
  own.error = null;
  own.app.schedule();
  const { action, target, fields, forecast } = own;
  const body = { ...request(action, target, fields), why: fields.why.trim() };
  if (ACTIONS[action].shownFirst) {
    body.forecast = forecast.answer.id;
  }
  try {
    own.result = await post("actions", body);
    own.app.detail.refresh();
  } catch (error) {
    own.error = error;
    // A forecast is good for five minutes.
    own.forecast = { for: null, answer: null, error: null };
    foresee(own);
  }
  own.busy = false;
  own.app.schedule();
}

/** Whether it can be done: everything is said, and what would come of it was shown. */
function ready(own) {
  const { action, fields, forecast, busy } = own;
  const shown =
    forecast.for === subject(own) &&
    (forecast.answer !== null || (forecast.error !== null && !ACTIONS[action].shownFirst));
  return !busy && shown && fields.why.trim() !== "" && Object.keys(faults(action, fields)).length === 0;
}

function view(own) {
  const { app, action, target, result } = own;
  const { title, does, verb, tone } = ACTIONS[action];
  if (result !== null) {
    return dialog(
      app,
      { title: title(target), wide: true },
      resultView(app, own),
      h(
        "div",
        { class: "dialog-foot" },
        h(
          "button",
          { key: "close", type: "button", class: "button primary", onclick: () => app.open(null) },
          "Close",
        ),
      ),
    );
  }
  const places = [...own.fields.daemons].join(", ");
  return dialog(
    app,
    { title: title(target), wide: true, onsubmit: () => submit(own) },
    h("p", { class: "does" }, does),
    fieldset(own),
    forecastView(own),
    own.error && failure(own.error),
    h(
      "div",
      { class: "dialog-foot" },
      h(
        "button",
        { key: "cancel", type: "button", class: "button", onclick: () => app.open(null) },
        "Cancel",
      ),
      h(
        "button",
        { key: "do", type: "submit", class: `button ${tone ?? "primary"}`, disabled: !ready(own) },
        own.busy ? "Working…" : `${verb} on ${places}`,
      ),
    ),
  );
}
