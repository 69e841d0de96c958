"""Where a postmortem goes when it is published: one small protocol, one file a target."""
