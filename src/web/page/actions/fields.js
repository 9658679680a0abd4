// The fields of an action's dialog.

import { h } from "../tree.js";
import { icon } from "../views/parts.js";
import { ACTIONS, faults } from "./catalog.js";

const FIELDS = {
  for: forField,
  weight: weightField,
  slowly: slowlyField,
  timeout: timeoutField,
  flush: flushField,
  force: forceField,
};

export function fieldset(own) {
  const { action, fields, target } = own;
  const found = faults(action, fields);
  const several = own.app.model.daemons.size > 1;
  return h(
    "div",
    { class: "fields" },
    several && daemons(own, found.daemons),
    ACTIONS[action].fields.map((field) => FIELDS[field](own, found[field])),
    text(own, "why", {
      label: "Reason",
      maxlength: 120,
      required: true,
      autofocus: true,
      placeholder: "for those who come after you",
      note: "Kept with the change, in the timeline and the log.",
    }),
    ACTIONS[action].undoable &&
      target.daemons.length > 1 &&
      fields.daemons.size > 1 &&
      check(own, "allOrNone", "All or none: where one daemon refuses, none is changed"),
  );
}

function daemons(own, fault) {
  const { fields } = own;
  const all = [...own.app.model.daemons.values()].filter(
    ({ name }) => own.target.offered?.includes(name) ?? true,
  );
  return h(
    "fieldset",
    { key: "daemons", class: "field" },
    h("legend", null, "Daemons"),
    h(
      "div",
      { class: "choices" },
      all.map(({ name, connection }) =>
        h(
          "label",
          { key: name, class: "choice" },
          h("input", {
            type: "checkbox",
            name: "daemon",
            value: name,
            checked: fields.daemons.has(name),
            onchange: ({ target }) => {
              const chosen = new Set(fields.daemons);
              chosen[target.checked ? "add" : "delete"](name);
              own.changed({ daemons: chosen });
            },
          }),
          name,
          connection.state !== "up" && h("span", { class: "muted" }, " (away)"),
        ),
      ),
    ),
    wrong(fault),
  );
}

/** A field of text. */
function text(own, field, { label, note, fault, ...attributes }) {
  return h(
    "label",
    { key: field, class: "field" },
    label,
    h("input", {
      name: field,
      autocomplete: "off",
      value: own.fields[field],
      "aria-invalid": fault ? "true" : null,
      oninput: ({ target }) => own.changed({ [field]: target.value }),
      ...attributes,
    }),
    wrong(fault) ?? (note && h("span", { class: "muted" }, note)),
  );
}

function check(own, field, label) {
  return h(
    "label",
    { key: field, class: "choice" },
    h("input", {
      type: "checkbox",
      name: field,
      checked: own.fields[field],
      onchange: ({ target }) => own.changed({ [field]: target.checked }),
    }),
    label,
  );
}

function wrong(fault) {
  return fault ? h("span", { class: "wrong" }, icon("fault"), fault) : null;
}

function forField(own, fault) {
  return text(own, "for", { label: "For", fault, placeholder: "2h, 1d12h; nothing: until it is unset" });
}

function timeoutField(own, fault) {
  return text(own, "timeout", {
    label: "Timeout",
    fault,
    placeholder: "10m; nothing: none",
    note: "When it is over and flows are left, you are told.",
  });
}

function weightField(own, fault) {
  const { fields } = own;
  const set = ({ target }) => own.changed({ weight: target.value === "" ? NaN : Number(target.value) });
  return h(
    "div",
    { key: "weight", class: "field" },
    h("label", { for: "weight" }, "Weight"),
    h(
      "div",
      { class: "weight" },
      h("input", {
        id: "weight",
        name: "weight",
        type: "number",
        min: 0,
        max: 100,
        step: 1,
        required: true,
        value: fields.weight,
        oninput: set,
      }),
      h("input", {
        type: "range",
        min: 0,
        max: 100,
        step: 1,
        value: fields.weight,
        oninput: set,
        "aria-label": "Weight",
      }),
    ),
    wrong(fault),
  );
}

function slowlyField(own) {
  return check(own, "slowly", "Slowly: where a pool has slow-start, it gets its weight in steps");
}

function flushField(own) {
  return check(own, "flush", "At the timeout, have VPP forget the flows that are left");
}

function forceField(own) {
  return own.action === "sync"
    ? check(own, "force", "Force: also make the removals that are held")
    : check(own, "force", "Force: also use a file that takes most of what serves away");
}
