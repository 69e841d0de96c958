// Block Kit's blocks, one function per type. `context.use(element, value)` is called when an element is used, and
// `context.id` prefixes the ids of inputs.

import { el } from "./dom.js";
import { element, image, unsupported } from "./elements.js";
import { mrkdwn, plain } from "./mrkdwn.js";
import { richText } from "./rich_text.js";
import { sanitize } from "./sanitize.js";

const text = (given) => (given.type === "mrkdwn" ? mrkdwn(given.text) : plain(given.text));

function section(block, context) {
  const label = block.text ? plain(block.text.text).split("\n")[0].slice(0, 100) : "Choose";
  return el("div", { class: "section" },
    el("div", { class: "words" },
      block.text && el("div", { class: "text" }, text(block.text)),
      block.fields && el("div", { class: "fields" }, block.fields.map((each) => el("div", { class: "text" }, text(each))))),
    block.accessory && el("div", { class: "accessory" }, element(block.accessory, { ...context, label })));
}

function input(block, context) {
  const id = `${context.id}-${block.block_id}`;
  const use = block.dispatch_action ? context.use : null;
  const node = element(block.element, { ...context, use, label: null });
  const labelling = node.matches("fieldset") ? { "aria-labelledby": `${id}-label` } : { id };
  for (const [name, value] of Object.entries(labelling)) node.setAttribute(name, value);
  node.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  const optional = block.optional ? el("span", { class: "muted" }, " (optional)") : null;
  return el("div", { class: "input", "data-block": block.block_id, "data-kind": block.element.type },
    el(node.matches("fieldset") ? "div" : "label", { class: "label", id: `${id}-label`, for: node.matches("fieldset") ? null : id }, plain(block.label.text), optional),
    node,
    el("p", { class: "muted", id: `${id}-hint` }, block.hint ? plain(block.hint.text) : null),
    el("p", { class: "error", id: `${id}-error`, role: "alert" }));
}

const cell = (given) => (given.type === "raw_text" ? given.text : richText(given));

function table(block) {
  const align = (column) => block.column_settings?.[column]?.align ?? "left";
  const row = (cells, tag) => el("tr", {}, cells.map((each, column) => el(tag, { class: align(column) }, cell(each))));
  const [first, ...rest] = block.rows;
  return el("div", { class: "table", tabindex: 0, role: "region", "aria-label": "Table" },
    el("table", {}, el("thead", {}, row(first, "th")), el("tbody", {}, rest.map((each) => row(each, "td")))));
}

const BLOCKS = {
  section,
  input,
  table,
  header: (block) => el("h3", { class: "header" }, plain(block.text.text)),
  divider: () => el("hr"),
  context: (block) => el("div", { class: "context" }, block.elements.map((each) => (each.type === "image" ? image(each) : el("span", { class: "text" }, text(each))))),
  actions: (block, context) => el("div", { class: "actions" }, block.elements.map((each) => element(each, { ...context, label: each.placeholder?.text ?? "Choose" }))),
  markdown: (block) => el("div", { class: "markdown" }, sanitize(block.html ?? "", 2)),
  image: (block) => el("figure", {}, block.title && el("figcaption", {}, plain(block.title.text)), image(block)),
  rich_text: (block) => el("div", { class: "text" }, richText(block)),
  file: (block) => el("p", { class: "muted" }, `File ${block.external_id}`),
};

export const blocks = (given, context) => given.map((each) => (BLOCKS[each.type] ?? unsupported)(each, context));
