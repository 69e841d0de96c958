// What the box offers while one types: commands and their subcommands from the manifest, people after an @.

import { here } from "./here.js";

const MOST = 8;

export function completions(text, caret) {
  const before = text.slice(0, caret);
  const at = before.match(/(?:^|[\s(])@([\w.-]*)$/);
  if (at) return people(text, caret, at[1]);
  if (/^\/\S*$/.test(before) && caret === text.length) return commands(before);
  const sub = before.match(/^(\/\S+) (\S*)$/);
  return sub && caret === text.length ? subcommands(sub[1], sub[2]) : [];
}

const offer = (name, hint, about, text) => ({ name, hint, about, text, caret: text.length });

function commands(typed) {
  const fitting = here.setup.commands.filter((each) => each.command.startsWith(typed.toLowerCase()));
  if (fitting.length === 1 && fitting[0].command === typed) return [];
  return fitting.slice(0, typed === "/" ? here.setup.commands.length : MOST).map((each) => offer(each.command, each.usage_hint, each.description, `${each.command} `));
}

function subcommands(command, typed) {
  const known = here.setup.commands.find((each) => each.command === command)?.subcommands ?? [];
  const fitting = known.filter((each) => each.name.startsWith(typed.toLowerCase()) && each.name !== typed);
  return fitting.slice(0, MOST + 4).map((each) => offer(`${command} ${each.name}`, each.hint, each.description, `${command} ${each.name}${each.hint ? " " : ""}`));
}

function people(text, caret, typed) {
  const fitting = here.state.people.filter((each) => each.name !== "slackbot" && each.name.startsWith(typed.toLowerCase()) && each.name !== typed);
  const start = caret - typed.length;
  return fitting.slice(0, MOST).map((each) => {
    const filled = `${text.slice(0, start)}${each.name} `;
    return { name: `@${each.name}`, hint: each.real_name, about: "", text: filled + text.slice(caret).trimStart(), caret: filled.length };
  });
}

// The hint under the box, as long as the words after the command are few.
export function hintOf(text) {
  const [, command, sub] = text.match(/^(\/\S+)(?:\s+(\S+))?/) ?? [];
  const known = here.setup.commands.find((each) => each.command === command);
  if (!known) return "";
  const below = known.subcommands.find((each) => each.name === sub);
  return below ? `${command} ${sub} ${below.hint}` : `${command} ${known.usage_hint}`;
}
