// The app's Home tab, as the bot published it for this person.

import { act } from "./act.js";
import { blocks } from "./blocks.js";
import { el, refillKeepingFocus } from "./dom.js";
import { values } from "./elements.js";
import { here } from "./here.js";

export function showHome(place, state) {
  refillKeepingFocus(place, [here.user, state.home], () => (state.home ? published(place, state.home) : nothing()));
}

const published = (place, view) =>
  el("div", { class: "home" }, blocks(view.blocks, { id: "home", use: (given, value) => act("click", { view_id: view.id, action_id: given.action_id, value, values: values(place) }) }));

const nothing = () => el("div", { class: "empty" }, el("h2", {}, "Home"), el("p", {}, "Scribe has put nothing here for you yet."));
