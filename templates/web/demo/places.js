// The sidebar: who acts in this tab, and where they can go.

import { act } from "./act.js";
import { byId, el, refillKeepingFocus } from "./dom.js";
import { HOME, go, here } from "./here.js";

const seen = new Map();
const read = new Map();

export function showPlaces(state) {
  for (const each of state.channels) {
    const key = `${here.user}/${each.id}`;
    if (each.id === here.channel || !seen.has(key)) seen.set(key, each.last);
  }
  const fresh = (each) => each.last !== seen.get(`${here.user}/${each.id}`);
  const mine = state.people.find((each) => each.id === here.user);
  if (mine?.direct === here.channel) read.set(mine.id, mine.letters);
  const facts = [here.user, here.channel, state.people.map((each) => [each.id, each.offset_s, unread(each)]), state.channels.map((each) => [each.id, each.name, fresh(each)]), state.plugged];
  refillKeepingFocus(byId("places"), facts, () => [actors(state), channels(state, fresh), bot(state)]);
}

const unread = (each) => each.letters > (read.get(each.id) ?? 0);

function actors(state) {
  const people = state.people.filter((each) => !each.bot);
  const about = (each) => here.setup.roles.find((role) => role.id === each.id)?.about ?? each.zone;
  return el("section", { "aria-labelledby": "actors" }, el("h2", { id: "actors" }, "Act as"),
    el("ul", {}, people.map((each, index) => el("li", {},
      el("button", { type: "button", class: "actor", "aria-pressed": String(each.id === here.user), "data-key": each.id, title: index < 9 ? `Alt+${index + 1}` : null, onclick: () => actAs(each.id) },
        el("b", {}, each.real_name), el("small", {}, about(each)), unread(each) && el("span", { class: "fresh", title: "Scribe has written to them" }, "new"))))));
}

export function actAs(user) {
  const channel = here.state.channels.find((each) => each.id === here.channel);
  const direct = here.state.people.find((each) => each.id === user)?.direct;
  go(channel?.direct ? { user, channel: direct ?? here.setup.channel } : { user });
  if (here.channel === HOME) act("home");
}

function channels(state, fresh) {
  const one = (each) => el("li", {},
    el("button", { type: "button", class: "channel", "aria-current": each.id === here.channel ? "page" : null, "data-key": each.id, onclick: () => enter(each.id) },
      el("span", { class: "sign", "aria-hidden": "true" }, each.direct ? "●" : each.private ? "🔒" : "#"), each.name, fresh(each) && el("span", { class: "fresh" }, "new")));
  const home = el("li", {}, el("button", { type: "button", class: "channel", "aria-current": here.channel === HOME ? "page" : null, "data-key": HOME, onclick: () => { enter(HOME); act("home"); } }, el("span", { class: "sign", "aria-hidden": "true" }, "⌂"), "Scribe’s Home"));
  return [
    el("section", { "aria-labelledby": "channels" }, el("h2", { id: "channels" }, "Channels"), el("ul", {}, state.channels.filter((each) => !each.direct).map(one))),
    el("section", { "aria-labelledby": "directs" }, el("h2", { id: "directs" }, "Direct messages"), el("ul", {}, state.channels.filter((each) => each.direct).map(one), home)),
  ];
}

export function enter(channel) {
  go({ channel });
  document.body.dataset.pane = "conversation";
  if (channel !== HOME) byId("box")?.focus();
}

function bot(state) {
  const words = state.plugged ? "Scribe is running" : "Scribe is unplugged";
  return el("section", { class: "bot", "aria-labelledby": "bot" }, el("h2", { id: "bot" }, "The bot"),
    el("p", {}, el("span", { class: state.plugged ? "lamp on" : "lamp", "aria-hidden": "true" }), words),
    el("button", { type: "button", class: "press small", "data-key": "plug", title: "What is recorded stays recorded. Try it in mid-incident.", onclick: () => act("plug", { into: !state.plugged }) }, state.plugged ? "Pull the plug" : "Plug it in again"));
}
