// The conversation: messages as Slack shows them. One that did not change keeps its place in the page, and the focus.

import { blocks } from "./blocks.js";
import { byId, el } from "./dom.js";
import { drawn } from "./emoji.js";
import { files } from "./files.js";
import { following } from "./following.js";
import { HOME, atTime, go, here, nameOf, person, place, told } from "./here.js";
import { openMenu } from "./menu.js";
import { mrkdwn } from "./mrkdwn.js";
import { act } from "./act.js";

const QUICK = ["pushpin", "white_check_mark", "eyes"];
const known = new Map();
let end = null;

export function showMessages(state) {
  const roots = state.messages.filter((each) => !isReply(each, state.messages));
  const list = byId("said");
  end ??= following(list, () => here.channel !== HOME);
  const moved = list.dataset.of !== `${here.user}/${here.channel}`;
  list.dataset.of = `${here.user}/${here.channel}`;
  fill(list, roots, "said");
  if (moved) end.end();
  else end.keep();
  seek();
}

// Who says something wants to see what comes of it.
export const toEnd = () => end?.end();

export function fill(list, messages, where) {
  const made = messages.map((each, index) => keep(each, where, dayOf(each) === dayOf(messages[index - 1]) ? null : dayOf(each)));
  if (made.length !== list.children.length || made.some((each, index) => each !== list.children[index])) rearrange(list, made);
}

// Only what is out of place is moved, since moving what has the focus takes it away.
function rearrange(list, made) {
  const wanted = new Set(made);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  made.forEach((each, index) => {
    if (list.children[index] !== each) list.insertBefore(each, list.children[index] ?? null);
  });
}

const dayOf = (message) => message && told(atTime(message.ts), { weekday: "long", day: "numeric", month: "long", year: "numeric" });

function keep(message, where, day) {
  const replies = where === "said" ? here.state.messages.filter((each) => each.thread_ts === message.ts && each.ts !== message.ts).length : 0;
  const id = `${where}/${message.channel}/${message.ts}`;
  const facts = JSON.stringify([message, replies, day, here.user, here.state.people.length]);
  const before = known.get(id);
  if (before?.facts === facts) return before.node;
  const node = article(message, replies, where, day);
  if (before?.node.contains(document.activeElement)) queueMicrotask(() => node.focus());
  known.set(id, { facts, node });
  return node;
}

export const isReply = (message, all) => message.thread_ts && message.thread_ts !== message.ts && all.some((each) => each.ts === message.thread_ts);

function article(message, replies, where, day) {
  const about = {
    id: `${where}-${message.ts.replace(".", "-")}`,
    use: (given, value) => act("click", { channel: message.channel, ts: message.ts, action_id: given.action_id, value }),
  };
  const classes = ["message", message.private && "private", message.bot && "bot"].filter(Boolean).join(" ");
  return el("article", { class: classes, id: about.id, tabindex: -1, "aria-label": `${nameOf(message.user)}, ${clockOf(message)}` },
    day && el("p", { class: "day" }, el("span", {}, day)),
    message.private && el("p", { class: "note" }, "Only visible to you"),
    message.typed && el("p", { class: "note typed" }, el("b", {}, nameOf(message.typed.user)), " used ", el("code", {}, message.typed.command), " ", el("span", {}, mrkdwn(message.typed.text))),
    el("div", { class: "avatar", "aria-hidden": "true", "data-hue": hue(message.user) }, nameOf(message.user).slice(0, 1)),
    el("div", { class: "byline" },
      el("b", {}, nameOf(message.user)), message.bot && el("span", { class: "app" }, "APP"),
      el("time", { datetime: atTime(message.ts).toISOString(), title: told(atTime(message.ts), { dateStyle: "full", timeStyle: "long" }) }, clockOf(message))),
    el("div", { class: "body" }, body(message, about), message.edited && el("span", { class: "soft" }, " (edited)")),
    files(message),
    reactions(message),
    where === "said" && replies > 0 && el("button", { type: "button", class: "replies", "data-key": "replies", onclick: () => go({ thread: message.ts }) }, replies === 1 ? "1 reply" : `${replies} replies`),
    !message.private && tools(message, where));
}

const clockOf = (message) => told(atTime(message.ts), { hour: "2-digit", minute: "2-digit" });
const hue = (id) => (person(id)?.bot ? "bot" : [...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6);

function body(message, about) {
  const attached = message.attachments.map((each) => el("blockquote", {}, mrkdwn(each.text ?? each.fallback ?? "")));
  if (message.blocks.length) return [blocks(message.blocks, about), attached];
  return [el("div", { class: "text" }, mrkdwn(message.text)), attached];
}

function reactions(message) {
  const given = Object.entries(message.reactions);
  return given.length > 0 && el("div", { class: "reactions" }, given.map(([name, users]) =>
    el("button", { type: "button", "aria-pressed": String(users.includes(here.user)), "aria-label": `${name}: ${users.map(nameOf).join(", ")}`, "data-key": name, onclick: () => react(message, name) }, `${drawn(name)} ${users.length}`)));
}

const react = (message, name) => act("react", { channel: message.channel, ts: message.ts, name });

function tools(message, where) {
  const quick = QUICK.map((name) => el("button", { type: "button", "aria-label": `React with ${name}`, title: `React with ${drawn(name)}`, onclick: () => react(message, name) }, drawn(name)));
  const reply = where === "said" && !place()?.direct && el("button", { type: "button", title: "Reply in thread", "aria-label": "Reply in thread", onclick: () => go({ thread: message.ts }) }, "💬");
  const more = el("button", { type: "button", class: "more", title: "More actions", "aria-label": "More actions", "aria-haspopup": "menu", onclick: (event) => openMenu(event.currentTarget, actions(message, where)) }, "⋯");
  return el("div", { class: "tools", role: "group", "aria-label": "Actions" }, quick, reply, more);
}

const actions = (message, where) => [
  ...here.setup.shortcuts.filter((each) => each.type === "message").map((each) => ({
    name: each.name,
    about: each.description,
    act: () => act("shortcut", { channel: message.channel, ts: message.ts, callback_id: each.callback_id }),
  })),
  ...(where === "said" ? [{ name: "Reply in thread", about: "", act: () => go({ thread: message.ts }) }] : []),
  ...QUICK.map((name) => ({ name: `React with ${drawn(name)}`, about: "", act: () => react(message, name) })),
  { name: "Copy text", about: "", act: () => navigator.clipboard?.writeText(message.text) },
];

// A message that somebody followed a link to.
function seek() {
  if (!here.sought) return;
  const name = here.sought.replace(".", "-");
  const node = byId(`thread-${name}`) ?? byId(`said-${name}`);
  if (!node) return;
  here.sought = null;
  node.scrollIntoView({ block: "center" });
  node.focus();
}

// Up and down lead from message to message.
export function onArrow(event) {
  const list = event.currentTarget;
  const all = [...list.querySelectorAll("article")];
  const now = all.indexOf(document.activeElement.closest("article"));
  if (!["ArrowUp", "ArrowDown"].includes(event.key) || !all.length || event.target.matches("input, textarea, select")) return;
  const next = now < 0 ? all.length - 1 : now + (event.key === "ArrowUp" ? -1 : 1);
  all[Math.max(0, Math.min(all.length - 1, next))].focus();
  event.preventDefault();
}
