"""Incidents: which reports are of one event, and what became of it."""
