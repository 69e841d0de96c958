// The demo's clock, in the acting person's zone, and the buttons that move it forward.

import { perform } from "./actions.js";
import { announce, byId, el } from "./dom.js";
import { formatTime, session } from "./session.js";

const TRAVEL_STEPS = [["hour", "+1 h", "1 hour"], ["day", "+1 d", "1 day"], ["week", "+1 w", "1 week"]];
const TICK_MS = 250;
let receivedMs = 0;
let display = null;

export function buildClock() {
  display = el("time", { id: "now" });
  byId("clock").append(display,
    el("div", { class: "travel-buttons", role: "group", "aria-label": "Travel in time" },
      el("span", { class: "travel", "aria-hidden": "true" }, "travel"),
      TRAVEL_STEPS.map(([by, label, words]) => el("button", {
        type: "button", class: "button small", "aria-label": `Travel ${words} forward`,
        title: `Travel ${words} forward; what falls due on the way happens`, onclick: (event) => travel(event.currentTarget, by, words),
      }, label))));
  setInterval(tick, TICK_MS);
}

async function travel(button, by, words) {
  button.disabled = true;
  announce(`Travelling ${words} …`);
  await perform("travel", { by });
  button.disabled = false;
  button.focus();
  announce(`It is ${formatNow()}.`);
}

// A new state has arrived: `now` counts on from its clock.
export function showClock() {
  receivedMs = performance.now();
  tick();
}

// The instant that the demo's clock shows.
export function shownNow() {
  const { clock } = session.state;
  const at = Date.parse(clock.now) + (performance.now() - receivedMs) * clock.rate;
  return new Date(clock.until ? Math.min(at, Date.parse(clock.until)) : at);
}

const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

// How long ago the Unix time was, as Slack says it: "3 minutes ago", "in 2 hours".
export function agoText(seconds) {
  const passed = Math.round(shownNow().getTime() / 1000 - seconds);
  const [unit, length] = UNITS.find((each) => Math.abs(passed) >= each[1]) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat("en", { numeric: "always" }).format(-Math.trunc(passed / length), unit);
}

const formatNow = () => formatTime(shownNow(), { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

function tick() {
  if (!session.state) return;
  display.textContent = formatNow();
  display.dateTime = shownNow().toISOString();
  for (const each of document.querySelectorAll("[data-ago]")) {
    const text = agoText(Number(each.dataset.ago));
    if (each.textContent !== text) each.textContent = text;
  }
}
