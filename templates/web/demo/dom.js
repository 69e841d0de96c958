// DOM helpers. Strings are inserted as text nodes, so nothing that a person typed is parsed as HTML.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((each) => each !== undefined && each !== null && each !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

// Replaces the container's children with `render()` when `facts` have changed: otherwise focus and scrolling stay.
const rendered = new WeakMap();
export function renderIfChanged(container, facts, render) {
  const key = JSON.stringify(facts);
  if (rendered.get(container) === key) return false;
  rendered.set(container, key);
  container.replaceChildren(...[render()].flat(Infinity).filter(Boolean));
  return true;
}

// For a container that was filled by other means: the next renderIfChanged renders.
export const invalidate = (container) => rendered.delete(container);

// As renderIfChanged; the element with the focus is found again by its data-key.
export function renderKeepingFocus(container, facts, render) {
  const key = container.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  if (!renderIfChanged(container, facts, render) || !key) return;
  [...container.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key)?.focus();
}

// Makes a screen reader speak the words.
export function announce(words) {
  byId("announcements").textContent = words;
}
