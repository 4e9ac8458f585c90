"""Pools: capital, cover sold from it, what is reserved and owed, and settlement, in double-entry books."""
