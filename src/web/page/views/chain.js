// The way from the probes to VPP, a step each.

import { h } from "../tree.js";
import { age, empty, section, unavailable } from "./parts.js";

export function chain(ctx, answer, daemon) {
  const explanation = answer?.explanation;
  if (!explanation) {
    return section(
      { title: "Why", key: "chain" },
      answer ? [empty("No explanation."), unavailable(answer.unavailable)] : empty("Being asked for…"),
    );
  }
  return section(
    { title: "Why", key: "chain", note: "from the probes to VPP" },
    h(
      "ol",
      { class: "chain" },
      explanation.chain.map(({ stage, frontend, text, since, remedy }, index) =>
        h(
          "li",
          { key: `${index} ${stage} ${frontend}` },
          h("span", { class: "stage" }, stage.replace("_", "-")),
          h(
            "div",
            null,
            h(
              "p",
              null,
              frontend && frontend !== explanation.name && h("strong", null, `${frontend}: `),
              text,
              since && h("span", { class: "muted" }, " · ", age(ctx, since, daemon.name), " ago"),
            ),
            remedy && h("p", { class: "remedy" }, "To change it: ", h("code", null, remedy)),
          ),
        ),
      ),
    ),
  );
}
