// The modal that the acting person has open. Typed values stay when the bot updates the view.

import { perform } from "./actions.js";
import { blocks } from "./blocks.js";
import { el } from "./dom.js";
import { values } from "./elements.js";
import { words } from "./mrkdwn.js";
import { session } from "./session.js";

let dialog = null;
let shownKey = "";
let focusedBefore = null;

export function showModal(state) {
  const view = state.modal;
  const key = view ? `${session.user}/${view.id}/${view.hash}` : "";
  if (key === shownKey) return;
  const typed = view && dialog?.dataset.view === view.id ? inputValues(dialog) : [];
  const focused = dialog?.contains(document.activeElement) ? document.activeElement.name : null;
  close();
  shownKey = key;
  if (view) open(view, typed, focused);
}

function close() {
  dialog?.remove();
  if (dialog && focusedBefore?.isConnected) focusedBefore.focus();
  dialog = null;
}

function open(view, typed, focused) {
  focusedBefore = document.activeElement;
  const use = (given, value) => perform("click", { view_id: view.id, action_id: given.action_id, value, values: values(dialog) });
  const dismiss = () => perform("dismiss");
  const submit = async (event) => {
    event.preventDefault();
    const button = dialog.querySelector("[type=submit]");
    button.disabled = true;
    const result = await perform("submit", { values: values(dialog) });
    button.disabled = false;
    showErrors(result.errors ?? {}, result.problem);
  };
  const form = el("form", { novalidate: true, onsubmit: submit },
    el("header", {},
      el("h2", { id: "modal-title" }, words(view.title)),
      el("button", { type: "button", class: "close", "aria-label": "Close", onclick: dismiss }, "✕")),
    el("div", { class: "blocks", tabindex: -1 }, blocks(view.blocks, { id: "modal", use }), el("p", { class: "error", role: "alert", "data-whole": true })),
    el("footer", {},
      el("button", { type: "button", class: "button", onclick: dismiss }, view.close ? words(view.close) : "Close"),
      view.submit && el("button", { type: "submit", class: "button primary" }, words(view.submit))));
  dialog = el("dialog", { class: "modal", "aria-labelledby": "modal-title", "data-view": view.id }, form);
  // Escape: the server closes the view, and the next state shows what is then open.
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    dismiss();
  });
  document.body.append(dialog);
  restore(typed);
  dialog.showModal();
  const first = dialog.querySelector(focused ? `[name="${CSS.escape(focused)}"]` : ".blocks :is(input, textarea, select)");
  // A form whose first field is below the fold is read from its top.
  const body = dialog.querySelector(".blocks");
  const below = !focused && first && first.getBoundingClientRect().top >= body.getBoundingClientRect().bottom;
  (below ? body : first)?.focus();
  // A long initial text is shown from its beginning.
  if (first?.matches("textarea") && !focused) {
    first.setSelectionRange(0, 0);
    first.scrollTop = 0;
  }
}

// As in Slack, an updated view keeps a value where block_id, action_id and the type of input are the same.
const inputValues = (container) => [...container.querySelectorAll("[data-block]")].map((block) => ({ id: block.dataset.block, kind: block.dataset.kind, values: values(block) }));

function restore(typed) {
  for (const each of typed) {
    const block = dialog.querySelector(`[data-block="${CSS.escape(each.id)}"][data-kind="${CSS.escape(each.kind)}"]`);
    if (block) setValues(block, each.values);
  }
}

function setValues(block, byName) {
  for (const [name, value] of Object.entries(byName)) {
    const input = block.querySelector(`[name="${CSS.escape(name)}"]`);
    if (input && value !== null) input.value = value;
    for (const box of block.querySelectorAll(`fieldset[data-name="${CSS.escape(name)}"] input`)) box.checked = [value].flat().includes(box.value);
  }
}

// `errors` are by block_id, `problem` is about the whole form.
function showErrors(errors, problem) {
  if (!dialog) return;
  dialog.querySelector("[data-whole]").textContent = problem ?? "";
  for (const input of dialog.querySelectorAll("[data-block]")) {
    const error = errors[input.dataset.block] ?? "";
    input.querySelector(".error").textContent = error;
    for (const each of input.querySelectorAll("input, textarea, select")) each.setAttribute("aria-invalid", String(Boolean(error)));
  }
  dialog.querySelector("[aria-invalid=true]")?.focus();
}
