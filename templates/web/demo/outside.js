// Things to try that come from outside of Scribe: what machines tell it, and a conversation that is pasted.

import { perform, showNotice } from "./actions.js";
import { shownNow } from "./clock.js";
import { paste } from "./finish.js";
import { HOME, currentChannel, formatTime, navigate, session } from "./session.js";

const MINUTE_MS = 60_000;
const TOLD = {
  deploy: "A pipeline has posted a release. Scribe keeps it and says nothing: it is offered once an incident begins soon after.",
  alert: "Alertmanager has posted an alert. In a moment Scribe asks here whether it is an incident, or puts it on the open one.",
};

// Has the machine tell the channel that is shown, and says what Scribe answered it.
async function tell(what) {
  const shown = session.channel === HOME || currentChannel()?.direct ? session.setup.channel : session.channel;
  navigate({ channel: shown });
  document.body.dataset.pane = "conversation";
  const { answer } = await perform("tell", { channel: shown, what });
  if (answer) showNotice(TOLD[what], [`Scribe’s answer to it: 202, ${answer}`], { calm: true });
  return answer;
}

export async function alertAfterDeploy() {
  if (await tell("deploy")) await tell("alert");
}

// Who said what, and how many minutes ago.
const CONVERSATION = [
  [52, "Alertmanager APP", () => "[FIRING] CheckoutErrorRate: 7% of checkouts fail with error 500 https://grafana.example.com/d/checkout"],
  [50, "Alice", () => "I am on it"],
  [49, "Bob", () => "lunch can wait :sweat_smile:"],
  [47, "Alice", () => "customers are affected: about 40 a minute get the error page, mobile and web alike"],
  [44, "Alice", () => "could it be the payment gateway? @bob you know it best"],
  [39, "Bob", () => "it is not the gateway, its dashboard is green: https://grafana.example.com/d/gateway"],
  [36, "Carol", (at) => `release 418 went out at ${at(55)}, three minutes before the first errors`],
  [35, "Alice", () => "that fits. rolling it back?"],
  [34, "Carol", () => "rolling back release 418 now"],
  [30, "deploybot APP", () => "checkout: rollback to release 417 completed https://ci.example.com/checkout/releases/417"],
  [27, "Bob", () => "error rate is falling, checkouts go through again"],
  [26, "Carol", () => ":tada:"],
  [12, "Alice", () => "error rate at its usual level for 15 minutes, we are all clear. Resolved"],
  [11, "Bob", () => "thanks everybody"],
  [8, "Carol", () => "I will write a test that starts with an empty cache"],
];

// As it is copied out of Slack.
function conversation() {
  const at = (minutes) => formatTime(new Date(shownNow().getTime() - minutes * MINUTE_MS), { hour: "2-digit", minute: "2-digit" });
  return CONVERSATION.map(([minutes, who, words]) => `${who}  ${at(minutes)}\n${words(at)}`).join("\n");
}

function pasteConversation() {
  paste({
    heading: "Backfill a pasted conversation",
    about: "Nobody typed for Scribe while it burned? Mark what was said in the channel, copy it, and paste it. Scribe reads who said what and when, and proposes with ticks what belongs on the timeline. Here is one to try:",
    label: "The conversation",
    play: "Choose what goes in",
    title: "Checkouts fail with error 500",
    lines: conversation(),
  });
}

export const THINGS = [
  { key: "deploy", label: "A deploy is told", title: "A pipeline posts a release, as yours would", act: () => tell("deploy") },
  { key: "alert", label: "An alert fires", title: "Alertmanager posts an alert, as yours would", act: () => tell("alert") },
  { key: "conversation", label: "Backfill a pasted conversation", title: "What was said in a channel, with ticks", act: pasteConversation },
];
