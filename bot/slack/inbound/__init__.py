"""What Slack sends, from the transport to the handler and its answer."""
