"""The process around the bot: HTTP servers, limits, signals, ticks, probes."""
