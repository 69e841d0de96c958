// The tab's session: who acts, in which channel, thread or canvas. The address's hash holds it, so that a reload and a
// second tab each keep their own. `setup` and `state` are the server's latest answers.

export const HOME = "home";

export const session = {
  setup: null, state: null, user: "", channel: "", thread: null, canvas: null,
  scrollTarget: null, // the ts of a message that a link leads to, until it is shown
  onNavigate: () => {},
};

export function readHash() {
  const [user, channel, open] = location.hash.slice(1).split("/");
  session.user = /^U\w+$/.test(user) ? user : session.setup.roles[0].id;
  session.channel = /^([CD]\w+|home)$/.test(channel ?? "") ? channel : session.setup.channel;
  session.thread = /^[\d.]+$/.test(open ?? "") ? open : null;
  session.canvas = /^F\w+$/.test(open ?? "") ? open : null;
}

// Changes the session; another channel or user closes the open thread and canvas.
export function navigate(to) {
  const closes = "channel" in to || "user" in to;
  Object.assign(session, closes ? { thread: null, canvas: null } : {}, to);
  history.replaceState(null, "", `#${[session.user, session.channel, session.thread ?? session.canvas].filter(Boolean).join("/")}`);
  session.onNavigate();
}

export const person = (id) => session.state?.people.find((each) => each.id === id);
export const nameOf = (id) => person(id)?.real_name ?? id;
export const me = () => person(session.user);
export const currentChannel = () => session.state?.channels.find((each) => each.id === session.channel);
// The Home tab is no channel: requests made from it name the first channel.
export const requestChannel = () => (session.channel === HOME ? session.setup.channel : session.channel);

// Formats an instant in the acting person's zone. Formatters are cached: to make one takes longer than to use it.
const formatters = new Map();
export function formatTime(instant, options) {
  const timeZone = me()?.zone ?? "UTC";
  const key = timeZone + JSON.stringify(options);
  if (!formatters.has(key)) formatters.set(key, new Intl.DateTimeFormat("en-GB", { timeZone, ...options }));
  return formatters.get(key).format(instant);
}
export const dateOf = (ts) => new Date(Number(ts) * 1000);
