// A canvas of the channel, over the conversation.

import { byId, el, refill } from "./dom.js";
import { go, here } from "./here.js";
import { trusted } from "./trusted.js";

export function showCanvas(state) {
  const place = byId("canvas");
  const canvas = state.canvases.find((each) => each.id === here.canvas);
  place.hidden = !canvas;
  refill(place, canvas ?? null, () => (canvas ? shown(canvas) : []));
}

const shown = (canvas) => [
  el("header", {}, el("h2", {}, canvas.title || "Canvas"), el("button", { type: "button", class: "press", onclick: () => go({ canvas: null }) }, "Close")),
  el("div", { class: "markdown", tabindex: 0, role: "region", "aria-label": "The canvas" }, trusted(canvas.html, 2), canvas.cut && el("p", { class: "soft" }, "The canvas goes on.")),
];
