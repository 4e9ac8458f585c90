"""Adjudication: every case, stage by stage, to its ruling."""
