"""A small Slack for one machine: Web API, signed commands, Socket Mode."""
