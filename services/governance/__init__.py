"""Governance: which rulebooks, products, principals and assessors there are."""
