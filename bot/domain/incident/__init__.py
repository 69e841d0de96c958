"""The incident: its grammar, lifecycle, impact, topics and policy."""
