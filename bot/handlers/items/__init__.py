"""Action items: commands, buttons, reminders, digests."""
