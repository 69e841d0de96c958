// Files that came with a message, with a look inside.

import { el } from "./dom.js";
import { trusted } from "./trusted.js";

const size = (bytes) => (bytes < 1000 ? `${bytes} bytes` : `${(bytes / 1000).toFixed(1)} kB`);

const INSIDE = {
  picture: (file) => el("img", { src: `files/${file.id}`, alt: file.title }),
  markdown: (file) => el("div", { class: "markdown" }, trusted(file.html, 2)),
  text: (file) => el("pre", {}, file.text),
};

export const files = (message) => message.files.map((file) =>
  el("figure", { class: "file" },
    el("figcaption", {}, el("span", { "aria-hidden": "true" }, "📄 "), el("b", {}, file.title), " ", el("span", { class: "soft" }, size(file.size)), " ",
      el("a", { href: `files/${file.id}`, download: file.name }, "Download")),
    el("div", { class: "preview", tabindex: 0, role: "region", "aria-label": `Preview of ${file.title}` }, INSIDE[file.kind](file), file.cut && el("p", { class: "soft" }, "The file goes on."))));
