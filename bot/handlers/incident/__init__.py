"""Incidents: declare, change, reopen; record and correct their timeline."""
