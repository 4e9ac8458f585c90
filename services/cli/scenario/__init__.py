"""Scenario files: what is given, a timeline of public inputs on a virtual clock, and what must come of it."""
