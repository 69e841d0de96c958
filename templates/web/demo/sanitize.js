// Rebuilds the server's HTML of a Markdown text from an allow-list of elements, without attributes.

import { el } from "./dom.js";
import { link } from "./mrkdwn.js";

const ALLOWED = new Set(
  "P UL OL LI TABLE THEAD TBODY TR TH TD CODE PRE EM STRONG S BR HR BLOCKQUOTE".split(" "),
);

// Headings move down by `headingOffset` levels, to fit below the headings of the page around them.
export function sanitize(html, headingOffset = 0) {
  const body = new DOMParser().parseFromString(html, "text/html").body;
  return [...body.childNodes].map((each) => copy(each, headingOffset)).filter(Boolean);
}

function copy(node, headingOffset) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeType !== Node.ELEMENT_NODE) return null;
  const children = [...node.childNodes].map((each) => copy(each, headingOffset));
  const level = node.tagName.match(/^H([1-6])$/)?.[1];
  if (level) return el(`h${Math.min(6, Number(level) + headingOffset)}`, {}, children);
  if (node.tagName === "A") return link(node.getAttribute("href") ?? "", node.textContent);
  if (!ALLOWED.has(node.tagName)) return node.textContent;
  return el(node.tagName.toLowerCase(), {}, children);
}
