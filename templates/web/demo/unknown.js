// What this page does not know is said, never left out.

import { el } from "./dom.js";

export const unknown = (given) =>
  el("p", { class: "unknown", role: "alert" }, `This page cannot show “${String(given?.type)}”, which Slack would. Please report it.`);
