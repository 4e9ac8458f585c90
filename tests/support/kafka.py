"""Apache Kafka as a kind of store: a real broker, a space's topics with a prefix of its own for each test."""

import asyncio
import atexit
import os
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import count
from uuid import uuid4

from schemas.envelope import Outgoing
from services.kernel.kafka import clients
from services.kernel.kafka.admin import Administrator
from services.kernel.kafka.settings import KafkaSettings
from services.kernel.kafka.store import KafkaStore
from services.kernel.markers import marker
from services.kernel.store import Claim, Committed, Fetched, Outcome, Store
from tests.support.stores import Layout, StoreKind, incarnation
from tools.broker import Cluster

_numbers = count(1)
_RUN = uuid4().hex[:6]


@cache
def broker_address() -> str:
    """Return the address of a broker that this process, or the one that started it, keeps for all its tests."""
    given = os.environ.get("ADJUDEX_KAFKA")
    if given:
        return given
    cluster = Cluster()
    cluster.start()
    atexit.register(cluster.stop)
    return cluster.bootstrap


def new_prefix(name: str = "t") -> str:
    """Return a prefix that no other test has, on any broker."""
    return f"{name}-{_RUN}-{next(_numbers)}"


async def create_topics(
    settings: KafkaSettings,
    prefix: str,
    topics: Sequence[str],
    partitions: int,
    *,
    config: Mapping[str, str],
    markers: Sequence[Outgoing],
    now: int = 0,
) -> None:
    """Create topics, with the first record of each of their partitions; `now` counts where topics take given times."""
    async with Administrator(settings) as cluster:
        await cluster.create(dict.fromkeys((f"{prefix}.{topic}" for topic in topics), config), partitions, 1)
        async with cluster.writer() as writer:
            await writer.write((record._replace(topic=f"{prefix}.{record.topic}"), now) for record in markers)


class SteadyKafkaStore(KafkaStore):
    """A Kafka store for comparing runs byte for byte: what one fetch brings depends on what is there, not on when.

    A commit returns once its markers are written: Kafka answers a moment before.
    """

    async def commit(
        self, claim: Claim, log: Sequence[Outgoing], sends: Sequence[Outgoing], offsets: Mapping[str, int]
    ) -> Committed:
        committed = await super().commit(claim, log, sends, offsets)
        if committed.outcome is Outcome.OK:
            for topic, partition in {(record.topic, record.partition) for record in (*log, *sends)}:
                end = await self.end_offsets(partition, [topic], committed=False)
                while (await self.end_offsets(partition, [topic], committed=True))[topic] < end[topic]:
                    pass
        return committed

    async def fetch(self, partition: int, positions: Mapping[str, int], records_max: int) -> Mapping[str, Fetched]:
        topics = tuple(positions)
        ends, marks = await asyncio.gather(
            self.end_offsets(partition, topics, committed=True), self.end_offsets(partition, topics, committed=False)
        )
        if all(ends[topic] <= start for topic, start in positions.items()):
            return {topic: Fetched((), start, marks[topic]) for topic, start in positions.items()}
        found: dict[str, Fetched] = {}
        wanted = dict(positions)
        while wanted:
            for topic, fetched in (await super().fetch(partition, wanted, records_max)).items():
                records = [*found[topic].records, *fetched.records] if topic in found else fetched.records
                found[topic] = Fetched(records[:records_max], fetched.next, fetched.end)
                if len(records) > records_max:
                    found[topic] = Fetched(records[:records_max], records[records_max].offset, fetched.end)
                wanted[topic] = fetched.next
                if fetched.next >= ends[topic] or len(records) >= records_max:
                    del wanted[topic]
        return found


def _create(layout: Layout) -> Store:
    # One store serves all engines here, and a fetch that waits at the broker for one keeps those of others from it.
    settings = KafkaSettings(broker_address(), fetch_wait_ms=5)
    prefix = new_prefix()
    store = SteadyKafkaStore(prefix, layout.space.partitions, settings, layout.clock)

    markers = [
        marker(layout.space.name, topic, partition, incarnation(topic))
        for topic in layout.topics
        for partition in range(store.partitions)
    ]
    # The test's clock is the topics': records keep the time that they are given.
    config = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    topics, now = layout.topics, store.now()
    layout.wait(create_topics(settings, prefix, topics, store.partitions, config=config, markers=markers, now=now))
    return store


def _close(store: Store, layout: Layout) -> None:
    """Delete the topics too: some hundred tests leave thousands of partitions, and the broker slows down with them."""
    assert isinstance(store, KafkaStore)

    async def close() -> None:
        await store.close()
        cluster = clients.admin(store.settings)
        try:
            await cluster.start()
            await cluster.delete_topics([store.full(topic) for topic in layout.topics])
        finally:
            await clients.close(cluster)

    layout.wait(close())


def _reopen(store: Store, layout: Layout) -> Store:
    assert isinstance(store, KafkaStore)
    layout.wait(store.close())
    return SteadyKafkaStore(store.prefix, store.partitions, store.settings, layout.clock)


KAFKA = StoreKind("kafka", _create, _reopen, _close)
