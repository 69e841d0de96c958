// Elements are made by name, and words are put in as text: nothing that was typed is ever read as markup.

export function el(tag, about = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(about)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...inside.flat(Infinity).filter((each) => each !== undefined && each !== null && each !== false));
  return made;
}

export const byId = (id) => document.getElementById(id);

// Puts `made()` into a place, but only when `facts` differ from those of the last time: focus and scrolling stay.
const shown = new WeakMap();
export function refill(place, facts, made) {
  const key = JSON.stringify(facts);
  if (shown.get(place) === key) return false;
  shown.set(place, key);
  place.replaceChildren(...[made()].flat(Infinity).filter(Boolean));
  return true;
}

// Somebody else fills that place now.
export const forget = (place) => shown.delete(place);

// As `refill`, and what had the focus, told by its data-key, has it again.
export function refillKeepingFocus(place, facts, made) {
  const key = place.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  if (!refill(place, facts, made) || !key) return;
  [...place.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key)?.focus();
}

export function announce(words) {
  byId("told").textContent = words;
}
