"""`scribe demo`: the small Slack of `bot/playground` as a page in the browser, with the real bot behind it."""
