"""Publishes postmortems: one protocol, and one file for each kind of target."""
