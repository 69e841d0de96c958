// The message box. What begins with a slash is a command: the manifest's list completes it and hints at what follows.

import { act, notice } from "./act.js";
import { completions, hintOf } from "./completion.js";
import { el } from "./dom.js";
import { here } from "./here.js";

const typedBefore = [];

export function composer({ id, label, send }) {
  const list = el("ul", { id: `${id}-list`, role: "listbox", "aria-label": "Suggestions", hidden: true });
  const hint = el("p", { class: "hint", id: `${id}-hint`, "aria-live": "polite" });
  const box = el("textarea", {
    id, rows: 1, role: "combobox", "aria-label": label, placeholder: label, "aria-autocomplete": "list", "aria-expanded": "false",
    "aria-controls": list.id, "aria-describedby": hint.id, autocomplete: "off", spellcheck: "true",
  });
  const press = el("button", { type: "button", class: "press primary", onclick: () => post() }, "Send");
  let offered = [];
  let chosen = 0;

  function offer() {
    offered = completions(box.value, box.selectionStart);
    chosen = 0;
    draw();
    hint.textContent = hintOf(box.value);
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight + 2, 200)}px`;
  }

  function draw() {
    list.hidden = !offered.length;
    box.setAttribute("aria-expanded", String(offered.length > 0));
    if (offered.length) box.setAttribute("aria-activedescendant", `${id}-${chosen}`);
    else box.removeAttribute("aria-activedescendant");
    list.replaceChildren(...offered.map((each, index) =>
      el("li", { id: `${id}-${index}`, role: "option", "aria-selected": String(index === chosen), onmousedown: (event) => { event.preventDefault(); take(each); } },
        el("b", {}, each.name), " ", el("span", { class: "soft" }, each.hint), each.about && el("small", {}, each.about))));
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  }

  function take(each) {
    box.value = each.text;
    box.setSelectionRange(each.caret, each.caret);
    box.focus();
    offer();
  }

  async function post() {
    const text = box.value;
    if (!text.trim()) return;
    set("");
    if (text !== typedBefore.at(-1)) typedBefore.push(text);
    const came = await send(text);
    // Nothing typed is lost: what did not get through stands in the box again.
    if (came.problem && !box.value) set(text);
  }

  function set(text) {
    box.value = text;
    offer();
  }

  const KEYS = {
    ArrowDown: () => offered.length && ((chosen = (chosen + 1) % offered.length), draw(), true),
    ArrowUp: () => (offered.length ? ((chosen = (chosen - 1 + offered.length) % offered.length), draw(), true) : !box.value && typedBefore.length && (set(typedBefore.at(-1)), true)),
    Tab: () => offered.length && (take(offered[chosen]), true),
    Escape: () => offered.length && ((offered = []), draw(), true),
    Enter: () => (offered.length && offered[chosen].text.trim() !== box.value.trim() ? take(offered[chosen]) : post(), true),
  };
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    if (KEYS[event.key]?.()) event.preventDefault();
  });
  box.addEventListener("input", offer);
  box.addEventListener("blur", () => ((offered = []), draw()));

  const made = el("div", { class: "composer" }, list, el("div", { class: "row" }, box, press), hint);
  made.put = (text) => {
    set(text);
    offered = [];
    draw();
    box.focus();
    notice();
  };
  made.reset = (place) => box.setAttribute("aria-label", `Message ${place}, or / for commands`);
  return made;
}

// `sent` is told that something is on its way.
export const sendTo = (thread, sent) => (text) => {
  sent?.();
  return act("say", { channel: here.channel, text, ...(thread ? { thread_ts: thread() } : {}) });
};
