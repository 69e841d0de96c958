"""The postmortem: from a timeline to sections, and merging them with what people wrote."""
