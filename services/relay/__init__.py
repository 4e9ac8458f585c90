"""The relay: publishes committed logs to outsiders' topics, at least once."""
