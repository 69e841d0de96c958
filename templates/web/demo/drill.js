// The drill's controls: pause, step, speed, take over.

import { act } from "./act.js";
import { byId, el, refillKeepingFocus } from "./dom.js";
import { enter } from "./places.js";

const SPEEDS = [10, 60, 600];

export function showDrill(state) {
  const drill = state.drill;
  refillKeepingFocus(byId("drill"), drill, () => (drill ? controls(drill, state) : []));
}

export async function begin(id) {
  const came = await act("drill", { do: "begin", case: id });
  if (came.channel) enter(came.channel);
}

function controls(drill, state) {
  const nameOf = (name) => state.people.find((each) => each.name === name)?.real_name ?? name;
  const press = (words, what, title) => el("button", { type: "button", class: "press small", "data-key": words === "Pause" ? "Play" : words, title, onclick: () => act("drill", { do: what }) }, words);
  const told = drill.over
    ? drill.at === drill.total ? "The drill is over." : "Taken over: it is in your hands."
    : drill.next && [el("span", { class: "soft" }, drill.playing ? "next: " : "paused before: "), `${nameOf(drill.next.user)} ${drill.next.command}`];
  return [
    el("button", { type: "button", class: "title", title: "Go to its channel", "data-key": "title", onclick: () => enter(drill.channel) }, drill.title),
    el("progress", { value: drill.at, max: drill.total, "aria-label": "Progress of the drill" }),
    el("span", { class: "count" }, `${drill.at} of ${drill.total}`),
    drill.over
      ? el("button", { type: "button", class: "press small", "data-key": "Play", onclick: () => begin(drill.id) }, "Play again")
      : [press(drill.playing ? "Pause" : "Play", drill.playing ? "pause" : "play"), press("Step", "step", "Type the next command now"), speeds(drill), press("Take over", "end", "The drill types nothing more; you go on from here")],
    el("span", { class: "next" }, told),
    drill.refused && el("span", { class: "error", role: "status" }, `Refused: ${drill.refused.slice(0, 140)}`),
  ];
}

function speeds(drill) {
  const offered = [...new Set([...SPEEDS, drill.speed])].sort((a, b) => a - b);
  const made = el("select", { "aria-label": "Speed", "data-key": "speed", onchange: () => act("drill", { do: "pace", speed: Number(made.value) }) },
    offered.map((each) => el("option", { value: each, selected: each === drill.speed }, `× ${each}`)));
  return made;
}
