"""The check: what a reviewer would say about a timeline and its postmortem."""
