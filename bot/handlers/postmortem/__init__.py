"""Postmortems: draft, edit, check, import, export, publish."""
