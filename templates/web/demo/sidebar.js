// The sidebar: the people to act as, the channels, and the switch that stops and starts the bot.

import { perform } from "./actions.js";
import { byId, el, renderKeepingFocus } from "./dom.js";
import { finish } from "./hints.js";
import { THINGS } from "./outside.js";
import { HOME, currentChannel, navigate, session } from "./session.js";

// What counts as read: the last ts by user and channel, and the number of direct messages by user.
const lastSeen = new Map();
const directSeen = new Map();

export function showSidebar(state) {
  for (const each of state.channels) {
    const key = `${session.user}/${each.id}`;
    if (each.id === session.channel || !lastSeen.has(key)) lastSeen.set(key, each.last);
  }
  const isUnread = (each) => each.last !== lastSeen.get(`${session.user}/${each.id}`);
  const mine = state.people.find((each) => each.id === session.user);
  if (mine?.direct === session.channel) directSeen.set(mine.id, mine.direct_count);
  const people = state.people.map((each) => [each.id, each.offset_s, hasUnread(each)]);
  const listed = state.channels.map((each) => [each.id, each.name, isUnread(each)]);
  const facts = [session.user, session.channel, people, listed, state.connected];
  renderKeepingFocus(byId("sidebar"), facts, () => [actors(state), channels(state, isUnread), things(), bot(state), yours()]);
}

const hasUnread = (each) => each.direct_count > (directSeen.get(each.id) ?? 0);

function actors(state) {
  const people = state.people.filter((each) => !each.bot);
  const about = (each) => session.setup.roles.find((role) => role.id === each.id)?.about ?? each.zone;
  return el("section", { "aria-labelledby": "actors" }, el("h2", { id: "actors" }, "Act as"),
    el("ul", {}, people.map((each, index) => el("li", {},
      el("button", { type: "button", class: "actor", "aria-pressed": String(each.id === session.user), "data-key": each.id, title: index < 9 ? `Alt+${index + 1}` : null, onclick: () => actAs(each.id) },
        el("b", {}, each.real_name), el("small", {}, about(each)), hasUnread(each) && el("span", { class: "fresh", title: "Scribe has written to them" }, "new"))))));
}

export function actAs(user) {
  // One person cannot see another's direct messages: go to the same place of the new one.
  const direct = session.state.people.find((each) => each.id === user)?.direct;
  navigate(currentChannel()?.direct ? { user, channel: direct ?? session.setup.channel } : { user });
  if (session.channel === HOME) perform("home");
}

function channels(state, isUnread) {
  const sign = (each) => (each.direct ? "●" : each.private ? "🔒" : "#");
  const item = (id, icon, label, onclick) => el("li", {},
    el("button", { type: "button", class: "channel", "aria-current": id === session.channel ? "page" : null, "data-key": id, onclick },
      el("span", { class: "sign", "aria-hidden": "true" }, icon), label));
  const channel = (each) => item(each.id, sign(each), [each.name, isUnread(each) && el("span", { class: "fresh" }, "new")], () => openChannel(each.id));
  const openHome = () => {
    openChannel(HOME);
    perform("home");
  };
  return [
    el("section", { "aria-labelledby": "channels" }, el("h2", { id: "channels" }, "Channels"),
      el("ul", {}, state.channels.filter((each) => !each.direct).map(channel))),
    el("section", { "aria-labelledby": "directs" }, el("h2", { id: "directs" }, "Direct messages"),
      el("ul", {}, state.channels.filter((each) => each.direct).map(channel), item(HOME, "⌂", "Scribe’s Home", openHome))),
  ];
}

export function openChannel(channel) {
  navigate({ channel });
  document.body.dataset.pane = "conversation";
  if (channel !== HOME) byId("box")?.focus();
}

const things = () => el("section", { class: "things", "aria-labelledby": "things" }, el("h2", { id: "things" }, "Things to try"),
  THINGS.map(({ key, label, title, act }) => el("button", { type: "button", class: "button small", "data-key": key, title, onclick: act }, label)));

const yours = () => el("section", { class: "yours", "aria-labelledby": "yours" }, el("h2", { id: "yours" }, "Yours"), finish());

function bot(state) {
  const running = state.connected;
  return el("section", { class: "bot", "aria-labelledby": "bot" }, el("h2", { id: "bot" }, "The bot"),
    el("p", {}, el("span", { class: running ? "status-dot on" : "status-dot", "aria-hidden": "true" }), running ? "Scribe is running" : "Scribe is unplugged"),
    el("button", { type: "button", class: "button small", "data-key": "bot", title: "What is recorded stays recorded. Try it in mid-incident.", onclick: () => perform("bot", { running: !running }) }, running ? "Pull the plug" : "Plug it in again"));
}
