"""Payouts: one obligation to transfer, its attempts, its receipts."""
