// The conversation's messages, as Slack shows them. An unchanged message keeps its node, and with it the focus.

import { perform } from "./actions.js";
import { autoscroll } from "./autoscroll.js";
import { blocks } from "./blocks.js";
import { byId, el } from "./dom.js";
import { emoji } from "./emoji.js";
import { openMenu } from "./menu.js";
import { mrkdwn } from "./mrkdwn.js";
import { sanitize } from "./sanitize.js";
import { HOME, currentChannel, dateOf, formatTime, nameOf, navigate, person, session } from "./session.js";

const QUICK_REACTIONS = ["pushpin", "white_check_mark", "eyes"];
const nodes = new Map();
let scroll = null;

export function showMessages(state) {
  const list = byId("messages");
  scroll ??= autoscroll(list, () => session.channel !== HOME);
  const of = `${session.user}/${session.channel}`;
  const isOther = list.dataset.of !== of;
  list.dataset.of = of;
  showList(list, state.messages.filter((each) => !isReply(each, state.messages)), "messages");
  if (isOther) scroll.jump();
  else scroll.follow();
  scrollToTarget();
}

// For the author of a message: they want to see the answer, wherever they had scrolled to.
export const scrollToEnd = () => scroll?.jump();

// Shows the messages in the list; `where` is "messages" or "thread", which show the same message differently.
export function showList(list, messages, where) {
  const wanted = messages.map((each, index) => nodeOf(each, where, dayOf(each) === dayOf(messages[index - 1]) ? null : dayOf(each)));
  const keep = new Set(wanted);
  for (const child of [...list.children]) if (!keep.has(child)) child.remove();
  // Moving a node takes the focus from it, so only those out of place are moved.
  wanted.forEach((each, index) => {
    if (list.children[index] !== each) list.insertBefore(each, list.children[index] ?? null);
  });
}

const dayOf = (message) => message && formatTime(dateOf(message.ts), { weekday: "long", day: "numeric", month: "long", year: "numeric" });

// The node of the message; a new one only when something that it shows has changed.
function nodeOf(message, where, day) {
  const replies = where === "messages" ? session.state.messages.filter((each) => each.thread_ts === message.ts && each.ts !== message.ts).length : 0;
  const id = `${where}/${message.channel}/${message.ts}`;
  const facts = JSON.stringify([message, replies, day, session.user, session.state.people.length]);
  const before = nodes.get(id);
  if (before?.facts === facts) return before.node;
  const node = article(message, replies, where, day);
  if (before?.node.contains(document.activeElement)) queueMicrotask(() => node.focus());
  nodes.set(id, { facts, node });
  return node;
}

const isReply = (message, all) => message.thread_ts && message.thread_ts !== message.ts && all.some((each) => each.ts === message.thread_ts);

function article(message, replies, where, day) {
  const context = {
    id: `${where}-${message.ts.replace(".", "-")}`,
    use: (given, value) => perform("click", { channel: message.channel, ts: message.ts, action_id: given.action_id, value }),
  };
  const classes = ["message", message.private && "private", message.bot && "bot"].filter(Boolean).join(" ");
  return el("article", { class: classes, id: context.id, tabindex: -1, "aria-label": `${nameOf(message.user)}, ${timeOf(message)}` },
    day && el("p", { class: "day" }, el("span", {}, day)),
    message.private && el("p", { class: "note" }, "Only visible to you"),
    message.pinned && el("p", { class: "note" }, `📌 Pinned by ${nameOf(message.pinned)}`),
    message.typed && el("p", { class: "note typed" }, el("b", {}, nameOf(message.typed.user)), " used ", el("code", {}, message.typed.command), " ", el("span", {}, mrkdwn(message.typed.text))),
    el("div", { class: "avatar", "aria-hidden": "true", "data-hue": hue(message.user) }, nameOf(message.user).slice(0, 1)),
    el("div", { class: "byline" },
      el("b", {}, nameOf(message.user)), message.bot && el("span", { class: "app" }, "APP"),
      el("time", { datetime: dateOf(message.ts).toISOString(), title: formatTime(dateOf(message.ts), { dateStyle: "full", timeStyle: "long" }) }, timeOf(message))),
    el("div", { class: "body" }, body(message, context), message.edited && el("span", { class: "muted" }, " (edited)")),
    message.files.map(file),
    reactions(message),
    replies > 0 && el("button", { type: "button", class: "replies", "data-key": "replies", onclick: () => navigate({ thread: message.ts }) }, replies === 1 ? "1 reply" : `${replies} replies`),
    !message.private && toolbar(message, where));
}

const timeOf = (message) => formatTime(dateOf(message.ts), { hour: "2-digit", minute: "2-digit" });
const hue = (id) => (person(id)?.bot ? "bot" : [...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6);

function body(message, context) {
  const attachments = message.attachments.map((each) => el("blockquote", {}, mrkdwn(each.text ?? each.fallback ?? "")));
  if (message.blocks.length) return [blocks(message.blocks, context), attachments];
  return [el("div", { class: "text" }, mrkdwn(message.text)), attachments];
}

const FILE_PREVIEWS = {
  picture: (file) => el("img", { src: `files/${file.id}`, alt: file.title }),
  markdown: (file) => el("div", { class: "markdown" }, sanitize(file.html, 2)),
  text: (file) => el("pre", {}, file.text),
};

function file(given) {
  const size = given.size < 1000 ? `${given.size} bytes` : `${(given.size / 1000).toFixed(1)} kB`;
  return el("figure", { class: "file" },
    el("figcaption", {},
      el("span", { "aria-hidden": "true" }, "▤ "), el("b", {}, given.title), " ", el("span", { class: "muted" }, size), " ",
      el("a", { href: `files/${given.id}`, download: given.name }, "Download")),
    el("div", { class: "file-preview", tabindex: 0, role: "region", "aria-label": `Preview of ${given.title}` },
      FILE_PREVIEWS[given.kind](given), given.cut && el("p", { class: "muted" }, "The file goes on.")));
}

function reactions(message) {
  const given = Object.entries(message.reactions);
  return given.length > 0 && el("div", { class: "reactions" }, given.map(([name, users]) =>
    el("button", { type: "button", "aria-pressed": String(users.includes(session.user)), "aria-label": `${name}: ${users.map(nameOf).join(", ")}`, "data-key": name, onclick: () => react(message, name) }, `${emoji(name)} ${users.length}`)));
}

const react = (message, name) => perform("react", { channel: message.channel, ts: message.ts, name });

function toolbar(message, where) {
  const quick = QUICK_REACTIONS.map((name) => el("button", { type: "button", "aria-label": `React with ${name}`, title: `React with ${emoji(name)}`, onclick: () => react(message, name) }, emoji(name)));
  const reply = where === "messages" && !currentChannel()?.direct && el("button", { type: "button", title: "Reply in thread", "aria-label": "Reply in thread", onclick: () => navigate({ thread: message.ts }) }, "💬");
  const more = el("button", { type: "button", class: "more", title: "More actions", "aria-label": "More actions", "aria-haspopup": "menu", onclick: (event) => openMenu(event.currentTarget, menuItems(message, where)) }, "⋯");
  return el("div", { class: "tools", role: "group", "aria-label": "Actions" }, quick, reply, more);
}

const menuItems = (message, where) => [
  ...session.setup.shortcuts.filter((each) => each.type === "message").map((each) => ({
    name: each.name,
    about: each.description,
    run: () => perform("shortcut", { channel: message.channel, ts: message.ts, callback_id: each.callback_id }),
  })),
  ...(where === "messages" ? [{ name: "Reply in thread", about: "", run: () => navigate({ thread: message.ts }) }] : []),
  ...QUICK_REACTIONS.map((name) => ({ name: `React with ${emoji(name)}`, about: "", run: () => react(message, name) })),
  { name: message.pinned ? "Unpin from channel" : "Pin to channel", about: "", run: () => perform("pin", { channel: message.channel, ts: message.ts }) },
  { name: "Copy text", about: "", run: () => navigator.clipboard?.writeText(message.text) },
];

// Shows the message that a permalink led to, once it is there.
function scrollToTarget() {
  if (!session.scrollTarget) return;
  const name = session.scrollTarget.replace(".", "-");
  const node = byId(`thread-${name}`) ?? byId(`messages-${name}`);
  if (!node) return;
  session.scrollTarget = null;
  node.scrollIntoView({ block: "center" });
  node.focus();
}

// The arrow keys move the focus from message to message.
export function onArrow(event) {
  const articles = [...event.currentTarget.querySelectorAll("article")];
  const now = articles.indexOf(document.activeElement.closest("article"));
  if (!["ArrowUp", "ArrowDown"].includes(event.key) || !articles.length || event.target.matches("input, textarea, select")) return;
  const next = now < 0 ? articles.length - 1 : now + (event.key === "ArrowUp" ? -1 : 1);
  articles[Math.max(0, Math.min(articles.length - 1, next))].focus();
  event.preventDefault();
}
