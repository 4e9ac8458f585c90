"""Apache Kafka as a kind of store: a real broker, a space's topics with a prefix of its own for each test."""

import asyncio
import atexit
import os
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import cache
from itertools import count
from typing import TypeVar
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
Answer = TypeVar("Answer")


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


class Warm:
    """An administrator's connection for all tests of this process, on an event loop of its own: theirs come and go."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._loop = asyncio.new_event_loop()
        self._left: list[Future[None]] = []
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._cluster = self._begin(lambda: self._entered(settings)).result()
        atexit.register(self._close)

    def create(self, topics: Mapping[str, Mapping[str, str]], partitions: int) -> None:
        """Create topics, and return when each partition has a leader."""
        self._begin(lambda: self._cluster.create(topics, partitions, 1)).result()

    def delete(self, topics: Sequence[str]) -> None:
        """Delete topics, by and by."""
        self._left.append(self._begin(lambda: self._cluster._client.delete_topics(list(topics))))

    def _begin(self, work: Callable[[], Awaitable[Answer]]) -> "Future[Answer]":
        async def done() -> Answer:
            return await work()

        return asyncio.run_coroutine_threadsafe(done(), self._loop)

    @staticmethod
    async def _entered(settings: KafkaSettings) -> Administrator:
        return await Administrator(settings).__aenter__()

    def _close(self) -> None:
        for deletion in self._left:
            deletion.result()
        self._begin(self._cluster.__aexit__).result()


@cache
def _warm() -> Warm:
    return Warm(KafkaSettings(broker_address()))


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

    async def begin(self, markers: Sequence[Outgoing]) -> None:
        """Write the first record of each topic partition."""
        self._appender = await self._started(clients.producer(self.settings))
        await self._check_places(self._appender, markers)
        for _, future, _ in await self._send_all(self._appender, markers):
            await future

    async def commit(
        self, claim: Claim, log: Sequence[Outgoing], sends: Sequence[Outgoing], offsets: Mapping[str, int]
    ) -> Committed:
        committed = await super().commit(claim, log, sends, offsets)
        if committed.outcome is Outcome.OK:
            places: dict[int, set[str]] = defaultdict(set)
            for record in (*log, *sends):
                places[record.partition].add(record.topic)
            await asyncio.gather(*(self._visible(partition, sorted(topics)) for partition, topics in places.items()))
        return committed

    async def _visible(self, partition: int, topics: Sequence[str]) -> None:
        ends = await self.end_offsets(partition, topics, committed=False)
        while True:
            stable = await self.end_offsets(partition, topics, committed=True)
            if all(stable[topic] >= end for topic, end in ends.items()):
                return

    async def fetch(self, partition: int, positions: Mapping[str, int], records_max: int) -> Mapping[str, Fetched]:
        topics = tuple(positions)
        marks = await self.end_offsets(partition, topics, committed=False)
        if all(marks[topic] <= start for topic, start in positions.items()):
            return {topic: Fetched((), start, marks[topic]) for topic, start in positions.items()}
        ends = await self.end_offsets(partition, topics, committed=True)
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
    settings = KafkaSettings(broker_address())
    prefix = new_prefix()
    store = SteadyKafkaStore(prefix, layout.space.partitions, settings, layout.clock)

    markers = [
        marker(layout.space.name, topic, partition, incarnation(topic))
        for topic in layout.topics
        for partition in range(store.partitions)
    ]
    # The test's clock is the topics': records keep the time that they are given.
    config = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    _warm().create({store.full(topic): config for topic in layout.topics}, store.partitions)
    layout.wait(store.begin(markers))
    return store


def _close(store: Store, layout: Layout) -> None:
    """Delete the topics too: some hundred tests leave thousands of partitions, and the broker slows down with them."""
    assert isinstance(store, KafkaStore)

    layout.wait(store.close())
    _warm().delete([store.full(topic) for topic in layout.topics])


def _reopen(store: Store, layout: Layout) -> Store:
    assert isinstance(store, KafkaStore)
    layout.wait(store.close())
    return SteadyKafkaStore(store.prefix, store.partitions, store.settings, layout.clock)


KAFKA = StoreKind("kafka", _create, _reopen, _close)
