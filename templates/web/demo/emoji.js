// The emoji that the page can draw; any other is shown as its name between colons, as in Slack.

const EMOJI = {
  pushpin: "📌", eyes: "👀", white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", rotating_light: "🚨",
  fire: "🔥", tada: "🎉", thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎", bulb: "💡", memo: "📝", bell: "🔔",
  clock1: "🕐", hourglass: "⌛", hourglass_flowing_sand: "⏳", calendar: "📅", date: "📅", bust_in_silhouette: "👤",
  large_green_circle: "🟢", large_yellow_circle: "🟡", red_circle: "🔴", large_blue_circle: "🔵", white_circle: "⚪",
  zzz: "💤", star: "⭐", heart: "❤️", wave: "👋", pray: "🙏", raised_hands: "🙌", lock: "🔒", link: "🔗", mag: "🔍",
  page_facing_up: "📄", clipboard: "📋", chart_with_upwards_trend: "📈", information_source: "ℹ️", question: "❓",
  exclamation: "❗", arrow_right: "➡️", repeat: "🔁", no_entry: "⛔", wastebasket: "🗑️", pencil2: "✏️", robot_face: "🤖",
};

export const emoji = (name) => EMOJI[name] ?? `:${name}:`;
