// The living document: what the bot would write now, beside the conversation. Lines that changed flash.

import { announce, byId, el } from "./dom.js";
import { here, realChannel } from "./here.js";
import { trusted } from "./trusted.js";
import { ask } from "./wire.js";

const NAMES = { postmortem: "Postmortem", check: "Check", json: "JSON", picture: "Picture" };
const LINES = "h3, h4, p, li, tr, pre, .finding";
const LONGEST_JSON = 100_000;
let tab = "postmortem";
let asked = null;
let before = { of: "", lines: new Set() };
let drawn = "";
const fresh = new Map();
const FRESH_MS = 2600;

export function buildLiving() {
  const tabs = here.setup.tabs.map((name) =>
    el("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "paper", "data-tab": name, onclick: () => choose(name) }, NAMES[name] ?? name));
  const list = el("div", { role: "tablist", "aria-label": "The incident as", onkeydown: (event) => walk(event, tabs) }, tabs);
  byId("living").append(el("header", { id: "about" }), list, el("div", { id: "paper", role: "tabpanel", tabindex: 0 }));
  mark();
}

function choose(name) {
  tab = name;
  mark();
  byId(`tab-${name}`).focus();
  byId("paper").scrollTop = 0;
  showLiving();
}

function mark() {
  for (const each of document.querySelectorAll("[data-tab]")) {
    each.setAttribute("aria-selected", String(each.dataset.tab === tab));
    each.tabIndex = each.dataset.tab === tab ? 0 : -1;
  }
  byId("paper").setAttribute("aria-labelledby", `tab-${tab}`);
  document.body.dataset.shows = tab;
}

function walk(event, tabs) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) tabs[(tabs.findIndex((each) => each.dataset.tab === tab) + step + tabs.length) % tabs.length].click();
}

// One question at a time; news that come meanwhile are asked for afterwards.
export async function showLiving() {
  if (asked) {
    asked.again = true;
    return;
  }
  asked = { again: false };
  try {
    draw(await ask("document", { channel: realChannel(), tab }));
  } catch (error) {
    byId("paper").replaceChildren(el("p", { class: "error" }, `The document could not be shown: ${error.message}`));
  }
  const again = asked.again;
  asked = null;
  if (again) showLiving();
}

const DRAW = {
  postmortem: (shown) => [
    shown.problem && el("p", { class: "error" }, shown.problem),
    shown.sections.map((each) => el("section", { "aria-label": each.heading },
      el("h3", {}, each.heading, each.edited && el("span", { class: "edited" }, "edited by hand")), each.key === "timeline" && overview(shown), trusted(each.html, 1))),
    !shown.sections.some((each) => each.key === "timeline") && overview(shown),
  ],
  check: (shown) => shown.total === 0
    ? el("p", {}, "Nothing to remark on. A reviewer would be content.")
    : [el("p", { class: "soft" }, shown.total === 1 ? "1 remark, as a reviewer would make it." : `${shown.total} remarks, as a reviewer would make them.`),
      shown.groups.map((group) => el("section", {}, el("h3", {}, group.title), group.findings.map((each) => el("div", { class: "finding" }, el("p", {}, el("b", {}, each.place), ": ", each.reason), el("p", { class: "soft" }, "→ ", each.fix)))))],
  json: (shown) => el("pre", { class: "json" }, shown.text.length > LONGEST_JSON ? `${shown.text.slice(0, LONGEST_JSON)}\n…` : shown.text),
  picture: (shown) => [picture(shown), el("p", {}, el("a", { href: `picture.svg?${new URLSearchParams({ channel: realChannel() })}`, target: "_blank", rel: "noreferrer noopener" }, "Open the picture by itself"))],
};

function draw(shown) {
  if (shown.incident && shown.tab !== tab) return;
  const facts = JSON.stringify([shown, realChannel()]);
  if (facts === drawn) return;
  drawn = facts;
  const of = `${shown.incident?.name}/${tab}`;
  const paper = byId("paper");
  about(shown.incident);
  const made = shown.incident ? [DRAW[tab](shown)].flat(Infinity).filter(Boolean) : [nothing()];
  const old = paper.querySelector("img.timeline");
  paper.replaceChildren(...made);
  if (old) soften(paper.querySelector("img.timeline"), old);
  flash(paper, of);
}

function about(incident) {
  byId("about").replaceChildren(...(incident
    ? [el("h2", {}, `${incident.name} `, el("span", {}, incident.title.slice(0, 160))),
      el("p", { class: "soft" }, el("span", { class: incident.open ? "state open" : "state" }, incident.open ? "open" : "resolved"), incident.severity && el("span", { class: "state" }, incident.severity), ` ${incident.template} template, ${incident.version ? `version ${incident.version} drafted; below is what a draft would say now` : "not drafted yet; below is what a draft would say"}`,
        !incident.here && ". It belongs to another channel.")]
    : [el("h2", {}, "The living document")]));
}

const nothing = () => el("div", { class: "empty" }, el("p", {}, "As soon as something is detected, the postmortem writes itself here, beside the conversation."));

const image = (shown) =>
  el("img", { class: "timeline", src: `picture.svg?${new URLSearchParams({ channel: realChannel(), state: shown.incident.state })}`, alt: `The timeline of ${shown.incident.name} as a picture; its words stand in the postmortem` });

// As large as it wants to be.
const picture = (shown) => el("div", { class: "picture", tabindex: 0, role: "region", "aria-label": "The timeline's picture" }, image(shown));

// As wide as the document; it leads to the large one.
const overview = (shown) => el("button", { type: "button", class: "picture", title: "See it large", onclick: () => choose("picture") }, image(shown));

// The old picture stays until the new one is there: nothing flickers, nothing jumps.
function soften(fresh, old) {
  if (!fresh) return;
  fresh.replaceWith(old);
  fresh.decode().catch(() => {}).then(() => old.isConnected && old.replaceWith(fresh));
}

function flash(paper, of) {
  const lines = [...paper.querySelectorAll(LINES)].filter((each) => !each.querySelector(LINES));
  const now = performance.now();
  if (before.of !== of) fresh.clear();
  const news = before.of === of ? lines.filter((each) => !before.lines.has(each.textContent)) : [];
  for (const each of news) fresh.set(each.textContent, now);
  before = { of, lines: new Set(lines.map((each) => each.textContent)) };
  for (const each of lines) glow(each, now - fresh.get(each.textContent));
  if (!news.length) return;
  const inTimeline = news.findLast((each) => each.closest("section")?.querySelector("img.timeline"));
  (inTimeline ?? news[0]).scrollIntoView({ block: "nearest" });
  document.body.classList.add("changed");
  announce(news.length === 1 ? "The document has a new line." : `The document has ${news.length} new lines.`);
}

// What was new a moment ago goes on glowing when the document is drawn again.
function glow(line, since) {
  if (!(since < FRESH_MS)) return;
  line.classList.add("fresh");
  line.style.animationDelay = `${-since}ms`;
}
