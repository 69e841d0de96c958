"""Action items: their words, due dates and reminders."""
