// The running drill's controls: pause, step, speed, take over.

import { perform } from "./actions.js";
import { byId, el, renderKeepingFocus } from "./dom.js";
import { openChannel } from "./sidebar.js";

const SPEEDS = [10, 60, 600];

export function showDrill(state) {
  const drill = state.drill;
  renderKeepingFocus(byId("drill"), drill, () => (drill ? controls(drill, state) : []));
}

export async function startDrill(id) {
  const result = await perform("drill", { do: "start", case: id });
  if (result.channel) openChannel(result.channel);
}

function controls(drill, state) {
  return [
    el("button", { type: "button", class: "title", title: "Go to its channel", "data-key": "title", onclick: () => openChannel(drill.channel) }, drill.title),
    el("progress", { value: drill.position, max: drill.total, "aria-label": "Progress of the drill" }),
    el("span", { class: "count" }, `${drill.position} of ${drill.total}`),
    drill.over
      ? el("button", { type: "button", class: "button small", "data-key": "Play", onclick: () => startDrill(drill.id) }, "Play again")
      : [
        drill.playing ? control("Pause", "pause") : control("Play", "resume"),
        control("Step", "step", "Type the next command now"),
        speeds(drill),
        control("Take over", "end", "The drill types nothing more; you go on from here"),
      ],
    el("span", { class: "next" }, status(drill, state)),
    drill.refusal && el("span", { class: "error", role: "status" }, `Refused: ${drill.refusal.slice(0, 140)}`),
  ];
}

// Pause and Play share a key: the focus stays on the button when it changes from one to the other.
const control = (label, what, title) =>
  el("button", { type: "button", class: "button small", "data-key": label === "Pause" ? "Play" : label, title, onclick: () => perform("drill", { do: what }) }, label);

function speeds(drill) {
  const offered = [...new Set([...SPEEDS, drill.speed])].sort((a, b) => a - b);
  const select = el("select", { "aria-label": "Speed", "data-key": "speed", onchange: () => perform("drill", { do: "set_speed", speed: Number(select.value) }) },
    offered.map((each) => el("option", { value: each, selected: each === drill.speed }, `× ${each}`)));
  return select;
}

function status(drill, state) {
  if (drill.over) return drill.position === drill.total ? "The drill is over." : "Taken over: it is in your hands.";
  if (!drill.next) return null;
  const author = state.people.find((each) => each.name === drill.next.user)?.real_name ?? drill.next.user;
  return [el("span", { class: "muted" }, drill.playing ? "next: " : "paused before: "), `${author} ${drill.next.command}`];
}
