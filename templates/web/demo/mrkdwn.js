// Slack's mrkdwn: *bold*, _italic_, ~struck~, `code`, > quotes, and <…> for people, channels, dates and links.

import { agoText, shownNow } from "./clock.js";
import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { dateOf, formatTime, navigate, person, session } from "./session.js";

const TOKEN = new RegExp(
  [
    "```(?<fence>[\\s\\S]+?)```",
    "`(?<code>[^`\\n]+)`",
    "<(?<angle>[^<>\\n]+)>",
    ":(?<emoji>[a-z0-9_+-]+):",
    "(?<![\\p{L}\\p{N}*])\\*(?<bold>[^\\s*]|[^\\s*][^*\\n]*?[^\\s*])\\*(?![\\p{L}\\p{N}*])",
    "(?<![\\p{L}\\p{N}_])_(?<italic>[^\\s_]|[^\\s_][^_\\n]*?[^\\s_])_(?![\\p{L}\\p{N}_])",
    "(?<![\\p{L}\\p{N}~])~(?<struck>[^\\s~]|[^\\s~][^~\\n]*?[^\\s~])~(?![\\p{L}\\p{N}~])",
  ].join("|"),
  "gu",
);
const ENTITY = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

// Code holds no markup but the links that Slack makes of addresses.
const coded = (text) => plain(text.replace(/<(?:[^<>|\n]+\|)?([^<>|\n]+)>/g, "$1"));

export const plain = (text) => text.replace(/&(?:lt|gt|amp);/g, (each) => ENTITY[each]);

// A text object of Block Kit inline, without the block quotes that only whole texts have.
export const words = (text) => (!text ? [] : text.type === "mrkdwn" ? inline(text.text) : [plain(text.text)]);

const RENDERERS = {
  fence: (words) => el("pre", {}, coded(words.replace(/^\n/, ""))),
  code: (words) => el("code", {}, coded(words)),
  angle,
  emoji,
  bold: (words) => el("strong", {}, inline(words)),
  italic: (words) => el("em", {}, inline(words)),
  struck: (words) => el("s", {}, inline(words)),
};

function inline(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    parts.push(plain(text.slice(end, match.index)));
    const [kind, words] = Object.entries(match.groups).find(([, value]) => value !== undefined);
    parts.push(RENDERERS[kind](words));
    end = match.index + match[0].length;
  }
  parts.push(plain(text.slice(end)));
  return parts;
}

// A whole text: lines that begin with > are quotes, except within a code block.
export function mrkdwn(text) {
  return text.split(/(```[\s\S]+?```)/).flatMap((part) => (part.startsWith("```") ? inline(part) : withQuotes(part)));
}

function withQuotes(text) {
  const parts = [];
  for (const line of text.split(/(?<=\n)/)) {
    const quoted = line.match(/^(?:&gt;|>) ?(.*)/s);
    if (!quoted) parts.push(...inline(line));
    else if (parts.at(-1)?.tagName === "BLOCKQUOTE") parts.at(-1).append(...inline(quoted[1]));
    else parts.push(el("blockquote", {}, inline(quoted[1])));
  }
  return parts;
}

function angle(content) {
  const [target, label] = content.split("|", 2);
  if (target.startsWith("@")) return mention(`@${person(target.slice(1))?.name ?? label ?? target.slice(1)}`, target.slice(1) === session.user);
  if (target.startsWith("#")) return mention(`#${session.state.channels.find((each) => each.id === target.slice(1))?.name ?? label ?? target.slice(1)}`);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!")) return mention(label ? plain(label) : `@${target.slice(1)}`, true);
  return link(plain(target), label === undefined ? undefined : plain(label));
}

const mention = (words, loud = false) => el("span", { class: loud ? "mention loud" : "mention" }, words);

function date(target, fallback) {
  const [, seconds, format, address] = target.split("^");
  if (!seconds || !Number.isFinite(Number(seconds))) return plain(fallback ?? target);
  const shown = dated(Number(seconds), plain(format || "{date_short} {time}"));
  return address ? link(plain(address), shown.map((each) => each.textContent ?? each).join("")) : shown;
}

const DAY = { day: "numeric", month: "long", year: "numeric" };
const SHORT = { ...DAY, month: "short" };
const CLOCK = { hour: "2-digit", minute: "2-digit" };
const near = (options) => (seconds) => {
  const day = (at) => formatTime(at, DAY);
  const today = shownNow();
  const names = [["yesterday", -1], ["today", 0], ["tomorrow", 1]];
  return names.find(([, days]) => day(new Date(today.getTime() + days * 86_400_000)) === day(dateOf(seconds)))?.[0] ?? formatTime(dateOf(seconds), options);
};
const formatted = (options) => (seconds) => formatTime(dateOf(seconds), options);
// Slack's own tokens; `ago` goes on with the demo's clock.
const DATES = {
  date_num: (seconds) => formatTime(dateOf(seconds), { day: "2-digit", month: "2-digit", year: "numeric" }).split("/").reverse().join("-"),
  date: formatted(DAY), date_short: formatted(SHORT), date_long: formatted({ ...DAY, weekday: "long" }),
  date_pretty: near(DAY), date_short_pretty: near(SHORT), date_long_pretty: near({ ...DAY, weekday: "long" }),
  time: formatted(CLOCK), time_secs: formatted({ ...CLOCK, second: "2-digit" }),
  ago: (seconds) => el("time", { "data-ago": seconds, datetime: dateOf(seconds).toISOString() }, agoText(seconds)),
};

// The parts of a date in Slack's format, such as `{date_short} at {time}`.
export const dated = (seconds, format) =>
  format.split(/\{(\w+)\}/).map((part, index) => (index % 2 ? (DATES[part]?.(seconds) ?? `{${part}}`) : part)).filter((part) => part !== "");

const CANVAS = /^https:\/\/[\w-]+\.slack\.com\/docs\/\w+\/(F\w+)$/;
const ARCHIVES = /^https:\/\/[\w-]+\.slack\.com\/archives\/(\w+)\/p(\d+?)(\d{6})(?:\?thread_ts=([\d.]+))?/;

// Only web and mail addresses become links. A permalink of a message or a canvas opens it on this page, if the person
// can see it.
export function link(address, label = address) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return label;
  const canvas = address.match(CANVAS)?.[1];
  if (canvas) return session.state?.canvases.some((each) => each.id === canvas) ? innerLink(label, () => navigate({ thread: null, canvas })) : label;
  const message = address.match(ARCHIVES);
  if (!message) return el("a", { href: address, target: "_blank", rel: "noreferrer noopener" }, label);
  const [, channel, seconds, rest, thread] = message;
  if (!session.state?.channels.some((each) => each.id === channel)) return label;
  return innerLink(label, () => {
    navigate({ channel });
    if (thread) navigate({ thread });
    document.body.dataset.pane = "conversation";
    session.scrollTarget = `${seconds}.${rest}`;
    session.onNavigate();
  });
}

function innerLink(label, open) {
  const onclick = (event) => {
    event.preventDefault();
    open();
  };
  return el("a", { href: "#", onclick }, label);
}
