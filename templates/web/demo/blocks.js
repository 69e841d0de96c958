// Block Kit, as a table of its blocks. `about.use(element, value)` is what pressing and choosing does.

import { el } from "./dom.js";
import { element, image } from "./elements.js";
import { mrkdwn, plain } from "./mrkdwn.js";
import { richText } from "./rich_text.js";
import { trusted } from "./trusted.js";
import { unknown } from "./unknown.js";

const text = (given) => (given.type === "mrkdwn" ? mrkdwn(given.text) : plain(given.text));

function section(block, about) {
  const label = block.text ? plain(block.text.text).split("\n")[0].slice(0, 100) : "Choose";
  return el("div", { class: "section" },
    el("div", { class: "words" },
      block.text && el("div", { class: "text" }, text(block.text)),
      block.fields && el("div", { class: "fields" }, block.fields.map((each) => el("div", { class: "text" }, text(each))))),
    block.accessory && el("div", { class: "accessory" }, element(block.accessory, { ...about, label })));
}

function input(block, about) {
  const id = `${about.id}-${block.block_id}`;
  const use = block.dispatch_action ? about.use : null;
  const made = element(block.element, { ...about, use, label: null });
  const labelled = made.matches("fieldset") ? { "aria-labelledby": `${id}-label` } : { id };
  for (const [name, value] of Object.entries(labelled)) made.setAttribute(name, value);
  made.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  const optional = block.optional ? el("span", { class: "soft" }, " (optional)") : null;
  return el("div", { class: "input", "data-block": block.block_id, "data-kind": block.element.type },
    el(made.matches("fieldset") ? "div" : "label", { class: "label", id: `${id}-label`, for: made.matches("fieldset") ? null : id }, plain(block.label.text), optional),
    made,
    el("p", { class: "soft", id: `${id}-hint` }, block.hint ? plain(block.hint.text) : null),
    el("p", { class: "error", id: `${id}-error`, role: "alert" }));
}

const cell = (given) => (given.type === "raw_text" ? given.text : richText(given, unknown));

function table(block) {
  const align = (column) => block.column_settings?.[column]?.align ?? "left";
  const row = (cells, tag) => el("tr", {}, cells.map((each, column) => el(tag, { class: align(column) }, cell(each))));
  const [first, ...rest] = block.rows;
  return el("div", { class: "table", tabindex: 0, role: "region", "aria-label": "Table" },
    el("table", {}, el("thead", {}, row(first, "th")), el("tbody", {}, rest.map((each) => row(each, "td")))));
}

export const BLOCKS = {
  section,
  input,
  table,
  header: (block) => el("h3", { class: "header" }, plain(block.text.text)),
  divider: () => el("hr"),
  context: (block) => el("div", { class: "context" }, block.elements.map((each) => (each.type === "image" ? image(each) : el("span", { class: "text" }, text(each))))),
  actions: (block, about) => el("div", { class: "actions" }, block.elements.map((each) => element(each, { ...about, label: each.placeholder?.text ?? "Choose" }))),
  markdown: (block) => el("div", { class: "markdown" }, trusted(block.html ?? "", 2)),
  image: (block) => el("figure", {}, block.title && el("figcaption", {}, plain(block.title.text)), image(block)),
  rich_text: (block) => el("div", { class: "text" }, richText(block, unknown)),
  file: (block) => el("p", { class: "soft" }, `File ${block.external_id}`),
};

export const blocks = (given, about) => given.map((each) => (BLOCKS[each.type] ?? unknown)(each, about));
