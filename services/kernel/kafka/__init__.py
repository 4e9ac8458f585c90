"""Apache Kafka under the engine: the store, who owns which partition, and the loop that drives engines.

Read in this order: `settings`, `clients` (the only door to aiokafka), `store`, `membership`, `process`. What each rule
here rests on was measured on a real broker; docs/adr/0011-kafka.md says which, and where we do otherwise.
"""
