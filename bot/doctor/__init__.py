"""`scribe doctor`: what is wrong with this installation, and how to put it right; one file a subject."""
