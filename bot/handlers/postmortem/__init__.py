"""Drafting, editing, checking, exporting and publishing postmortems."""
