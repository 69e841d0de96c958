"""Action items and what is said about them: one file a noun."""
