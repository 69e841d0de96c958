"""The `scribe` command, as it is typed."""
