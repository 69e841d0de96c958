// One menu for the whole page, beside the button that opens it.

import { byId, el } from "./dom.js";

export function openMenu(button, actions) {
  const menu = byId("menu");
  const choose = (action) => {
    menu.hidePopover();
    action.act();
  };
  menu.replaceChildren(el("ul", { role: "menu", "aria-label": "More actions" }, actions.map((each) =>
    el("li", { role: "none" }, el("button", { type: "button", role: "menuitem", onclick: () => choose(each) }, el("b", {}, each.name), each.about && el("small", {}, each.about))))));
  menu.showPopover();
  const at = button.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(at.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${at.bottom + menu.offsetHeight + 8 > innerHeight ? at.top - menu.offsetHeight - 4 : at.bottom + 4}px`;
  menu.querySelector("button").focus();
  menu.onkeydown = (event) => walk(event, menu);
  menu.ontoggle = (event) => event.newState === "closed" && menu.contains(document.activeElement) && button.focus();
}

function walk(event, menu) {
  const all = [...menu.querySelectorAll("button")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
}
