// The message box. Text that begins with a slash is a command: the box completes what Slack's own does, the commands
// of the manifest, and people's names after an @.

import { perform, showNotice } from "./actions.js";
import { el } from "./dom.js";
import { session } from "./session.js";

const MAX_OFFERS = 8;
const MAX_HEIGHT_PX = 200;
const sentTexts = [];

export function composer({ id, label, send, share }) {
  const list = el("ul", { id: `${id}-list`, role: "listbox", "aria-label": "Suggestions", hidden: true });
  const hint = el("p", { class: "hint", id: `${id}-hint`, "aria-live": "polite" });
  const box = el("textarea", {
    id, rows: 1, role: "combobox", "aria-label": label, placeholder: label, "aria-autocomplete": "list", "aria-expanded": "false",
    "aria-controls": list.id, "aria-describedby": hint.id, autocomplete: "off", spellcheck: "true",
  });
  const sendButton = el("button", { type: "button", class: "button primary", onclick: () => submit() }, "Send");
  let offers = [];
  let selected = 0;

  function onInput() {
    offers = completions(box.value, box.selectionStart);
    selected = 0;
    drawOffers();
    hint.textContent = usageHint(box.value);
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight + 2, MAX_HEIGHT_PX)}px`;
  }

  function drawOffers() {
    list.hidden = !offers.length;
    box.setAttribute("aria-expanded", String(offers.length > 0));
    if (offers.length) box.setAttribute("aria-activedescendant", `${id}-${selected}`);
    else box.removeAttribute("aria-activedescendant");
    list.replaceChildren(...offers.map((each, index) =>
      el("li", { id: `${id}-${index}`, role: "option", "aria-selected": String(index === selected), onmousedown: (event) => { event.preventDefault(); accept(each); } },
        el("b", {}, each.name), " ", el("span", { class: "muted" }, each.hint), each.about && el("small", {}, each.about))));
    list.children[selected]?.scrollIntoView({ block: "nearest" });
  }

  function hideOffers() {
    offers = [];
    drawOffers();
  }

  function select(index) {
    selected = (index + offers.length) % offers.length;
    drawOffers();
  }

  function accept(offer) {
    box.value = offer.text;
    box.setSelectionRange(offer.caret, offer.caret);
    box.focus();
    onInput();
  }

  async function submit() {
    const text = box.value;
    if (!text.trim()) return;
    setText("");
    if (text !== sentTexts.at(-1)) sentTexts.push(text);
    const result = await send(text);
    // A text that was not accepted is put back, unless the person has begun another.
    if (result.problem && !box.value) setText(text);
  }

  function setText(text) {
    box.value = text;
    onInput();
  }

  // Each returns whether it has used the key; otherwise the browser does.
  const KEYS = {
    ArrowDown: () => offers.length > 0 && (select(selected + 1), true),
    ArrowUp: () => {
      if (offers.length) return (select(selected - 1), true);
      return !box.value && sentTexts.length > 0 && (setText(sentTexts.at(-1)), true);
    },
    Tab: () => offers.length > 0 && (accept(offers[selected]), true),
    Escape: () => offers.length > 0 && (hideOffers(), true),
    Enter: () => (offers.length && offers[selected].text.trim() !== box.value.trim() ? accept(offers[selected]) : submit(), true),
  };
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    if (KEYS[event.key]?.()) event.preventDefault();
  });
  box.addEventListener("input", onInput);
  box.addEventListener("paste", (event) => {
    const [file] = event.clipboardData.files;
    if (!file) return;
    event.preventDefault();
    share(file);
  });
  const picker = el("input", { type: "file", accept: "image/*", hidden: true, onchange: () => { if (picker.files[0]) share(picker.files[0]); picker.value = ""; } });
  const attach = el("button", { type: "button", class: "attach", title: "Attach a picture, or paste one", "aria-label": "Attach a picture", onclick: () => picker.click() }, "🖼");
  box.addEventListener("blur", hideOffers);

  const node = el("div", { class: "composer" }, list, el("div", { class: "row" }, attach, picker, box, sendButton), hint);
  node.fill = (text) => {
    setText(text);
    hideOffers();
    box.focus();
    showNotice();
  };
  node.setPlace = (name) => box.setAttribute("aria-label", `Message ${name}, or / for commands`);
  return node;
}

// The `send` of a composer; `thread` returns the thread's ts, `onSend` is called before the request.
export const sendTo = (thread, onSend) => (text) => {
  onSend?.();
  return perform("say", { channel: session.channel, text, ...(thread ? { thread_ts: thread() } : {}) });
};

// The `share` of a composer: posts a file that was chosen or pasted.
export const shareIn = (thread) => async (file) => {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const content = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  perform("share", { channel: session.channel, name: file.name, content, ...(thread ? { thread_ts: thread() } : {}) });
};

function completions(text, caret) {
  const before = text.slice(0, caret);
  const at = before.match(/(?:^|[\s(])@([\w.-]*)$/);
  if (at) return people(text, caret, at[1]);
  if (/^\/\S*$/.test(before) && caret === text.length) return commands(before);
  return [];
}

const offer = (name, hint, about, text) => ({ name, hint, about, text, caret: text.length });

function commands(typed) {
  const all = session.setup.commands;
  const matching = all.filter((each) => each.command.startsWith(typed.toLowerCase()));
  if (matching.length === 1 && matching[0].command === typed) return [];
  return matching.slice(0, typed === "/" ? all.length : MAX_OFFERS).map((each) => offer(each.command, each.usage_hint, each.description, `${each.command} `));
}

function people(text, caret, typed) {
  const matching = session.state.people.filter((each) => each.name !== "slackbot" && each.name.startsWith(typed.toLowerCase()) && each.name !== typed);
  const start = caret - typed.length;
  return matching.slice(0, MAX_OFFERS).map((each) => {
    const completed = `${text.slice(0, start)}${each.name} `;
    return { name: `@${each.name}`, hint: each.real_name, about: "", text: completed + text.slice(caret).trimStart(), caret: completed.length };
  });
}

// The usage of the typed command, shown below the box; Slack knows no more of what follows it.
function usageHint(text) {
  const known = session.setup.commands.find((each) => each.command === text.match(/^\/\S+/)?.[0]);
  return known ? `${known.command} ${known.usage_hint}` : "";
}
