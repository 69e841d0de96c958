"""Scribe: the incident's timeline, captured live, and the postmortem drafted from it."""
