// Block Kit's interactive elements, one function per type. `context.use(element, value)` reports a choice; without it
// the element only holds its value, for the form's submission. `context.label` is the element's accessible name.

import { el } from "./dom.js";
import { words } from "./mrkdwn.js";
import { session } from "./session.js";

const textOf = (text) => text?.text ?? "";

// Asks the element's confirmation question, if it has one; resolves to whether to go on.
function confirmed(element) {
  const question = element.confirm;
  if (!question) return Promise.resolve(true);
  return new Promise((resolve) => {
    const dialog = el("dialog", { class: "confirm", "aria-labelledby": "confirm-title" },
      el("form", { method: "dialog" },
        el("h2", { id: "confirm-title" }, words(question.title)),
        el("p", {}, words(question.text)),
        el("div", { class: "buttons" },
          el("button", { value: "", class: "button" }, words(question.deny)),
          el("button", { value: "yes", class: `button ${question.style ?? "primary"}` }, words(question.confirm)))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

const onChange = (element, use, value) => async () => {
  if (await confirmed(element)) use(element, value());
};

function button(element, { use }) {
  const classes = ["button", element.style].filter(Boolean).join(" ");
  const onclick = async () => {
    if (!(await confirmed(element))) return;
    if (element.url && /^https?:/.test(element.url)) window.open(element.url, "_blank", "noreferrer");
    use(element, element.value ?? null);
  };
  return el("button", { type: "button", class: classes, "aria-label": element.accessibility_label, "data-key": `${element.action_id}:${element.value}`, onclick }, textOf(element.text));
}

const naming = (element, label) => ({ name: element.action_id, "aria-label": label, "data-key": element.action_id });

function options(element, selected) {
  const option = (each) => el("option", { value: each.value, selected: each.value === selected }, textOf(each.text));
  const groups = (element.option_groups ?? []).map((group) => el("optgroup", { label: textOf(group.label) }, group.options.map(option)));
  return [...(element.options ?? []).map(option), ...groups];
}

function select(element, context, optionNodes, selected) {
  const empty = el("option", { value: "" }, textOf(element.placeholder) || "Choose…");
  const node = el("select", naming(element, context.label), empty, optionNodes);
  node.value = selected ?? "";
  if (context.use) node.addEventListener("change", onChange(element, context.use, () => node.value));
  return node;
}

const staticSelect = (element, context) => select(element, context, options(element, element.initial_option?.value), element.initial_option?.value);

function usersSelect(element, context) {
  const people = session.state.people.filter((each) => !each.bot);
  return select(element, context, people.map((each) => el("option", { value: each.id }, each.real_name)), element.initial_user);
}

function overflow(element, context) {
  const node = select({ ...element, placeholder: { text: "⋯" } }, { label: context.label || "More", use: null }, options(element, null), null);
  node.classList.add("overflow");
  node.addEventListener("change", async () => {
    const value = node.value;
    node.value = "";
    if (value && (await confirmed(element))) context.use?.(element, value);
  });
  return node;
}

function input(type, initialKey, attributes = () => ({})) {
  return (element, context) => {
    const node = el("input", { type, value: element[initialKey], autofocus: element.focus_on_load, placeholder: textOf(element.placeholder), ...attributes(element), ...naming(element, context.label) });
    if (context.use) node.addEventListener("change", onChange(element, context.use, () => node.value));
    return node;
  };
}

// The rows that the text fills at about 55 characters a line, between 5 and 14.
const rowsFor = (text) => Math.max(5, Math.min(14, text.split("\n").reduce((rows, line) => rows + 1 + Math.floor(line.length / 55), 1)));

function textInput(element, context) {
  const bounds = { maxlength: element.max_length ?? 3000, minlength: element.min_length };
  const common = { placeholder: textOf(element.placeholder), autofocus: element.focus_on_load, ...bounds, ...naming(element, context.label) };
  const initial = element.initial_value ?? "";
  const node = element.multiline ? el("textarea", { ...common, rows: rowsFor(initial) }) : el("input", { ...common, type: "text" });
  node.value = initial;
  if (context.use) node.addEventListener("change", () => context.use(element, node.value));
  return node;
}

function choices(type) {
  return (element, context) => {
    const initial = new Set([element.initial_option?.value, ...(element.initial_options ?? []).map((each) => each.value)]);
    // The browser groups radio buttons by name over the whole page, and two groups may have the same action_id.
    const name = `${element.action_id}-${crypto.randomUUID()}`;
    const group = el("fieldset", { class: "choices", "data-name": element.action_id, "aria-label": context.label });
    for (const option of element.options) {
      const box = el("input", { type, name, value: option.value, checked: initial.has(option.value), "data-key": `${element.action_id}:${option.value}` });
      if (context.use) box.addEventListener("change", onChange(element, context.use, () => checkedValue(group)));
      group.append(el("label", {}, box, el("span", {}, words(option.text), option.description && el("small", {}, words(option.description)))));
    }
    return group;
  };
}

function checkedValue(group) {
  const checked = [...group.querySelectorAll("input:checked")].map((each) => each.value);
  return group.querySelector("input[type=radio]") ? (checked[0] ?? null) : checked;
}

export function image(element) {
  const file = element.slack_file?.id ?? element.slack_file?.url?.match(/\/(F\w+)\//)?.[1];
  if (file) return el("img", { src: `files/${file}`, alt: element.alt_text });
  if (element.image_url?.startsWith("data:image/")) return el("img", { src: element.image_url, alt: element.alt_text });
  // The page fetches nothing from elsewhere, so such an image is shown by its alt text.
  return el("span", { class: "elsewhere", role: "img", "aria-label": element.alt_text }, `🖼 ${element.alt_text}`);
}

const ELEMENTS = {
  button,
  static_select: staticSelect,
  users_select: usersSelect,
  overflow,
  datepicker: input("date", "initial_date"),
  timepicker: input("time", "initial_time"),
  datetimepicker: input("datetime-local", "initial_local"),
  number_input: input("number", "initial_value", (element) => ({ min: element.min_value, max: element.max_value, step: element.is_decimal_allowed ? "any" : 1 })),
  email_text_input: input("email", "initial_value"),
  url_text_input: input("url", "initial_value"),
  plain_text_input: textInput,
  radio_buttons: choices("radio"),
  checkboxes: choices("checkbox"),
  image,
};

export const element = (given, context) => (ELEMENTS[given.type] ?? unsupported)(given, context);

// An unknown type is shown as an error: left out, it would make the page look right and be wrong.
export const unsupported = (given) =>
  el("p", { class: "unsupported", role: "alert" }, `This page cannot show “${String(given?.type)}”, which Slack would. Please report it.`);

// The values of the inputs within `container`, by action_id.
export function values(container) {
  const found = {};
  for (const each of container.querySelectorAll("input[name], select[name], textarea[name]")) {
    if (!each.closest("fieldset.choices")) found[each.name] = each.value || null;
  }
  for (const group of container.querySelectorAll("fieldset.choices")) found[group.dataset.name] = checkedValue(group);
  return found;
}
