"""Action items: commands, clicks, reminders, digests."""
