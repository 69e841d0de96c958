// The demo's clock, in the zone of whoever acts, and the journeys one can make.

import { act } from "./act.js";
import { announce, byId, el } from "./dom.js";
import { here, told } from "./here.js";

const JOURNEYS = [["hour", "+1 h", "1 hour"], ["day", "+1 d", "1 day"], ["week", "+1 w", "1 week"]];
let received = 0;
let face = null;

export function buildClock() {
  face = el("time", { id: "now" });
  const travel = async (event, by, words) => {
    const press = event.currentTarget;
    press.disabled = true;
    announce(`Travelling ${words} …`);
    await act("travel", { by });
    press.disabled = false;
    press.focus();
    announce(`It is ${shownNow()}.`);
  };
  byId("clock").append(face, el("div", { class: "journeys", role: "group", "aria-label": "Travel in time" }, el("span", { class: "travel", "aria-hidden": "true" }, "travel"),
    JOURNEYS.map(([by, words, long]) => el("button", { type: "button", class: "press small", "aria-label": `Travel ${long} forward`, title: `Travel ${long} forward; what falls due on the way happens`, onclick: (event) => travel(event, by, long) }, words))));
  setInterval(tick, 250);
}

export function showClock() {
  received = performance.now();
  tick();
}

export function now() {
  const { clock } = here.state;
  const at = Date.parse(clock.now) + (performance.now() - received) * clock.rate;
  return new Date(clock.until ? Math.min(at, Date.parse(clock.until)) : at);
}

const shownNow = () => told(now(), { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

function tick() {
  if (!here.state) return;
  face.textContent = shownNow();
  face.dateTime = now().toISOString();
}
