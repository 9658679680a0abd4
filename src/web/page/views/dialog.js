// The frame of a dialog.

import { h } from "../tree.js";

/**
 * @param {App} app
 * @param {{title: string, onsubmit: Function?, wide: boolean?, closable: boolean?}} options
 * @param {...*} body
 */
export function dialog(app, { title, onsubmit, wide = false, closable = true }, ...body) {
  const close = () => app.open(null);
  const props = {
    class: `dialog${wide ? " wide" : ""}`,
    "aria-labelledby": "dialog-title",
    // A browser may close it all the same; it is opened again then.
    onclose: closable ? close : () => app.schedule(),
    oncancel: (event) => {
      if (!closable) {
        event.preventDefault();
      }
    },
  };
  const head = h(
    "div",
    { class: "dialog-head" },
    h("h2", { id: "dialog-title" }, title),
    closable &&
      h("button", { type: "button", class: "button quiet", onclick: close, "aria-label": "Close" }, "✕"),
  );
  const content = h("div", { class: "dialog-body" }, body);
  const form =
    onsubmit &&
    ((event) => {
      event.preventDefault();
      onsubmit(event.target);
    });
  return h(
    "dialog",
    props,
    form ? h("form", { onsubmit: form }, head, content) : h("div", null, head, content),
  );
}
