// Two dialogs for after the film: how to connect a workspace of one's own, and a chronology of one's own to play.

import { perform, showNotice } from "./actions.js";
import { el } from "./dom.js";
import { navigate, session } from "./session.js";

const EXAMPLE = "09:02 release 418 goes out\n09:05 first customers write that checkout fails\n09:14 detected by customer: three tickets\n09:31 escalated: to the pricing team\n09:44 mitigated: switched the new rounding off\n10:10 resolved: error rate at its usual level";

// A modal dialog with these contents; returns it.
function show(title, ...content) {
  const close = () => dialog.close();
  const dialog = el("dialog", { class: "modal own", "aria-labelledby": "own-title" },
    el("form", { method: "dialog", novalidate: true },
      el("header", {}, el("h2", { id: "own-title" }, title), el("button", { type: "button", class: "close", "aria-label": "Close", onclick: close }, "✕")),
      content));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

const outside = (address, words) => el("a", { href: address, target: "_blank", rel: "noreferrer noopener" }, words);

export function connect() {
  const manifest = el("textarea", { readonly: true, rows: 7, id: "manifest", spellcheck: "false" });
  manifest.value = session.setup.manifest;
  const copy = el("button", { type: "button", class: "button small", onclick: () => {
    manifest.select();
    navigator.clipboard?.writeText(manifest.value).then(() => { copy.textContent = "Copied"; }, () => {});
  } }, "Copy the manifest");
  show("Connect your workspace",
    el("div", { class: "blocks", tabindex: 0, role: "region", "aria-label": "Steps" },
      el("ol", { class: "steps" },
        el("li", {}, "On ", outside("https://api.slack.com/apps?new_app=1", "api.slack.com/apps"), " choose ", el("i", {}, "From a manifest"), ", pick your workspace and paste this:",
          el("div", { class: "input" }, el("label", { class: "label visually-hidden", for: "manifest" }, "The manifest"), manifest), copy),
        el("li", {}, el("i", {}, "Basic Information, App-Level Tokens"), ": make one with the scope ", el("code", {}, "connections:write"), ". It begins with ", el("code", {}, "xapp-"), "."),
        el("li", {}, el("i", {}, "Install App"), ": install it. The ", el("i", {}, "Bot User OAuth Token"), " begins with ", el("code", {}, "xoxb-"), "."),
        el("li", {}, "Start Scribe where it can stay. No public address is needed:", el("pre", {}, "SLACK_APP_TOKEN=xapp-… SLACK_BOT_TOKEN=xoxb-… scribe run")),
        el("li", {}, "In a channel: ", el("code", {}, "/invite @scribe"), ", then ", el("code", {}, `/${session.setup.prefix}detected`), ". ", el("code", {}, "scribe doctor"), " says what is missing."))));
}

export function ownCase() {
  paste({
    heading: "Play your own case",
    about: "Paste the chronology of an incident that you remember: one event a line, its time first. Scribe shows how it reads each line before it records anything. Nothing leaves this machine.",
    label: "What happened, and when",
    play: "Play it",
    example: EXAMPLE,
  });
}

// A dialog with a box to paste into, which Scribe then backfills in a channel of its own. `lines` stand in the box;
// `example` is what a button puts there.
export function paste({ heading, about, label, play, title = "", lines = "", example = "" }) {
  const name = el("input", { type: "text", id: "own-case-title", maxlength: 150, placeholder: "Checkout fails for carts with a coupon" });
  const box = el("textarea", { id: "own-case-lines", rows: 9, maxlength: 2800, placeholder: example, spellcheck: "false" });
  const problem = el("p", { class: "error", role: "alert" });
  name.value = title;
  box.value = lines;
  const backfill = async () => {
    const result = await perform("own_case", { title: name.value, lines: box.value });
    if (result.channel) {
      dialog.close();
      navigate({ channel: result.channel });
      document.body.dataset.pane = "conversation";
      // After the navigation, which clears it.
      showNotice(result.problem);
    } else problem.textContent = result.problem ?? "";
  };
  const takeExample = () => {
    box.value = example;
    name.value ||= name.placeholder;
  };
  const dialog = show(heading,
    el("div", { class: "blocks" },
      el("p", {}, about),
      el("div", { class: "input" }, el("label", { class: "label", for: name.id }, "What it was"), name),
      el("div", { class: "input" }, el("label", { class: "label", for: box.id }, label), box),
      problem),
    el("footer", {},
      example && el("button", { type: "button", class: "button", onclick: takeExample }, "Take the example"),
      el("button", { type: "button", class: "button primary", onclick: backfill }, play)));
  name.focus();
}
