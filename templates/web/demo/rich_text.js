// The rich_text block: its parts and their leaves, one function per type.

import { el } from "./dom.js";
import { unsupported } from "./elements.js";
import { emoji } from "./emoji.js";
import { dated, link } from "./mrkdwn.js";
import { nameOf, session } from "./session.js";

const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code", underline: "u", highlight: "mark" };

const styled = (node, style = {}) =>
  Object.keys(style).filter((name) => style[name]).reduce((inside, name) => el(STYLES[name] ?? "span", {}, inside), node);

const LEAVES = {
  text: (leaf) => leaf.text,
  link: (leaf) => link(leaf.url, leaf.text || leaf.url),
  user: (leaf) => el("span", { class: "mention" }, `@${nameOf(leaf.user_id)}`),
  channel: (leaf) => el("span", { class: "mention" }, `#${session.state.channels.find((each) => each.id === leaf.channel_id)?.name ?? leaf.channel_id}`),
  usergroup: (leaf) => el("span", { class: "mention" }, `@${leaf.usergroup_id}`),
  broadcast: (leaf) => el("span", { class: "mention loud" }, `@${leaf.range}`),
  emoji: (leaf) => emoji(leaf.name),
  color: (leaf) => el("code", {}, leaf.value),
  date: (leaf) => dated(leaf.timestamp, leaf.format),
};

const leaves = (elements) =>
  elements.map((leaf) => (LEAVES[leaf.type] ? styled(LEAVES[leaf.type](leaf), leaf.style) : unsupported(leaf)));

const PARTS = {
  rich_text_section: (part) => el("p", {}, leaves(part.elements)),
  rich_text_preformatted: (part) => el("pre", {}, leaves(part.elements)),
  rich_text_quote: (part) => el("blockquote", {}, leaves(part.elements)),
  rich_text_list: (part) =>
    el(part.style === "ordered" ? "ol" : "ul", { class: `indent-${part.indent ?? 0}`, start: part.style === "ordered" ? (part.offset ?? 0) + 1 : null },
      part.elements.map((each) => el("li", {}, leaves(each.elements)))),
};

export const richText = (block) => block.elements.map((part) => (PARTS[part.type] ?? unsupported)(part));
