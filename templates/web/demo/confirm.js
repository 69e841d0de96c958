// The question some buttons ask before they do anything.

import { el } from "./dom.js";
import { words } from "./mrkdwn.js";

export function confirmed(about) {
  return new Promise((answer) => {
    const dialog = el("dialog", { class: "confirm", "aria-labelledby": "confirm-title" },
      el("form", { method: "dialog" },
        el("h2", { id: "confirm-title" }, words(about.title)),
        el("p", {}, words(about.text)),
        el("div", { class: "buttons" },
          el("button", { value: "", class: "press" }, words(about.deny)),
          el("button", { value: "yes", class: `press ${about.style ?? "primary"}` }, words(about.confirm)))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
