// The picture of the timeline as a list: a bar of the phases, and the entries on a rail.

import { el } from "./dom.js";

// A stretch of CSS flex, by the phase's share; the sizes are set on the node, which the page's policy allows.
function block(phase) {
  const node = el("span", { class: `phase phase-${phase.key}`, title: `${phase.label} ${phase.lasted}` });
  node.style.flexGrow = Math.max(phase.seconds, 1);
  return node;
}

export const phaseBar = (view) => view.phases.length > 0 && el("figure", { class: "phases" },
  el("div", { class: "bar", "aria-hidden": "true" }, view.phases.map(block)),
  el("ul", {}, view.phases.map((each) => el("li", {}, el("i", { class: `phase-${each.key}`, "aria-hidden": "true" }), el("b", {}, each.label), ` ${each.lasted}`))));

export const rail = (view) => el("div", {},
  phaseBar(view),
  el("p", { class: "muted" }, `Times in ${view.zone}`),
  el("ol", { class: "rail" }, view.rail.map((each) =>
    el("li", { class: `phase-${each.phase ?? "none"}${each.milestone ? " milestone" : ""}` }, el("time", {}, each.clock), el("p", {}, el("b", {}, each.label), each.words && ` ${each.words}`)))));
