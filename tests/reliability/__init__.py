"""Scribe as a process among processes, killed, stopped and cut off at random moments."""
