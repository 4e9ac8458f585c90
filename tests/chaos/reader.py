"""Reads what is stored, with another client than the services'."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import confluent_kafka

from schemas.envelope import Record
from services.kernel.kafka.settings import KafkaSettings
from services.kernel.space import Space
from tests.chaos.watch import Place

_WAIT_MS = 5
_POLL_S = 0.02
"""The client waits so long for as many records as it may return, also when there are no more."""
_STALLED_S = 30.0
_TOGETHER = 10_000


class Reader:
    """Reads topics from the first record to the end, and notes which offsets were committed."""

    def __init__(self, space: Space, settings: KafkaSettings) -> None:
        self.space = space
        self.offsets: dict[Place, list[int]] = {}
        self._consumers = {committed: _consumer(settings, committed=committed) for committed in (True, False)}
        self._topic, self._records = "", list[list[Record]]()

    def close(self) -> None:
        """Close the connections."""
        for consumer in self._consumers.values():
            consumer.close()

    async def committed(self, topic: str, partition: int) -> Sequence[Record]:
        """Return what is committed of a topic partition."""
        if topic != self._topic:
            read = await asyncio.to_thread(self._read, topic, self._consumers[True])
            self._topic, self._records = topic, [[_record_of(topic, one) for one in held] for held in read]
        records = self._records[partition]
        self.offsets[topic, partition] = [record.offset for record in records]
        return records

    async def aborted(self, topic: str) -> list[list[int]]:
        """Return, for each partition, the offsets of what is stored and was not committed."""
        stored = await asyncio.to_thread(self._read, topic, self._consumers[False])
        found = []
        for partition, held in enumerate(stored):
            committed = set(self.offsets[topic, partition])
            found.append([offset for message in held if (offset := message.offset()) not in committed])
        return found

    def _read(self, topic: str, consumer: confluent_kafka.Consumer) -> list[list[Any]]:
        """Read all partitions of a topic."""
        name, partitions = f"{self.space.name}.{topic}", range(self.space.partitions)
        consumer.assign([confluent_kafka.TopicPartition(name, partition, 0) for partition in partitions])
        found: list[list[Any]] = [[] for _ in partitions]
        left, until = set(partitions), time.monotonic() + _STALLED_S
        while left:
            messages: list[Any] = consumer.consume(_TOGETHER, timeout=_POLL_S)
            assert messages or time.monotonic() < until, f"{name}: no answer for partitions {left}"
            for message in messages:
                until = time.monotonic() + _STALLED_S
                error = message.error()
                if error is None:
                    found[message.partition()].append(message)
                elif error.code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    left.discard(message.partition())
                else:
                    raise confluent_kafka.KafkaException(error)
        consumer.unassign()
        return found


def _consumer(settings: KafkaSettings, *, committed: bool) -> confluent_kafka.Consumer:
    made = confluent_kafka.Consumer(
        {
            "bootstrap.servers": settings.bootstrap,
            "group.id": "audit",
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "auto.offset.reset": "error",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": _WAIT_MS,
        }
    )
    # Of a topic that it has not heard of it asks the cluster by a timer, once a second.
    made.list_topics(timeout=_STALLED_S)
    return made


def _record_of(topic: str, message: Any) -> Record:  # noqa: ANN401 - confluent's
    headers = tuple((name, value or b"") for name, value in message.headers() or ())
    _, timestamp = message.timestamp()
    return Record(topic, message.partition(), message.offset(), timestamp, message.key(), message.value(), headers)
