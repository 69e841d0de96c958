// Who acts in this tab, and where: it stands in the address, so that a reload and a second tab find their own.

export const HOME = "home";

export const here = { setup: null, state: null, user: "", channel: "", thread: null, canvas: null, moved: () => {} };

export function read() {
  const [user, channel, open] = location.hash.slice(1).split("/");
  const known = here.setup.roles.map((each) => each.id);
  here.user = /^U\w+$/.test(user) ? user : known[0];
  here.channel = /^([CD]\w+|home)$/.test(channel ?? "") ? channel : here.setup.channel;
  here.thread = /^[\d.]+$/.test(open ?? "") ? open : null;
  here.canvas = /^F\w+$/.test(open ?? "") ? open : null;
}

export function go(to) {
  const left = "channel" in to || "user" in to;
  Object.assign(here, left ? { thread: null, canvas: null } : {}, to);
  history.replaceState(null, "", `#${[here.user, here.channel, here.thread ?? here.canvas].filter(Boolean).join("/")}`);
  here.moved();
}

export const person = (id) => here.state?.people.find((each) => each.id === id);
export const nameOf = (id) => person(id)?.real_name ?? id;
export const me = () => person(here.user);
export const zone = () => me()?.zone ?? "UTC";
// The Home tab belongs to no channel; what is asked of the server there is asked of the first one.
export const realChannel = () => (here.channel === HOME ? here.setup.channel : here.channel);
export const place = () => here.state?.channels.find((each) => each.id === here.channel);

const formats = new Map();
export function told(instant, how, zone_ = zone()) {
  const key = zone_ + JSON.stringify(how);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone_, ...how }));
  return formats.get(key).format(instant);
}
export const atTime = (ts) => new Date(Number(ts) * 1000);
