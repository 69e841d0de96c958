"""What the bot tells of its own work: log lines, metrics, health."""
