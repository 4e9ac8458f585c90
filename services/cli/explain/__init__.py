"""What an id is, where it stands, and why: from the logs, which anybody may read."""
