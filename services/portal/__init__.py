"""The portal: the query API over the read model, and the console."""
