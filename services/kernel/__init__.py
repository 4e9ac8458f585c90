"""How a decision service runs: one engine, stores, records, proofs. No business word in it."""
