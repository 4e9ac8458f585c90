"""Governance: which rulebooks, products, pools, groups and principals there are, and what is halted or found."""
