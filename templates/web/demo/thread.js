// A thread, over the conversation it belongs to. Slack takes no commands in threads: there one talks to @scribe.

import { composer, sendTo } from "./composer.js";
import { byId, el } from "./dom.js";
import { following } from "./following.js";
import { go, here } from "./here.js";
import { fill, onArrow } from "./messages.js";

let parts = null;

function build() {
  const list = el("div", { class: "list", role: "log", "aria-label": "Thread", tabindex: 0, onkeydown: onArrow });
  const box = composer({ id: "thread-box", label: "Reply, or @scribe did what you did", send: sendTo(() => here.thread) });
  const close = el("button", { type: "button", class: "press", onclick: () => go({ thread: null }) }, "Close");
  byId("thread").append(el("header", {}, el("h2", {}, "Thread"), close), list, box);
  return { list, end: following(list) };
}

export function showThread(state) {
  const place = byId("thread");
  const root = here.thread && state.messages.find((each) => each.ts === here.thread);
  const opened = place.hidden && root;
  place.hidden = !root;
  if (!root) return;
  parts ??= build();
  fill(parts.list, [root, ...state.messages.filter((each) => each.thread_ts === root.ts && each.ts !== root.ts)], "thread");
  if (!opened) return parts.end.keep();
  parts.end.end();
  byId("thread-box").focus();
}
