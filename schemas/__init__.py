"""Messages of every stream, the envelope they travel in, and the words they share."""
