// HTML that the server made of Markdown, built anew from the few elements a document has; all else is left out.

import { el } from "./dom.js";
import { link } from "./mrkdwn.js";

const KEPT = new Set(
  "P UL OL LI TABLE THEAD TBODY TR TH TD CODE PRE EM STRONG S BR HR BLOCKQUOTE".split(" "),
);

// `deeper` is how many levels its headings stand below what they say.
export function trusted(html, deeper = 0) {
  const copied = [...new DOMParser().parseFromString(html, "text/html").body.childNodes].map((each) => copy(each, deeper));
  return copied.filter(Boolean);
}

function copy(node, deeper) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeType !== Node.ELEMENT_NODE) return null;
  const inside = [...node.childNodes].map((each) => copy(each, deeper));
  const level = node.tagName.match(/^H([1-6])$/)?.[1];
  if (level) return el(`h${Math.min(6, Number(level) + deeper)}`, {}, inside);
  if (node.tagName === "A") return link(node.getAttribute("href") ?? "", node.textContent);
  if (!KEPT.has(node.tagName)) return node.textContent;
  return el(node.tagName.toLowerCase(), {}, inside);
}
