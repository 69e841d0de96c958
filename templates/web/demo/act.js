// What a person does goes to the server; what Slack would tell them about it is shown by the box.

import { tell } from "./wire.js";
import { byId, el } from "./dom.js";
import { here } from "./here.js";

export async function act(deed, about = {}) {
  notice();
  const came = await tell(deed, { user: here.user, ...about });
  // What was done meanwhile may have had a problem of its own: that stays.
  if (came.problem) notice(came.problem, came.details);
  return came;
}

export function notice(problem, details = []) {
  const place = byId("notice");
  if (place) place.replaceChildren(...(problem ? [el("p", {}, problem), ...details.map((each) => el("p", { class: "soft" }, each))] : []));
}
