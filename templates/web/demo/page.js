// The page: polls the server for the state, and lets every part show it.

import { showNotice } from "./actions.js";
import { RequestError, get } from "./api.js";
import { showCanvas } from "./canvas.js";
import { buildClock, showClock } from "./clock.js";
import { composer, sendTo, shareIn } from "./composer.js";
import { byId, el, invalidate, renderIfChanged, renderKeepingFocus } from "./dom.js";
import { showDrill, startDrill } from "./drill.js";
import { hints } from "./hints.js";
import { showHome } from "./home.js";
import { onArrow, scrollToEnd, showMessages } from "./messages.js";
import { showModal } from "./modal.js";
import { buildPreview, showPreview } from "./preview.js";
import { HOME, currentChannel, navigate, readHash, requestChannel, session } from "./session.js";
import { actAs, showSidebar } from "./sidebar.js";
import { showThread } from "./thread.js";

const RETRY_MS = 1000;
const PANES = [["sidebar", "Channels"], ["conversation", "Conversation"], ["preview", "Document"]];
let box = null;
let polling = new AbortController();
let version = "";

function build() {
  buildClock();
  buildPreview();
  box = composer({ id: "box", label: "Message, or / for commands", send: sendTo(undefined, scrollToEnd), share: shareIn() });
  byId("footer").append(el("div", { id: "hints" }), el("div", { id: "notice", role: "alert" }), box);
  byId("messages").addEventListener("keydown", onArrow);
  byId("panes").append(...PANES.map(([pane, label]) => el("button", { type: "button", "data-pane": pane, onclick: () => showPane(pane) }, label)));
  document.addEventListener("keydown", onKey);
  window.addEventListener("hashchange", () => {
    readHash();
    session.onNavigate();
  });
}

function showPane(pane) {
  if (session.thread || session.canvas) navigate({ thread: null, canvas: null });
  document.body.dataset.pane = pane;
  if (pane === "preview") document.body.classList.remove("changed");
}

function onKey(event) {
  if (document.querySelector("dialog[open]")) return;
  const typing = event.target.matches("input, textarea, select");
  if (event.altKey && /^Digit[1-9]$/.test(event.code)) {
    const person = session.state.people.filter((each) => !each.bot)[Number(event.code.at(-1)) - 1];
    if (person) actAs(person.id);
    event.preventDefault();
  } else if (event.key === "/" && !typing) {
    event.preventDefault();
    box.fill("/");
    byId("box").dispatchEvent(new Event("input"));
  } else if (event.key === "Escape" && (session.thread || session.canvas) && !event.defaultPrevented) {
    navigate({ thread: null, canvas: null });
    byId("box").focus();
  }
}

function show(state) {
  session.state = state;
  const home = session.channel === HOME;
  if (!home && !currentChannel()) return navigate({ channel: session.setup.channel });
  showClock();
  showSidebar(state);
  showDrill(state);
  showHeader();
  byId("bot-stopped").hidden = state.connected;
  byId("footer").hidden = home;
  byId("messages").classList.toggle("at-home", home);
  if (home) showHome(byId("messages"), state);
  else if (state.messages.length) {
    invalidate(byId("messages"));
    showMessages(state);
  } else renderIfChanged(byId("messages"), [session.channel, state.drill?.id], () => welcome(state));
  showThread(state);
  showCanvas(state);
  document.body.classList.toggle("beside", !byId("thread").hidden || !byId("canvas").hidden);
  showModal(state);
  showHints();
  showPreview();
}

function showHints() {
  const { drill } = session.state;
  const watching = Boolean(drill) && !drill.over && drill.channel === session.channel;
  const facts = [session.state.steps, session.user, sessionStorage.getItem("hints"), watching];
  renderKeepingFocus(byId("hints"), facts, () => (watching ? [] : hints(session.state, box.fill, showHints)));
}

function showHeader() {
  const name = session.channel === HOME ? "Scribe’s Home" : currentChannel().direct ? "Scribe" : `#${currentChannel().name}`;
  const canvases = (session.channel === HOME ? [] : session.state.canvases).map(({ id, title }) => ({ id, title }));
  renderKeepingFocus(byId("header"), [name, canvases, session.canvas], () => [el("h2", {}, name), canvases.map(canvasTab)]);
  document.title = `${name} · Scribe demo`;
  box.setPlace(name);
}

const canvasTab = ({ id, title }) =>
  el("button", { type: "button", class: "button small", "aria-pressed": String(session.canvas === id), "data-key": id, title: "The channel’s canvas", onclick: () => navigate({ thread: null, canvas: session.canvas === id ? null : id }) }, el("span", { "aria-hidden": "true" }, "▤ "), title || "Canvas");

function welcome(state) {
  if (currentChannel().direct) return el("div", { class: "empty" }, el("p", {}, "What Scribe has to say to you alone arrives here: reminders of your action items, for one."));
  const drills = state.drill ? [] : session.setup.drills.map((each, index) =>
    el("button", { type: "button", class: index ? "button" : "button primary", onclick: () => startDrill(each.id) }, `▶ Watch a drill: ${each.title}`));
  return el("div", { class: "empty" },
    el("h2", {}, "From the first alert to a finished postmortem"),
    el("p", {}, "This is a small Slack on your own machine, with the real bot behind it. Nothing leaves the machine."),
    el("button", { type: "button", class: "button pane-only", onclick: () => showPane("preview") }, "See a finished postmortem"),
    drills.length > 0 && [el("p", {}, "See three people handle an outage in under two minutes, while the document writes itself:"), drills],
    el("p", {}, "Or do it yourself: the hints above the box lead you to the end, line by line."));
}

async function poll() {
  for (;;) {
    polling = new AbortController();
    const asked = { as: session.user, channel: requestChannel() };
    try {
      const state = await get("state", { ...asked, after: version }, polling.signal);
      // The person has moved on while the answer was under way.
      if (asked.as !== session.user || asked.channel !== requestChannel()) continue;
      byId("connection-lost").hidden = true;
      version = String(state.version);
      show(state);
    } catch (error) {
      if (error.name === "AbortError") continue;
      if (!(error instanceof RequestError) && !(error instanceof TypeError)) throw error;
      onFailure(error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function onFailure(error) {
  if (error.status === 400) {
    // The hash names a person or a channel that this demo does not have: start over without it.
    history.replaceState(null, "", "#");
    readHash();
    version = "";
    return;
  }
  const isStarting = error.status === 503;
  const isOther = error.status === 404 || error.status === 421;
  byId("connection-lost").classList.toggle("calm", isStarting);
  byId("connection-lost").textContent = isOther
    ? "Another demo is running here now. Open the address that scribe demo printed last."
    : isStarting ? "Scribe is starting …" : "The demo does not answer. Is scribe demo still running? Trying again …";
  byId("connection-lost").hidden = false;
}

async function start() {
  try {
    session.setup = await get("setup");
  } catch (error) {
    onFailure(error);
    setTimeout(start, RETRY_MS);
    return;
  }
  readHash();
  build();
  session.onNavigate = () => {
    showNotice();
    version = "";
    polling.abort();
  };
  const { drill } = await get("state", { as: session.user, channel: session.setup.channel });
  if (drill && !drill.over && !location.hash) navigate({ channel: drill.channel });
  byId("box").focus();
  poll();
}

start();
