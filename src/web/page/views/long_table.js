// A table of any length, of which only the rows that can be seen are in the document.

import { h } from "../tree.js";
import { visible } from "../window.js";
import { headRow } from "./parts.js";

/** Until a row was measured. */
const ROW_HEIGHT = 34;

/**
 * @param {Object} ctx
 * @param {{id: string, name: string, label: string, columns: Array, list: Array, row: Function}} table
 *   `row(item, props)` gives the row of an item; `props` have to be its own
 */
export function longTable(ctx, { id, name, label, columns, list, row }) {
  const seen = ctx.viewports.get(id) ?? { top: 0, height: ctx.windowHeight, rowHeight: ROW_HEIGHT };
  const { first, end, before, after } = visible({ ...seen, count: list.length });
  const rows = [];
  for (let index = first; index < end; index += 1) {
    // The heading is the first row.
    rows.push(row(list[index], { role: "row", "aria-rowindex": index + 2, "data-row": "" }));
  }
  return h(
    "table",
    { class: `table ${name}`, role: "table", "aria-label": label, "aria-rowcount": list.length + 1, key: id },
    h("thead", { role: "rowgroup" }, headRow(columns)),
    h(
      "tbody",
      {
        role: "rowgroup",
        "data-long": id,
        style: { "padding-top": `${before}px`, "padding-bottom": `${after}px` },
      },
      rows,
    ),
  );
}

/** Measures the long tables that are in the document. Called before anything is changed in it. */
export function measure(viewports) {
  viewports.clear();
  for (const body of document.querySelectorAll("[data-long]")) {
    const row = body.firstElementChild;
    const height = row?.offsetHeight || ROW_HEIGHT;
    viewports.set(body.dataset.long, {
      top: body.getBoundingClientRect().top,
      height: innerHeight,
      rowHeight: height,
    });
  }
}
