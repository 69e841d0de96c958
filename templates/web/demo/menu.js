// The page's only menu, shown beside the button that opens it.

import { byId, el } from "./dom.js";

const MARGIN_PX = 8;
const GAP_PX = 4;

// `items` have a `name`, perhaps a text `about` it, and `run`, which is called when the item is chosen.
export function openMenu(button, items) {
  const menu = byId("menu");
  const choose = (item) => {
    menu.hidePopover();
    item.run();
  };
  menu.replaceChildren(el("ul", { role: "menu", "aria-label": "More actions" }, items.map((each) =>
    el("li", { role: "none" },
      el("button", { type: "button", role: "menuitem", onclick: () => choose(each) }, el("b", {}, each.name), each.about && el("small", {}, each.about))))));
  menu.showPopover();
  const at = button.getBoundingClientRect();
  const left = Math.min(at.right - menu.offsetWidth, innerWidth - menu.offsetWidth - MARGIN_PX);
  const fitsBelow = at.bottom + menu.offsetHeight + MARGIN_PX <= innerHeight;
  menu.style.left = `${Math.max(MARGIN_PX, left)}px`;
  menu.style.top = `${fitsBelow ? at.bottom + GAP_PX : at.top - menu.offsetHeight - GAP_PX}px`;
  menu.querySelector("button").focus();
  menu.onkeydown = (event) => onArrow(event, menu);
  menu.ontoggle = (event) => event.newState === "closed" && menu.contains(document.activeElement) && button.focus();
}

function onArrow(event, menu) {
  const buttons = [...menu.querySelectorAll("button")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length].focus();
}
