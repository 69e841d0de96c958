"""`scribe doctor`: checks of this installation, each with a fix for what it finds."""
