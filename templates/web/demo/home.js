// The app's Home tab, as the bot published it for the acting person.

import { perform } from "./actions.js";
import { blocks } from "./blocks.js";
import { el, renderKeepingFocus } from "./dom.js";
import { values } from "./elements.js";
import { session } from "./session.js";

export function showHome(container, state) {
  renderKeepingFocus(container, [session.user, state.home], () => (state.home ? published(container, state.home) : empty()));
}

function published(container, view) {
  const use = (given, value) => perform("click", { view_id: view.id, action_id: given.action_id, value, values: values(container) });
  return el("div", { class: "home" }, blocks(view.blocks, { id: "home", use }));
}

const empty = () => el("div", { class: "empty" }, el("h2", {}, "Home"), el("p", {}, "Scribe has put nothing here for you yet."));
