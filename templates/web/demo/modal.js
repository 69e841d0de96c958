// The modal a person has open. What was filled in stays when the bot changes it around what was typed.

import { act } from "./act.js";
import { blocks } from "./blocks.js";
import { byId, el } from "./dom.js";
import { values } from "./elements.js";
import { here } from "./here.js";
import { words } from "./mrkdwn.js";

let dialog = null;
let shown = "";
let before = null;

export function showModal(state) {
  const view = state.modal;
  const key = view ? `${here.user}/${view.id}/${view.hash}` : "";
  if (key === shown) return;
  const filled = view && dialog?.dataset.view === view.id ? held(dialog) : [];
  const focused = dialog?.contains(document.activeElement) ? document.activeElement.name : null;
  close();
  shown = key;
  if (view) open(view, filled, focused);
}

function close() {
  dialog?.remove();
  if (dialog && before?.isConnected) before.focus();
  dialog = null;
}

function open(view, filled, focused) {
  before = document.activeElement;
  const use = (given, value) => act("click", { view_id: view.id, action_id: given.action_id, value, values: values(dialog) });
  const dismiss = () => act("dismiss");
  const send = async (event) => {
    event.preventDefault();
    const press = dialog.querySelector("[type=submit]");
    press.disabled = true;
    const came = await act("submit", { values: values(dialog) });
    press.disabled = false;
    tellErrors(came.errors ?? {}, came.problem);
  };
  const form = el("form", { novalidate: true, onsubmit: send },
    el("header", {}, el("h2", { id: "modal-title" }, words(view.title)), el("button", { type: "button", class: "shut", "aria-label": "Close", onclick: dismiss }, "✕")),
    el("div", { class: "blocks", tabindex: -1 }, blocks(view.blocks, { id: "modal", use }), el("p", { class: "error", role: "alert", "data-whole": true })),
    el("footer", {}, el("button", { type: "button", class: "press", onclick: dismiss }, view.close ? words(view.close) : "Close"),
      view.submit && el("button", { type: "submit", class: "press primary" }, words(view.submit))));
  dialog = el("dialog", { class: "modal", "aria-labelledby": "modal-title", "data-view": view.id }, form);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    dismiss();
  });
  document.body.append(dialog);
  restore(filled);
  dialog.showModal();
  const first = dialog.querySelector(focused ? `[name="${CSS.escape(focused)}"]` : ".blocks :is(input, textarea, select)");
  first?.focus();
  // A text that is there already is read from its beginning.
  if (first?.matches("textarea") && !focused) {
    first.setSelectionRange(0, 0);
    first.scrollTop = 0;
  }
}

// What each input holds. As in Slack, it is kept where block_id, action_id and the kind of input are the same.
const held = (within) => [...within.querySelectorAll("[data-block]")].map((block) => ({ id: block.dataset.block, kind: block.dataset.kind, values: values(block) }));

function restore(filled) {
  for (const { id, kind, values: kept } of filled) {
    const block = dialog.querySelector(`[data-block="${CSS.escape(id)}"][data-kind="${CSS.escape(kind)}"]`);
    if (block) fill(block, kept);
  }
}

function fill(block, kept) {
  for (const [name, value] of Object.entries(kept)) {
    const input = block.querySelector(`[name="${CSS.escape(name)}"]`);
    if (input && value !== null) input.value = value;
    for (const box of block.querySelectorAll(`fieldset[data-name="${CSS.escape(name)}"] input`)) box.checked = [value].flat().includes(box.value);
  }
}

function tellErrors(errors, problem) {
  if (!dialog) return;
  dialog.querySelector("[data-whole]").textContent = problem ?? "";
  for (const input of dialog.querySelectorAll("[data-block]")) {
    const error = errors[input.dataset.block] ?? "";
    input.querySelector(".error").textContent = error;
    for (const each of input.querySelectorAll("input, textarea, select")) each.setAttribute("aria-invalid", String(Boolean(error)));
  }
  dialog.querySelector("[aria-invalid=true]")?.focus();
}
