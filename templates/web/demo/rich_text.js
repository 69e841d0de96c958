// The parts of a rich_text block, as a table of its types.

import { el } from "./dom.js";
import { drawn } from "./emoji.js";
import { here, nameOf, told } from "./here.js";
import { link } from "./mrkdwn.js";

const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code", underline: "u", highlight: "mark" };

const styled = (node, style = {}) =>
  Object.keys(style).filter((name) => style[name]).reduce((inside, name) => el(STYLES[name] ?? "span", {}, inside), node);

export const LEAVES = {
  text: (leaf) => leaf.text,
  link: (leaf) => link(leaf.url, leaf.text || leaf.url),
  user: (leaf) => el("span", { class: "mention" }, `@${nameOf(leaf.user_id)}`),
  channel: (leaf) => el("span", { class: "mention" }, `#${here.state.channels.find((each) => each.id === leaf.channel_id)?.name ?? leaf.channel_id}`),
  usergroup: (leaf) => el("span", { class: "mention" }, `@${leaf.usergroup_id}`),
  broadcast: (leaf) => el("span", { class: "mention loud" }, `@${leaf.range}`),
  emoji: (leaf) => drawn(leaf.name),
  color: (leaf) => el("code", {}, leaf.value),
  date: (leaf) => told(new Date(leaf.timestamp * 1000), { dateStyle: "medium", timeStyle: "short" }),
};

const run = (elements, unknown) =>
  elements.map((leaf) => (LEAVES[leaf.type] ? styled(LEAVES[leaf.type](leaf), leaf.style) : unknown(leaf)));

export const PARTS = {
  rich_text_section: (part, unknown) => el("p", {}, run(part.elements, unknown)),
  rich_text_preformatted: (part, unknown) => el("pre", {}, run(part.elements, unknown)),
  rich_text_quote: (part, unknown) => el("blockquote", {}, run(part.elements, unknown)),
  rich_text_list: (part, unknown) =>
    el(part.style === "ordered" ? "ol" : "ul", { class: `indent-${part.indent ?? 0}`, start: part.style === "ordered" ? (part.offset ?? 0) + 1 : null },
      part.elements.map((each) => el("li", {}, run(each.elements, unknown)))),
};

export const richText = (block, unknown) =>
  block.elements.map((part) => (PARTS[part.type] ? PARTS[part.type](part, unknown) : unknown(part)));
