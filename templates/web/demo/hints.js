// The tour of the first minute: five hints, one at a time; each is done by doing what it says.

import { el } from "./dom.js";
import { me, session } from "./session.js";

const command = (name) => `/${session.setup.prefix}${name}`;

const HINTS = [
  { key: "detect", say: "Something broke. Say so in one line; nothing else is needed:", text: () => `${command("detected")} by monitoring: p99 over 5 s` },
  { key: "add", say: "Say something in your own words and send it. Then open ⋯ on that message and choose Add to timeline:", text: () => "Error rate falls since I restarted the checkout pods" },
  { key: "act_as", say: "Act as Bob, in Los Angeles, by his name on the left. His times are read in his zone:", text: () => `${command("did")} -5m rolled release 418 back` },
  { key: "resolve", say: "It is over. Say so, and the draft of the postmortem arrives:", text: () => `${command("resolved")} p99 is back at 300 ms` },
  { key: "travel", say: "Give Bob something to do, then travel a week with the clock at the top. What reminds him stands in his messages:", text: () => `${command("actionitem")} @bob short-term by friday: alert at 80% disk` },
];

const isDismissed = () => sessionStorage.getItem("hints") === "dismissed";

// `fill` puts a text into the message box, `redraw` shows the hints again.
export function hints(state, fill, redraw) {
  if (isDismissed()) return [];
  const done = new Set(state.hints);
  const at = HINTS.findIndex((each) => !done.has(each.key));
  const onDismiss = () => {
    sessionStorage.setItem("hints", "dismissed");
    redraw();
  };
  const dots = el("span", { class: "dots", role: "img", "aria-label": `${done.size} of ${HINTS.length} done` }, HINTS.map((each) => el("i", { class: done.has(each.key) ? "done" : null })));
  const dismiss = el("button", { type: "button", class: "close", "aria-label": "Dismiss the hints", "data-key": "dismiss", onclick: onDismiss }, "✕");
  const pane = (...content) => el("aside", { class: "hints", "aria-label": "Hints" }, dots, content, dismiss);
  if (at < 0) return pane(el("p", {}, `That was the whole way, ${me()?.real_name}. For your own Slack: `, el("code", {}, "scribe manifest"), "."));
  const hint = HINTS[at];
  return pane(
    el("p", {}, el("b", {}, `${at + 1} of ${HINTS.length} `), hint.say),
    el("button", { type: "button", class: "fill", "data-key": "fill", title: "Put it in the box", onclick: () => fill(hint.text()) }, el("code", {}, hint.text())));
}
