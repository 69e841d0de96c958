// The open thread, beside the conversation. Slack takes no slash commands in threads, so people mention @scribe.

import { autoscroll } from "./autoscroll.js";
import { composer, sendTo, shareIn } from "./composer.js";
import { byId, el } from "./dom.js";
import { onArrow, showList } from "./messages.js";
import { navigate, session } from "./session.js";

let parts = null;

function build() {
  const list = el("div", { class: "list", role: "log", "aria-label": "Thread", tabindex: 0, onkeydown: onArrow });
  const box = composer({ id: "thread-box", label: "Reply, or @scribe did what you did", send: sendTo(() => session.thread), share: shareIn(() => session.thread) });
  const close = el("button", { type: "button", class: "button", onclick: () => navigate({ thread: null }) }, "Close");
  byId("thread").append(el("header", {}, el("h2", {}, "Thread"), close), list, box);
  return { list, scroll: autoscroll(list) };
}

export function showThread(state) {
  const container = byId("thread");
  const root = session.thread && state.messages.find((each) => each.ts === session.thread);
  const opens = container.hidden && root;
  container.hidden = !root;
  if (!root) return;
  parts ??= build();
  showList(parts.list, [root, ...state.messages.filter((each) => each.thread_ts === root.ts && each.ts !== root.ts)], "thread");
  if (!opens) return parts.scroll.follow();
  parts.scroll.jump();
  byId("thread-box").focus();
}
