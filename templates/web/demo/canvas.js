// The open canvas, beside the conversation.

import { byId, el, renderIfChanged } from "./dom.js";
import { sanitize } from "./sanitize.js";
import { navigate, session } from "./session.js";

export function showCanvas(state) {
  const container = byId("canvas");
  const canvas = state.canvases.find((each) => each.id === session.canvas);
  container.hidden = !canvas;
  renderIfChanged(container, canvas ?? null, () => (canvas ? content(canvas) : []));
}

const content = (canvas) => [
  el("header", {},
    el("h2", {}, canvas.title || "Canvas"),
    el("button", { type: "button", class: "button", onclick: () => navigate({ canvas: null }) }, "Close")),
  el("div", { class: "markdown", tabindex: 0, role: "region", "aria-label": "The canvas" },
    sanitize(canvas.html, 2), canvas.cut && el("p", { class: "muted" }, "The canvas goes on.")),
];
