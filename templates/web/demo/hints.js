// The film: hints, one at a time, that make a good document, then the tour to its end. Each is done by doing it.

import { perform } from "./actions.js";
import { el } from "./dom.js";
import { connect, ownCase } from "./finish.js";
import { alertAfterDeploy } from "./outside.js";
import { me, navigate, session } from "./session.js";

const command = (name) => `/${session.setup.prefix}${name}`;

// `text` goes into the message box; `act` is what the button `label` does,
// beside the text where there are both. The keys are the server's, in its order.
const HINTS = {
  detect: { say: "Something broke. Say so in one line; nothing else is needed:", text: () => `${command("detected")} by monitoring: 7% of checkouts fail with error 500`, label: "Or let the monitoring say it", act: alertAfterDeploy },
  impact: { say: "Two minutes later. Who is hurt, and how much? The figures reach the summary:", text: () => `${command("impact")} 7% of checkouts fail, about 40 customers a minute` },
  escalate: { say: "Call in who knows more:", text: () => `${command("escalated")} to @bob: he knows the payment gateway` },
  dead_end: { say: "Act as Bob, in Los Angeles, by his name in the list. What it was not is worth a line, too:", text: () => `${command("ruledout")} the payment gateway: its own monitoring is green` },
  mitigate: { say: "What ended the impact? A time in the past is read in Bob’s zone:", text: () => `${command("mitigated")} -2m rolled release 418 back, errors are falling` },
  cause: { say: "It is calmer now. What led to it?", text: () => `${command("cause")} technical: release 418 took prices from a cache that is empty after a restart` },
  resolve: { say: "It is over. Say so, and the draft of the postmortem arrives:", text: () => `${command("resolved")} error rate at its usual level for 15 minutes` },
  lesson: { say: "What went well, badly, or was luck?", text: () => `${command("lesson")} well: the rollback took two minutes` },
  item: { say: "What has to change, who does it, by when?", text: () => `${command("actionitem")} @bob prevent by friday: fill the cache before a release takes traffic` },
  answer: { say: "The draft says what it still asks. Answer one question, by a button or by typing:", text: (steps) => (steps.toured ? `${command("lesson")} well: somebody took it on within two minutes` : `${command("started")} -55m release 418 went out`) },
  publish: { say: "Publish it, where others read it; what is still asked is left out. It becomes a tab of the channel:", text: () => `${command("postmortem")} publish anyway` },
  travel: { say: "Nobody has to remember what was promised. Travel a week:", label: "Travel a week", act: () => perform("travel", { by: "week" }) },
  digest: { say: "Scribe has reminded who owns an item, once, in their working hours:", label: "See the digest", act: openDigest },
};

const isDismissed = () => sessionStorage.getItem("hints") === "dismissed";

// Goes to the messages that Scribe wrote to an owner: the acting person's, or else those of who got the most.
function openDigest() {
  const told = session.state.people.filter((each) => each.direct_count > 0).sort((one, other) => other.direct_count - one.direct_count);
  const owner = told.find((each) => each.id === session.user) ?? told[0];
  if (owner) navigate({ user: owner.id, channel: owner.direct });
}

// `fill` puts a text into the message box, `redraw` shows the hints again.
export function hints(state, fill, redraw) {
  if (isDismissed()) return [];
  const { steps } = state;
  const keys = Object.keys(HINTS).slice(steps.toured ? Object.keys(HINTS).indexOf("answer") : 0);
  const done = new Set(steps.done);
  const key = keys.find((each) => !done.has(each));
  const count = keys.filter((each) => done.has(each)).length;
  const onDismiss = () => {
    sessionStorage.setItem("hints", "dismissed");
    redraw();
  };
  const progress = el("progress", { value: count, max: keys.length, "aria-label": `${count} of ${keys.length} done` });
  const dismiss = el("button", { type: "button", class: "close", "aria-label": "Dismiss the hints", "data-key": "dismiss", onclick: onDismiss }, "✕");
  const pane = (...content) => el("aside", { class: "hints", "aria-label": "Hints" }, content, dismiss, progress);
  if (!key) return pane(el("p", {}, `That was the whole way, ${me()?.real_name}. Now yours:`), el("div", { class: "actions" }, finish()));
  const hint = HINTS[key];
  return pane(
    el("p", {}, el("b", {}, `${keys.indexOf(key) + 1} of ${keys.length} `), hint.say),
    hint.text && el("button", { type: "button", class: "fill", "data-key": "fill", title: "Put it in the box", onclick: () => fill(hint.text(steps)) }, el("code", {}, hint.text(steps))),
    hint.act && el("button", { type: "button", class: `button small act${hint.text ? "" : " primary"}`, "data-key": "act", onclick: hint.act }, hint.label));
}

// What comes after the film.
export const finish = () => [
  el("button", { type: "button", class: "button primary small", "data-key": "connect", onclick: connect }, "Connect your workspace"),
  el("button", { type: "button", class: "button small", "data-key": "own", onclick: ownCase }, "Play your own case"),
];
