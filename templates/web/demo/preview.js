// The side pane: the postmortem as a draft would write it now, its check, JSON and picture. Changed lines are highlighted.

import { get } from "./api.js";
import { announce, byId, el } from "./dom.js";
import { sanitize } from "./sanitize.js";
import { phaseBar, rail } from "./rail.js";
import { requestChannel, session } from "./session.js";

const LABELS = { postmortem: "Postmortem", check: "Check", json: "JSON", picture: "Picture" };
const LINES = "h3, h4, p, li, tr, pre, .finding";
const MAX_JSON_CHARS = 100_000;
const HIGHLIGHT_MS = 2600;
let tab = "postmortem";
let request = null;
let shownFacts = "";
// The lines last shown, of which incident and tab, and when each of the new ones first appeared.
let shownLines = { of: "", texts: new Set() };
const newSince = new Map();

export function buildPreview() {
  const tabs = session.setup.tabs.map((name) =>
    el("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "preview-body", "data-tab": name, onclick: () => selectTab(name) }, LABELS[name] ?? name));
  const list = el("div", { role: "tablist", "aria-label": "The incident as", onkeydown: (event) => onTabKey(event, tabs) }, tabs);
  byId("preview").append(el("header", { id: "about" }), list, el("div", { id: "preview-body", role: "tabpanel", tabindex: 0 }));
  markSelectedTab();
}

function selectTab(name) {
  tab = name;
  markSelectedTab();
  byId(`tab-${name}`).focus();
  byId("preview-body").scrollTop = 0;
  showPreview();
}

function markSelectedTab() {
  for (const each of document.querySelectorAll("[data-tab]")) {
    each.setAttribute("aria-selected", String(each.dataset.tab === tab));
    each.tabIndex = each.dataset.tab === tab ? 0 : -1;
  }
  byId("preview-body").setAttribute("aria-labelledby", `tab-${tab}`);
  document.body.dataset.shows = tab;
}

function onTabKey(event, tabs) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) tabs[(tabs.findIndex((each) => each.dataset.tab === tab) + step + tabs.length) % tabs.length].click();
}

// One request at a time: changes that come while one is under way lead to one more afterwards.
export async function showPreview() {
  if (request) {
    request.repeat = true;
    return;
  }
  request = { repeat: false };
  try {
    render(await get("document", { channel: requestChannel(), tab }));
  } catch (error) {
    byId("preview-body").replaceChildren(el("p", { class: "error" }, `The document could not be shown: ${error.message}`));
  }
  const { repeat } = request;
  request = null;
  if (repeat) showPreview();
}

const TABS = {
  postmortem: (view) => [
    view.problem && el("p", { class: "error" }, view.problem),
    view.sections.map((each) => el("section", { "aria-label": each.heading },
      el("h3", {}, each.heading, each.edited && el("span", { class: "edited" }, "edited by hand")),
      each.key === "timeline" && thumbnail(view), sanitize(each.html, 1))),
    !view.sections.some((each) => each.key === "timeline") && thumbnail(view),
    view.files.length > 0 && el("section", { "aria-label": "Pictures" }, el("h3", {}, "Pictures"), view.files.map(kept)),
  ],
  check: (view) => view.total === 0
    ? el("p", {}, "Nothing to remark on. A reviewer would be content.")
    : [el("p", { class: "muted" }, view.total === 1 ? "1 remark, as a reviewer would make it." : `${view.total} remarks, as a reviewer would make them.`),
      view.groups.map((group) => el("section", {}, el("h3", {}, group.title), group.findings.map(finding)))],
  json: ({ text }) => el("pre", { class: "json" }, text.length > MAX_JSON_CHARS ? `${text.slice(0, MAX_JSON_CHARS)}\n…` : text),
  picture: (view) => [
    el("div", { class: "picture", tabindex: 0, role: "region", "aria-label": "The timeline's picture" }, image(view)),
    el("p", { class: "wide-only" }, byItself()),
    el("p", { class: "narrow-only" }, byItself({ tall: "" })),
    el("details", {}, el("summary", {}, "The same as a list"), rail(view)),
  ],
};

const kept = (each) =>
  el("figure", {}, el("img", { src: each.src, alt: each.name }), el("figcaption", { class: "muted" }, `${each.when} ${each.words} — ${each.author}`));

const finding = (each) =>
  el("div", { class: "finding" }, el("p", {}, el("b", {}, each.place), ": ", each.reason), el("p", { class: "muted" }, "→ ", each.fix));

const pictureUrl = (query = {}) => `picture.svg?${new URLSearchParams({ channel: requestChannel(), ...query })}`;

const byItself = (query) => el("a", { href: pictureUrl(query), target: "_blank", rel: "noreferrer noopener" }, "Open the picture by itself");

// `state` is in the URL so that a changed picture is loaded anew. The width is that of `narrow-only`.
const image = ({ incident: { name, state } }) => el("picture", {},
  el("source", { media: "(max-width: 1199.98px)", srcset: pictureUrl({ state, tall: "" }) }),
  el("img", { class: "timeline", src: pictureUrl({ state }), alt: `The timeline of ${name} as a picture; its words stand in the list below` }));

// The phases, and a way to the tab with the whole picture, which would be too small here.
const thumbnail = (view) => [phaseBar(view), el("button", { type: "button", class: "button small", onclick: () => selectTab("picture") }, "See the picture")];

// What the page promises: a finished postmortem, until there is one of one's own.
const finished = ({ promise }) => [
  el("p", { class: "lead" }, "This is where it ends. As soon as something is detected, your own postmortem writes itself here, beside the conversation."),
  el("article", { class: "promise", "aria-label": "A finished postmortem" },
    el("h3", {}, promise.title), el("p", { class: "muted" }, `${promise.severity}, resolved, published`), phaseBar(promise),
    promise.sections.map((each) => el("section", { "aria-label": each.heading }, el("h4", {}, each.heading), sanitize(each.html, 2)))),
];

function render(view) {
  if (view.incident && view.tab !== tab) return;
  const facts = JSON.stringify([view, requestChannel()]);
  if (facts === shownFacts) return;
  shownFacts = facts;
  const body = byId("preview-body");
  showHeader(view.incident);
  const oldImage = body.querySelector("img.timeline");
  body.replaceChildren(...[view.incident ? [TABS[tab](view)] : finished(view)].flat(Infinity).filter(Boolean));
  if (oldImage) swapWhenDecoded(oldImage, body.querySelector("img.timeline"));
  highlightNewLines(body, `${view.incident?.name}/${tab}`);
}

function showHeader(incident) {
  if (!incident) return byId("about").replaceChildren(el("h2", {}, "A finished postmortem"));
  const draft = incident.version ? `version ${incident.version} drafted; below is what a draft would say now` : "not drafted yet; below is what a draft would say";
  byId("about").replaceChildren(
    el("h2", {}, `${incident.name} `, el("span", {}, incident.title.slice(0, 160))),
    el("p", { class: "muted" },
      el("span", { class: incident.open ? "state open" : "state" }, incident.standing),
      incident.severity && el("span", { class: "state" }, incident.severity),
      ` ${incident.template} template, ${draft}`,
      !incident.here && ". It belongs to another channel."));
}

// The old image stays until the new one is decoded, so that the pane does not flicker or change its height.
function swapWhenDecoded(oldImage, newImage) {
  if (!newImage) return;
  newImage.replaceWith(oldImage);
  newImage.decode().catch(() => {}).then(() => oldImage.isConnected && oldImage.replaceWith(newImage));
}

function highlightNewLines(body, of) {
  const lines = [...body.querySelectorAll(LINES)].filter((each) => !each.querySelector(LINES));
  const now = performance.now();
  // Another incident or tab is new as a whole: nothing of it is highlighted.
  const isSame = shownLines.of === of;
  if (!isSame) newSince.clear();
  const added = isSame ? lines.filter((each) => !shownLines.texts.has(each.textContent)) : [];
  for (const each of added) newSince.set(each.textContent, now);
  shownLines = { of, texts: new Set(lines.map((each) => each.textContent)) };
  for (const each of lines) highlight(each, now - newSince.get(each.textContent));
  if (!added.length) return;
  const inTimeline = added.findLast((each) => each.closest("section")?.querySelector("figure.phases"));
  (inTimeline ?? added[0]).scrollIntoView({ block: "nearest" });
  document.body.classList.add("changed");
  announce(added.length === 1 ? "The document has a new line." : `The document has ${added.length} new lines.`);
}

// A re-rendered line continues its animation where the old node's was; `ageMs` is NaN for a line that is not new.
function highlight(line, ageMs) {
  if (!(ageMs < HIGHLIGHT_MS)) return;
  line.classList.add("fresh");
  line.style.animationDelay = `${-ageMs}ms`;
}
