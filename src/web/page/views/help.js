// The list of keys.

import { h } from "../tree.js";
import { dialog } from "./dialog.js";

/** Keys and what they do. */
const KEYS = [
  ["/", "search"],
  ["g o", "go to the overview"],
  ["g t", "go to the timeline"],
  ["g v", "go to VPP"],
  ["j k", "next row, previous row"],
  ["Enter", "open the row, press the button"],
  ["b", "back"],
  ["a", "first action of the view"],
  ["z", "UTC, or this machine's time"],
  ["t", "theme: the system's, light, dark"],
  ["?", "this list"],
  ["Esc", "close a dialog; leave the search and clear it"],
];

export function helpDialog(app) {
  return {
    view: () =>
      dialog(
        app,
        { title: "Keys" },
        h(
          "dl",
          { class: "keys" },
          KEYS.map(([keys, does]) =>
            h(
              "div",
              { key: keys },
              h(
                "dt",
                null,
                keys.split(" ").map((key) => h("kbd", null, key)),
              ),
              h("dd", null, does),
            ),
          ),
        ),
      ),
  };
}
