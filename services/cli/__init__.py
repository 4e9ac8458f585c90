"""The command line: runs a space on one machine, and reads, exports and verifies what it decided."""
