"""Declaring incidents, their timeline, corrections, reopening."""
