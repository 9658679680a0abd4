// The buttons of what an operator can do. Who may not operate gets none.

import { ACTIONS } from "../actions/catalog.js";
import { actionDialog } from "../actions/dialog.js";
import { h } from "../tree.js";
import { NO_CELL } from "./parts.js";

/**
 * @param {App} ctx
 * @param {{daemon: string|null, backend?: string, frontend?: string, pool?: string, member?: Object}} target
 *   `daemon`: the one whose view it is
 * @param {string[]} actions names of `ACTIONS`
 */
export function actionsFor(ctx, { daemon, member, ...target }, actions) {
  if (!ctx.mayOperate) {
    return null;
  }
  const offered = actions.filter((action) => action !== "unset_weight" || member?.weight_overridden);
  return h(
    "span",
    { class: "actions" },
    offered.map((action) => {
      const { verb, tone } = ACTIONS[action];
      const label = `${ACTIONS[action].title(target)}…`;
      const open = () =>
        ctx.open(
          actionDialog(ctx, action, {
            ...target,
            weight: member?.weight,
            daemons: target.backend ? places(ctx, target) : [daemon],
          }),
        );
      return h(
        "button",
        {
          key: action,
          type: "button",
          class: `button ${tone ?? ""}`,
          "data-action": action,
          "aria-label": label,
          onclick: open,
        },
        verb,
      );
    }),
  );
}

/** The same as a cell; the column of actions is there for operators alone. */
export function actionCell(ctx, target, actions) {
  return ctx.mayOperate ? actionsFor(ctx, target, actions) : NO_CELL;
}

/** The heading of that column, and the class of a table that has it. */
export function actionColumn(ctx) {
  return ctx.mayOperate && ["Actions", "unseen"];
}

export function acting(ctx, name) {
  return ctx.mayOperate ? `${name} acting` : name;
}

/** The daemons that are asked unless others are chosen: all that have it and answer. */
function places(ctx, { backend, frontend }) {
  const has = (daemon) =>
    daemon.connection.state === "up" &&
    (!backend || daemon.backends.has(backend)) &&
    (!frontend || daemon.frontends.has(frontend));
  return [...ctx.model.daemons.values()].filter(has).map(({ name }) => name);
}
