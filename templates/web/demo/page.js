// The page: asks for news, and gives each part of it what it shows.

import { act, notice } from "./act.js";
import { buildClock, showClock } from "./clock.js";
import { composer, sendTo } from "./composer.js";
import { byId, el, forget, refill, refillKeepingFocus } from "./dom.js";
import { begin, showDrill } from "./drill.js";
import { HOME, go, here, place, read, realChannel } from "./here.js";
import { showHome } from "./home.js";
import { hints } from "./hints.js";
import { showCanvas } from "./canvas.js";
import { buildLiving, showLiving } from "./living.js";
import { onArrow, showMessages, toEnd } from "./messages.js";
import { showModal } from "./modal.js";
import { actAs, showPlaces } from "./places.js";
import { showThread } from "./thread.js";
import { Refused, ask } from "./wire.js";

const AGAIN_MS = 1000;
const PANES = [["places", "Channels"], ["conversation", "Conversation"], ["living", "Document"]];
let box = null;
let waiting = new AbortController();
let version = "";

function build() {
  buildClock();
  buildLiving();
  box = composer({ id: "box", label: "Message, or / for commands", send: sendTo(undefined, toEnd) });
  byId("foot").append(el("div", { id: "hints" }), el("div", { id: "notice", role: "alert" }), box);
  byId("said").addEventListener("keydown", onArrow);
  byId("panes").append(...PANES.map(([pane, words]) => el("button", { type: "button", "data-pane": pane, onclick: () => toPane(pane) }, words)));
  document.addEventListener("keydown", onKey);
  window.addEventListener("hashchange", () => {
    read();
    here.moved();
  });
}

function toPane(pane) {
  document.body.dataset.pane = pane;
  if (pane === "living") document.body.classList.remove("changed");
}

function onKey(event) {
  if (document.querySelector("dialog[open]")) return;
  const typing = event.target.matches("input, textarea, select");
  if (event.altKey && /^Digit[1-9]$/.test(event.code)) {
    const person = here.state.people.filter((each) => !each.bot)[Number(event.code.at(-1)) - 1];
    if (person) actAs(person.id);
    event.preventDefault();
  } else if (event.key === "/" && !typing) {
    event.preventDefault();
    box.put("/");
    byId("box").dispatchEvent(new Event("input"));
  } else if (event.key === "Escape" && (here.thread || here.canvas) && !event.defaultPrevented) {
    go({ thread: null, canvas: null });
    byId("box").focus();
  }
}

function show(state) {
  here.state = state;
  const home = here.channel === HOME;
  if (!home && !place()) return go({ channel: here.setup.channel });
  showClock();
  showPlaces(state);
  showDrill(state);
  head();
  byId("unplugged").hidden = state.plugged;
  byId("foot").hidden = home;
  byId("said").classList.toggle("at-home", home);
  if (home) showHome(byId("said"), state);
  else if (state.messages.length) {
    forget(byId("said"));
    showMessages(state);
  } else refill(byId("said"), [here.channel, state.drill?.id], () => welcome(state));
  showThread(state);
  showCanvas(state);
  showModal(state);
  drawHints();
  showLiving();
}

function drawHints() {
  const { drill } = here.state;
  const watching = Boolean(drill) && !drill.over && drill.channel === here.channel;
  const facts = [here.state.hints, here.user, sessionStorage.getItem("hints"), watching];
  refillKeepingFocus(byId("hints"), facts, () => (watching ? [] : hints(here.state, box.put, drawHints)));
}

function head() {
  const name = here.channel === HOME ? "Scribe’s Home" : place().direct ? "Scribe" : `#${place().name}`;
  const canvases = (here.channel === HOME ? [] : here.state.canvases).map(({ id, title }) => ({ id, title }));
  refillKeepingFocus(byId("head"), [name, canvases, here.canvas], () => [el("h2", {}, name), canvases.map(canvasTab)]);
  document.title = `${name} · Scribe demo`;
  box.reset(name);
}

const canvasTab = ({ id, title }) =>
  el("button", { type: "button", class: "press small", "aria-pressed": String(here.canvas === id), "data-key": id, title: "The channel’s canvas", onclick: () => go({ thread: null, canvas: here.canvas === id ? null : id }) }, el("span", { "aria-hidden": "true" }, "📝 "), title || "Canvas");

function welcome(state) {
  if (place().direct) return el("div", { class: "empty" }, el("p", {}, "What Scribe has to say to you alone arrives here: reminders of your action items, for one."));
  const drills = state.drill ? [] : here.setup.drills.map((each, index) =>
    el("button", { type: "button", class: index ? "press" : "press primary", onclick: () => begin(each.id) }, `▶ Watch a drill: ${each.title}`));
  return el("div", { class: "empty" },
    el("h2", {}, "An incident, from the first alert to the postmortem"),
    el("p", {}, "This is a small Slack on your own machine, with the real bot behind it. Nothing leaves the machine."),
    drills.length > 0 && [el("p", {}, "See three people handle an outage in about a minute, while the document at the side writes itself:"), drills],
    el("p", {}, "Or do it yourself: the hints above the box lead you through the first minute."));
}

async function watch() {
  for (;;) {
    waiting = new AbortController();
    const asked = { user: here.user, channel: realChannel() };
    try {
      const state = await ask("state", { as: asked.user, channel: asked.channel, after: version }, waiting.signal);
      if (asked.user !== here.user || asked.channel !== realChannel()) continue;
      found();
      version = String(state.version);
      show(state);
    } catch (error) {
      if (error.name === "AbortError") continue;
      if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
      lost(error);
      await new Promise((go_on) => setTimeout(go_on, AGAIN_MS));
    }
  }
}

function lost(error) {
  if (error.status === 400) {
    // Somebody or something in the address is not of this demo.
    history.replaceState(null, "", "#");
    read();
    version = "";
    return;
  }
  const other = error.status === 404 || error.status === 421;
  byId("lost").textContent = other
    ? "Another demo is running here by now. Open the address that scribe demo printed last."
    : "The demo does not answer. Is scribe demo still running? Trying again …";
  byId("lost").hidden = false;
}

function found() {
  if (!byId("lost").hidden) version = "";
  byId("lost").hidden = true;
}

async function start() {
  try {
    here.setup = await ask("setup");
  } catch (error) {
    lost(error);
    setTimeout(start, AGAIN_MS);
    return;
  }
  read();
  build();
  here.moved = () => {
    notice();
    version = "";
    waiting.abort();
  };
  const drill = (await ask("state", { as: here.user, channel: here.setup.channel })).drill;
  if (drill && !drill.over && !location.hash) go({ channel: drill.channel });
  byId("box").focus();
  watch();
}

start();
