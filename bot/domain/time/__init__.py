"""Instants, clock times, zones: reading them and writing them."""
