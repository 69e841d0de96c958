"""`scribe demo`: the small Slack of `bot/fakeslack` as a page in the browser, with the real bot behind it."""
