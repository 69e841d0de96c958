// Sends what a person does to the server, and shows the error that Slack would show them.

import { post } from "./api.js";
import { byId, el } from "./dom.js";
import { session } from "./session.js";

export async function perform(action, args = {}) {
  showNotice();
  const result = await post(action, { user: session.user, ...args });
  // Only a new problem replaces the notice: another action may have set it in the meantime.
  if (result.problem) showNotice(result.problem, result.details);
  return result;
}

// A `calm` notice says what happened; any other is a problem.
export function showNotice(problem, details = [], { calm = false } = {}) {
  const lines = problem ? [el("p", {}, problem), ...details.map((each) => el("p", { class: "muted" }, each))] : [];
  byId("notice")?.classList.toggle("calm", calm);
  byId("notice")?.replaceChildren(...lines);
}
