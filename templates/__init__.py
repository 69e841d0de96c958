"""Every text Scribe writes: postmortems, Slack messages, pages."""
