"""Assessors: who may vote, what is at stake, and how it leaves."""
