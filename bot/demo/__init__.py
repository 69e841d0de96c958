"""`scribe demo`: the stand-in Slack of `bot/fakeslack` as a page in the browser, with the real bot behind it."""
