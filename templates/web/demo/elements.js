// Block Kit's interactive elements, as a table of their types. `use` says what a choice does, `label` what it is called.

import { el } from "./dom.js";
import { words } from "./mrkdwn.js";
import { here } from "./here.js";
import { confirmed } from "./confirm.js";
import { unknown } from "./unknown.js";

const wordsOf = (text) => text?.text ?? "";
const ready = (element, use, value) => async () => {
  if (!element.confirm || (await confirmed(element.confirm))) use(element, value());
};

function button(element, { use }) {
  const look = ["press", element.style].filter(Boolean).join(" ");
  const press = async () => {
    if (element.confirm && !(await confirmed(element.confirm))) return;
    if (element.url && /^https?:/.test(element.url)) window.open(element.url, "_blank", "noreferrer");
    use(element, element.value ?? null);
  };
  return el("button", { type: "button", class: look, "aria-label": element.accessibility_label, "data-key": `${element.action_id}:${element.value}`, onclick: press }, wordsOf(element.text));
}

const named = (element, label) => ({ name: element.action_id, "aria-label": label, "data-key": element.action_id });

function options(element, chosen) {
  const one = (option) => el("option", { value: option.value, selected: option.value === chosen }, wordsOf(option.text));
  const groups = (element.option_groups ?? []).map((group) => el("optgroup", { label: wordsOf(group.label) }, group.options.map(one)));
  return [...(element.options ?? []).map(one), ...groups];
}

function select(element, about, filled, chosen) {
  const nothing = el("option", { value: "" }, wordsOf(element.placeholder) || "Choose…");
  const made = el("select", named(element, about.label), nothing, filled);
  made.value = chosen ?? "";
  if (about.use) made.addEventListener("change", ready(element, about.use, () => made.value));
  return made;
}

const staticSelect = (element, about) => select(element, about, options(element, element.initial_option?.value), element.initial_option?.value);

function usersSelect(element, about) {
  const people = here.state.people.filter((each) => !each.bot);
  return select(element, about, people.map((each) => el("option", { value: each.id }, each.real_name)), element.initial_user);
}

function overflow(element, about) {
  const made = select({ ...element, placeholder: { text: "⋯" } }, { label: about.label || "More", use: null }, options(element, null), null);
  made.classList.add("overflow");
  made.addEventListener("change", async () => {
    const value = made.value;
    made.value = "";
    if (value && (!element.confirm || (await confirmed(element.confirm)))) about.use?.(element, value);
  });
  return made;
}

function typed(type, first, more = () => ({})) {
  return (element, about) => {
    const made = el("input", { type, value: element[first], autofocus: element.focus_on_load, placeholder: wordsOf(element.placeholder), ...more(element), ...named(element, about.label) });
    if (about.use) made.addEventListener("change", ready(element, about.use, () => made.value));
    return made;
  };
}

// As many rows as its words may take, within what a form has room for.
const rowsFor = (text) => Math.max(5, Math.min(14, text.split("\n").reduce((rows, line) => rows + 1 + Math.floor(line.length / 55), 1)));

function textInput(element, about) {
  const bounds = { maxlength: element.max_length ?? 3000, minlength: element.min_length };
  const same = { placeholder: wordsOf(element.placeholder), autofocus: element.focus_on_load, ...bounds, ...named(element, about.label) };
  const made = el(element.multiline ? "textarea" : "input", element.multiline ? { ...same, rows: rowsFor(element.initial_value ?? "") } : { ...same, type: "text" });
  made.value = element.initial_value ?? "";
  if (about.use) made.addEventListener("change", () => about.use(element, made.value));
  return made;
}

function choices(type) {
  return (element, about) => {
    const begun = new Set([element.initial_option?.value, ...(element.initial_options ?? []).map((each) => each.value)]);
    // Two such groups may stand on one page with the same action_id; the browser knows a group by its name.
    const group = `${element.action_id}-${crypto.randomUUID()}`;
    const set = el("fieldset", { class: "choices", "data-name": element.action_id, "aria-label": about.label });
    const chosen = () => [...set.querySelectorAll("input:checked")].map((each) => each.value);
    const value = () => (type === "radio" ? chosen()[0] : chosen());
    for (const option of element.options) {
      const box = el("input", { type, name: group, value: option.value, checked: begun.has(option.value), "data-key": `${element.action_id}:${option.value}` });
      if (about.use) box.addEventListener("change", ready(element, about.use, value));
      set.append(el("label", {}, box, el("span", {}, words(option.text), option.description && el("small", {}, words(option.description)))));
    }
    return set;
  };
}

export function image(element) {
  const file = element.slack_file?.id ?? element.slack_file?.url?.match(/\/(F\w+)\//)?.[1];
  if (file) return el("img", { src: `files/${file}`, alt: element.alt_text });
  if (element.image_url?.startsWith("data:image/")) return el("img", { src: element.image_url, alt: element.alt_text });
  // The page needs no network, so what lies elsewhere is described.
  return el("span", { class: "elsewhere", role: "img", "aria-label": element.alt_text }, `🖼 ${element.alt_text}`);
}

export const ELEMENTS = {
  button,
  static_select: staticSelect,
  users_select: usersSelect,
  overflow,
  datepicker: typed("date", "initial_date"),
  timepicker: typed("time", "initial_time"),
  datetimepicker: typed("datetime-local", "initial_local"),
  number_input: typed("number", "initial_value", (element) => ({ min: element.min_value, max: element.max_value, step: element.is_decimal_allowed ? "any" : 1 })),
  email_text_input: typed("email", "initial_value"),
  url_text_input: typed("url", "initial_value"),
  plain_text_input: textInput,
  radio_buttons: choices("radio"),
  checkboxes: choices("checkbox"),
  image,
};

export const element = (given, about) => (ELEMENTS[given.type] ?? unknown)(given, about);

// What the inputs within a place hold, by action_id.
export function values(within) {
  const found = {};
  for (const each of within.querySelectorAll("input[name], select[name], textarea[name]")) {
    if (!each.closest("fieldset.choices")) found[each.name] = each.value || null;
  }
  for (const set of within.querySelectorAll("fieldset.choices")) {
    const checked = [...set.querySelectorAll("input:checked")].map((each) => each.value);
    found[set.dataset.name] = set.querySelector("input[type=radio]") ? (checked[0] ?? null) : checked;
  }
  return found;
}
